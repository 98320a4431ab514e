package projections

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// The model answers coverage and strength in the plainest way there is: it reads every statement
// again for every pledge. It shares no code with the Picture.
type model struct {
	effective []events.Record // as of, and effective; by effective date, then by sequence
	on        events.Date
	rung      int
}

func modelAt(records []events.Record, asOf uint64, on events.Date, rung Rung) model {
	m := model{on: on, rung: int(rung)}
	if rung == 0 {
		m.rung = 2
	}
	for _, rec := range records[:asOf] {
		if rec, ok := mended(rec, records[:asOf]); ok && effectiveOf(rec) <= on {
			m.effective = append(m.effective, rec)
		}
	}
	sort.SliceStable(m.effective, func(i, j int) bool {
		return effectiveOf(m.effective[i]) < effectiveOf(m.effective[j])
	})
	return m
}

func effectiveOf(rec events.Record) events.Date {
	if d, ok := rec.Statement.(interface{ On() events.Date }); ok {
		return d.On()
	}
	return 99990101
}

// mended puts what the last correction says in the place of what was said, false when it was never
// to be said.
func mended(rec events.Record, known []events.Record) (events.Record, bool) {
	if _, ok := rec.Statement.(*events.PledgeCorrected); ok {
		return rec, false
	}
	for _, later := range known {
		if c, ok := later.Statement.(*events.PledgeCorrected); ok && c.Struck &&
			c.Corrects == c.Pledge && c.Pledge == events.Thing(rec.Statement) {
			return rec, false // with all that was said of the pledge
		}
	}
	for i := len(known) - 1; i >= 0; i-- {
		c, ok := known[i].Statement.(*events.PledgeCorrected)
		if !ok || c.Corrects != rec.Statement.Head().ID {
			continue
		}
		other := reflect.New(reflect.TypeOf(rec.Statement).Elem())
		other.Elem().Set(reflect.ValueOf(rec.Statement).Elem())
		other.Elem().FieldByName("Effective").SetInt(int64(c.Effective))
		if c.Terms != nil {
			other.Elem().FieldByName("PledgeTerms").Set(reflect.ValueOf(*c.Terms))
		}
		if c.Strength != nil {
			other.Elem().FieldByName("Strength").Set(reflect.ValueOf(*c.Strength))
		}
		rec.Statement = other.Interface().(events.Statement)
		return rec, !c.Struck
	}
	return rec, true
}

func (m model) lines() map[events.Line]events.RequirementTerms {
	lines := map[events.Line]events.RequirementTerms{}
	for _, rec := range m.effective {
		switch s := rec.Statement.(type) {
		case *events.RequirementIssued:
			lines[s.Line] = s.RequirementTerms
		case *events.RequirementRevised:
			lines[s.Line] = s.RequirementTerms
		}
	}
	for _, rec := range m.effective {
		if s, ok := rec.Statement.(*events.RequirementCancelled); ok {
			delete(lines, s.Line)
		}
	}
	for name, l := range lines {
		if m.on < l.From || l.Until != 0 && m.on > l.Until {
			delete(lines, name)
		}
	}
	return lines
}

// A modelPledge is what the model finds of one pledge.
type modelPledge struct {
	nation            events.Nation
	terms             *events.PledgeTerms
	strength          *events.Strength
	offered           bool // not only observed
	begun, ended      bool
	rung              int
	conditions        map[events.Line]string
	reserve, isFailed bool
	caveated          bool
	expires           events.Date
	allocations       []events.Record
}

// pass ends what has expired and was never deployed.
func (p *modelPledge) pass(on events.Date) {
	if p.begun && p.expires != 0 && p.rung < 5 && on > p.expires {
		p.ended = true
	}
}

func (p *modelPledge) restate(t *events.PledgeTerms) {
	p.offered, p.terms, p.expires = true, t, t.Expires
}

