package page

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// fixed are the terms that an amendment restates and does not change.
var fixed = []string{"role", "unit", "release", "releasable_to"}

// fixedOfLine are those that stay of a requirement that is there.
var fixedOfLine = []string{"operation", "line", "role"}

// Words that a field can have, of those that are a closed set.
var fieldWords = map[string][]string{
	"presence": {"new", "present", "reserve"},
	"release":  {"public", "coalition", "coordinators"},
	"kind":     {"parliament", "cease-fire", "mandate", "funding", "other"},
	// of what is said of no pledge
	"essential": {"true"}, "unlimited": {"true"}, "struck": {"true"},
	"priority":  strings.Split("123456789", ""),
	"clearance": {"public", "coalition", "nation", "coordinators"},
}

// A field is one that a liaison fills in.
type field struct {
	F     *submitPage
	Name  string
	Value string
	// Words are those that it can have, nil for any; Offered are some that it can have, beside
	// others.
	Words, Offered []string
	Labels         map[string]string // of words that the reader is told otherwise
	Long, Fixed    bool
	Required       bool
	// Stands is set when the value is what somebody else has made it since the form was opened.
	Stands  bool
	Problem told
	wrong   string // the message of that, in English
}

// readFields makes the fields: with what was given, or with what the pledge says now.
func (s *submitPage) readFields() {
	names := slices.Clone(s.Say.Fields)
	if s.Mends != nil {
		names = with(s.Mends.fields, names)
	}
	if !s.Say.undated {
		names = append(names, "effective")
	}
	names = append(names, "not_after")
	now, lines := s.now(), s.lines()
	for _, name := range names {
		f := field{F: s, Name: name, Value: now[name], Words: fieldWords[name],
			Long: slices.Contains([]string{"note", "reason", "text"}, name) ||
				strings.Contains(now[name], "\n") && name != "elsewhere",
			Fixed: (s.Say.Type == "pledge.amended" || s.Mends != nil) &&
				slices.Contains(fixed, name) ||
				s.Say.Line && slices.Contains(fixedOfLine, name)}
		if s.given != nil && !f.Fixed {
			f.Value = strings.ReplaceAll(strings.TrimSpace(s.given.Get(name)), "\r\n", "\n")
		}
		f.Required = slices.Contains(required, name) ||
			slices.Contains(requiredOf[s.Say.Type], name)
		s.offer(&f, lines)
		s.Fields = append(s.Fields, f)
	}
}

// required are the fields that are filled in wherever there are, and requiredOf those that are in
// one form.
var (
	required = words("operation nation role quantity unit from effective condition kind caveat " +
		"restriction allocation to text query priority key name")
	requiredOf = map[events.Type][]string{"pledge.renewed": {"expires"}, disclosed: {"release"},
		struck: {"reason"}, "requirement.issued": {"line"}, "requirement.cancelled": {"reason"},
		"member.revoked": {"reason"}}
)

// groups are the fields of a form that has many that stand in groups that open, by what they are
// about. Those that are in none come first: what, how much, where, from when to when.
var groups = []struct {
	name   string
	fields []string
}{
	{"terms", words("notice_to_move presence expires")},
	{"readers", words("release releasable_to")},
	{"rotation", words("predecessor successor elsewhere")},
	{"source", words("reference source note")},
	{"holds", words("effective not_after")},
}

// A fieldGroup is fields of the form that open together.
type fieldGroup struct {
	Name   string
	Fields []field
	// Open is set where somebody has said something in it, or something is wrong there.
	Open bool
}

// Main are the fields that stand first; of a form with few, all of them.
func (s *submitPage) Main() (all []field) {
	for _, f := range s.Fields {
		if groupOf(f.Name) == "" || !s.isLong() {
			all = append(all, f)
		}
	}
	return all
}

// Groups are the other fields.
func (s *submitPage) Groups() (all []fieldGroup) {
	if !s.isLong() {
		return nil
	}
	for _, g := range groups {
		one := fieldGroup{Name: g.name}
		for _, f := range s.Fields {
			if groupOf(f.Name) != g.name {
				continue
			}
			one.Fields = append(one.Fields, f)
			given := f.Value != "" && f.Value != s.now()[f.Name] || s.About != nil && f.Value != ""
			one.Open = one.Open || given && f.Name != "effective" || f.wrong != ""
		}
		all = append(all, one)
	}
	return all
}

// isLong reports whether the form has all the terms of a pledge.
func (s *submitPage) isLong() bool {
	return slices.ContainsFunc(s.Fields, func(f field) bool { return f.Name == "predecessor" })
}

func groupOf(field string) string {
	for _, g := range groups {
		if slices.Contains(g.fields, field) {
			return g.name
		}
	}
	return ""
}

// now is what the fields say before anybody fills them in.
func (s *submitPage) now() map[string]string {
	now := map[string]string{"effective": s.Today.String(), "operation": string(s.operation()),
		"nation": cmp.Or(s.Get("nation"), string(s.nationality())), "role": s.Get("role"),
		"key": s.Get("key")}
	if !s.Say.Pledge {
		now["from"] = s.Today.String()
		now["unit"] = s.onlyUnit()
	}
	if s.Requirement != nil {
		maps.Copy(now, ofLine(s.Requirement))
	}
	switch {
	case s.Mends != nil:
		s.Mends.now(now)
	case s.About != nil && s.Say.Type == "pledge.amended":
		terms := s.About.Terms()
		termsNow(now, &terms)
	}
	return now
}

