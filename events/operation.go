package events

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A RoleDefinition is a line of an operation's catalogue of roles.
type RoleDefinition struct {
	Role  Role   `json:"role"`
	Title string `json:"title"`
	// Titles are the title in other languages. In which language Title is, nothing says.
	Titles []Translation `json:"titles,omitzero"`
	// Units are what pledges of the role may be counted in. The first is the usual one.
	Units []Unit `json:"units"`
}

// A Translation is a title in a language.
type Translation struct {
	Language Language `json:"language"`
	Title    string   `json:"title"`
}

// A Language is named as browsers and documents name it (BCP 47): ISO 639's two or three letters,
// and where it takes more to tell, ISO 15924's script and ISO 3166-1's country: fr, sr-Latn, pt-BR.
type Language string

// LanguageForm is the form of a language's name, as a pattern.
const LanguageForm = `^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?$`

// MaxTitles is the most other languages that a role may have a title in.
const MaxTitles = 16

var languageForm = regexp.MustCompile(LanguageForm)

// Valid reports whether l has the form of a language's name.
func (l Language) Valid() bool { return languageForm.MatchString(string(l)) }

// TitleIn returns the title for readers of a language, or else one in a form of it (fr-BE for fr),
// and whether there is one; otherwise it is the title as it was given.
func (r *RoleDefinition) TitleIn(l Language) (title string, known bool) {
	title = r.Title
	for _, t := range r.Titles {
		switch {
		case t.Language == l:
			return t.Title, true
		case !known && strings.HasPrefix(string(t.Language), string(l)+"-"):
			title, known = t.Title, true
		}
	}
	return title, known
}

// OperationTerms is what an operation is, which roles it has, and which organisations.
type OperationTerms struct {
	Operation Operation `json:"operation"`
	Title     string    `json:"title"`
	// Note is shown with every answer about the operation: a source, or that the figures are
	// illustrative.
	Note string `json:"note,omitzero"`
	// Roles is the whole catalogue.
	Roles []RoleDefinition `json:"roles"`
	// Organisations are all those that may pledge in the operation besides nations.
	Organisations Organisations `json:"organisations,omitzero"`
}

// MaxRoles is the most roles that an operation's catalogue may have.
const MaxRoles = 64

// MaxUnits is the most units that a role may have.
const MaxUnits = 16

// About returns HQ and the operation.
func (t *OperationTerms) About() (Nation, Operation) { return HQ, t.Operation }

func (t *OperationTerms) check(c *checker) {
	c.slug("operation", string(t.Operation), "mnf-u")
	c.title("title", t.Title)
	c.text("note", t.Note)
	t.Organisations.check(c)
	if len(t.Roles) == 0 || len(t.Roles) > MaxRoles {
		c.field("roles", "", "has %d roles: write from 1 to %d", len(t.Roles), MaxRoles)
		return
	}
	for i, r := range t.Roles {
		at := fmt.Sprintf("roles[%d]", i)
		r.check(c, at)
		if _, twice := (&OperationTerms{Roles: t.Roles[:i]}).Units(r.Role); twice {
			c.field(at+".role", string(r.Role), "is in the catalogue twice: leave one out")
		}
	}
}

func (r *RoleDefinition) check(c *checker, at string) {
	c.slug(at+".role", string(r.Role), "ground")
	c.title(at+".title", r.Title)
	r.checkTitles(c, at+".titles")
	if len(r.Units) == 0 || len(r.Units) > MaxUnits {
		c.field(at+".units", "", "has %d units: write from 1 to %d, such as personnel",
			len(r.Units), MaxUnits)
		return
	}
	for i, u := range r.Units {
		c.unit(fmt.Sprintf("%s.units[%d]", at, i), u)
		if slices.Contains(r.Units[:i], u) {
			c.field(fmt.Sprintf("%s.units[%d]", at, i), string(u), "is there twice: leave one out")
		}
	}
}

func (r *RoleDefinition) checkTitles(c *checker, at string) {
	if len(r.Titles) > MaxTitles {
		c.field(at, "", "has %d titles: write at most %d", len(r.Titles), MaxTitles)
		return
	}
	for i, t := range r.Titles {
		of := fmt.Sprintf("%s[%d]", at, i)
		if !t.Language.Valid() {
			c.field(of+".language", string(t.Language),
				"not a language: write its code in two or three lower-case letters, such as fr")
		} else if slices.ContainsFunc(r.Titles[:i], func(o Translation) bool {
			return o.Language == t.Language
		}) {
			c.field(of+".language", string(t.Language), "is there twice: leave one out")
		}
		c.title(of+".title", t.Title)
	}
}

// Units returns the units of a role, and false when the role is not in the catalogue.
func (t *OperationTerms) Units(role Role) ([]Unit, bool) {
	for _, r := range t.Roles {
		if r.Role == role {
			return r.Units, true
		}
	}
	return nil, false
}

// OperationOpened begins an operation with its catalogue of roles.
type OperationOpened struct {
	Header
	Dated
	OperationTerms
	// Release is who may read the operation, for its life, and at most all that is in it.
	Release Release `json:"release,omitzero"`
}

func (s *OperationOpened) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.OperationTerms)
	c.release("release", s.Release)
}

// OperationRevised replaces an operation's title, note, catalogue and organisations.
type OperationRevised struct {
	Header
	Dated
	OperationTerms
}

func (s *OperationRevised) check(c *checker) { checkAll(c, &s.Header, &s.Dated, &s.OperationTerms) }

func checkAll(c *checker, parts ...interface{ check(*checker) }) {
	for _, p := range parts {
		p.check(c)
	}
}