func (m model) pledge(id events.ID) modelPledge {
	p := modelPledge{conditions: map[events.Line]string{}}
	climb := func(rung int) { p.rung = max(p.rung, rung) }
	for _, rec := range m.effective {
		if events.Thing(rec.Statement) != id {
			continue
		}
		p.nation, _ = events.About(rec.Statement)
		p.pass(effectiveOf(rec))
		switch s := rec.Statement.(type) {
		case *events.PledgeIndicated:
			p.begun = true
			p.restate(&s.PledgeTerms)
			climb(1)
		case *events.PledgeOffered:
			p.begun = true
			p.restate(&s.PledgeTerms)
			climb(2)
		case *events.PledgeAmended:
			p.restate(&s.PledgeTerms)
		case *events.PledgeObserved:
			p.begun, p.strength = true, &s.Strength
			p.terms, p.expires = &events.PledgeTerms{Role: s.Role,
				Window: events.Window{From: s.Effective}}, 0
			climb(5)
		case *events.PledgeAccepted:
			climb(3)
		case *events.PledgeConfirmed:
			climb(4)
		case *events.PledgeDeployed:
			p.strength = &s.Strength
			climb(5)
		case *events.PledgeReported:
			p.strength = &s.Strength
		case *events.PledgeDeclined, *events.PledgeWithdrawn, *events.PledgeReturned:
			p.ended = true
		case *events.ConditionAdded:
			p.conditions[s.Condition] = "open"
		case *events.ConditionDischarged:
			p.conditions[s.Condition] = "done"
		case *events.ConditionFailed:
			p.conditions[s.Condition] = "failed"
		case *events.CaveatDeclared:
			p.caveated = true
		case *events.CaveatLifted:
			p.caveated = false
		case *events.PledgeRenewed:
			p.expires = s.Expires
		case *events.AllocationMade:
			p.allocations = append(p.allocations, rec)
		case *events.AllocationReleased:
			p.allocations = slices.DeleteFunc(p.allocations, func(made events.Record) bool {
				return made.Statement.Head().ID == s.Allocation
			})
		}
	}
	p.pass(m.on)
	sort.Slice(p.allocations, func(i, j int) bool {
		return p.allocations[i].Sequence < p.allocations[j].Sequence
	})
	for _, state := range p.conditions {
		p.isFailed = p.isFailed || state == "failed"
	}
	p.reserve = p.terms != nil && p.terms.Presence == events.Reserve
	return p
}

func (m model) there(p modelPledge) bool {
	return p.begun && !p.ended && p.terms.From <= m.on &&
		(p.terms.Until == 0 || m.on <= p.terms.Until)
}

// quantity is what the pledge counts for. An amendment of what was only observed pledges from its
// date on.
func (m model) quantity(id events.ID, p modelPledge) (events.Quantity, events.Unit) {
	pledged := events.Strength{}
	for _, rec := range m.effective {
		if events.Thing(rec.Statement) == id {
			switch s := rec.Statement.(type) {
			case *events.PledgeIndicated:
				pledged = surelyPledged(&s.PledgeTerms)
			case *events.PledgeOffered:
				pledged = surelyPledged(&s.PledgeTerms)
			case *events.PledgeAmended:
				pledged = surelyPledged(&s.PledgeTerms)
			}
		}
	}
	if !p.offered || m.rung == 5 && p.rung == 5 {
		return p.strength.Quantity, p.strength.Unit
	}
	return pledged.Quantity, pledged.Unit
}

// surelyPledged is how much is pledged at the least.
func surelyPledged(t *events.PledgeTerms) events.Strength {
	if t.Quantity.IsUnknown() && !t.Least.IsZero() {
		return events.Strength{Quantity: t.Least, Unit: t.Unit}
	}
	return events.Strength{Quantity: t.Quantity, Unit: t.Unit}
}

