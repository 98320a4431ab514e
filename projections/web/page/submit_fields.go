package page

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// fixed are the terms that an amendment restates and does not change.
var fixed = []string{"role", "unit", "release", "releasable_to"}

// Words that a field can have, of those that are a closed set.
var fieldWords = map[string][]string{
	"presence": {"new", "present", "reserve"},
	"release":  {"public", "coalition", "coordinators"},
	"kind":     {"parliament", "cease-fire", "mandate", "funding", "other"},
}

// A field is one that a liaison fills in.
type field struct {
	F     *submitPage
	Name  string
	Value string
	// Words are those that it can have, nil for any; Offered are some that it can have, beside
	// others.
	Words, Offered []string
	Long, Fixed    bool
	Required       bool
	// Stands is set when the value is what somebody else has made it since the form was opened.
	Stands  bool
	Problem string
}

// readFields makes the fields: with what was given, or with what the pledge says now.
func (s *submitPage) readFields() {
	names := s.Say.Fields
	if !s.Say.Pledge {
		names = append([]string{"operation", "nation"}, names...)
	}
	names = append(slices.Clone(names), "effective", "not_after")
	now, lines := s.now(), s.lines()
	for _, name := range names {
		f := field{F: s, Name: name, Value: now[name], Words: fieldWords[name],
			Long: name == "note" || name == "reason" || strings.Contains(now[name], "\n") &&
				name != "elsewhere",
			Fixed: s.Say.Type == "pledge.amended" && slices.Contains(fixed, name)}
		if s.given != nil && !f.Fixed {
			f.Value = strings.ReplaceAll(strings.TrimSpace(s.given.Get(name)), "\r\n", "\n")
		}
		f.Required = slices.Contains([]string{"operation", "nation", "role", "quantity", "unit",
			"from", "effective", "condition", "kind"}, name) ||
			name == "expires" && s.Say.Type == "pledge.renewed" || name == "release" &&
			s.Say.Type == disclosed || name == "reason" && s.Say.Type == struck
		s.offer(&f, lines)
		s.Fields = append(s.Fields, f)
	}
}

// now is what the fields say before anybody fills them in.
func (s *submitPage) now() map[string]string {
	now := map[string]string{"effective": s.Today.String(), "operation": s.Get("operation"),
		"nation": s.Get("nation"), "role": s.Get("role")}
	if !s.Say.Pledge {
		now["from"] = s.Today.String()
	}
	if s.About == nil || s.Say.Type != "pledge.amended" {
		return now
	}
	text, err := json.Marshal(s.About.Terms())
	members := map[string]any{}
	if err == nil {
		_ = json.Unmarshal(text, &members)
	}
	for name, v := range members {
		now[name] = sprint(v)
	}
	if !s.About.Quantity.IsZero() {
		terms := s.About.Terms()
		now["quantity"] = terms.Amount().String()
	}
	now["elsewhere"] = strings.Join(s.About.Elsewhere, "\n")
	now["releasable_to"] = strings.Join(codes(s.About.ReleasableTo), ", ")
	return now
}

// operation returns the operation that the form is about, "" while that was not said.
func (s *submitPage) operation() events.Operation {
	switch all := s.Operations(); {
	case s.About != nil:
		return s.About.Operation
	case s.given != nil:
		return events.Operation(s.given.Get("operation"))
	case s.Has("operation") || len(all) != 1:
		return events.Operation(s.Get("operation"))
	default:
		return all[0].Operation
	}
}

// lines returns the requirements of the operation that the form is about, as far as they are known.
func (s *submitPage) lines() []projections.Requirement {
	plan, err := s.service.Plan(s.ctx, &web.PlanQuery{Operation: s.operation()})
	if err != nil { // there is no such operation, which its field tells of
		return nil
	}
	return plan.Requirements
}

// offer gives a field the words of the operation's catalogue and of its requirements.
func (s *submitPage) offer(f *field, lines []projections.Requirement) {
	operation := string(s.operation())
	add := func(word string) {
		if word != "" && !slices.Contains(f.Offered, word) {
			f.Offered = append(f.Offered, word)
		}
	}
	for _, o := range s.Operations() {
		if f.Name == "operation" {
			add(string(o.Operation))
		}
		if operation != "" && string(o.Operation) != operation {
			continue
		}
		for _, r := range o.Roles {
			if f.Name == "role" {
				add(string(r.Role))
			}
			for _, u := range r.Units {
				if f.Name == "unit" {
					add(string(u))
				}
			}
		}
	}
	for i := range lines {
		l := &lines[i]
		switch f.Name {
		case "area":
			add(string(l.Area))
		case "line":
			add(string(l.Line))
		}
	}
	if f.Name == "condition" && s.About != nil {
		for _, c := range s.About.Conditions {
			add(string(c.Condition))
		}
	}
}

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
	case "notice_to_move", "after":
		if strings.Trim(value, "0123456789") == "" {
			return json.Number(value)
		}
	case "releasable_to":
		return strings.FieldsFunc(strings.ToUpper(value),
			func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
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

// Label returns what a field is called.
func (f field) Label() string { return f.F.T("field." + f.Name) }

// Hint returns how a field is filled in, "" where its label says it.
func (f field) Hint() string {
	if f.Name == "release" && f.F.IsOpen() {
		return f.F.T("hint.release.open")
	}
	if words := f.F.T("hint." + f.Name); words != "hint."+f.Name {
		return words
	}
	return ""
}
