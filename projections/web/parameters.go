package web

import (
	"encoding"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections"
)

// A request is what was given to a question, by the names of its parameters, whichever way it came.
type request struct {
	given   map[string]string
	garbled map[string]phrase.Phrase // what is wrong with what is not one text
}

func newRequest() request { return request{map[string]string{}, map[string]phrase.Phrase{}} }

// noneEmpty refuses what is given and empty, as by a variable that has no value: a question without
// it is about more than was meant. Forms in a browser send what nobody has filled in, and their
// pages leave it out before.
func (r request) noneEmpty() request {
	for name, value := range r.given {
		if strings.TrimSpace(value) == "" && r.garbled[name].IsZero() {
			r.garbled[name] = phrase.Of("empty: write a value, or leave it out")
			delete(r.given, name)
		}
	}
	return r
}

// Parameters reads a request. Every method that reads also notes that the question takes the
// parameter: the API's document follows from what is read, and what is given and not read is
// unknown. All that is wrong is told at once.
type parameters struct {
	request
	now   time.Time   // the latest time as of which a question can be asked
	today events.Date // what the word today stands for
	// meeting finds the record that closed a meeting; nil where none is known.
	meeting func(name string) (uint64, bool)
	// organisations finds those that an operation declares, "" for any; nil where none is known.
	organisations func(events.Operation) events.Organisations
	languages     []string // those that sentences can be told in

	takes []*huma.Param
	wrong []problem.Field
	kind  problem.Kind // of all that is wrong, Invalid where that differs
}

// parameters begins to read a request.
func (s *Service) parameters(r request) parameters {
	return parameters{request: r, now: s.latest(), today: s.today(), meeting: s.meeting,
		organisations: s.organisations, languages: s.languages()}
}

// organisations finds those that an operation declares, or all that are known where none is named,
// as far as who asks may read of them.
func (s *Service) organisations(o events.Operation) (all events.Organisations) {
	_ = s.Projector.View(func(p *projections.Picture) error {
		if o == "" {
			all = p.WithCodes()
		} else {
			all = p.OrganisationsOf(o, p.Sequence())
		}
		return nil
	})
	return all
}

// meeting finds the record that closed a meeting, where who asks may read it.
func (s *Service) meeting(name string) (sequence uint64, ok bool) {
	_ = s.Projector.View(func(p *projections.Picture) error {
		var m projections.Meeting
		m, ok = p.Meeting(name)
		sequence = m.Sequence
		return nil
	})
	return sequence, ok
}

// maxTold is the most wrong parameters that one refusal tells.
const maxTold = 50

func (p *parameters) refuse(kind problem.Kind, name, value string, message phrase.Phrase) {
	if len(p.wrong) == maxTold {
		return
	}
	switch {
	case len(p.wrong) == 0:
		p.kind = kind
	case p.kind != kind:
		p.kind = problem.Invalid
	}
	p.wrong = append(p.wrong, problem.FieldSaid(name, problem.Shorten(value), message))
}

func (p *parameters) invalid(name, value, format string, args ...any) {
	p.refuse(problem.Invalid, name, value, phrase.Of(format, args...))
}

// refuseAs passes on what another package has found wrong with a parameter.
func (p *parameters) refuseAs(name, value string, err error) {
	found := problem.From(err)
	message := found.Said()
	if len(found.Fields) == 1 {
		message = found.Fields[0].Said() // the detail repeats the name and the value
	}
	p.refuse(found.Kind, name, value, message)
}

// problem returns what is wrong, nil when nothing is. It is called when everything was read.
func (p *parameters) problem() error {
	p.refuseUnknown()
	err := problem.OfFields(p.wrong)
	if err == nil {
		return nil
	}
	whole := *problem.From(err)
	whole.Kind = p.kind
	return &whole
}

func (p *parameters) refuseUnknown() {
	names := p.names()
	remedy := phrase.Of("unknown: this question takes no parameters")
	if len(names) > 0 {
		remedy = phrase.Of("unknown: this question takes %s", strings.Join(names, ", "))
	}
	given := slices.Concat(slices.Collect(maps.Keys(p.given)), slices.Collect(maps.Keys(p.garbled)))
	slices.Sort(given)
	for _, name := range given {
		if !slices.Contains(names, name) {
			p.refuse(problem.Usage, problem.Name(name), "", remedy)
		}
	}
}

func (p *parameters) names() []string {
	names := make([]string, len(p.takes))
	for i, param := range p.takes {
		names[i] = param.Name
	}
	return names
}

// value returns what was given for a parameter, "" when nothing was.
func (p *parameters) value(name, doc string, schema *huma.Schema) string {
	p.takes = append(p.takes,
		&huma.Param{Name: name, In: "query", Description: doc, Schema: schema})
	if message, ok := p.garbled[name]; ok {
		p.refuse(problem.Usage, name, "", message)
	}
	return p.given[name]
}

