package events

// A CaveatStep is what the statements about a caveat have in common.
type CaveatStep struct {
	PledgeStep
	// Caveat names the caveat within its pledge ("no-night-flights").
	Caveat Line `json:"caveat"`
}

func (s *CaveatStep) check(c *checker) {
	s.PledgeStep.check(c)
	c.slug("caveat", string(s.Caveat), "no-night-flights")
}

// CaveatDeclared declares a national restriction on the use of what is pledged. The pledge still
// counts; readers see what hangs on the caveat.
type CaveatDeclared struct {
	CaveatStep
	// Restriction says for people what is not allowed.
	Restriction string `json:"restriction"`
}

func (s *CaveatDeclared) check(c *checker) {
	s.CaveatStep.check(c)
	c.title("restriction", s.Restriction)
}

// CaveatLifted lifts a caveat.
type CaveatLifted struct{ CaveatStep }
