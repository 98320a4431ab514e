package projections

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"muster/events"
	"muster/projections/records"
)

// A LineState says whether a requirement's line is in force on a date.
type LineState string

// The states of a line.
const (
	InForce   LineState = "in-force"
	Upcoming  LineState = "upcoming"  // it is issued, or its window begins, only later
	Over      LineState = "over"      // its window has ended
	Cancelled LineState = "cancelled" // it was taken back
)

// A Requirement is one line of the statement of requirements, as it stands at a moment.
type Requirement struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Role      events.Role      `json:"role"`
	Area      events.Area      `json:"area,omitzero"`
	Required  events.Quantity  `json:"required"`
	Unit      events.Unit      `json:"unit"`
	events.Window
	Priority  int       `json:"priority"`
	Essential bool      `json:"essential,omitzero"`
	Note      string    `json:"note,omitzero"`
	State     LineState `json:"state"`
	// Day is the day of a range from which on the line stands so; where its coverage is told, that
	// of which all of it tells: of those on which the line is in force, the first on which most of
	// it is missing, and, where nothing ever is, on which its supply is lowest.
	Day      events.Date `json:"day,omitzero"`
	Sequence uint64      `json:"sequence"` // the record that says so
}

// Terms returns the requirement as a statement carries it.
func (r Requirement) Terms() events.RequirementTerms {
	return events.RequirementTerms{Operation: r.Operation, Line: r.Line, Role: r.Role, Area: r.Area,
		Quantity: r.Required,
		Unit:     r.Unit, Window: r.Window, Priority: r.Priority,
		Essential: r.Essential, Note: r.Note}
}

// A line is the history of one requirement. Each record about it restates it in full, or ends it
// for ever.
type line struct {
	operation events.Operation
	name      events.Line
	label     uint16 // in Picture.labels; of the writer alone
	// The line that this is a copy of, in a picture of what is only supposed; nil otherwise.
	copyOf *line

	published[lineSaid]
}

// A lineSaid is all that was said about one line.
type lineSaid struct {
	terms     history[Requirement]
	cancelled history[struct{}]
	by        map[uint64]remark // by sequence: who has signed it, and why
}

// same returns the line that this one is, whether it is a copy or not.
func (l *line) same() *line {
	if l.copyOf != nil {
		return l.copyOf
	}
	return l
}

// line returns the operation's line of a name, new if need be.
func (o *operation) line(name events.Line, watched bool) *line {
	if l, ok := o.now().lines[name]; ok {
		return l
	}
	l := &line{operation: o.name, name: name}
	l.publish(&lineSaid{by: map[uint64]remark{}})
	all := o.change(watched)
	if watched {
		all.lines, all.lineNames = maps.Clone(all.lines), slices.Clip(all.lineNames)
	}
	all.lines[name] = l
	at, _ := slices.BinarySearch(all.lineNames, name)
	all.lineNames = slices.Insert(all.lineNames, at, name)
	o.publish(all)
	return l
}

func (l *line) take(seq uint64, r *records.Row, watched bool) {
	effective := events.Date(r.Effective)
	all := l.change(watched)
	if watched {
		all.by = maps.Clone(all.by)
	}
	defer l.publish(all)
	all.by[seq] = remark{signer: r.Signer, text: r.Text}
	if r.Type == "requirement.cancelled" {
		all.cancelled.add(said[struct{}]{seq: seq, effective: effective})
		return
	}
	all.terms.add(said[Requirement]{seq, effective, Requirement{
		Operation: l.operation, Line: l.name, Role: r.Role, Area: r.Area, Required: r.Quantity(),
		Unit: r.Unit, Window: r.Window(),
		Priority: r.Priority, Essential: r.Essential, Note: r.Text, Sequence: seq,
	}})
}

// at returns the line as it stands: on the date asked, or, when it holds only later, as it will
// begin. A cancelled line keeps the terms that it had. The result is false when the line is not
// known yet.
func (l *line) at(b Basis) (Requirement, bool) {
	all := l.now()
	now, ok := all.terms.last(b.AsOf, b.On)
	if ok {
		now.what.State = stateOf(now.what.Window, b.On)
	} else if now, ok = all.terms.first(b.AsOf); ok {
		now.what.State = Upcoming
	}
	if end, ended := all.cancelled.last(b.AsOf, b.On); ended {
		now.what.State, now.what.Sequence = Cancelled, end.seq
	}
	return now.what, ok
}

// in returns the line as it stands on the days asked, nothing when it is not known yet.
func (l *line) in(b Basis) (all []Requirement) {
	if !b.IsRange() {
		if q, ok := l.at(b); ok {
			all = append(all, q)
		}
		return all
	}
	days := []events.Date{b.On}
	l.edges(b.AsOf, func(d events.Date) {
		if d > b.On && d <= b.Until {
			days = append(days, d)
		}
	})
	slices.Sort(days)
	for _, day := range days {
		q, ok := l.at(b.onDay(day))
		if repeats := len(all) > 0 && all[len(all)-1].Sequence == q.Sequence; ok &&
			q.State == InForce && !repeats {
			q.Day = day
			all = append(all, q)
		}
	}
	if q, ok := l.at(b.onDay(b.Until)); ok && len(all) == 0 {
		all = append(all, q)
	}
	return all
}

func stateOf(w events.Window, on events.Date) LineState {
	switch {
	case w.Includes(on):
		return InForce
	case on < w.From:
		return Upcoming
	}
	return Over
}

// inForce returns the operation's lines that are in force, those of first priority first.
func (o *operation) inForce(b Basis, role events.Role) []Requirement {
	var lines []Requirement
	all := o.now()
	for _, name := range all.lineNames {
		if q, ok := all.lines[name].at(b); ok && q.State == InForce &&
			(role == "" || q.Role == role) {
			lines = append(lines, q)
		}
	}
	slices.SortStableFunc(lines, byPriority)
	return lines
}

func byPriority(a, b Requirement) int { return cmp.Compare(a.Priority, b.Priority) }

// Requirements is the lines of the statement of requirements at a moment.
type Requirements struct {
	Basis
	Requirements []Requirement `json:"requirements"`
}

// Requirements returns every line that is known, in force or not, by operation, priority and name.
// The nation of f plays no part: requirements are nobody's. Of a range, it returns the terms that
// are in force on any of its days, one after the other, and where none are, the line as it stands
// on the last.
func (p *Picture) Requirements(ctx context.Context, m Moment, f Filter) (Requirements, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Requirements{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Requirements{}, err
	}
	answer := Requirements{Basis: b, Requirements: []Requirement{}}
	for _, o := range chosen {
		from := len(answer.Requirements)
		all := o.now()
		for _, name := range all.lineNames {
			for _, q := range all.lines[name].in(b) {
				if f.Role == "" || q.Role == f.Role {
					answer.Requirements = append(answer.Requirements, q)
				}
			}
		}
		slices.SortStableFunc(answer.Requirements[from:], byPriority)
	}
	return answer, p.meter.err()
}