// termsNow says what the fields of terms say.
func termsNow(now map[string]string, t *events.PledgeTerms) {
	text, err := json.Marshal(t)
	members := map[string]any{}
	if err == nil {
		_ = json.Unmarshal(text, &members)
	}
	for name, v := range members {
		now[name] = sprint(v)
	}
	if !t.Quantity.IsZero() {
		now["quantity"] = t.Amount().String()
	}
	now["elsewhere"] = strings.Join(t.Elsewhere, "\n")
	now["releasable_to"] = strings.Join(codes(t.ReleasableTo), ", ")
}

// onlyUnit returns the unit of the role that the address names, where it has but one.
func (s *submitPage) onlyUnit() string {
	for _, o := range s.Operations() {
		for _, r := range o.Roles {
			if o.Operation == s.operation() && string(r.Role) == s.Get("role") &&
				len(r.Units) == 1 {
				return string(r.Units[0])
			}
		}
	}
	return ""
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
func (s *submitPage) lines() []projections.Requirement { return s.linesOn(0) }

// linesOn returns them as they stand on a day, today for 0.
func (s *submitPage) linesOn(day events.Date) []projections.Requirement {
	plan, err := s.service.Plan(s.ctx, &web.PlanQuery{Operation: s.operation(),
		MomentQuery: web.MomentQuery{On: day}})
	if err != nil { // there is no such operation, which its field tells of
		return nil
	}
	return plan.Requirements
}

// offer gives a field the words that it can have: of the members, of the operation's catalogue and
// requirements, and of the pledge that the form is about.
func (s *submitPage) offer(f *field, lines []projections.Requirement) {
	switch {
	case s.Say.Type == "member.admitted" && f.Name == "role":
		s.offerMemberRoles(f)
		return
	case s.Say.Type == "member.revoked" && f.Name == "key":
		s.offerKeys(f)
	case f.Name == "predecessor" || f.Name == "successor":
		s.offerPledges(f)
	}
	s.offerOfPlan(f, lines)
	if s.About != nil {
		s.offerOfPledge(f)
	}
}

// add offers a word, once.
func (f *field) add(word string) {
	if word != "" && !slices.Contains(f.Offered, word) {
		f.Offered = append(f.Offered, word)
	}
}

// offerOfPlan gives a field the words of the operation's catalogue and of its requirements.
func (s *submitPage) offerOfPlan(f *field, lines []projections.Requirement) {
	operation := s.operation()
	for _, o := range s.Operations() {
		if f.Name == "operation" {
			f.add(string(o.Operation))
		}
		if operation != "" && o.Operation != operation {
			continue
		}
		if f.Name == "nation" {
			for _, one := range o.Organisations {
				f.add(string(one.Code))
			}
		}
		for _, r := range o.Roles {
			switch f.Name {
			case "role", "roles":
				f.add(string(r.Role))
				f.label(string(r.Role), s.titleOf(&r).Text)
			case "unit":
				for _, u := range r.Units {
					f.add(string(u))
				}
			}
		}
	}
	for i := range lines {
		switch f.Name {
		case "area":
			f.add(string(lines[i].Area))
		case "line":
			f.add(string(lines[i].Line))
		}
	}
}

// label says what a word of a field stands for.
func (f *field) label(word, label string) {
	if f.Labels == nil {
		f.Labels = map[string]string{}
	}
	f.Labels[word] = label
}

// offerOfPledge gives a field what the pledge that the form is about has of its kind. A question
// and an allocation are filled in: most often there is but one.
func (s *submitPage) offerOfPledge(f *field) {
	switch f.Name {
	case "to":
		f.Words = []string{string(s.About.Nation), string(events.HQ)}
		if s.given == nil && s.nationality() == s.About.Nation {
			f.Value = string(events.HQ)
		} else if s.given == nil {
			f.Value = string(s.About.Nation)
		}
	case "query":
		for _, q := range s.toAnswer(s.About) {
			f.add(q.ID.String())
			f.Value = cmp.Or(f.Value, q.ID.String())
		}
	case "condition":
		for _, c := range s.About.Conditions {
			f.add(string(c.Condition))
		}
	case "caveat":
		for _, c := range s.About.Caveats {
			f.add(string(c.Caveat))
		}
	case "allocation":
		for _, a := range s.About.Allocations {
			f.add(a.ID.String())
			f.Value = cmp.Or(f.Value, a.ID.String())
		}
	}
}

// Label returns what a field is called.
func (f field) Label() string { return f.F.T("field." + f.named()) }

// named is the name of the words of a field: a requirement's own line is not one that it is meant
// for.
func (f field) named() string {
	if f.Name == "line" && f.F.Say.Side == projections.ForCoordinators {
		return "requirement"
	}
	return f.Name
}

// Named returns one of the words that a field can have, as the reader is told it.
func (f field) Named(word string) string {
	if label, ok := f.Labels[word]; ok {
		return label
	}
	return f.F.Word(f.Name, word)
}

// Hint returns how a field is filled in, "" where its label says it.
func (f field) Hint() string {
	if f.Name == "release" && f.F.IsOpen() {
		return f.F.T("hint.release.open")
	}
	ofLine := f.F.Say.Side == projections.ForCoordinators
	switch {
	case f.Fixed || f.Name == "role" && f.Words != nil: // of a member
		return ""
	case f.Name == "quantity" && ofLine:
		return f.F.T("hint.quantity.required")
	}
	if words := f.F.T("hint." + f.named()); words != "hint."+f.named() {
		return words
	}
	return ""
}

// IsDay reports whether the field has a date.
func (f field) IsDay() bool {
	return slices.Contains(words("from until expires effective due"), f.Name)
}

// Queries are the latest of those about the pledge that wait for an answer.
func (s *submitPage) Queries() (latest cut[projections.Query]) {
	if s.About != nil {
		latest = cutBefore(s.About.Queries, maxListed)
	}
	return latest
}
