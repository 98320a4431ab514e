package rules

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// allocatable keeps rule 31 as far as the pledge alone goes: only what is offered can be set
// against a requirement.
func allocatable(p *pledge) error {
	switch {
	case p.observed:
		return promised(p, phrase.Of("cannot be allocated"),
			phrase.Of("it counts for the requirement that it fits, where it fits one alone"))
	case p.rung < offered:
		return refuse(codeWrongRung, "the pledge %s is %s: only what is offered can be allocated",
			p.id(), p.rung).WithHint("first it must be offered: %s", offered.command(p.id()))
	}
	return nil
}

// decideAllocated keeps the rules 31 and 32.
func decideAllocated(s *State, p pledge, st *events.AllocationMade) error {
	l, err := liveLine(s, st.Operation, st.Line, st.Effective)
	if err != nil {
		return err
	}
	var wrong []problem.Field
	t := p.termsOn(max(st.Effective, st.From))
	if st.Unit != p.unit || st.Unit != l.unit {
		wrong = append(wrong,
			field("unit", st.Unit,
				"the pledge is counted in %s and the requirement in %s: only forces in the "+
					"requirement's unit fill it", p.unit, l.unit))
	}
	if l.role != p.role {
		wrong = append(wrong,
			field("line", st.Line,
				"the requirement is for %s and the pledge for %s: write a requirement for %s",
				l.role, p.role, p.role))
	}
	if a := t.area; a != "" && l.area != "" && a != l.area {
		wrong = append(wrong,
			field("line", st.Line,
				"the requirement is in %s and the pledge for %s: write one in %s, or ask the "+
					"nation", l.area, a, a))
	}
	if w := t.window; st.Until != 0 && st.Until < w.From || w.Until != 0 && st.From > w.Until {
		wrong = append(wrong,
			field("from", st.From.String(), "the pledge is there %s: write a window that meets it",
				w.Phrase()))
	}
	if t.reserve {
		wrong = append(wrong,
			field("pledge", st.Pledge.String(),
				"is held in reserve, and a reserve fills no requirement: ask the nation to "+
					"amend it"))
	}
	if err := refuseFields(codeAllocationMismatch, wrong); err != nil {
		return err
	}
	if label := p.released(); !l.label.Covers(label) {
		return refuseField(codeReleaseTooWide,
			field("line", st.Line,
				"the requirement is for the %s to read and the pledge for the %s: "+
					"who may read the allocation could not read the requirement", l.label, label)).
			WithHint("leave it unallocated: it counts for the requirement that it fits, where " +
				"it fits one alone")
	}
	return within(&p, st)
}

// within keeps rule 32: on no day are more allocated than are pledged. It looks at each day on
// which one of the two may change.
func within(p *pledge, st *events.AllocationMade) error {
	n, _ := st.Quantity.Number()
	first := max(st.Effective, st.From)
	days := []events.Date{first}
	note := func(d events.Date) {
		if d > first && (st.Until == 0 || d <= st.Until) {
			days = append(days, d)
		}
	}
	for i := range p.allocations {
		note(p.allocations[i].effective)
		note(p.allocations[i].window.From)
	}
	for i := range p.said {
		if x := &p.said[i]; x.terms != nil && !x.struck {
			note(x.effective)
		}
	}
	slices.Sort(days)
	for _, day := range days {
		pledged, known := p.quantityOn(day)
		if !known {
			return refuse(codeOverAllocated,
				"how much the pledge %s is of is not known on %s, so nothing of it can be "+
					"allocated", st.Pledge, day).
				WithHint("the nation says how much with: muster pledge amend %s --quantity N",
					st.Pledge)
		}
		if free := pledged - p.allocatedOn(day); n > free {
			return refuseField(codeOverAllocated,
				field("quantity", st.Quantity.String(),
					"on %s the pledge is of %s, and %s of that are free: write at most that, or "+
						"release an allocation first",
					day, p.unit.Of(pledged), p.unit.Of(max(0, free))))
		}
	}
	return nil
}

// allocatedOn returns how much is allocated on a date.
func (p *pledge) allocatedOn(on events.Date) (n int64) {
	for i := range p.allocations {
		if a := &p.allocations[i]; a.on(on) {
			n += a.number
		}
	}
	return n
}

// releasable keeps rule 33: an allocation of the pledge is released once, and not before it holds.
func releasable(p *pledge, x *saying) error {
	for i := range p.allocations {
		a := &p.allocations[i]
		switch {
		case a.id != x.other:
		case a.released > 0:
			return refuse(codeAllocationReleased,
				"the allocation %s was released already, by record %d", a.id, a.released)
		case x.effective < a.effective:
			return refuseField(codeBeforeBeginning,
				field("effective", x.effective.String(),
					"the allocation holds from %s on: write that date or a later one", a.effective))
		default:
			return nil
		}
	}
	return refuseField(codeAllocationUnknown,
		field("allocation", x.other.String(), "the pledge %s has no such allocation: check the id",
			p.id())).
		WithHint("see what is allocated: muster pledge show %s", p.id())
}
