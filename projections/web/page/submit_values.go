package page

import (
	"encoding/json"
	"strings"
	"unicode"

	"muster/events"
	"muster/projections"
)

// How a statement writes what the fields of a form say.

// restate writes the terms of a pledge and where it stands, but for who may read it.
func restate(members map[string]any, p *projections.Pledge) {
	for _, part := range []any{p.Terms(), p.Standing()} {
		text, err := json.Marshal(part)
		said := map[string]json.RawMessage{}
		if err == nil && json.Unmarshal(text, &said) == nil {
			for name, value := range said {
				members[name] = value
			}
		}
	}
	delete(members, "release")
	delete(members, "releasable_to")
}

func codes(all []events.Nation) []string {
	text := make([]string, len(all))
	for i, n := range all {
		text[i] = string(n)
	}
	return text
}

// writeAmount writes how much, as people say it. What cannot be read so is written as it is: the
// reader of the statement tells what is wrong with it.
func (s *submitPage) writeAmount(members map[string]any, said string) {
	a, err := events.ParseAmount(said)
	if err != nil {
		members["quantity"] = said
		return
	}
	unit := events.Unit(strings.TrimSpace(s.given.Get("unit")))
	if s.About != nil {
		unit = s.About.Unit
	}
	a = a.In(unit)
	members["quantity"] = a.Quantity
	for name, q := range map[string]events.Quantity{"least": a.Least, "most": a.Most} {
		if !q.IsZero() {
			members[name] = q
		}
	}
}

// written is a field's value as a statement writes it.
func written(name, value string) any {
	switch name {
	case "unlimited", "essential", "struck":
		return value == "true"
	case "roles":
		return strings.FieldsFunc(value, isBetween)
	case "notice_to_move", "after", "priority":
		if strings.Trim(value, "0123456789") == "" {
			return json.Number(value)
		}
	case "releasable_to":
		return codesIn(value)
	case "elsewhere":
		var all []string
		for line := range strings.SplitSeq(value, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
		return all
	}
	return value
}

// isBetween reports whether a character stands between the words of a list.
func isBetween(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }

// codesIn reads the codes of nations, which stand in capitals, and of organisations, which do not.
func codesIn(said string) []string {
	all := strings.FieldsFunc(said, isBetween)
	for i, word := range all {
		if n := events.Nation(strings.ToLower(word)); n.IsOrganisation() {
			all[i] = string(n)
		} else {
			all[i] = strings.ToUpper(word)
		}
	}
	return all
}

// nationIn returns the code of an organisation that is named in the words of the operation's plan,
// and what is said otherwise, of which its reader tells what to write.
func (s *submitPage) nationIn(said string) string {
	for _, o := range s.Operations() {
		if o.Operation != s.operation() {
			continue
		}
		if n, ok := o.Organisations.Find(said); ok && n.IsOrganisation() {
			return string(n)
		}
	}
	return said
}
