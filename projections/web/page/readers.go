package page

import (
	"cmp"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// Who may read what a pledge says, in words.

// readersOf names all who may read what has a label.
func (s *speaker) readersOf(l events.Label) string {
	all := []string{s.Word("readers", cmp.Or(l.Release, events.CoalitionOnly))}
	if l.Release == events.CoordinatorsOnly {
		for _, n := range l.Nations() {
			all = append(all, s.Nation(n))
		}
	}
	return strings.Join(all, ", ")
}

// Readers names all who will be able to read the statement: what is said of a pledge or a
// requirement has its label, and one that begins has its own, within that of the operation.
func (s *submitPage) Readers() string {
	st, err := events.Parse([]byte(s.Statement))
	if err != nil {
		return ""
	}
	label, says := events.LabelOf(st)
	of := uint64(0) // the record of what it is about
	switch {
	case says:
	case s.About != nil:
		of = s.About.Last
	case s.Requirement != nil:
		of = s.Requirement.Sequence
	}
	_, operation := events.About(st)
	plan, _ := s.service.Plan(s.ctx, &web.PlanQuery{Operation: operation})
	_ = s.service.Projector.View(func(p *projections.Picture) error {
		if of != 0 {
			label, _ = p.Label(of)
			return nil
		}
		if outer, ok := p.Label(plan.Catalogue.Sequence); ok {
			label = label.Within(outer)
		}
		return nil
	})
	return s.readersOf(label)
}
