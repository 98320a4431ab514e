package round

import (
	"muster/events"
	"muster/events/phrase"
)

// beginnings are how the sentence of a row begins, by its rung; that of others is an offer.
var beginnings = map[string]phrase.Text{
	indicated: "%s (%s) is likely to offer %s for %s to %s",
	offered:   "%s (%s) offers %s for %s to %s",
	observed:  "%s (%s) was seen with %s for %s to %s",
}

// sentence says for people what a row will say.
func (r *Row) sentence() phrase.Phrase {
	o := r.Offer
	begins, ok := beginnings[r.Rung]
	if !ok {
		begins = beginnings[offered]
	}
	var s phrase.Sentence
	s.Add(string(begins), r.whose, o.Nation, howMuchOf(o.Amount(), o.Unit), o.Role, o.Operation)
	if r.Rung == observed {
		s.Add(" on %s", o.Effective)
		return s.Phrase().Capital()
	}
	r.terms(&s)
	for _, st := range r.Then {
		s.Add(", %s", follows(st))
	}
	if o.Note != "" {
		s.Add(" (%s)", o.Note)
	}
	return s.Phrase().Capital()
}

// terms adds what a row says of its offer besides how much of what.
func (r *Row) terms(s *phrase.Sentence) {
	o := r.Offer
	if o.Area != "" {
		s.Add(" in %s", o.Area)
	}
	if o.Line != "" {
		s.Add(", meant for %s", o.Line)
	}
	s.Add(", %s", o.Window.Phrase())
	switch notice := o.NoticeToMove; {
	case notice == nil:
	case *notice == 1:
		s.Add(", notice to move 1 day")
	default:
		s.Add(", notice to move %d days", *notice)
	}
	switch o.Presence {
	case events.Reserve:
		s.Add(", in reserve")
	case events.Present:
		s.Add(", present already")
	}
	if o.Expires != 0 {
		s.Add(", expires %s", o.Expires)
	}
}

// follows says what is said of a pledge after it has begun.
func follows(st events.Statement) phrase.Phrase {
	switch st := st.(type) {
	case *events.ConditionAdded:
		return phrase.Of("if %s", st.Condition)
	case *events.CaveatDeclared:
		return phrase.Of("caveat: %s", st.Restriction)
	case *events.PledgeDeployed:
		return phrase.Of("%s deployed from %s", amountOf(st.Quantity, st.Unit), st.Effective)
	}
	return st.Head().Type.Happened()
}