// must refuses the request when nothing was given for a parameter that was read before.
func (p *parameters) must(name, remedy string) {
	if _, garbled := p.garbled[name]; p.given[name] == "" && !garbled {
		p.invalid(name, "", "missing: %s", phrase.Text(remedy))
	}
}

// text reads what knows itself how it is written.
func (p *parameters) text(into encoding.TextUnmarshaler, name, doc string, schema *huma.Schema) {
	if v := p.value(name, doc, schema); v != "" {
		if err := into.UnmarshalText([]byte(v)); err != nil {
			p.invalid(name, v, "%s", err)
		}
	}
}

func (p *parameters) date(name, doc string) (d events.Date) {
	p.text(&d, name, doc, dateSchema{}.Schema(nil))
	return d
}

// todayWord stands for the date it is now, also where a question would answer for another day by
// itself.
const todayWord = "today"

// day reads a date on which something applies.
func (p *parameters) day(name, doc string) (d events.Date) {
	v := p.value(name, doc, daySchema)
	if first, last, ok := p.stretch(v); ok && first == last {
		return first
	}
	if v != "" {
		if err := d.UnmarshalText([]byte(v)); err != nil {
			p.invalid(name, v, "%s", err)
		}
	}
	return d
}

// How a date is written, a month, which stands for all its days, and so many days or weeks from
// today on. In an address, a + that was not escaped arrives as a space.
const (
	datePattern  = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	monthPattern = `[0-9]{4}-[0-9]{2}`
	awayPattern  = `[+ -][0-9]{1,4}[dw]`
	onePattern   = todayWord + "|" + awayPattern + "|" + datePattern
)

var (
	daySchema  = &huma.Schema{Type: huma.TypeString, Pattern: "^(" + onePattern + ")$"}
	daysSchema = &huma.Schema{Type: huma.TypeString,
		Pattern: "^((" + onePattern + "|" + monthPattern + ")|(" + onePattern + "|" +
			monthPattern + `)?\.\.(` + onePattern + "|" + monthPattern + ")?)$"}
	awayForm  = regexp.MustCompile("^" + awayPattern + "$")
	monthForm = regexp.MustCompile("^" + monthPattern + "$")
)

// stretch returns the first and the last of the days that a word stands for: today, +30d, 2027-06;
// false for any other.
func (p *parameters) stretch(word string) (first, last events.Date, ok bool) {
	switch {
	case word == todayWord:
		first, ok = p.today, true
	case awayForm.MatchString(word):
		n, _ := strconv.Atoi(word[1 : len(word)-1]) // at most 9999
		if word[len(word)-1] == 'w' {
			n *= 7
		}
		if word[0] == '-' {
			n = -n
		}
		first = p.today.AddDays(n)
		ok = first >= events.FirstDate && first <= events.LastDate
	case monthForm.MatchString(word):
		var err error
		if first, err = events.ParseDate(word + "-01"); err != nil {
			return 0, 0, false
		}
		next := first.AddDays(31) // in the month after, on one of its first days
		last = next.AddDays(-next.Time().Day())
		return first, last, true
	}
	return first, first, ok
}

// passes reports whether what was given for a date stands for another one tomorrow.
func (p *parameters) passes(name string) bool {
	for word := range strings.SplitSeq(p.given[name], "..") {
		if word == todayWord || awayForm.MatchString(word) {
			return true
		}
	}
	return false
}

// days reads a date, or a range of dates, for both clocks' questions.
func (p *parameters) days(name, doc string) (on, until events.Date) {
	v := p.value(name, doc, daysSchema)
	if v == "" {
		return 0, 0
	}
	from, to, isRange := strings.Cut(v, "..")
	first, last, ok := p.stretch(from)
	switch {
	case ok && !isRange && first == last:
		return first, 0
	case ok && !isRange:
		return first, last
	case ok:
		from = first.String()
	}
	said := from
	if isRange {
		if _, last, ok := p.stretch(to); ok {
			to = last.String()
		}
		said += ".." + to
	}
	on, until, err := projections.ParseDays(said)
	if err != nil {
		p.invalid(name, v, "%s", err)
	}
	return on, until
}

func (p *parameters) id(name, doc string) (id events.ID) {
	p.text(&id, name, doc, idSchema{}.Schema(nil))
	return id
}