// coverage tells supply by line and nation, what of it is conditional, and why pledges do not
// count.
func (m model) coverage(pledges []testPledge) string {
	lines := m.lines()
	var told []string
	supply, conditional, caveated := map[events.Line]int64{}, map[events.Line]int64{},
		map[events.Line]int64{}
	waiting, waitingUnknown := map[events.Line]int64{}, map[events.Line]int{}
	wait := func(at []events.Line, n int64, unknown int) {
		for _, line := range at {
			waiting[line] += n
			waitingUnknown[line] += unknown
		}
	}
	count := func(id events.ID, p modelPledge, n int64, line events.Line) {
		supply[line] += n
		for _, state := range p.conditions {
			if state == "open" {
				conditional[line] += n
				break
			}
		}
		if p.caveated {
			caveated[line] += n
		}
		told = append(told, fmt.Sprint("counts ", id, " ", p.nation, " ", n, " for ", line))
	}
	for name, l := range lines {
		told = append(told, fmt.Sprint("line ", name, " ", l.Quantity, " ", l.Unit))
	}
	for _, tp := range pledges {
		p := m.pledge(tp.id)
		if !m.there(p) {
			continue
		}
		quantity, unit := m.quantity(tp.id, p)
		fits, near := m.fitting(lines, p.terms, unit)
		reason := ""
		switch {
		case p.reserve:
			reason = "reserve"
		case p.isFailed:
			reason = "condition-failed"
		case p.rung < m.rung:
			reason = "below-rung"
		case quantity.IsUnknown():
			reason = "unknown-quantity"
		case len(fits) > 1:
			reason = "several-lines"
		case len(fits) == 0 && len(near) > 0:
			reason = "other-unit"
		case len(fits) == 0:
			reason = "no-line"
		}
		allocated, n := m.allocated(p), int64(0)
		if known, ok := quantity.Number(); ok {
			n = known
		}
		switch anyLine := []string{"reserve", "condition-failed", "below-rung"}; {
		case len(allocated) > 0 && !slices.Contains(anyLine, reason):
			for _, a := range allocated {
				want, _ := a.Quantity.Number()
				got := min(want, n)
				n -= got
				if _, ok := lines[a.Line]; !ok {
					told = append(told, fmt.Sprint("not ", tp.id, " ", part(quantity, got, unit),
						" ", unit, " line-not-in-force"))
				} else if got > 0 {
					count(tp.id, p, got, a.Line)
				}
			}
			if quantity.IsUnknown() {
				told = append(told, fmt.Sprint("not ", tp.id, " ", quantity, " ", unit,
					" unknown-quantity"))
				if len(fits) > 1 {
					wait(fits, 0, 1)
				}
			} else if n > 0 {
				told = append(told, fmt.Sprint("not ", tp.id, " ", n, " ", unit, " not-allocated"))
				wait(fits, n, 0)
			}
		case reason != "":
			told = append(told, fmt.Sprint("not ", tp.id, " ", quantity, " ", unit, " ", reason))
			switch {
			case reason == "several-lines":
				wait(fits, n, 0)
			case reason == "unknown-quantity" && len(fits) > 1:
				wait(fits, 0, 1)
			}
		default:
			count(tp.id, p, n, fits[0])
		}
	}
	for name := range lines {
		told = append(told, fmt.Sprint("supply ", name, " ", supply[name], " conditional ",
			conditional[name], " caveated ", caveated[name],
			" waiting ", waiting[name], "+", waitingUnknown[name]))
	}
	slices.Sort(told)
	return strings.Join(told, "\n")
}

// fitting returns the lines that a pledge may be meant for, and those that would be in another
// unit. Of all that it fits, it counts for the one that it names; or else for those in its area,
// where there are any, and else for all. One that is alone takes it.
func (m model) fitting(lines map[events.Line]events.RequirementTerms, t *events.PledgeTerms,
	unit events.Unit) (fits, near []events.Line) {
	var inArea []events.Line
	for name, l := range lines {
		switch {
		case l.Role != t.Role || l.Area != "" && t.Area != "" && l.Area != t.Area:
		case l.Unit != unit:
			near = append(near, name)
		default:
			fits = append(fits, name)
			if t.Area != "" && l.Area == t.Area {
				inArea = append(inArea, name)
			}
		}
	}
	switch {
	case slices.Contains(fits, t.Line):
		return []events.Line{t.Line}, near
	case len(inArea) > 0:
		return inArea, near
	}
	return fits, near
}

