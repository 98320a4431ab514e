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

// requirementDiff says in which of its terms a line differs. Every term that a statement holds must
// be among them, or a change of it would go unnoticed.
func requirementDiff(have, want events.RequirementTerms) []string {
	var d differences
	d.add("quantity", have.Quantity.String(), want.Quantity.String())
	d.add("unit", string(have.Unit), string(want.Unit))
	d.add("area", string(have.Area), string(want.Area))
	d.add("from", have.From.String(), want.From.String())
	d.add("until", have.Until.String(), want.Until.String())
	d.add("priority", fmt.Sprint(have.Priority), fmt.Sprint(want.Priority))
	d.add("essential", fmt.Sprint(have.Essential), fmt.Sprint(want.Essential))
	d.addText("note", have.Note, want.Note)
	return d
}

func operationDiff(have, want events.OperationTerms) []string {
	var d differences
	d.addText("title", have.Title, want.Title)
	d.addText("note", have.Note, want.Note)
	for _, w := range want.Roles {
		h, ok := role(have.Roles, w.Role)
		if !ok {
			d = append(d, fmt.Sprintf("role %s added", w.Role))
			continue
		}
		d.addText(fmt.Sprintf("title of %s", w.Role), h.Title, w.Title)
		d.add(fmt.Sprintf("units of %s", w.Role), joined(h.Units), joined(w.Units))
	}
	for _, h := range have.Roles {
		if _, ok := role(want.Roles, h.Role); !ok {
			d = append(d, fmt.Sprintf("role %s removed", h.Role))
		}
	}
	if len(d) == 0 {
		d.add("order of roles", roleNames(have.Roles), roleNames(want.Roles))
	}
	return append(d, organisationsDiff(have.Organisations, want.Organisations)...)
}

func organisationsDiff(have, want events.Organisations) []string {
	var d differences
	for _, w := range want {
		h, ok := have.Of(w.Code)
		if !ok {
			d = append(d, fmt.Sprintf("organisation %s (%s) added", w.Name, w.Code))
			continue
		}
		d.addText(fmt.Sprintf("name of %s", w.Code), h.Name, w.Name)
		d.add(fmt.Sprintf("other names of %s", w.Code), strings.Join(h.Also, ", "),
			strings.Join(w.Also, ", "))
	}
	for _, h := range have {
		if _, ok := want.Of(h.Code); !ok {
			d = append(d, fmt.Sprintf("organisation %s (%s) removed", h.Name, h.Code))
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

// differences are phrases such as "quantity 15000 → 12000".
type differences []string

func (d *differences) add(name, have, want string) {
	if have != want {
		*d = append(*d, fmt.Sprintf("%s %s → %s", name, orNone(have), orNone(want)))
	}
}

// addText says that a longer text differs, and shows the new one.
func (d *differences) addText(name, have, want string) {
	switch {
	case have == want:
	case want == "":
		*d = append(*d, name+" removed")
	default:
		*d = append(*d, fmt.Sprintf("%s is now %q", name, want))
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
