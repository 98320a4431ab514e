package plan

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"muster/events"
)

// Write writes what a ledger holds of an operation as a plan file, which [Read] reads: given back
// as it is, it changes nothing, and given back with changes it changes those alone ([Plan.Since]).
// The operation must have been opened. Lines stand by priority, and within one by their names.
func Write(now Current, base Base) []byte {
	w := &writer{}
	o := now.Operation
	fmt.Fprintf(w, "# What %s asks for, as %s has it on %s.\n"+
		"# Change what is to change, and give the file back: on the page Plan, or with\n"+
		"#   muster plan apply FILE\n"+
		"# What others have changed by then, and you have not, stays as they said it.\n",
		o.Operation, base.Ledger, base.On)
	w.text("", "operation", string(o.Operation))
	w.text("", "title", o.Title)
	w.text("", "note", o.Note)
	fmt.Fprintf(w, "base: {ledger: %s, as_of: %d, on: %s", scalar(string(base.Ledger)), base.AsOf,
		base.On)
	if base.View != "" {
		fmt.Fprintf(w, ", view: %s", scalar(string(base.View)))
	}
	fmt.Fprintf(w, "}\n# effective: %s  # the day from which it holds; without it, the day on "+
		"which it is given back\n", base.On)
	w.roles(o.Roles)
	w.organisations(o.Organisations)
	w.requirements(now.Lines)
	return w.Bytes()
}

type writer struct{ bytes.Buffer }

// text writes a key and its text; nothing where there is none.
func (w *writer) text(before, key, value string) {
	if value != "" {
		fmt.Fprintf(w, "%s%s: %s\n", before, key, scalar(value))
	}
}

func (w *writer) roles(all []events.RoleDefinition) {
	w.WriteString("roles:\n")
	for _, r := range all {
		w.text("  - ", "role", string(r.Role))
		w.text("    ", "title", r.Title)
		if len(r.Titles) > 0 {
			w.WriteString("    titles:\n")
		}
		for _, t := range r.Titles {
			w.text("      ", scalar(string(t.Language)), t.Title)
		}
		units := make([]string, len(r.Units))
		for i, u := range r.Units {
			units[i] = string(u)
		}
		fmt.Fprintf(w, "    units: %s\n", list(units))
	}
}

func (w *writer) organisations(all events.Organisations) {
	if len(all) > 0 {
		w.WriteString("organisations:\n")
	}
	for _, o := range all {
		w.text("  - ", "code", string(o.Code))
		w.text("    ", "name", o.Name)
		if len(o.Also) > 0 {
			fmt.Fprintf(w, "    also: %s\n", list(o.Also))
		}
	}
}

func (w *writer) requirements(lines map[events.Line]events.RequirementTerms) {
	if len(lines) == 0 {
		w.WriteString("requirements: []\n")
		return
	}
	w.WriteString("requirements:\n")
	all := slices.SortedFunc(maps.Values(lines), func(a, b events.RequirementTerms) int {
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		return strings.Compare(string(a.Line), string(b.Line))
	})
	for i := range all {
		r := &all[i]
		fmt.Fprintf(w, "  - line: %s\n", scalar(string(r.Line)))
		for _, t := range terms {
			switch {
			case t.name != "essential":
				w.text("    ", t.name, t.text(r))
			case r.Essential:
				w.WriteString("    essential: true\n")
			}
		}
	}
}

func list(all []string) string {
	said := make([]string, len(all))
	for i, one := range all {
		said[i] = scalar(one)
	}
	return "[" + strings.Join(said, ", ") + "]"
}

// What needs no quotes, and is no other thing than text to any reader of YAML: words of letters,
// digits and a few signs.
var (
	plain   = regexp.MustCompile(`^[\pL\pN](?:[\pL\pN ,.;()/+'’–-]*[\pL\pN.)])?$`)
	inLists = regexp.MustCompile(`[,]`)
	special = regexp.MustCompile(`(?i)^(?:null|true|false|yes|no|on|off|y|n)$`)
)

// scalar writes a text as one value of YAML, in quotes where it needs any.
func scalar(s string) string {
	if plain.MatchString(s) && !special.MatchString(s) && !inLists.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}
