package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
)

// A Change is one thing that a row says otherwise than the ledger has it, as a person reads it.
type Change struct {
	Field string `json:"field"`
	Was   string `json:"was"`
	Is    string `json:"is"`
	// Base is what a sheet was filled in with, or has said last, where it is not what the ledger
	// has: then both have changed it.
	Base *string `json:"base,omitempty"`
	// Stays is what the ledger has meanwhile, where the change is a correction of what the file has
	// said before, and Was is that: the correction leaves it.
	Stays *string `json:"stays,omitempty"`

	isOfFile bool          // Base is what a file has said, and not a sheet
	named    phrase.Phrase // the field, where it is none of a pledge
}

// FieldName returns the name of a field of a row, to be told in other languages.
func FieldName(field string) phrase.Phrase {
	if field == "key" { // by which the row is known again
		return phrase.Of("key")
	}
	return phrase.As(field, "field."+field)
}

// Named returns the field, to be told in other languages.
func (c Change) Named() phrase.Phrase {
	if c.named.IsZero() {
		return FieldName(c.Field)
	}
	return c.named
}

// Cell returns what a cell of the changed field says, to be told in other languages: what is one of
// few words.
func (c Change) Cell(said string) phrase.Phrase {
	switch c.Field {
	case "presence", "rung":
		if said != "" && said != "–" {
			return phrase.As(said, c.Field+"."+said)
		}
	}
	return phrase.Verbatim(said)
}

// NamedChange returns a change of what is no field of a pledge.
func NamedChange(named phrase.Phrase, was, is string) Change {
	return Change{Field: named.String(), Was: was, Is: is, named: named}
}

// String says "quantity 500 -> 563", and what the sheet had where both have changed it.
func (c Change) String() string { return c.Phrase().String() }

// Phrase returns what [Change.String] says, so that it can be told in other languages.
func (c Change) Phrase() phrase.Phrase {
	var s phrase.Sentence
	s.Add("%s %s -> %s", c.Named(), orNone(c.Was), orNone(c.Is))
	switch {
	case c.Stays != nil:
		s.Add(" (the ledger was changed meanwhile, and has %s, which stays)", orNone(*c.Stays))
	case c.Base != nil && c.isOfFile:
		s.Add(" (the file had %s before, and the ledger was changed meanwhile)", orNone(*c.Base))
	case c.Base != nil:
		s.Add(" (the sheet had %s before)", orNone(*c.Base))
	}
	return s.Phrase()
}

func orNone(s string) phrase.Phrase {
	if s == "" {
		return phrase.Of("none")
	}
	return phrase.Verbatim(s)
}

// A term is one that a row may say: how it is written, and how it is put into other terms.
type term struct {
	field string
	write func(*events.PledgeTerms) string
	put   func(into, from *events.PledgeTerms)
}

// terms are those that a row may restate. The source is none of them: it says where a row was
// published, and not what the row is. Nor is who may read it, which a disclosure alone changes.
var terms = [...]term{
	{"role", func(t *events.PledgeTerms) string { return string(t.Role) },
		func(into, from *events.PledgeTerms) { into.Role = from.Role }},
	{"unit", func(t *events.PledgeTerms) string { return string(t.Unit) },
		func(into, from *events.PledgeTerms) { into.Unit = from.Unit }},
	{"quantity", func(t *events.PledgeTerms) string { return t.Amount().String() },
		func(into, from *events.PledgeTerms) { into.SetAmount(from.Amount()) }},
	{"area", func(t *events.PledgeTerms) string { return string(t.Area) },
		func(into, from *events.PledgeTerms) { into.Area = from.Area }},
	{"line", func(t *events.PledgeTerms) string { return string(t.Line) },
		func(into, from *events.PledgeTerms) { into.Line = from.Line }},
	{"from", func(t *events.PledgeTerms) string { return day(t.From) },
		func(into, from *events.PledgeTerms) { into.From = from.From }},
	{"until", func(t *events.PledgeTerms) string { return day(t.Until) },
		func(into, from *events.PledgeTerms) { into.Until = from.Until }},
	{"notice_to_move", func(t *events.PledgeTerms) string {
		if t.NoticeToMove == nil {
			return ""
		}
		return fmt.Sprint(*t.NoticeToMove)
	}, func(into, from *events.PledgeTerms) { into.NoticeToMove = from.NoticeToMove }},
	{"presence", func(t *events.PledgeTerms) string {
		if t.Presence == events.New { // which is the same as nothing
			return ""
		}
		return string(t.Presence)
	}, func(into, from *events.PledgeTerms) { into.Presence = from.Presence }},
	{"expires", func(t *events.PledgeTerms) string { return day(t.Expires) },
		func(into, from *events.PledgeTerms) { into.Expires = from.Expires }},
	{"elsewhere", func(t *events.PledgeTerms) string { return strings.Join(t.Elsewhere, ", ") },
		func(into, from *events.PledgeTerms) { into.Elsewhere = from.Elsewhere }},
	{"reference", func(t *events.PledgeTerms) string { return t.Reference },
		func(into, from *events.PledgeTerms) { into.Reference = from.Reference }},
	{"note", func(t *events.PledgeTerms) string { return t.Note },
		func(into, from *events.PledgeTerms) { into.Note = from.Note }},
}

func day(d events.Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// changes lists what a row says otherwise than some terms do.
func (r *Row) changes(was *events.PledgeTerms) (all []Change) {
	is := &r.Offer.PledgeTerms
	for _, t := range terms {
		if a, b := t.write(was), t.write(is); a != b && r.says(t.field) &&
			!(t.field == "quantity" && !r.ID.IsZero() && is.Quantity.IsUnknown() &&
				was.Quantity.IsUnknown() && is.Least.IsZero() && is.Most.IsZero()) {
			all = append(all, Change{Field: t.field, Was: a, Is: b})
		}
	}
	return all
}

// over returns some terms with all that the row says in their place.
func (r *Row) over(was events.PledgeTerms) events.PledgeTerms {
	for _, t := range terms {
		if r.says(t.field) {
			t.put(&was, &r.Offer.PledgeTerms)
		}
	}
	if r.ID.IsZero() { // a list that Muster wrote repeats where each pledge was published
		was.Source = r.Offer.Source
	}
	return was
}

// says reports whether the file says a field of the row, or leaves it as it is.
func (r *Row) says(field string) bool {
	return r.Fields == nil || slices.Contains(r.Fields, field)
}
