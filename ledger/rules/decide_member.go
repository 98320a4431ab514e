package rules

import "muster/events"

// decideAdmitted keeps the rules 9 and 52: a key is admitted once, and one that was revoked does
// not come back.
func decideAdmitted(s *State, st *events.MemberAdmitted) error {
	id, _ := st.Key.ID()
	m, ok := s.members[id]
	if p, waits := s.waiting(id); !ok && waits {
		ok, m.key = p.Key != st.Key, p.Key
	}
	switch {
	case !ok:
		return keysDeclared(s, st.Key)
	case m.key != st.Key: // a signature names its key by these two alone
		return refuse(codeKeyKnown,
			"the key %s has the name and the hash of another one, and signatures could not be "+
				"told apart", id).
			WithHint("make a new key: muster key new %s/NAME", st.Key.Party())
	case m.revoked > 0:
		return refuse(codeKeyKnown, "the key %s was revoked by record %d and cannot come back",
			id, m.revoked).
			WithHint("make a new key: muster key new %s/NAME", st.Key.Party())
	}
	return refuse(codeKeyKnown, "the key %s is a member already, as %s", id, m.role).
		WithHint("for another role, make another key: muster key new %s/NAME", st.Key.Party())
}

// decideRevoked keeps the rules 8 and 10: what is revoked is a member's key, and the last
// coordinator's stays.
func decideRevoked(s *State, st *events.MemberRevoked) error {
	id, _ := st.Key.ID()
	m, ok := s.members[id]
	switch {
	case !ok || m.key != st.Key:
		return notMember(s, st.Key)
	case m.revoked > 0:
		return refuse(codeRevoked, "the key %s was revoked already, by record %d", id, m.revoked).
			WithHint("nothing more needs to be said")
	case m.role == events.Coordinator && coordinators(s) == 1:
		return refuse(codeLastCoordinator,
			"%s is the last coordinator: without it nobody could admit another", id).
			WithHint("admit another coordinator first: muster member admit KEY")
	}
	return nil
}

// notMember refuses to revoke a key that is none of a member's. A proposal to admit one is taken
// back by whoever signed it: rule 55.
func notMember(s *State, key events.Key) error {
	id, _ := key.ID()
	if p, waits := s.waiting(id); waits && p.Key == key {
		return refuse(codeKeyUnknown, "the key %s is not a member of this ledger: record %d has "+
			"proposed it, which waits for a second", id, p.Sequence).
			WithHint("%s can take that back: muster member retract %s --reason TEXT", p.By,
				p.Statement)
	}
	return refuse(codeKeyUnknown, "the key %s is not a member of this ledger", id).
		WithHint("see the keys that are: muster member list")
}

func coordinators(s *State) (n int) {
	for _, m := range s.members {
		if m.role == events.Coordinator && m.revoked == 0 {
			n++
		}
	}
	return n
}
