package projections

import (
	"fmt"
	"strings"

	"muster/events"
)

// Amount returns how much is pledged.
func (p *Pledge) Amount() events.Amount {
	return events.Amount{Quantity: p.Quantity, Least: p.Least, Most: p.Most}
}

// Terms returns the terms of the pledge as a statement says them.
func (p *Pledge) Terms() events.PledgeTerms {
	return events.PledgeTerms{Role: p.Role, Quantity: p.Quantity, Unit: p.Unit, Area: p.Area,
		Window:       p.Window,
		NoticeToMove: p.NoticeToMove, Presence: p.Presence, Release: p.Release, Source: p.Source,
		Note: p.Note, Expires: p.Expires,
		Predecessor: p.Predecessor, Successor: p.Successor, Elsewhere: p.Elsewhere, Line: p.Line,
		ReleasableTo: p.ReleasableTo, Reference: p.Reference, Least: p.Least, Most: p.Most}
}

// Standing returns where the pledge stands as a disclosure restates it, beside its terms.
func (p *Pledge) Standing() events.Standing {
	s := events.Standing{Rung: events.Rung(p.Rung.String())}
	if p.Rung == Deployed {
		s.InPlace = &events.Strength{Quantity: p.Strength, Unit: p.Unit}
	}
	for _, c := range p.Conditions {
		if c.State != Discharged {
			s.Conditions = append(s.Conditions,
				events.StandingCondition{Condition: c.Condition, Kind: c.Kind,
					Failed: c.State == Failed})
		}
	}
	for _, c := range p.Caveats {
		s.Caveats = append(s.Caveats,
			events.StandingCaveat{Caveat: c.Caveat, Restriction: c.Restriction})
	}
	for _, a := range p.Allocations {
		s.Allocations = append(s.Allocations,
			events.StandingAllocation{Allocation: a.ID, Line: a.Line,
				Strength: events.Strength{Quantity: a.Quantity, Unit: p.Unit}, Window: a.Window})
	}
	return s
}

// A TermChange is a term of a pledge that is another one after a change. From and To are as a
// statement writes them, and "" where there is no such term: what is elsewhere is written one to a
// line.
type TermChange struct {
	Pledge events.ID `json:"pledge"`
	Term   string    `json:"term"` // the name of the member: "quantity"
	From   string    `json:"from"`
	To     string    `json:"to"`
}

// A Term is one of a pledge's, by the name of its member, and as a [TermChange] writes it.
type Term struct{ Name, Value string }

// TermsOf lists the terms in the order in which people read them.
func TermsOf(t *events.PledgeTerms) []Term {
	notice := ""
	if t.NoticeToMove != nil {
		notice = fmt.Sprint(*t.NoticeToMove)
	}
	id := func(one events.ID) string {
		if one.IsZero() {
			return ""
		}
		return one.String()
	}
	date := func(d events.Date) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	number := func(q events.Quantity) string { return q.String() }
	return []Term{
		{"role", string(t.Role)}, {"quantity", number(t.Quantity)},
		{"least", number(t.Least)}, {"most", number(t.Most)}, {"unit", string(t.Unit)},
		{"area", string(t.Area)},
		{"line", string(t.Line)}, {"from", date(t.From)}, {"until", date(t.Until)},
		{"notice_to_move", notice},
		{"presence", string(t.Presence)}, {"release", string(t.Release)},
		{"releasable_to", strings.Join(nationNames(t.ReleasableTo), ", ")},
		{"expires", date(t.Expires)},
		{"predecessor", id(t.Predecessor)}, {"successor", id(t.Successor)},
		{"elsewhere", strings.Join(t.Elsewhere, "\n")},
		{"source", t.Source}, {"note", t.Note}, {"reference", t.Reference},
	}
}

func nationNames(all []events.Nation) (names []string) {
	for _, n := range all {
		names = append(names, string(n))
	}
	return names
}

// TermChanges lists the terms that are others in the second of two states of a pledge.
func TermChanges(was, is *Pledge) (all []TermChange) {
	from, to := was.Terms(), is.Terms()
	after := TermsOf(&to)
	for i, t := range TermsOf(&from) {
		if t.Value != after[i].Value {
			all = append(all, TermChange{is.ID, t.Name, t.Value, after[i].Value})
		}
	}
	return all
}

// terms returns the terms that the statements would change, of each pledge on the date from which
// the last statement about it holds.
func (s *supposed) terms(b Basis, statements []events.Statement) (all []TermChange) {
	told := map[events.ID]bool{}
	for i := len(statements) - 1; i >= 0; i-- {
		id := events.Thing(statements[i])
		was, ok := s.is.byID.find(id)
		said, dated := statements[i].(interface{ On() events.Date })
		if !ok || !dated || told[id] {
			continue
		}
		told[id] = true
		before, after := b, b
		before.On, after.On, after.AsOf = said.On(), said.On(), s.now.Sequence()
		now, _ := s.now.byID.find(id)
		one, known := was.show(&before)
		other, _ := now.show(&after)
		if known && !one.Observed {
			all = append(TermChanges(&one, &other), all...)
		}
	}
	return all
}
