package projections

import (
	"cmp"
	"context"
	"reflect"
	"strings"

	"muster/events"
	"muster/events/problem"
)

// A Filter narrows a question. An empty member lets everything pass.
type Filter struct {
	Operation events.Operation
	Nation    events.Nation
	Role      events.Role
}

func (f Filter) nation(n events.Nation) bool { return f.Nation == "" || f.Nation == n }

// A PledgeFilter narrows a list of pledges, and says which part of it is wanted.
type PledgeFilter struct {
	Filter
	State State
	// Line is the requirement that they name as the one that they are meant for.
	Line events.Line
	// Reference is the nation's own number, exactly.
	Reference string
	// Part is what the id has in it, in capitals; "" for any.
	Part string
	// After is the last ID of the page before; Limit is the most pledges to return, 0 for all.
	After events.ID
	Limit int
}

// A Condition is what a pledge hangs on.
type Condition struct {
	Condition events.Line          `json:"condition"`
	Kind      events.ConditionKind `json:"kind,omitzero"`
	State     ConditionState       `json:"state"`
	Sequence  uint64               `json:"sequence"` // the record that says so
}

// A Caveat is a national restriction on the use of what is pledged, which was not lifted.
type Caveat struct {
	Caveat      events.Line `json:"caveat"`
	Restriction string      `json:"restriction"`
	Sequence    uint64      `json:"sequence"` // the record that says so
}

// An Allocation is so much of a pledge, set against a line and not released.
type Allocation struct {
	ID       events.ID       `json:"id"`
	Line     events.Line     `json:"line"`
	Quantity events.Quantity `json:"quantity"`
	events.Window
	Sequence uint64 `json:"sequence"` // the record that says so
}