// allocated returns the allocations of a pledge that are there on the date, the oldest first.
func (m model) allocated(p modelPledge) []*events.AllocationMade {
	var all []*events.AllocationMade
	for _, rec := range p.allocations {
		if a := rec.Statement.(*events.AllocationMade); a.Includes(m.on) {
			all = append(all, a)
		}
	}
	return all
}

// part is so much of a quantity, which may be unknown.
func part(of events.Quantity, n int64, unit events.Unit) events.Quantity {
	if of.IsUnknown() {
		return of
	}
	return unit.Of(n)
}

// told tells a Coverage in the model's words.
func told(c Coverage) string {
	var told []string
	for _, l := range c.Lines {
		told = append(told, fmt.Sprint("line ", l.Line, " ", l.Required, " ", l.Unit),
			fmt.Sprint("supply ", l.Line, " ", l.Supply, " conditional ", l.Conditional,
				" caveated ", l.Caveated,
				" waiting ", l.Waiting, "+", l.WaitingUnknown))
		for _, n := range l.Counted {
			told = append(told, fmt.Sprint("counts ", n.Pledge, " ", n.Nation, " ", n.Quantity,
				" for ", l.Line))
		}
	}
	for _, n := range c.NotCounted {
		told = append(told, fmt.Sprint("not ", n.Pledge, " ", n.Quantity, " ", n.Unit,
			" ", n.Reason))
	}
	slices.Sort(told)
	return strings.Join(told, "\n")
}

// strength tells the known sums by nation and unit.
func (m model) strength(pledges []testPledge) string {
	sums := map[string]int64{}
	for _, tp := range pledges {
		p := m.pledge(tp.id)
		if !m.there(p) || p.reserve || p.isFailed || p.rung < m.rung {
			continue
		}
		quantity, unit := m.quantity(tp.id, p)
		if n, ok := quantity.Number(); ok {
			sums[fmt.Sprint(p.nation, " ", unit)] += n
		}
	}
	return fmt.Sprint(sums)
}

func strengthTold(s Strength) string {
	sums := map[string]int64{}
	for _, r := range s.Rows {
		if n, _ := r.Quantity.Number(); n > 0 {
			sums[fmt.Sprint(r.Nation, " ", r.Unit)] = n
		}
	}
	return fmt.Sprint(sums)
}

// Coverage and strength, as of any record and on any date, are what reading all the statements
// again would give.
func TestCoverageEqualsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p := s.picture()
		for range 4 {
			at := s.moment()
			m := modelAt(s.All, at.AsOf, at.On, at.Rung)
			pledges := slices.DeleteFunc(slices.Clone(s.pledges), func(p testPledge) bool {
				return p.seq > at.AsOf
			})
			if got, want := told(must[Coverage](t)(p.Coverage(t.Context(), at, CoverageFilter{}))),
				m.coverage(pledges); got != want {
				t.Fatalf("coverage as of %d on %s at %q:\n%s\nthe model says\n%s", at.AsOf, at.On,
					at.Rung, got, want)
			}
			checkRungs(t, p, at)
			if got, want := strengthTold(
				must[Strength](t)(p.Strength(t.Context(), at, Filter{}, []string{"nation"}))),
				m.strength(pledges); got != want {
				t.Fatalf("strength as of %d on %s at %q: %s, and the model says %s", at.AsOf, at.On,
					at.Rung, got, want)
			}
		}
	})
}

// checkRungs compares the rungs of a line, which stand side by side, with the answers for each of
// them.
func checkRungs(t *rapid.T, p *Picture, at Moment) {
	side := must[Coverage](t)(p.Coverage(context.Background(), at, CoverageFilter{Brief: true}))
	for i, rung := range Rungs() {
		at.Rung = rung
		for j, l := range must[Coverage](t)(p.Coverage(context.Background(), at,
			CoverageFilter{Brief: true})).Lines {
			if want := (RungCoverage{Rung: rung, Supply: l.Supply, Gap: l.Gap,
				Fill: l.Fill}); side.Lines[j].Rungs[i] != want {
				t.Fatalf("%s as of %d on %s: beside the others %v, by itself %v", l.Line, at.AsOf,
					at.On, side.Lines[j].Rungs[i], want)
			}
		}
	}
}
