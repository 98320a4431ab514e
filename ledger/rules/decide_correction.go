package rules

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// decideCorrected keeps the rules 35 to 37 and 48, and rule 24 where forces are there again that
// were said to have returned.
func decideCorrected(s *State, m member, p pledge, st *events.PledgeCorrected) error {
	said, at := p.mend(st)
	if at < 0 {
		return refuseField(codeCorrectionUnknown,
			field("corrects", st.Corrects.String(),
				"no statement about the pledge %s has this id: check it", st.Pledge)).
			WithHint("see what was said, with the ids: muster pledge show %s -o json", st.Pledge)
	}
	x := &p.said[at]
	if x.typ() == "pledge.corrected" {
		return refuseField(codeCorrectionUnknown,
			field("corrects", st.Corrects.String(),
				"is itself a correction: name the statement that it corrects, %s", x.other))
	}
	if err := mayCorrect(s, m, x); err != nil {
		return err
	}
	if strikesAll(st) {
		return nothingAllocated(&p, st.Effective)
	}
	if err := notBeforeDisclosed(p, at, st); err != nil {
		return err
	}
	if err := fits(s, p, at, st); err != nil {
		return err
	}
	if err := holds(p, said, at); err != nil || !p.observed || !st.Struck ||
		x.typ() != "pledge.returned" {
		return err
	}
	return observedOnce(s, observedKey{p.operation, p.nation, p.role}, p.id())
}

// mayCorrect keeps rule 35: whoever has said it, or a coordinator. That a liaison speaks for its
// own nation is known already.
func mayCorrect(s *State, m member, x *saying) error {
	if m.role == events.Coordinator || m.role == events.Liaison && x.party() == m.key.Party() ||
		m.role == events.Importer && slices.Contains(parties[x.typ()], events.Importer) &&
			x.party() == events.HQ {
		return nil
	}
	whom := phrase.Of("a liaison of %s", s.named(x.party()))
	if x.party() == events.HQ {
		whom = phrase.Of("a coordinator")
	}
	return refuse(codeWrongParty,
		"record %d was signed for %s, and %s is %s: only whoever has said it, or a coordinator, "+
			"corrects it", x.sequence, x.party(), m.key.Name(), s.roleText(m)).
		WithHint("ask %s to correct it", whom)
}

var (
	withTerms = []events.Type{"pledge.indicated", "pledge.offered", "pledge.amended",
		"pledge.disclosed"}
	withStrength = []events.Type{"pledge.deployed", "pledge.reported", "pledge.observed"}
)

// strikesAll reports whether a correction strikes the beginning of its pledge, and so all of it.
func strikesAll(st *events.PledgeCorrected) bool { return st.Struck && st.Corrects == st.Pledge }

// nothingAllocated keeps rule 48: what is set against a requirement is released before the pledge
// is struck. Of a pledge that has ended, or has lapsed on the date, nothing is there to be
// released.
func nothingAllocated(p *pledge, on events.Date) error {
	if _, lapsed := p.lapsed(on); lapsed || p.rung.ended() {
		return nil
	}
	for i := range p.allocations {
		if a := &p.allocations[i]; a.released == 0 {
			return refuse(codeStillAllocated,
				"%s of the pledge %s are allocated to %s, and what was never said fills no "+
					"requirement", p.unit.Of(a.number), p.id(), a.line).
				WithHint("let a coordinator release that first: muster allocation release %s", a.id)
		}
	}
	return nil
}

// notStruck keeps rule 48: nothing more is said of a pledge that was struck.
func notStruck(p *pledge) error {
	if !p.isStruck() {
		return nil
	}
	return refuse(codePledgeStruck,
		"record %d has struck the pledge %s, as never said: nothing more is said of it",
		p.struckBy(), p.id()).
		WithHint("offer what is meant as a new pledge: %s", p.anew())
}

// fits keeps the rules 20, 34 and 36: what is corrected is something that the statement says.
func fits(s *State, p pledge, at int, st *events.PledgeCorrected) error {
	x := &p.said[at]
	switch {
	case st.Terms != nil && !slices.Contains(withTerms, x.typ()):
		return refuseField(codeCorrectionMismatch, field("terms", "",
			"record %d, %s, has no terms: leave them out", x.sequence, x.typ().Phrase()))
	case st.Strength != nil && !slices.Contains(withStrength, x.typ()):
		return refuseField(codeCorrectionMismatch, field("strength", "",
			"record %d, %s, tells no strength: leave it out", x.sequence, x.typ().Phrase()))
	case st.Terms != nil:
		return sameTerms(s, p, "terms.", st.Terms)
	case st.Strength != nil:
		return sameUnit(p, "strength.", st.Strength.Unit)
	}
	return nil
}

// holds keeps rule 37: all that was said of the pledge still follows, one after the other.
func holds(p pledge, said []saying, at int) error {
	p.said, p.standing = said[:0:0], standing{attached: nothingAttached}
	for i := range said {
		x := &said[i]
		if i > 0 && !x.struck && x.typ() != "pledge.corrected" {
			if err := follows(&p, x); err != nil {
				return breaks(said, at, i, err)
			}
		}
		p.said = said[:i+1]
		p.step(x)
	}
	return nil
}

func breaks(said []saying, at, i int, err error) error {
	which := phrase.Of("record %d, %s,", said[i].sequence, said[i].typ().Phrase())
	if i == at {
		which = phrase.Of("it")
	}
	return refuse(codeCorrectionBreaks, "so corrected, %s would not stand: %s", which,
		problem.From(err).Said()).
		WithHint("correct what follows from it first, or only its date")
}
