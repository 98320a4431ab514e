package events

import (
	"fmt"
	"slices"
)

// ScopeDeclared says which roles a nation is ready to fill in an operation ("intelligence only").
// An offer outside it is refused until the nation declares another scope.
type ScopeDeclared struct {
	Header
	Dated
	Place
	// Roles are all that the nation is ready to fill.
	Roles []Role `json:"roles,omitzero"`
	// Unlimited lifts an earlier limit; Roles is then empty.
	Unlimited bool   `json:"unlimited,omitzero"`
	Note      string `json:"note,omitzero"`
}

func (s *ScopeDeclared) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place)
	switch {
	case s.Unlimited && len(s.Roles) > 0:
		c.field("roles", "", "leave the roles out when the scope is unlimited")
	case !s.Unlimited && len(s.Roles) == 0:
		c.field("roles", "", "missing: write the roles that the nation is ready to fill, such "+
			"as intelligence, or set unlimited")
	case len(s.Roles) > MaxRoles:
		c.field("roles", "", "has %d roles: write at most %d", len(s.Roles), MaxRoles)
	default:
		for i, r := range s.Roles {
			c.slug(fmt.Sprintf("roles[%d]", i), string(r), "intelligence")
			if slices.Contains(s.Roles[:i], r) {
				c.field(fmt.Sprintf("roles[%d]", i), string(r), "is there twice: leave one out")
			}
		}
	}
	c.text("note", s.Note)
}
