package rules

import (
	"encoding/base64"
	"slices"

	"muster/events"
	"muster/events/seconds"
)

// notSeconded keeps the rules 45 and 46 for who signs: the holder of a key whose admission waits is
// no member.
func notSeconded(s *State, id events.KeyID, p seconds.Proposal) error {
	return refuse(codeNotSeconded,
		"the key %s was proposed by record %d, and may sign once this is seconded by %s", id,
		p.Sequence, p.Lacks(roll{s})).
		WithHint("ask them to second it: muster member second %s", p.Statement)
}

// decideSeconded keeps rule 47: what is seconded is a statement that waits, by who may, and once.
func decideSeconded(s *State, m member, st *events.MemberSeconded) error {
	p, err := s.proposed(st.Statement, st.Key)
	if err != nil {
		return err
	}
	if leaf := base64.StdEncoding.EncodeToString(p.Leaf[:]); st.Leaf != leaf {
		return refuseField(codeProposalMismatch, field("leaf", st.Leaf,
			"record %d has the leaf hash %s: what was seconded is not what is recorded", p.Sequence,
			leaf))
	}
	if err := maySecond(s, m, &p); err != nil {
		return err
	}
	if p.Revokes {
		return decideRevoked(s, &events.MemberRevoked{Key: p.Key})
	}
	return decideAdmitted(s, &events.MemberAdmitted{Key: p.Key})
}

// proposed returns an admission or a revocation that waits for a second, and is of a key.
func (s *State) proposed(id events.ID, key events.Key) (p seconds.Proposal, err error) {
	p, ok := s.proposals[id]
	if !ok || !s.MaySign(p.By) {
		return p, refuse(codeProposalUnknown,
			"no admission and no revocation with the id %s waits for a second", id).
			WithHint("see what waits: muster member list")
	}
	if key != p.Key {
		return p, refuseField(codeProposalMismatch, field("key", key,
			"record %d is about the key %s", p.Sequence, p.Key))
	}
	return p, nil
}

// decideRetracted keeps rule 55: what is retracted waits still, and is one's own.
func decideRetracted(s *State, m member, st *events.MemberRetracted) error {
	p, err := s.proposed(st.Statement, st.Key)
	if err != nil {
		return err
	}
	if id, _ := m.key.ID(); id != p.By {
		return refuse(codeProposalOfAnother,
			"record %d was signed by %s, who alone can take it back", p.Sequence, p.By).
			WithHint("ask for that, or do not second it: without a second it counts for nothing")
	}
	return nil
}

// maySecond says whether a member may second a proposal, which others than its signer do, each
// once: rule 47.
func maySecond(s *State, m member, p *seconds.Proposal) error {
	id, _ := m.key.ID()
	own := m.key.Party()
	switch {
	case id == p.By:
		return refuse(codeSecondedAlready,
			"%s has signed record %d, and a second word is another's", id, p.Sequence).
			WithHint("ask another coordinator: muster member second %s", p.Statement)
	case slices.Contains(p.Seconded, id):
		return refuse(codeSecondedAlready, "%s has seconded record %d already", id, p.Sequence).
			WithHint("nothing more needs to be said; see who else must: muster member list")
	case m.role == events.Coordinator || !p.Revokes && own == p.Key.Party():
		return nil
	case p.Revokes:
		return refuse(codeWrongParty, "%s is %s, and to second a revocation is for a coordinator",
			m.key.Name(), s.roleText(m)).
			WithHint("ask one to say it, or sign with the key of one: --key FILE")
	}
	return refuse(codeSpeaksForItself, "%s speaks for %s, and record %d admits a key of %s",
		m.key.Name(), s.named(own), p.Sequence, s.named(p.Key.Party())).
		WithHint("ask a liaison of that nation, or a coordinator: muster member second %s",
			p.Statement)
}
