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
		given := *problem.From(problem.OfFields(twice))
		given.Kind = problem.Usage
		err = &given
	}
	return clean, err
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
