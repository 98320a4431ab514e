package round

// A remedy is an error about a cell that says what to do: in the mapping of the file, or in the
// form itself, for which nobody writes a mapping.
type remedy struct{ mapping, form string }

func (r remedy) Error() string { return r.mapping }

// everywhere is a remedy that is one in a mapping's file and in a form.
func everywhere(words string) remedy { return remedy{words, words} }

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
func (m *Mapping) told(err error) string {
	if r, ok := err.(remedy); ok && m.IsForm {
		return r.form
	}
	return err.Error()
}
