package events

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"

	"muster/events/phrase"
	"muster/events/problem"
)

// An Organisation pledges in an operation as a nation does (NATO, the OSCE), under a code of the
// ledger's own that stands wherever a nation's does. Who has a code of ICAO 9303, such as the
// European Union (EUE), needs none.
type Organisation struct {
	Code Nation `json:"code"`
	Name string `json:"name"`
	// Also are other names that people write, such as that in another language.
	Also []string `json:"also,omitzero"`
}

// OrganisationForm is the form of an organisation's code, as a pattern.
const OrganisationForm = `^x-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$`

// Limits of the organisations of an operation.
const (
	// MaxOrganisations is the most that an operation may declare.
	MaxOrganisations = 32
	// MaxOtherNames is the most other names that one may have.
	MaxOtherNames = 8
	// MaxOrganisationName is the most characters of a name.
	MaxOrganisationName = 100
)

// IsOrganisation reports whether n has the form of an organisation's code ("x-nato"). Whether there
// is such an organisation, the records say: see [OperationTerms].
func (n Nation) IsOrganisation() bool {
	own, ok := strings.CutPrefix(string(n), "x-")
	return ok && 2 <= len(own) && len(own) <= 20 && isPlain(own[0]) && isPlain(own[len(own)-1]) &&
		consists(own, func(c byte) bool { return isPlain(c) || c == '-' })
}

// Valid reports whether n is the code of a nation that is known, or has the form of an
// organisation's.
func (n Nation) Valid() bool { return n.Known() || n.IsOrganisation() }

const organisationRemedy phrase.Text = "write x-, and 2 to 20 of the letters a-z, digits and, " +
	"between them, hyphens, such as x-nato"

func (all Organisations) check(c *checker) {
	if len(all) > MaxOrganisations {
		c.field("organisations", "", "has %d organisations: write at most %d", len(all),
			MaxOrganisations)
		return
	}
	for i, o := range all {
		at := fmt.Sprintf("organisations[%d]", i)
		o.check(c, at)
		if slices.ContainsFunc(all[:i], func(p Organisation) bool { return p.Code == o.Code }) {
			c.field(at+".code", string(o.Code), "is there twice: leave one out")
		}
	}
}

func (o *Organisation) check(c *checker, at string) {
	switch {
	case o.Code == "":
		c.field(at+".code", "", "missing: %s", organisationRemedy)
	case !o.Code.IsOrganisation():
		c.field(at+".code", string(o.Code), "not an organisation's code: %s", organisationRemedy)
	}
	c.shortName(at+".name", o.Name)
	if len(o.Also) > MaxOtherNames {
		c.field(at+".also", "", "has %d names: write at most %d", len(o.Also), MaxOtherNames)
		return
	}
	for i, name := range o.Also {
		c.shortName(fmt.Sprintf("%s.also[%d]", at, i), name)
		if slices.Contains(o.Also[:i], name) {
			c.field(fmt.Sprintf("%s.also[%d]", at, i), name, "is there twice: leave one out")
		}
	}
}

// shortName checks a name that stands within sentences and cells: one line.
func (c *checker) shortName(location, s string) {
	c.title(location, s)
	switch n := utf8.RuneCountInString(s); {
	case n > MaxOrganisationName:
		c.field(location, s, "has %d characters: write at most %d", n, MaxOrganisationName)
	case strings.ContainsAny(s, "\n\t"):
		c.field(location, s, "is of several lines: write one, without tabs")
	case strings.TrimSpace(s) != s:
		c.field(location, s, "leave out the space around it")
	}
}

// Organisations are those that an operation declares. They are found by their codes and names as
// nations are: see [FindNation].
type Organisations []Organisation

// OrganisationsOf returns those that a statement about an operation declares; none of another one.
func OrganisationsOf(st Statement) Organisations {
	switch st := st.(type) {
	case *OperationOpened:
		return st.Organisations
	case *OperationRevised:
		return st.Organisations
	}
	return nil
}

// With returns these organisations and those that were declared after them, each as it was last.
func (all Organisations) With(later Organisations) Organisations {
	for _, o := range later {
		all = append(slices.DeleteFunc(all, func(was Organisation) bool {
			return was.Code == o.Code
		}), o)
	}
	return all
}

// Named returns the name of an organisation, or that of a nation as it stands within a sentence; of
// an organisation that is not declared, its code.
func (all Organisations) Named(n Nation) string {
	if o, ok := all.Of(n); ok {
		return o.Name
	}
	return n.Named()
}

// Called is a nation or an organisation with its name as an English sentence has it. Of a nation,
// other languages have names of their own.
type Called struct {
	Nation  Nation
	English string
}

// String returns the name in English.
func (c Called) String() string { return c.English }

// Of returns the organisation that has a code, and false where none has.
func (all Organisations) Of(n Nation) (Organisation, bool) {
	if n.IsOrganisation() {
		for _, o := range all {
			if o.Code == n {
				return o, true
			}
		}
	}
	return Organisation{}, false
}

