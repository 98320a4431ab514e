package events

// PledgeCorrected mends one statement about a pledge that was wrong when it was made: we wrote it
// wrong. (When the world has changed, a pledge is amended.) From this record on the mended
// statement counts as if it had said this, in its own place; what was known before stays as it was,
// and both records stay to be seen.
//
// A statement may be corrected again, by its own ID: the last correction holds.
type PledgeCorrected struct {
	Header
	// Effective is the date that the mended statement should have had; its own where the date was
	// right.
	Dated
	Place
	Pledge ID `json:"pledge"`
	Upon
	// Corrects is the ID of the statement that is mended.
	Corrects ID `json:"corrects"`
	// Struck says that the statement should never have been made. Terms and Strength are then left
	// out. Where the statement began the pledge, so that Corrects is the pledge's ID, the pledge
	// was never made from this record on, for good.
	Struck bool `json:"struck,omitzero"`
	// Terms are all the terms, where the mended statement has some: it indicated, offered, amended
	// or disclosed the pledge.
	Terms *PledgeTerms `json:"terms,omitzero"`
	// Strength is the right one, where the mended statement has one: it deployed, reported or
	// observed the forces.
	Strength *Strength `json:"strength,omitzero"`
	// Reason says what was wrong.
	Reason string `json:"reason"`
	Source string `json:"source,omitzero"`
}

// Thing returns the pledge's ID.
func (s *PledgeCorrected) Thing() ID { return s.Pledge }

func (s *PledgeCorrected) setThing(id ID) { s.Pledge = id }

func (s *PledgeCorrected) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place, &s.Upon)
	c.id("pledge", s.Pledge, "that began the pledge")
	c.id("corrects", s.Corrects, "that was wrong")
	if s.Terms != nil {
		c.in("terms", s.Terms)
	}
	if s.Strength != nil {
		c.in("strength", s.Strength)
	}
	switch {
	case s.Struck && s.Terms != nil:
		c.field("terms", "", "leave them out of a statement that is struck")
	case s.Struck && s.Strength != nil:
		c.field("strength", "", "leave it out of a statement that is struck")
	case s.Terms != nil && s.Strength != nil:
		c.field("strength", "", "no statement has both terms and a strength: leave one of them out")
	}
	c.title("reason", s.Reason)
	c.text("source", s.Source)
}

// ContentOf returns the part of a statement that can be corrected besides its date: its terms, or
// its strength, or neither. What is returned is the statement's own.
func ContentOf(s Statement) (*PledgeTerms, *Strength) {
	switch s := s.(type) {
	case *PledgeIndicated:
		return &s.PledgeTerms, nil
	case *PledgeOffered:
		return &s.PledgeTerms, nil
	case *PledgeAmended:
		return &s.PledgeTerms, nil
	case *PledgeDisclosed:
		return &s.PledgeTerms, nil
	case *PledgeDeployed:
		return nil, &s.Strength
	case *PledgeReported:
		return nil, &s.Strength
	case *PledgeObserved:
		return nil, &s.Strength
	}
	return nil, nil
}
