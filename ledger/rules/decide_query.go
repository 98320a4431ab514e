package rules

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// asksOther keeps rule 51: the coordinators ask the nation whose pledge it is, and that nation asks
// the coordinators.
func asksOther(p *pledge, x *saying) error {
	whom := events.HQ
	if x.party() == events.HQ {
		whom = p.nation
	}
	if x.to == whom {
		return nil
	}
	return refuseField(codeQueryMismatch,
		field("to", string(x.to), "a question of %s about this pledge is for %s to answer: "+
			"write %s", partyText(x.party()), partyText(whom), whom))
}

// openQuery keeps rule 51: a question is answered once, and not before it was asked.
func openQuery(p *pledge, x *saying) error {
	i := slices.IndexFunc(p.queries, func(q query) bool { return q.id == x.other })
	if i < 0 {
		return refuseField(codeQueryUnknown,
			field("query", x.other.String(), "no question about the pledge %s has this id",
				p.id())).
			WithHint("see what is asked: muster pledge show %s", p.id())
	}
	q := &p.queries[i]
	if q.answered > 0 {
		return refuse(codeQueryAnswered, "the question %s was answered by record %d", q.id,
			q.answered).
			WithHint("ask anew, or correct the answer: muster pledge correct %d --reason REASON",
				q.answered)
	}
	return notBefore(q.asked, x.effective, phrase.Of("question %s", q.id))
}

// decideAnswered keeps rule 51: who is asked answers; the coordinators answer for a nation only
// where they may speak for it (rule 7).
func decideAnswered(s *State, m member, p *pledge, st *events.PledgeAnswered) error {
	i := slices.IndexFunc(p.queries, func(q query) bool { return q.id == st.Query })
	switch to := p.queries[i].to; {
	case (to == events.HQ) == (m.key.Party() == events.HQ):
		return nil
	case to != events.HQ:
		return onBehalf(s, st)
	}
	return refuse(codeWrongParty, "the question %s was put to the coordinators, and %s is %s",
		st.Query, m.key.Name(), s.roleText(m)).
		WithHint("let a coordinator answer it")
}

func partyText(n events.Nation) phrase.Phrase {
	if n == events.HQ {
		return phrase.Of("the coordinators")
	}
	return phrase.Of("%s", events.Called{Nation: n, English: n.Named()})
}
