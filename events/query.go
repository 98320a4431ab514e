package events

// A PledgeQueried asks about a pledge: the coordinators ask the nation whose pledge it is, or that
// nation the coordinators. It stands in what is due until it is answered, and changes nothing else.
// Who may read the pledge reads the question.
type PledgeQueried struct {
	PledgeStep
	// To is who is asked: the pledge's nation, or HQ for the coordinators.
	To Nation `json:"to"`
	// Text is the question, for people.
	Text string `json:"text"`
	// Due is the last day on which an answer is of use; zero where none is said.
	Due Date `json:"due,omitzero"`
}

func (s *PledgeQueried) check(c *checker) {
	s.PledgeStep.check(c)
	if s.To != HQ {
		c.nation("to", s.To)
	}
	c.title("text", s.Text)
	c.dateIfAny("due", s.Due)
	if s.Due != 0 && s.Due < s.Effective {
		c.field("due", s.Due.String(), "is before the day of the question, %s: write that date "+
			"or a later one", s.Effective)
	}
}

// A PledgeAnswered answers a question about a pledge, which is waited for no more.
type PledgeAnswered struct {
	PledgeStep
	// Query is the id of the statement that has asked.
	Query ID `json:"query"`
	// Text is the answer, for people.
	Text string `json:"text"`
}

func (s *PledgeAnswered) check(c *checker) {
	s.PledgeStep.check(c)
	c.id("query", s.Query, "the statement that asks")
	c.title("text", s.Text)
}
