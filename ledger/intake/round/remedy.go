package round

import "muster/events/phrase"

// A remedy is an error about a cell that says what to do: in the mapping of the file, or in the
// form itself, for which nobody writes a mapping.
type remedy struct{ mapping, form phrase.Phrase }

// remedies is a remedy without values.
func remedies(mapping, form phrase.Text) remedy { return remedy{mapping.Phrase(), form.Phrase()} }

// everywhere is a remedy that is one in a mapping's file and in a form.
func everywhere(words phrase.Text) remedy { return remedies(words, words) }

// Error implements error.
func (r remedy) Error() string { return r.mapping.String() }

// Phrase returns the error as a phrase.
func (r remedy) Phrase() phrase.Phrase { return r.mapping }

// What to do in a form.
const (
	asInForm = "write a whole number, or as in 10 to 14, up to 18, at least 4, around 7,000, " +
		"unknown"
	inDigits = "write the digits without marks among them, and a point before decimals of money"
	takeBack = "to take the pledge back, withdraw it by itself, with `muster pledge withdraw ID` " +
		"or on its page"
	fromList = "choose one of the list"
	asDate   = "write it as 2026-11-23"
)

// told says what is wrong with a cell to the one who can mend it.
func (m *Mapping) told(err error) phrase.Phrase {
	if r, ok := err.(remedy); ok && m.IsForm {
		return r.form
	}
	return phrase.Of("%s", err)
}
