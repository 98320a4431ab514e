package plan

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
)

// describe says what a requirement is: "15000 personnel for ground in west, from 2026-03-01,
// priority 1, essential".
func describe(r events.RequirementTerms) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s for %s", r.Quantity, english.Noun(r.Quantity.IsOne(), string(r.Unit)),
		r.Role)
	if r.Area != "" {
		fmt.Fprintf(&b, " in %s", r.Area)
	}
	fmt.Fprintf(&b, ", %s, priority %d", r.Span(), r.Priority)
	if r.Essential {
		b.WriteString(", essential")
	}
	return b.String()
}

// requirementDiff says in which of its terms a line differs.
func requirementDiff(have, want events.RequirementTerms) []Difference {
	var d differences
	for _, t := range terms {
		d.of(t.name, "", t.isText, t.text(&have), t.text(&want))
	}
	return d
}

// everyTerm are the terms of a line that begins, or ends.
func everyTerm(r events.RequirementTerms, ends bool) (d differences) {
	for _, t := range terms {
		switch is := t.text(&r); {
		case is == "" || t.name == "essential" && !r.Essential:
		case ends:
			d.of(t.name, "", t.isText, is, "")
		default:
			d.of(t.name, "", t.isText, "", is)
		}
	}
	return d
}

func operationDiff(have, want events.OperationTerms) []Difference {
	var d differences
	d.of("title", "", true, have.Title, want.Title)
	d.of("note", "", true, have.Note, want.Note)
	for _, w := range want.Roles {
		h, ok := role(have.Roles, w.Role)
		if !ok {
			d.add(Difference{Term: "role", Is: string(w.Role),
				said: fmt.Sprintf("role %s added", w.Role)})
			continue
		}
		d.of("title", string(w.Role), true, h.Title, w.Title)
		d.of("titles", string(w.Role), false, titles(h), titles(w))
		d.of("units", string(w.Role), false, joined(h.Units), joined(w.Units))
	}
	for _, h := range have.Roles {
		if _, ok := role(want.Roles, h.Role); !ok {
			d.add(Difference{Term: "role", Was: string(h.Role),
				said: fmt.Sprintf("role %s removed", h.Role)})
		}
	}
	if len(d) == 0 {
		d.of("order of roles", "", false, roleNames(have.Roles), roleNames(want.Roles))
	}
	return append(d, organisationsDiff(have.Organisations, want.Organisations)...)
}

// titles tells the titles of a role in other languages: "fr: Troupes au sol; pl: Wojska".
func titles(r events.RoleDefinition) string {
	all := make([]string, len(r.Titles))
	for i, t := range r.Titles {
		all[i] = string(t.Language) + ": " + strings.TrimSpace(t.Title)
	}
	return strings.Join(all, "; ")
}

func organisationsDiff(have, want events.Organisations) []Difference {
	var d differences
	for _, w := range want {
		h, ok := have.Of(w.Code)
		if !ok {
			d.add(Difference{Term: "organisation", Is: w.Name,
				said: fmt.Sprintf("organisation %s (%s) added", w.Name, w.Code)})
			continue
		}
		d.of("name", string(w.Code), true, h.Name, w.Name)
		d.of("other names", string(w.Code), false, strings.Join(h.Also, ", "),
			strings.Join(w.Also, ", "))
	}
	for _, h := range have {
		if _, ok := want.Of(h.Code); !ok {
			d.add(Difference{Term: "organisation", Was: h.Name,
				said: fmt.Sprintf("organisation %s (%s) removed", h.Name, h.Code)})
		}
	}
	return d
}

func role(all []events.RoleDefinition, name events.Role) (events.RoleDefinition, bool) {
	i := slices.IndexFunc(all, func(r events.RoleDefinition) bool { return r.Role == name })
	if i < 0 {
		return events.RoleDefinition{}, false
	}
	return all[i], true
}

func roleNames(all []events.RoleDefinition) string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = string(r.Role)
	}
	return strings.Join(names, ", ")
}

// A Difference is a term that the plan has otherwise than the ledger.
type Difference struct {
	// Term names it: quantity, from, title, role, organisation and so on. Of is the role or the
	// organisation whose term it is, "" for those of the line or of the operation itself.
	Term, Of string
	// Was is what the ledger has and Is what the plan has, "" for nothing.
	Was, Is string

	said string
}

// String tells it in a phrase, such as "quantity 15000 → 12000".
func (d Difference) String() string { return d.said }

// sentence tells differences in a row.
func sentence(all []Difference) string {
	said := make([]string, len(all))
	for i, d := range all {
		said[i] = d.said
	}
	return strings.Join(said, "; ")
}

type differences []Difference

func (d *differences) add(one Difference) { *d = append(*d, one) }

// of adds a term, if it differs; of a longer text the phrase shows the new one alone.
func (d *differences) of(term, of string, isText bool, was, is string) {
	if was == is {
		return
	}
	name := term
	if of != "" {
		name += " of " + of
	}
	one := Difference{Term: term, Of: of, Was: was, Is: is,
		said: fmt.Sprintf("%s %s → %s", name, orNone(was), orNone(is))}
	switch {
	case isText && strings.TrimSpace(was) == strings.TrimSpace(is):
		return // a file does not tell these apart
	case isText && is == "":
		one.said = name + " removed"
	case isText:
		one.said = fmt.Sprintf("%s is now %q", name, is)
	}
	d.add(one)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
