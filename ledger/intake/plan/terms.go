package plan

import (
	"fmt"
	"strings"

	"muster/events"
)

// A term is one of those of a requirement: how it is told, and how it is taken over.
type term struct {
	name   string
	isText bool // a longer one, of which the white space around it does not count
	text   func(*events.RequirementTerms) string
	take   func(to, from *events.RequirementTerms)
}

// terms are those of a requirement beside what names it. Every term that a statement holds must be
// among them, or a change of it would go unnoticed.
var terms = []term{
	{"role", false, func(r *events.RequirementTerms) string { return string(r.Role) },
		func(to, from *events.RequirementTerms) { to.Role = from.Role }},
	{"quantity", false, func(r *events.RequirementTerms) string { return r.Quantity.String() },
		func(to, from *events.RequirementTerms) { to.Quantity = from.Quantity }},
	{"unit", false, func(r *events.RequirementTerms) string { return string(r.Unit) },
		func(to, from *events.RequirementTerms) { to.Unit = from.Unit }},
	{"area", false, func(r *events.RequirementTerms) string { return string(r.Area) },
		func(to, from *events.RequirementTerms) { to.Area = from.Area }},
	{"from", false, func(r *events.RequirementTerms) string { return r.From.String() },
		func(to, from *events.RequirementTerms) { to.From = from.From }},
	{"until", false, func(r *events.RequirementTerms) string { return r.Until.String() },
		func(to, from *events.RequirementTerms) { to.Until = from.Until }},
	{"priority", false, func(r *events.RequirementTerms) string { return fmt.Sprint(r.Priority) },
		func(to, from *events.RequirementTerms) { to.Priority = from.Priority }},
	{"essential", false, func(r *events.RequirementTerms) string { return fmt.Sprint(r.Essential) },
		func(to, from *events.RequirementTerms) { to.Essential = from.Essential }},
	{"note", true, func(r *events.RequirementTerms) string { return r.Note },
		func(to, from *events.RequirementTerms) { to.Note = from.Note }},
}

// same reports whether two requirements have a term alike.
func (t term) same(a, b *events.RequirementTerms) bool {
	x, y := t.text(a), t.text(b)
	return x == y || t.isText && strings.TrimSpace(x) == strings.TrimSpace(y)
}
