// Package seconds says when an admission or a revocation counts that takes a second word: both
// halves, the rules and the projections, fold the members of a ledger with it, and so come to the
// same. It keeps no state of its own.
//
// A ledger's founding says how many coordinators beside the signer it takes to admit and to revoke
// a key: see [muster/events.LedgerFounded]. Where that is 0, nothing waits. Where it is more, a
// further key of a nation that has had a liaison of its own takes the word of one of its liaisons,
// too; and where none of them may sign any more, that of one other coordinator at least. It is so
// only there, since in ledgers from before keys were admitted without, and what they signed stays.
//
// Who was asked may be gone: so what lacks is counted at each second, with those who may sign then.
// It is never more than there are, so that nobody who has lost a key blocks the ledger for ever:
// but of two coordinators, neither can get rid of the other alone.
package seconds

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// A Proposal is an admission or a revocation, and who has seconded it.
type Proposal struct {
	// Statement is its id, and Sequence and Leaf are those of its record.
	Statement events.ID
	Sequence  uint64
	Leaf      [32]byte
	// By is the key that has signed it.
	By events.KeyID
	// Key is the key that it admits or, with Revokes, revokes.
	Key     events.Key
	Revokes bool
	// Role and Clearance are those of an admission.
	Role      events.MemberRole
	Clearance events.Clearance
	// Seconded are the keys that have seconded it, in order.
	Seconded []events.KeyID
}

// Of returns the proposal that a record makes, and false for all other records.
func Of(rec events.Record) (p Proposal, ok bool) {
	p = Proposal{Statement: rec.Statement.Head().ID, Sequence: rec.Sequence, By: rec.SignedBy()}
	switch st := rec.Statement.(type) {
	case *events.MemberAdmitted:
		p.Key, p.Role, p.Clearance = st.Key, st.Role, st.Clearance
	case *events.MemberRevoked:
		p.Key, p.Revokes = st.Key, true
	default:
		return p, false
	}
	p.Leaf = rec.Leaf()
	return p, true
}

// And returns the proposal, seconded by one more.
func (p Proposal) And(by events.KeyID) Proposal {
	p.Seconded = append(slices.Clip(p.Seconded), by)
	return p
}

// A Roll is who may sign at some moment.
type Roll interface {
	// Asked is how many seconds the founding asks for.
	Asked() int
	// MaySign reports whether the holder of a key may sign.
	MaySign(key events.KeyID) bool
	// Coordinators is how many of them may sign.
	Coordinators() int
	// Liaisons is how many of a nation's may sign, and whether there has ever been one who could.
	Liaisons(n events.Nation) (now int, ever bool)
}

// A Lack is whose word a proposal lacks.
type Lack struct {
	// Coordinators is how many more must second it.
	Coordinators int
	// Liaison is the nation of which a liaison must, "" for none.
	Liaison events.Nation
}

// String says whose word is lacking, "2 more coordinators and a liaison of France"; it is "" where
// nobody's is.
func (l Lack) String() string { return l.Phrase().String() }

// Phrase returns what [Lack.String] says, so that it can be told in other languages.
func (l Lack) Phrase() phrase.Phrase {
	var all []phrase.Phrase
	switch {
	case l.Coordinators == 1:
		all = append(all, phrase.Of("1 more coordinator"))
	case l.Coordinators > 1:
		all = append(all, phrase.Of("%d more coordinators", l.Coordinators))
	}
	if l.Liaison != "" {
		all = append(all, phrase.Of("a liaison of %s",
			events.Called{Nation: l.Liaison, English: l.Liaison.Named()}))
	}
	return phrase.List(phrase.And, all...)
}

// Lacks returns what a proposal lacks with those who may sign, nothing when it counts.
func (p *Proposal) Lacks(roll Roll) (l Lack) {
	if own, ok := p.Key.ID(); roll.Asked() == 0 || ok && p.Revokes && own == p.By {
		return l
	}
	need := min(roll.Asked(), roll.Coordinators()-1)
	if p.Unheard(roll) {
		nation := p.Key.Party()
		if now, _ := roll.Liaisons(nation); now > 0 {
			l.Liaison = nation
		} else {
			need = max(need, 1)
		}
	}
	l.Coordinators = max(0, need-p.words(roll, events.HQ))
	return l
}

// words counts those of a party who have seconded the proposal, and may sign still.
func (p *Proposal) words(roll Roll, party events.Nation) (n int) {
	for _, by := range p.Seconded {
		if events.Key(by.Name).Party() == party && roll.MaySign(by) {
			n++
		}
	}
	return n
}

// Unheard reports whether the proposal admits a key of a nation that has had a liaison of its own,
// and none of the nation's liaisons has seconded that: every report shows it where it counts.
func (p *Proposal) Unheard(roll Roll) bool {
	nation := p.Key.Party()
	_, ever := roll.Liaisons(nation)
	return !p.Revokes && nation != events.HQ && ever && p.words(roll, nation) == 0
}