// A Pledge is a pledge as it stands at a moment.
type Pledge struct {
	ID        events.ID        `json:"id"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	// Organisation is the name of the organisation whose pledge it is; "" where it is a nation's.
	Organisation string      `json:"organisation,omitzero"`
	Role         events.Role `json:"role"`
	// Quantity is what was pledged; absent when the pledge was only observed. It may be unknown.
	Quantity events.Quantity `json:"quantity,omitzero"`
	Unit     events.Unit     `json:"unit"`
	// Least and Most are what is known of a quantity that is unknown: sums count Least.
	Least events.Quantity `json:"least,omitzero"`
	Most  events.Quantity `json:"most,omitzero"`
	// Strength is what is there, as last reported, since the date StrengthOn; absent when nothing
	// was.
	Strength   events.Quantity `json:"strength,omitzero"`
	StrengthOn events.Date     `json:"strength_on,omitzero"`
	Rung       Rung            `json:"rung,omitzero"`
	State      State           `json:"state"`
	// Day is the day of a range from which on it stands so, up to the end of the range or until it
	// does not pass the filter.
	Day  events.Date `json:"day,omitzero"`
	Area events.Area `json:"area,omitzero"`
	events.Window
	NoticeToMove *int            `json:"notice_to_move,omitzero"`
	Presence     events.Presence `json:"presence,omitzero"`
	Release      events.Release  `json:"release,omitzero"`
	// ReleasableTo are nations that read it too, where it is released to the coordinators.
	ReleasableTo []events.Nation `json:"releasable_to,omitempty"`
	Source       string          `json:"source,omitzero"`
	Note         string          `json:"note,omitzero"`
	// seen in published figures, never offered
	Observed bool `json:"observed,omitzero"`
	// Expires is the last day on which it stands unless it is renewed or deployed by then.
	Expires events.Date `json:"expires,omitzero"`
	// Predecessor is the pledge whose forces these relieve, and Successor the one whose forces
	// relieve these.
	Predecessor events.ID `json:"predecessor,omitzero"`
	Successor   events.ID `json:"successor,omitzero"`
	// Elsewhere is what else the same forces are pledged to.
	Elsewhere []string `json:"elsewhere,omitempty"`
	// Line is the requirement that it names as the one that it is meant for.
	Line events.Line `json:"line,omitzero"`
	// Reference is the nation's own number of it.
	Reference   string       `json:"reference,omitzero"`
	Conditions  []Condition  `json:"conditions,omitempty"`
	Caveats     []Caveat     `json:"caveats,omitempty"`
	Allocations []Allocation `json:"allocations,omitempty"`
	// Queries are the questions about it that wait for an answer.
	Queries []Query `json:"queries,omitempty"`
	// Since is the date from which it is there, RungSince that from which it is on its rung, and
	// Ended that of its exit.
	Since     events.Date `json:"since,omitzero"`
	RungSince events.Date `json:"rung_since,omitzero"`
	Ended     events.Date `json:"ended,omitzero"`
	// First and Last are the records that began it and that last spoke of it, as of the moment.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Whose returns the name of the nation or the organisation whose pledge it is, as it stands within
// a sentence.
func (p *Pledge) Whose() string { return cmp.Or(p.Organisation, p.Nation.Named()) }

// A Query is a question about a pledge that waits for its answer.
type Query struct {
	ID   events.ID     `json:"id"`
	To   events.Nation `json:"to"` // who is asked, HQ for the coordinators
	Text string        `json:"text"`
	// Due is the last day on which an answer is of use; zero where none was said.
	Due      events.Date `json:"due,omitzero"`
	Since    events.Date `json:"since"`
	Sequence uint64      `json:"sequence"` // of the record that asks
}

// PledgeList is a page of pledges at a moment, by ID.
type PledgeList struct {
	Basis
	Pledges []Pledge `json:"pledges"`
	// Next is the After of the next page; zero when this is the last.
	Next events.ID `json:"next,omitzero"`
}

// Pledges lists the pledges that are known, by ID, whatever their window and whether they have
// ended; those that were struck where f.State asks for them alone. Here m.Rung is not Offered when
// it is zero: then pledges of every rung are listed. Of a range, it lists the pledges that pass the
// filter on any of its days, each as it stands on the last of these.
func (p *Picture) Pledges(ctx context.Context, m Moment, f PledgeFilter) (PledgeList, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return PledgeList{}, err
	}
	all := p.sorted
	if f.Operation != "" {
		chosen, err := p.chosen(b.AsOf, f.Operation)
		if err != nil {
			return PledgeList{}, err
		}
		all = chosen[0].now().pledges
	}
	list := PledgeList{Basis: b, Pledges: []Pledge{}}
	for pl := range all.after(f.After) {
		if !p.meter.spend(foldCost) {
			break
		}
		one, ok := pl.showIn(&b, f)
		if !ok {
			continue
		}
		if f.Limit > 0 && len(list.Pledges) == f.Limit {
			list.Next = list.Pledges[f.Limit-1].ID
			break
		}
		p.meter.hold(1, answerRow)
		list.Pledges = append(list.Pledges, one)
	}
	return list, p.meter.err()
}

// showIn returns the pledge as it stands on the last of the days asked on which it passes a filter,
// false when there is none.
func (pl *pledge) showIn(b *Basis, f PledgeFilter) (last Pledge, found bool) {
	if uint64(pl.first) > b.AsOf || !f.nation(pl.nation) ||
		f.Part != "" && !strings.Contains(pl.id.String(), f.Part) ||
		f.State != Struck && !pl.isKnown(b.AsOf) {
		return last, false
	}
	pl.eachRun(b, func(day *Basis, _ events.Date) {
		one, _ := pl.show(day)
		if !f.lets(day, &one) || !b.WhatIf.letsPledge(&one) {
			return
		}
		if b.IsRange() {
			one.Day = last.Day
			if !reflect.DeepEqual(one, last) {
				one.Day = day.On
			}
		}
		last, found = one, true
	})
	return last, found
}

func (f *PledgeFilter) lets(b *Basis, p *Pledge) bool {
	return f.nation(p.Nation) && (f.Role == "" || f.Role == p.Role) &&
		(f.State == "" || f.State == p.State) &&
		(f.Line == "" || f.Line == p.Line) &&
		(f.Reference == "" || f.Reference == p.Reference) && p.Rung >= b.Rung
}

// Pledge returns one pledge; of a range, as it stands on the last day.
func (p *Picture) Pledge(ctx context.Context, m Moment, id events.ID) (Pledge, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Pledge{}, err
	}
	if pl, ok := p.find(id); ok {
		last := b.onDay(b.last())
		if one, ok := pl.show(&last); ok {
			return one, p.meter.err()
		}
	}
	return Pledge{}, noPledge(id)
}

func noPledge(id events.ID) error {
	return problem.New(problem.NotFound, "there is no pledge %s", id).
		WithHint("list them with: muster pledge list")
}

// show returns the pledge as it stands, and false when it is not known yet. One that is effective
// only later is shown as it will begin, and one that was struck as it stood before.
func (pl *pledge) show(b *Basis) (Pledge, bool) {
	if uint64(pl.first) > b.AsOf {
		return Pledge{}, false
	}
	if by := pl.struckBy(b.AsOf); by != 0 {
		before := *b
		before.AsOf = by - 1
		one, known := pl.show(&before)
		one.State, one.Last = Struck, by
		return one, known
	}
	var room standing
	s := b.WhatIf.suppose(pl.at(b, &room))
	one := Pledge{ID: pl.id, Operation: pl.operation.name, Nation: pl.nation, State: s.state(),
		Organisation: pl.operation.organisation(b.AsOf, pl.nation),
		First:        uint64(pl.first)}
	if !s.begun {
		s = pl.beginning(b.AsOf)
	}
	one.Since, one.Rung, one.RungSince, one.Ended = s.since, s.rung, s.rungOn, s.exitOn
	one.setTerms(s)
	one.setHolds(s)
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; uint64(d.order) <= b.AsOf && d.own() {
			one.Last = max(one.Last, uint64(d.order))
		}
	}
	return one, true
}

// beginning returns where the pledge will stand on the day on which it begins; what was struck, as
// it was known before.
func (pl *pledge) beginning(asOf uint64) *standing {
	var s standing
	if by := pl.struckBy(asOf); by != 0 {
		asOf = by - 1
	}
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.known(uint32(asOf)) {
			s.step(d)
		}
		if s.begun {
			break
		}
	}
	return &s
}

func (p *Pledge) setTerms(s *standing) {
	t := s.terms
	p.Role, p.Area, p.Line, p.Window, p.NoticeToMove = t.role, t.area, t.line, t.Window, t.notice
	p.Presence, p.Release, p.Expires = t.presence, s.released.release, s.expires
	if t.further != nil {
		p.Predecessor, p.Successor, p.Elsewhere = t.further.predecessor, t.further.successor,
			t.further.elsewhere
		p.Reference = t.further.reference
	}
	if f := s.released.further; f != nil {
		p.ReleasableTo = f.to
	}
	p.Source, p.Note = s.remark.source, s.remark.text
	p.Quantity, p.Unit = s.pledged.quantity, s.pledged.unit
	said := s.pledged.said()
	p.Least, p.Most = said.Least, said.Most
	p.Strength, p.StrengthOn = s.strength.quantity, s.strengthOn
	if p.Observed = p.Quantity.IsZero(); p.Observed {
		p.Unit = s.strength.unit
	}
}

func (p *Pledge) setHolds(s *standing) {
	for _, c := range s.conditions {
		p.Conditions = append(p.Conditions, Condition{c.name, c.kind, c.state, uint64(c.by.order)})
	}
	for _, c := range s.caveats {
		if c.state == Hanging {
			p.Caveats = append(p.Caveats, Caveat{c.name, c.text, uint64(c.by.order)})
		}
	}
	for _, q := range s.waiting() {
		p.Queries = append(p.Queries, Query{q.id, q.to, q.text, q.due, q.since, uint64(q.by.order)})
	}
	for _, a := range s.allocations {
		p.Allocations = append(p.Allocations,
			Allocation{a.id, a.line.name, p.Unit.Of(a.number), a.Window, uint64(a.by.order)})
	}
}
