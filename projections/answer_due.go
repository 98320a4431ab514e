package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/events"
	"muster/events/phrase"
)

// A DueKind says what somebody is waited for.
type DueKind string

// What is due.
const (
	LapsesSoon DueKind = "lapses" // the pledge lapses unless it is renewed
	// It was offered, and the coordinators have not answered.
	WaitsForAnswer DueKind = "waits"
	// It was accepted, nothing is in its way, and the nation has not confirmed it.
	NotConfirmed    DueKind = "unconfirmed"
	ConditionIsOpen DueKind = "condition-open"  // what must happen first has not happened
	EndsUnrelieved  DueKind = "ends-unrelieved" // its window ends, and nothing relieves it
	// Somebody was asked about it, and has not answered: By is the day until which.
	WaitsForReply DueKind = "query"
)

// A Side is whom something waits for.
type Side string

// The sides.
const (
	ForCoordinators Side = "coordinators"
	ForNation       Side = "nation"    // whose pledge it is
	ForCondition    Side = "condition" // which has to happen first
)

// sides are whom each kind waits for.
var sides = map[DueKind]Side{LapsesSoon: ForNation, WaitsForAnswer: ForCoordinators,
	NotConfirmed: ForNation, ConditionIsOpen: ForCondition,
	EndsUnrelieved: ForCoordinators, WaitsForReply: ForNation}

// A Due is something that somebody has to do.
type Due struct {
	Kind      DueKind          `json:"kind"`
	WaitsFor  Side             `json:"waits_for"`
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	Role      events.Role      `json:"role"`
	Quantity  events.Quantity  `json:"quantity"`
	Unit      events.Unit      `json:"unit"`
	// Least and Most are what is known of a quantity that is unknown.
	Least events.Quantity `json:"least,omitzero"`
	Most  events.Quantity `json:"most,omitzero"`
	// By is the last day to do it; zero where there is none.
	By events.Date `json:"by,omitzero"`
	// Since is the date from which it is waited for, Sequence the record that says so and Recorded
	// when that was recorded.
	Since    events.Date `json:"since"`
	Sequence uint64      `json:"sequence"`
	Recorded time.Time   `json:"recorded"`
	Sentence string      `json:"sentence"`
	// About is what was recorded of what is waited for: the condition, or the text of the query.
	About string `json:"about,omitzero"`
}

// Dues is what is due at a moment: what has a day first, by day, and then what has waited longest.
type Dues struct {
	Basis
	Within int   `json:"within"` // days
	Due    []Due `json:"due"`
	// ToSecond are the admissions and revocations that lack a second word which who reads may give:
	// a coordinator, or a liaison of the nation whose view it is. There is none where an operation
	// or a role is asked about.
	ToSecond []Waiting `json:"to_second,omitempty"`
}

// toSecond returns what waits for a second word of who reads in the view of a basis.
func (p *Picture) toSecond(b *Basis, f Filter) []Waiting {
	if f.Operation != "" || f.Role != "" {
		return nil
	}
	return slices.DeleteFunc(rosterAt{&p.roster, b.AsOf}.waiting(), func(w Waiting) bool {
		all := b.View == "" || b.View == events.CoordinatorsView
		return !f.nation(w.Party) || !all && events.View(w.Liaison) != b.View
	})
}

// Due answers which pledges lapse or end without a successor within so many days, which wait for
// the coordinators' answer, which were accepted and wait for their nation to confirm them, and
// which hang on an open condition; each with the date since which it is so; and which admissions
// and revocations wait for a second word. Of a range, it answers
// what is due on any of its days.
func (p *Picture) Due(ctx context.Context, m Moment, f Filter, within int) (Dues, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Dues{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Dues{}, err
	}
	answer := Dues{Basis: b, Within: within, Due: []Due{}, ToSecond: p.toSecond(&b, f)}
	for _, o := range chosen {
		for pl := range o.now().pledges.all() {
			if !p.meter.spend(foldCost) {
				break
			}
			p.dueIn(&answer, pl, f)
		}
	}
	slices.SortStableFunc(answer.Due, func(a, b Due) int {
		if (a.By == 0) != (b.By == 0) {
			return cmp.Compare(b.By, a.By)
		}
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Since, b.Since))
	})
	return answer, p.meter.err()
}

// dueIn adds what is due of one pledge: on the last day of each run of days, since what has a day
// comes nearer.
func (p *Picture) dueIn(d *Dues, pl *pledge, f Filter) {
	from := len(d.Due)
	pl.eachRun(&d.Basis, func(b *Basis, last events.Date) {
		var room standing
		s := b.WhatIf.suppose(pl.at(b, &room))
		if uint64(pl.first) > b.AsOf || !s.begun || s.exit != "" || !f.nation(pl.nation) ||
			f.Role != "" && f.Role != s.terms.role {
			return
		}
		if b.WhatIf != nil {
			if v := p.versionOf(pl, s, b.On); !b.WhatIf.lets(p, &v) {
				return
			}
		}
		p.dueOf(d, pl, s, last)
	})
	var told []Due
	for _, one := range d.Due[from:] { // each once, as it is on the last of the days
		told = slices.DeleteFunc(told, func(o Due) bool {
			return o.Kind == one.Kind && o.By == one.By && o.Sequence == one.Sequence
		})
		told = append(told, one)
	}
	d.Due = append(d.Due[:from], told...)
}

