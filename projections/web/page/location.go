package page

import (
	"html/template"
	"net/url"
	"slices"
	"strings"

	"muster/events"
	"muster/projections/web"
)

// follow are the parameters that a reader takes along from page to page: from where he looks, for
// whom it is counted, and in which language he reads.
var follow = []string{"operation", "as_of", "on", "rung", "without", "without_conditional",
	"without_caveated", "discharge", "view", "lang"}

// supposes are those with which something is supposed, and worldAsIs those that a page does not
// apply that tells of the world as it is and of pledges on whatever rung.
var (
	supposes  = words("without without_conditional without_caveated discharge")
	worldAsIs = append(words("rung"), supposes...)
)

// A location is the address of a page, which is its whole state.
type location struct {
	base   web.Base // below which the server answers
	path   string
	values url.Values
}

// Path returns where something of the server is, in the address of whoever reads the page.
func (l location) Path(path string) string { return string(l.base) + path }

// Get returns a parameter, "" when it is not given.
func (l location) Get(name string) string { return l.values.Get(name) }

// Has reports whether a parameter is given.
func (l location) Has(name string) bool { return l.values.Has(name) }

// Here returns the address of the same page with some parameters set otherwise: names and values in
// turn. An empty value takes one away.
func (l location) Here(pairs ...any) template.URL {
	return l.address(l.path, l.values, pairs)
}

// To returns the address of another page, looked at from the same place.
func (l location) To(path string, pairs ...any) template.URL {
	kept := url.Values{}
	for _, name := range follow {
		if l.values.Has(name) {
			kept[name] = l.values[name]
		}
	}
	return l.address(path, kept, pairs)
}

// A hidden is a parameter that a form takes along unseen.
type hidden struct{ Name, Value string }

// Hidden returns what a form on this page must take along, which is all but what it asks for
// itself.
func (l location) Hidden(asked ...string) (all []hidden) {
	for name, values := range l.values {
		if !slices.Contains(asked, name) {
			all = append(all, hidden{name, values[0]})
		}
	}
	slices.SortFunc(all, func(a, b hidden) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// worldAsks are the parameters that the form of the world asks for on every page, or that another
// world takes away; worldAsksMore those that it asks for on one page, in the template "more".
var (
	worldAsks = []string{"operation", "rung", "without", "without_conditional",
		"without_caveated", "discharge", "open", "holds", "at"}
	worldAsksMore = map[string][]string{
		"coverage": {"differences", "step", "show", "until", "role"},
		"pledges":  {"nation", "role", "line", "reference", "state"}, "compare": {"nation"},
		"digest": {"from", "nation", "within"}}
)

// WorldHidden returns what the form of the world must take along.
func (f *frame) WorldHidden() []hidden {
	return f.Hidden(slices.Concat(worldAsks, worldAsksMore[f.Kind.Name])...)
}

func (l location) address(path string, values url.Values, pairs []any) template.URL {
	with := url.Values{}
	for name, all := range values {
		with[name] = all
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := text(pairs[i]), text(pairs[i+1])
		if value == "" {
			with.Del(name)
		} else {
			with.Set(name, value)
		}
	}
	u := url.URL{Path: l.Path(path), RawQuery: with.Encode()}
	return template.URL(u.String())
}

// text writes the value of a parameter.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case events.Date:
		if v == 0 {
			return ""
		}
		return v.String()
	case interface{ IsZero() bool }:
		if v.IsZero() {
			return ""
		}
	}
	return sprint(v)
}

// only returns some of the parameters, and always for whom it is counted: what leads to an answer
// of the API leads to that of the page's view.
func (l location) only(names ...string) url.Values {
	with := url.Values{}
	for _, name := range append([]string{"view"}, names...) {
		if l.values.Has(name) {
			with[name] = l.values[name]
		}
	}
	return with
}
