package events

import "fmt"

// RequirementTerms is one line of the statement of requirements (NATO: CJSOR): what somebody must
// fill.
type RequirementTerms struct {
	Operation Operation `json:"operation"`
	// Line identifies the requirement within its operation, for ever.
	Line     Line     `json:"line"`
	Role     Role     `json:"role"`
	Area     Area     `json:"area,omitzero"`
	Quantity Quantity `json:"quantity"`
	Unit     Unit     `json:"unit"`
	Window
	// Priority is 1 (first) to 9.
	Priority int `json:"priority"`
	// Essential says that the operation cannot begin without this line.
	Essential bool   `json:"essential,omitzero"`
	Note      string `json:"note,omitzero"`
}

// About returns HQ and the operation.
func (t *RequirementTerms) About() (Nation, Operation) { return HQ, t.Operation }

func (t *RequirementTerms) check(c *checker) {
	c.slug("operation", string(t.Operation), "mnf-u")
	c.slug("line", string(t.Line), "ground-west")
	c.slug("role", string(t.Role), "ground")
	if t.Area != "" {
		c.slug("area", string(t.Area), "west")
	}
	c.amount(t.Quantity, t.Unit, false)
	c.window(t.Window)
	if t.Priority < 1 || t.Priority > 9 {
		c.field("priority", fmt.Sprint(t.Priority), "write 1 (first) to 9")
	}
	c.text("note", t.Note)
}

// RequirementIssued adds a line to the statement of requirements.
type RequirementIssued struct {
	Header
	Dated
	RequirementTerms
	// Release is who may read the requirement, for its life.
	Release Release `json:"release,omitzero"`
}

func (s *RequirementIssued) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.RequirementTerms)
	c.release("release", s.Release)
}

// RequirementRevised replaces all that a line says, from its effective date on. The role stays what
// it was.
type RequirementRevised struct {
	Header
	Dated
	RequirementTerms
}

func (s *RequirementRevised) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.RequirementTerms)
}

// RequirementCancelled ends a line from its effective date on.
type RequirementCancelled struct {
	Header
	Dated
	Operation Operation `json:"operation"`
	Line      Line      `json:"line"`
	Reason    string    `json:"reason"`
}

// About returns HQ and the operation.
func (s *RequirementCancelled) About() (Nation, Operation) { return HQ, s.Operation }

func (s *RequirementCancelled) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated)
	c.slug("operation", string(s.Operation), "mnf-u")
	c.slug("line", string(s.Line), "ground-west")
	c.title("reason", s.Reason)
}
