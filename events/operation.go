package events

import "fmt"

// A RoleDefinition is a line of an operation's catalogue of roles.
type RoleDefinition struct {
	Role  Role   `json:"role"`
	Title string `json:"title"`
	// Units are what pledges of the role may be counted in. The first is the usual one.
	Units []Unit `json:"units"`
}

// OperationTerms is what an operation is and which roles it has.
type OperationTerms struct {
	Operation Operation `json:"operation"`
	Title     string    `json:"title"`
	// Note is shown with every answer about the operation: a source, or that the figures are illustrative.
	Note string `json:"note,omitzero"`
	// Roles is the whole catalogue.
	Roles []RoleDefinition `json:"roles"`
}

// MaxRoles is the most roles that an operation's catalogue may have.
const MaxRoles = 64

// About returns HQ and the operation.
func (t *OperationTerms) About() (Nation, Operation) { return HQ, t.Operation }

func (t *OperationTerms) check(c *checker) {
	c.slug("operation", string(t.Operation), "mnf-u")
	c.title("title", t.Title)
	c.text("note", t.Note)
	if len(t.Roles) == 0 || len(t.Roles) > MaxRoles {
		c.field("roles", fmt.Sprint(len(t.Roles)), "write from 1 to %d roles", MaxRoles)
	}
	for i, r := range t.Roles {
		at := fmt.Sprintf("roles[%d].", i)
		c.slug(at+"role", string(r.Role), "ground")
		c.title(at+"title", r.Title)
		if len(r.Units) == 0 {
			c.field(at+"units", "", "missing: write at least one unit, such as personnel")
		}
		for j, u := range r.Units {
			c.unit(fmt.Sprintf("%sunits[%d]", at, j), u)
		}
		for _, before := range t.Roles[:i] {
			if before.Role == r.Role {
				c.field(at+"role", string(r.Role), "is in the catalogue twice")
			}
		}
	}
}

// Units returns the units of a role, and false when the role is not in the catalogue.
func (t *OperationTerms) Units(role Role) ([]Unit, bool) {
	for _, r := range t.Roles {
		if r.Role == role {
			return r.Units, true
		}
	}
	return nil, false
}

// OperationOpened begins an operation with its catalogue of roles.
type OperationOpened struct {
	Header
	Dated
	OperationTerms
}

func (s *OperationOpened) check(c *checker) { checkAll(c, &s.Header, &s.Dated, &s.OperationTerms) }

// OperationRevised replaces an operation's title, note and catalogue.
type OperationRevised struct {
	Header
	Dated
	OperationTerms
}

func (s *OperationRevised) check(c *checker) { checkAll(c, &s.Header, &s.Dated, &s.OperationTerms) }

func checkAll(c *checker, parts ...interface{ check(*checker) }) {
	for _, p := range parts {
		p.check(c)
	}
}
