package rules

import (
	"time"

	"muster/events"
	"muster/events/problem"
)

// A Part is the state of those who may not read all records. Of the rules, those hold for them that
// rest on what they read. That is nearly all, since nothing is wider than what it rests on:
//
//	what a statement rests on             who reads that
//	the founding and the members          everybody
//	its operation and its requirement     whoever reads the statement
//	what was said of its pledge           the same, from its beginning or its last disclosure on
//	the pledges that relieve each other   perhaps others
//	the organisation of a key             perhaps others
//
// So three things are not judged: whether a pledge is there that another relieves, or is relieved
// by; whether an organisation is declared after which a key is named; and whatever rests on what
// was said of a pledge before it was disclosed to these readers. What is withheld without a label
// that says so makes a statement break a rule that rests on it.
type Part struct {
	*State
	withheld uint64
	met      map[events.ID]bool // pledges that they met in a disclosure, and which the state lacks
}

// NewPart returns the state before the first record. As long as nothing is withheld, it decides as
// a State does.
func NewPart() *Part { return &Part{NewState(), 0, map[events.ID]bool{}} }

// Withheld returns how many records were withheld.
func (p *Part) Withheld() uint64 { return p.withheld }

// Withhold takes in that there is a record that may not be read.
func (p *Part) Withhold(sequence uint64) error {
	p.withheld++
	return p.skip(sequence, p.recorded)
}

// skip moves on over a record of which nothing is taken in.
func (s *State) skip(sequence uint64, recorded time.Time) error {
	err := s.follows(sequence, recorded)
	if err == nil {
		s.last, s.recorded = sequence, recorded
	}
	return err
}

// Decide says what [Decide] does, as far as the rules rest on what can be read. Whole is false when
// some rule could not be asked.
func (p *Part) Decide(key events.Key, st events.Statement) (whole bool, err error) {
	if p.withheld > 0 && p.meets(st) {
		_, err = decideSigner(p.State, key, st)
		return false, err
	}
	err = Decide(p.State, key, st)
	if p.withheld > 0 && err != nil && p.mayRestOnWithheld(st, problem.From(err).Code) {
		return false, nil
	}
	return true, err
}

// mayRestOnWithheld reports whether a refusal with the code may come of what is withheld.
func (p *Part) mayRestOnWithheld(st events.Statement, code string) bool {
	_, admits := st.(*events.MemberAdmitted)
	return code == codeRotationMismatch.slug || admits && code == codeOrganisationUnknown.slug
}

// meets reports whether a statement is about a pledge that began before it could be read.
func (p *Part) meets(st events.Statement) bool {
	id := events.Thing(st)
	if _, known := p.pledges[id]; known {
		return false
	}
	_, discloses := st.(*events.PledgeDisclosed)
	return discloses || p.met[id]
}

// Apply takes a record in that was decided.
func (p *Part) Apply(rec events.Record) error {
	if p.withheld > 0 && p.meets(rec.Statement) {
		p.met[events.Thing(rec.Statement)] = true
		return p.skip(rec.Sequence, rec.Recorded)
	}
	_, err := p.State.Apply(rec)
	return err
}