// Find returns the nation or the organisation that has the given code or name, and false where none
// or several have.
func (all Organisations) Find(name string) (Nation, bool) {
	if n, ok := FindNation(name); ok {
		return n, true
	}
	var found Nation
	for _, o := range all {
		if !o.Has(name) {
			continue
		}
		if found != "" {
			return "", false
		}
		found = o.Code
	}
	return found, found != ""
}

// Parse is Find with an error for people: see [ParseNation]. It names the organisations, or of many
// those whose names are nearest.
func (all Organisations) Parse(name string) (Nation, error) {
	if n, ok := all.Find(name); ok {
		return n, nil
	}
	n, err := ParseNation(name)
	switch {
	case err == nil || noMore(name) != nil:
		return n, err
	case len(all) == 0:
		return "", phrase.Errorf("%w; no organisations are declared", err)
	}
	return "", phrase.Errorf("%w; or an organisation that is declared: %s", err, all.Nearest(name))
}

// CheckCode refuses the code of an organisation that is none of these. The error is for people, and
// names those whose codes or names are nearest.
func (all Organisations) CheckCode(n Nation) error {
	_, ok := all.Of(n)
	switch {
	case ok || !n.IsOrganisation():
		return nil
	case len(all) == 0:
		return phrase.Errorf("no organisation has this code: none is declared")
	}
	return phrase.Errorf("no organisation that is declared has this code, the nearest are: %s",
		all.Nearest(string(n)))
}

// ParseView is [ParseView] that finds an organisation's view by its names, too, with the error of
// [Organisations.Parse] or [Organisations.CheckCode].
func (all Organisations) ParseView(name string) (View, error) {
	if v, ok := ParseView(name); ok {
		n, _ := v.Nation()
		return v, all.CheckCode(n)
	}
	n, err := all.Parse(name)
	if err != nil {
		err = phrase.Errorf("%w; or public, coalition or coordinators", err)
	}
	return View(n), err
}

// Nearest lists the organisations for people, "" for none, the one of which the code or a name
// differs least from the given one in front; at most five.
func (all Organisations) Nearest(name string) string {
	const maxNear = 5
	folded := foldName(name)
	far := func(o Organisation) int {
		least := len(folded)
		for _, own := range append(o.Names(), string(o.Code)) {
			least = min(least, levenshtein.ComputeDistance(folded, foldName(own)))
		}
		return least
	}
	near := slices.Clone(all)
	slices.SortStableFunc(near, func(a, b Organisation) int { return cmp.Compare(far(a), far(b)) })
	var names []string
	for _, o := range near[:min(len(near), maxNear)] {
		names = append(names, fmt.Sprintf("%s (%s)", o.Name, o.Code))
	}
	return strings.Join(names, ", ")
}

// Names are all the names of the organisation, the one by which it is shown in front; none of one
// that is not there.
func (o *Organisation) Names() []string {
	if o.Name == "" {
		return nil
	}
	return append([]string{o.Name}, o.Also...)
}

// Has reports whether a name is one of the organisation's, as [FindNation] takes spellings for
// equal.
func (o *Organisation) Has(name string) bool {
	folded := foldName(name)
	return slices.ContainsFunc(o.Names(), func(own string) bool { return foldName(own) == folded })
}

// Misleading returns the names that are not among those which an organisation had before, and could
// be read as somebody else's: a nation's, another organisation's or that of a party, or anybody's
// by characters that are not seen or look like others. Of two new ones that are alike, it is the
// second. The messages are for people.
func (all Organisations) Misleading(before Organisations) (wrong []problem.Field) {
	for i, o := range all {
		had, _ := before.Of(o.Code)
		for j, name := range o.Names() {
			if slices.Contains(had.Names(), name) {
				continue
			}
			message := misread(name)
			if of, like := all.ownerBeside(i, name, before); message.IsZero() && of != "" {
				message = phrase.Of("%s a name of %s (%s): write another one, or leave the "+
					"organisation out and pledge under that code", like,
					Called{of, all.Named(of)}, of)
			}
			if !message.IsZero() {
				wrong = append(wrong, problem.FieldSaid(LocationOfName(i, j), name, message))
			}
		}
	}
	return wrong
}

// ownerBeside returns whose name is also that of the organisation with the place i, or only looks
// like it; "" for nobody.
func (all Organisations) ownerBeside(i int, name string, before Organisations) (of Nation,
	like phrase.Text) {
	if n, ok := FindNation(name); ok {
		return n, "is"
	}
	for j, o := range all {
		had, _ := before.Of(o.Code)
		if j == i || !o.Resembles(name) || j > i && !had.Resembles(name) {
			continue
		}
		if o.Has(name) {
			return o.Code, "is"
		}
		return o.Code, "looks like"
	}
	return looks()[lookOf(name)], "looks like"
}

// LocationOfName returns where the name with the place j of the organisation with the place i
// stands.
func LocationOfName(i, j int) string {
	if j == 0 {
		return fmt.Sprintf("organisations[%d].name", i)
	}
	return fmt.Sprintf("organisations[%d].also[%d]", i, j-1)
}