func (p *Picture) dueOf(d *Dues, pl *pledge, s *standing, on events.Date) {
	a, _ := s.amount(Offered)
	due := func(kind DueKind, by, since events.Date, c cause, format string, args ...any) {
		p.meter.hold(1, answerRow)
		recorded, _ := p.Recorded(uint64(c.seq))
		said := a.said()
		d.Due = append(d.Due,
			Due{Kind: kind, WaitsFor: sides[kind], Pledge: pl.id, Operation: pl.operation.name,
				Nation: pl.nation, Role: s.terms.role, Quantity: a.quantity, Unit: a.unit,
				Least: said.Least, Most: said.Most,
				By: by, Since: since, Sequence: uint64(c.seq), Recorded: recorded,
				Sentence: fmt.Sprintf(format, args...)})
	}
	limit := on.AddDays(d.Within)
	called := pl.called(d.AsOf)
	what := phrase.Of("%s for %s", a.of(called), s.terms.role)
	if s.lapsing() && s.expires <= limit {
		due(LapsesSoon, s.expires, s.since, s.expiresBy,
			"%s %s after %s unless renewed: muster pledge renew %s --expires DATE", what,
			a.does("lapse"), s.expires, pl.id)
	}
	if s.rung == Offered {
		due(WaitsForAnswer, 0, s.rungOn, s.rungBy,
			"%s %s offered on %s and %s for the coordinators: muster pledge accept %s; muster "+
				"pledge decline %s",
			what, a.does("were"), s.rungOn, a.does("wait"), pl.id, pl.id)
	}
	if since, by, ok := s.unconfirmed(); ok {
		due(NotConfirmed, 0, since, by,
			"%s %s accepted on %s, no condition is open, and %s has not confirmed %s: muster "+
				"pledge confirm %s",
			what, a.does("were"), s.rungOn, called, a.does("them"), pl.id)
	}
	for _, c := range s.conditions {
		if c.state == Hanging {
			due(ConditionIsOpen, 0, c.since, c.by, "%s %s on %s since %s.", what, a.does("hang"),
				c.describe(), c.since)
			d.Due[len(d.Due)-1].About = c.describe()
		}
	}
	for i := range s.queries {
		q := &s.queries[i]
		due(WaitsForReply, q.due, q.since, q.by, "%s, about %s for %s, since %s %s: muster "+
			"pledge answer %s --query %s --text TEXT",
			q.asking(called).Capital(), a.whose(called),
			s.terms.role, q.since, "“"+q.text+"”", pl.id, q.id)
		d.Due[len(d.Due)-1].About = q.text
		if q.to == events.HQ {
			d.Due[len(d.Due)-1].WaitsFor = ForCoordinators
		}
	}
	if u := s.terms.Until; u != 0 && u >= on && u <= limit && !p.relieved(&d.Basis, pl, u) {
		due(EndsUnrelieved, u, s.since, s.termsBy,
			"%s %s on %s, and no pledge is there to relieve %s.", what, a.does("end"), u,
			a.does("them"))
	}
}

// unconfirmed returns since when a pledge waits for its nation alone, and the record that made it
// so: it was accepted, and every condition has been discharged.
func (s *standing) unconfirmed() (since events.Date, by cause, ok bool) {
	if s.rung != Accepted {
		return 0, by, false
	}
	since, by = s.rungOn, s.rungBy
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.state != Discharged {
			return 0, by, false
		}
		if c.since > since {
			since, by = c.since, c.by
		}
	}
	return since, by, true
}

// relieved reports whether another pledge relieves one that ends on a day: one of the two names the
// other, which is there afterwards.
func (p *Picture) relieved(b *Basis, pl *pledge, ends events.Date) bool {
	return slices.ContainsFunc(p.partners(pl, b.AsOf), func(other *pledge) bool {
		return other.daysThere(b).until > ends && pl.isRelievedBy(other, b.AsOf) &&
			(b.WhatIf == nil || !slices.Contains(b.WhatIf.Without, other.nation))
	})
}

// WithoutCommand returns the sentence of a [Due] or a [Finding] without the command that it ends
// with. Such a sentence ends with no full stop. What somebody has recorded stands before, and is
// never cut, whatever it says.
func WithoutCommand(sentence string) string {
	at := strings.LastIndex(sentence, ": muster ")
	if at < 0 || strings.HasSuffix(sentence, ".") {
		return sentence
	}
	return sentence[:at]
}
