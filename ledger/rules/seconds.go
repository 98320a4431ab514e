package rules

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/seconds"
)

// Of an admission or a revocation that waits for a second, the state has a proposal, and the member
// is as before: see [muster/events/seconds].

// A roll is who may sign, as a state has it.
type roll struct{ *State }

// Asked implements [seconds.Roll].
func (r roll) Asked() int { return int(r.seconds) }

// Coordinators implements [seconds.Roll].
func (r roll) Coordinators() int { return coordinators(r.State) }

// Liaisons implements [seconds.Roll].
func (r roll) Liaisons(n events.Nation) (now int, ever bool) {
	for _, m := range r.members {
		if m.role == events.Liaison && m.revoked == 0 && m.key.Party() == n {
			now++
		}
	}
	_, ever = r.voiced[n]
	return now, ever
}

// propose takes in an admission or a revocation: as it counts, or as a proposal where it waits.
func (s *State) propose(rec events.Record) {
	p, _ := seconds.Of(rec)
	s.hold(p)
}

// second takes in a second word for a proposal.
func (s *State) second(rec events.Record) {
	st := rec.Statement.(*events.MemberSeconded)
	if p, ok := s.proposals[st.Statement]; ok {
		s.hold(p.And(rec.SignedBy()))
	}
}

// hold keeps a proposal while it lacks a word, and takes in what it says when it does not.
func (s *State) hold(p seconds.Proposal) {
	if p.Lacks(roll{s}) != (seconds.Lack{}) {
		put(s, s.proposals, p.Statement, p)
		return
	}
	for id, other := range s.proposals {
		if other.Key == p.Key && other.Revokes == p.Revokes {
			drop(s, s.proposals, id)
		}
	}
	if !p.Revokes {
		s.admit(p.Key, p.Role, p.Clearance)
		return
	}
	if id, ok := p.Key.ID(); ok {
		m := s.members[id]
		m.revoked = s.last
		put(s, s.members, id, m)
	}
}

// Roll returns who may sign now, for [seconds.Proposal.Lacks]. It goes with the state.
func (s *State) Roll() seconds.Roll { return roll{s} }

// Waiting returns what waits for a second, in the order of its records, and can be given one still.
func (s *State) Waiting() (all []seconds.Proposal) {
	for _, p := range s.proposals {
		if s.MaySign(p.By) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b seconds.Proposal) int {
		return cmp.Compare(a.Sequence, b.Sequence)
	})
	return all
}

// waiting returns a proposal to admit a key that can be seconded still.
func (s *State) waiting(key events.KeyID) (seconds.Proposal, bool) {
	for _, p := range s.Waiting() {
		if id, _ := p.Key.ID(); id == key && !p.Revokes {
			return p, true
		}
	}
	return seconds.Proposal{}, false
}

// Unheard returns the key that a record lets sign, where it is a further one of a nation and none
// of the nation's liaisons has seconded that; "" for all other records. It is to be asked before
// Apply, of a record that was decided.
func (s *State) Unheard(rec events.Record) events.Key {
	p, ok := seconds.Of(rec)
	if st, seconded := rec.Statement.(*events.MemberSeconded); seconded {
		if p, ok = s.proposals[st.Statement]; ok {
			p = p.And(rec.SignedBy())
		}
	}
	if !ok || p.Lacks(roll{s}) != (seconds.Lack{}) || !p.Unheard(roll{s}) {
		return ""
	}
	return p.Key
}
