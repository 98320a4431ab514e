package page

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/events/problem"
)

// valuesOf reads the parameters of an address. An address of which something cannot be read, or that gives a parameter twice, is refused as a
// whole: a page that leaves out what it does not understand shows other figures than were asked for. The values can be shown all the same.
func valuesOf(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = problem.New(problem.Usage, "the query of the address cannot be read: %w", err).
			WithHint("write what is no letter or digit as percent signs and hexadecimal digits")
	}
	twice := []problem.Field{}
	clean := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			clean.Add(printable(name), printable(value))
		}
		if n := len(values[name]); n > 1 {
			twice = append(twice, problem.Field{Location: printable(name), Message: fmt.Sprintf("is given %d times: write it once", n)})
		}
	}
	if err == nil && len(twice) > 0 {
		err = asUsage(problem.OfFields(twice))
	}
	return clean, err
}

// unknown refuses parameters that the page does not have: a page that leaves out what it does not
// know shows other figures than were asked for.
func (k pageKind) unknown(values url.Values) error {
	var found []problem.Field
	takes := slices.Concat(follow, k.takes)
	if k.content == nil || k.path == "" {
		return nil // there is no such page, which is told first
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(takes, name) && len(found) < maxUnknown {
			found = append(found, problem.Field{Location: shorten(name),
				Message: "unknown: this page takes " + strings.Join(takes, ", ")})
		}
	}
	return asUsage(problem.OfFields(found))
}

// maxUnknown is the most unknown parameters that one refusal tells, and maxName the most characters
// of each.
const (
	maxUnknown = 10
	maxName    = 80
)

func shorten(name string) string {
	if runes := []rune(name); len(runes) > maxName {
		return string(runes[:maxName]) + "…"
	}
	return name
}

// asUsage says that it is the request that cannot be understood, and not a value that is wrong.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	given := *problem.From(err)
	given.Kind = problem.Usage
	return &given
}

// printable puts U+FFFD in the place of control characters and of bytes that are no UTF-8: a page can hold neither.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// tidy takes the parameters that say nothing out of an address, as forms leave them, and reports whether there were any.
func tidy(values url.Values) (found bool) {
	for name, all := range values {
		if len(all) == 1 && strings.TrimSpace(all[0]) == "" {
			delete(values, name)
			found = true
		}
	}
	return found
}
