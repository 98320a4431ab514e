package page

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/events/problem"
)

// valuesOf reads the parameters of an address. An address of which something cannot be read, or
// that gives a parameter twice, is refused as a whole: a page that leaves out what it does not
// understand shows other figures than were asked for. The values can be shown all the same.
func valuesOf(s *speaker, r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = s.refusal(problem.Usage, "problem.query", err.Error())
	}
	twice := []problem.Field{}
	clean := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			clean.Add(printable(name), printable(value))
		}
		if n := len(values[name]); n > 1 {
			twice = append(twice,
				s.field(printable(name), "", "problem.twice", n))
		}
	}
	if err == nil && len(twice) > 0 {
		err = s.ofFields(problem.Usage, twice)
	}
	return clean, err
}

// unknown refuses parameters that the page does not have: a page that leaves out what it does not
// know shows other figures than were asked for.
func (k pageKind) unknown(s *speaker, values url.Values) error {
	var found []problem.Field
	takes := slices.Concat(follow, k.takes)
	if k.content == nil || k.path == "" {
		return nil // there is no such page, which is told first
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(takes, name) {
			continue
		}
		delete(values, name) // no link on the page repeats it
		if len(found) < maxUnknown {
			found = append(found, s.field(problem.Shorten(name), "",
				"problem.unknown", strings.Join(takes, ", ")))
		}
	}
	return s.ofFields(problem.Usage, found)
}

// mayTake returns the parameters that the page has and the address does not.
func (k pageKind) mayTake(values url.Values) []string {
	return slices.DeleteFunc(slices.Clone(k.takes), values.Has)
}

// maxUnknown is the most unknown parameters that one refusal tells.
const maxUnknown = 10

// refusal makes a problem whose detail, and hint if there is one, are words of the pages.
func (s *speaker) refusal(k problem.Kind, key string, values ...any) error {
	p := problem.New(k, "%s", s.T(key, values...))
	if hint := s.T(key + ".hint"); hint != key+".hint" {
		p = p.WithHint("%s", hint)
	}
	return p
}

// field says what is wrong with a field in words of the pages.
func (s *speaker) field(location, value, key string, values ...any) problem.Field {
	return problem.FieldOf(location, value, "%s", s.T(key, values...))
}

// ofFields makes the problem of an address or a form whose fields are wrong, as their messages tell
// in words of the pages; nil when there are none.
func (s *speaker) ofFields(k problem.Kind, fields []problem.Field) error {
	switch len(fields) {
	case 0:
		return nil
	case 1:
		return problem.OfField(k, fields[0])
	}
	p := problem.New(k, "%s", s.T("problem.fields", len(fields)))
	p.Fields = fields
	return p
}

// printable puts U+FFFD in the place of control characters and of bytes that are no UTF-8: a page
// can hold neither.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// tidy takes the parameters that say nothing out of an address, as forms leave them, and reports
// whether there were any.
func tidy(values url.Values) (found bool) {
	for name, all := range values {
		if len(all) == 1 && strings.TrimSpace(all[0]) == "" {
			delete(values, name)
			found = true
		}
	}
	return found
}
