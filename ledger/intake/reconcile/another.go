package reconcile

import (
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
)

// inPlaceOf returns the ID of the pledge that stands in the place of one that was struck, since a
// row that names it made another pledge of it. Its text is frozen, as that of [IDOf].
func inPlaceOf(struck events.ID, generation int) events.ID {
	return idOf([]string{"muster row 1, in the place of", struck.String()}, generation)
}

// inPlace returns the pledge that stands in the place of one that was struck, nil for none.
func (k *Known) inPlace(struck events.ID) (last *Pledge) {
	for generation := 0; ; generation++ {
		p := k.pledges[inPlaceOf(struck, generation)]
		if p == nil {
			return last
		}
		last = p
	}
}

// another strikes a pledge, and says what a row makes of it under another ID. What a list or a
// sheet says nothing of is as it was recorded, who may read it above all; where that cannot be
// carried over, as that the pledge was accepted, the row is refused.
func (c *comparison) another(o *Outcome, r *Row, p *Pledge) []events.Statement {
	id := events.NewID()
	switch {
	case r.ID.IsZero():
		if all := p.OthersSaid(); len(all) > 0 {
			c.refuse(o, "the row makes another pledge of %s (%s), which would lose what others "+
				"than the import have said of it: %s: leave the row as it was; or strike the "+
				"pledge by hand, import the file, and say of the other one what holds of it",
				p.ID, told(o.Changes), listed(all))
			return nil
		}
		if r.Key != nil {
			id = c.next(r)
		}
	default:
		if all := p.rested(); len(all) > 0 {
			c.refuse(o, "the row makes another pledge of %s (%s), which would lose what was said "+
				"of it: %s: leave the row as it was, and withdraw the pledge and offer another by "+
				"hand, with all that holds of it", p.ID, told(o.Changes), listed(all))
			return nil
		}
		for generation := 0; ; generation++ {
			if id = inPlaceOf(r.ID, generation); c.pledges[id] == nil {
				break
			}
		}
		r = c.keeping(r, p)
	}
	o.takeAnew(r, id)
	return append([]events.Statement{Struck(p, c.opt)}, c.begun(r, id)...)
}

// keeping returns the row with all of its pledge that it says nothing of.
func (c *comparison) keeping(r *Row, p *Pledge) *Row {
	kept, offer := *r, *r.Offer
	last := p.termsOn(events.LastDate)
	offer.PledgeTerms = r.over(p.renewed(last))
	if !r.says("effective") {
		offer.Effective = last.effective
	}
	kept.Offer = &offer
	kept.Indicated = p.said[0].typ == "pledge.indicated" && p.find("pledge.offered", "") == nil
	return &kept
}

// OthersSaid are the words for what was said of a pledge by others than the import that it came
// from, and what they have mended in what the import has said: of both, a row says nothing.
func (p *Pledge) OthersSaid() (all []phrase.Phrase) {
	add := func(words phrase.Phrase) {
		if !contains(all, words) {
			all = append(all, words)
		}
	}
	for i := range p.said {
		s := &p.said[i]
		ours := i == 0 || s.isOurs || s.byRow && s.from == p.Import
		switch {
		case ours && s.isMended():
			add(events.Type("pledge.corrected").Phrase())
		case ours || s.struck || s.name != "" && p.isNone(s):
		case s.name != "":
			add(phrase.Of("%s (%s)", s.typ.Phrase(), s.name))
		default:
			add(s.typ.Phrase())
		}
	}
	return all
}

// StruckWith says that a pledge is struck, and what was said of it since that goes with it.
func (p *Pledge) StruckWith() phrase.Phrase {
	if all := p.OthersSaid(); len(all) > 0 {
		return phrase.Of("struck, as never said, with what was said of it since: %s", listed(all))
	}
	return phrase.Of("struck, as never said")
}

func contains(all []phrase.Phrase, one phrase.Phrase) bool {
	return slices.ContainsFunc(all, func(p phrase.Phrase) bool {
		return p.String() == one.String()
	})
}

func listed(all []phrase.Phrase) phrase.Phrase { return phrase.Behind("%s, %s", all...) }

// isNone reports whether a condition or a caveat, or its end, is none for a row: others have both
// said it and ended it.
func (p *Pledge) isNone(s *said) bool {
	begins := p.find("condition.added", s.name)
	if strings.HasPrefix(string(s.typ), "caveat.") {
		begins = p.find("caveat.declared", s.name)
	}
	return begins == nil || !begins.byRow && p.isOver(begins)
}

// isMended reports whether somebody has mended what the import has said.
func (s *said) isMended() bool {
	return s.struck != s.own.struck || s.effective != s.own.effective ||
		s.strength != s.own.strength ||
		s.terms != nil && s.own.terms != nil && differ(s.own.terms, s.terms)
}

// rested are the words for what was said of a pledge besides its terms, and still holds.
func (p *Pledge) rested() (all []phrase.Phrase) {
	for i := range p.said {
		s := &p.said[i]
		if s.struck || p.isOver(s) || s.typ == "pledge.offered" ||
			!slices.Contains(rungs, s.typ) && !slices.Contains(takings[1:], s.typ) {
			continue
		}
		words := s.typ.Phrase()
		if s.name != "" {
			words = phrase.Of("%s (%s)", words, s.name)
		}
		if !contains(all, words) {
			all = append(all, words)
		}
	}
	return all
}