// idPattern is how a part of an id is written.
var idPattern = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{1,26}$`)

// idPart reads a part of an id.
func (p *parameters) idPart(name, doc string) string {
	v := p.value(name, doc, &huma.Schema{Type: huma.TypeString, Pattern: idPattern.String()})
	if v != "" && !idPattern.MatchString(v) {
		p.invalid(name, v, "no part of an id: write digits and capitals without I, L, O and U")
	}
	return v
}

// number reads a whole number within bounds, 0 when none was given.
func (p *parameters) number(name, doc string, least, most uint64) uint64 {
	from, to := float64(least), float64(most)
	v := p.value(name, doc, &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &from,
		Maximum: &to})
	if v == "" {
		return 0
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n < least || n > most {
		p.invalid(name, v, "write a whole number from %d to %d", least, most)
	}
	return n
}

// oneOf reads a word of a closed set.
func (p *parameters) oneOf(name, doc string, words []string) string {
	v := p.value(name, doc, wordSchema(words))
	if v != "" && !slices.Contains(words, v) {
		p.invalid(name, v, "write one of: %s", strings.Join(words, ", "))
	}
	return v
}

func (p *parameters) rung() projections.Rung {
	r, _ := projections.ParseRung(p.oneOf("rung",
		"Count pledges from this rung on. Without it, offered; where pledges are listed, all.",
		words(projections.Rungs())))
	return r
}

func (p *parameters) operation() events.Operation {
	const doc = "An operation, such as mnf-u."
	o := events.Operation(p.value("operation", doc, slugSchema()))
	if o != "" && !o.Valid() {
		p.invalid("operation", string(o),
			"no operation can have this name: write lower-case letters, digits and hyphens")
	}
	return o
}

func (p *parameters) role() events.Role { return p.roleAs("role", "A role, such as ground.") }

// line reads a requirement's name.
func (p *parameters) line(name, doc string) events.Line {
	l := events.Line(p.value(name, doc, slugSchema()))
	if l != "" && !l.Valid() {
		p.invalid(name, string(l),
			"no requirement can have this name: write lower-case letters, digits and hyphens")
	}
	return l
}

func (p *parameters) roleAs(name, doc string) events.Role {
	r := events.Role(p.value(name, doc, slugSchema()))
	if r != "" && !r.Valid() {
		p.invalid(name, string(r),
			"no role can have this name: write lower-case letters, digits and hyphens")
	}
	return r
}

// nation reads a nation or an organisation, by its code or a name of it, or one of the others that
// are allowed beside.
func (p *parameters) nation(doc string, others ...events.Nation) events.Nation {
	text := p.value("nation", doc+namesToo, &huma.Schema{Type: huma.TypeString})
	if n := events.Nation(text); n == "" || slices.Contains(others, n) {
		return n
	}
	n, err := p.named(text)
	if err != nil {
		p.invalid("nation", text, "%s", err)
	}
	return n
}

// namesToo says what else stands for a nation than its code.
const namesToo = " A name of it is taken, too, and those of an organisation that is declared."

// named finds a nation, or an organisation that the operation declares which is asked about, or any
// operation where none is. Only what is no nation's name costs a look at what is declared.
func (p *parameters) named(name string) (events.Nation, error) {
	if n, ok := events.FindNation(name); ok {
		return n, p.checkCode(n)
	}
	return p.declared().Parse(name)
}

// checkCode refuses the code of an organisation that is known nowhere.
func (p *parameters) checkCode(n events.Nation) error {
	if !n.IsOrganisation() || p.organisations == nil {
		return nil
	}
	return p.organisations("").CheckCode(n)
}

// declared returns the organisations of the operation that is asked about, or of any.
func (p *parameters) declared() events.Organisations {
	if p.organisations == nil {
		return nil
	}
	return p.organisations(events.Operation(p.given["operation"]))
}

// flag reads yes or no; no when nothing was given.
func (p *parameters) flag(name, doc string) bool {
	v := p.value(name, doc, &huma.Schema{Type: huma.TypeBoolean})
	if v != "" && v != "true" && v != "false" {
		p.invalid(name, v, "write true or false")
	}
	return v == "true"
}

// list reads words with commas between them, and returns each once.
func (p *parameters) list(name, doc string) (words []string) {
	v := p.value(name, doc, &huma.Schema{Type: huma.TypeString})
	if v == "" {
		return nil
	}
	for word := range strings.SplitSeq(v, ",") {
		words = append(words, strings.TrimSpace(word))
	}
	switch words = once(words); {
	case slices.Contains(words, ""):
		p.invalid(name, v, "write words with commas between them")
	case len(words) > MaxList:
		p.invalid(name, v, "has %d words, and at most %d are taken", len(words), MaxList)
		return nil
	}
	return words
}

// once returns each word once, in the order in which they first come.
func once[T comparable](words []T) (all []T) {
	seen := map[T]bool{}
	for _, word := range words {
		if !seen[word] {
			all = append(all, word)
		}
		seen[word] = true
	}
	return all
}

// nations reads nations, by their codes or names, with commas between them, and returns each once.
func (p *parameters) nations(name, doc string) (all []events.Nation) {
	for _, word := range p.list(name, doc+namesToo) {
		n, err := p.named(word)
		if err != nil {
			p.invalid(name, p.given[name], "%q: %s", problem.Shorten(word), err)
		}
		all = append(all, n)
	}
	return once(all)
}
