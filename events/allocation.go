package events

// AllocationMade sets so much of a pledge against one line of the statement of requirements. The
// allocation's ID is this statement's.
type AllocationMade struct {
	PledgeStep
	Line Line `json:"line"`
	Strength
	// Window is when the forces fill the line. Outside of it, and before the effective date, the
	// allocation is not there.
	Window
}

func (s *AllocationMade) check(c *checker) {
	checkAll(c, &s.PledgeStep, &s.Strength)
	c.slug("line", string(s.Line), "ground-west")
	c.window(s.Window)
}

// AllocationReleased ends an allocation from its effective date on.
type AllocationReleased struct {
	PledgeStep
	// Allocation is the ID of the allocation.
	Allocation ID `json:"allocation"`
}

func (s *AllocationReleased) check(c *checker) {
	s.PledgeStep.check(c)
	c.id("allocation", s.Allocation, "that made the allocation")
}
