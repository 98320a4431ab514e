package round

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/ledger/intake/plan/strictyaml"
	"muster/ledger/intake/sheet"
)

// A Skip says which rows of a table are no offers. Rows in which nothing stands never are.
type Skip struct {
	// Totals are the rows that begin with "total", "all" or the like. Rows of HXL tags never are
	// offers, whether Tags says so or not.
	Tags, Totals bool
	// Blank are the rows in which no quantity stands, Zero those with the quantity 0, and Negative
	// those with less.
	Blank, Zero, Negative bool
	// Rows are other conditions. One without a column is about the first cell with something in it.
	Rows []Condition
}

// A Left says why rows were left out, and which.
type Left struct {
	// Why is for people: "rows that are totals".
	Why phrase.Phrase
	// Lines are where the rows begin in the file.
	Lines []int
}

// RowsOfTags is why the rows are left out that have tags, as those of the Humanitarian Exchange
// Language.
const RowsOfTags phrase.Text = "rows of tags"

// lefts gathers the rows that are left out.
type lefts []Left

func (l *lefts) add(why phrase.Phrase, line int) {
	i := slices.IndexFunc(*l, func(one Left) bool { return one.Why.String() == why.String() })
	if i < 0 {
		*l, i = append(*l, Left{Why: why}), len(*l)
	}
	(*l)[i].Lines = append((*l)[i].Lines, line)
}

// readSkip reads [tags, totals, zero, {column: donor, equals: World}].
func readSkip(v strictyaml.Value) (s Skip) {
	kinds := map[string]*bool{"tags": &s.Tags, "totals": &s.Totals, "blank": &s.Blank,
		"zero": &s.Zero, "negative": &s.Negative}
	for _, one := range v.OneOrMore() {
		if !one.IsText() {
			s.Rows = append(s.Rows, readCondition(one))
		} else if kind := kinds[one.Text()]; kind != nil {
			*kind = true
		} else {
			one.Fault("write tags, totals, blank, zero, negative, or a condition such as " +
				"{column: donor, equals: World}")
		}
	}
	return s
}

// row says why a row is left out, before its cells are given a meaning; nothing when it is not. Of
// the conditions it asks those whose columns the table has.
func (s *Skip) row(t *sheet.Table, r sheet.Row, nation []int) (why phrase.Phrase) {
	switch {
	case r.IsTags():
		return RowsOfTags.Phrase()
	case s.Totals && r.IsTotal(r.At(nation)...):
		return phrase.Of("rows that are totals")
	}
	for i := range s.Rows {
		c := &s.Rows[i]
		if at, ok := t.Column(c.Column); ok && c.fits(r.Cells[at]) {
			return phrase.Of("rows where %s", c.String())
		} else if c.Column == "" && c.fits(r.First()) {
			return phrase.Of("rows whose first cell %s", c.String())
		}
	}
	return why
}

// quantity says why a row with such a quantity is left out; nothing when it is not.
func (s *Skip) quantity(q amount) (why phrase.Phrase) {
	switch {
	case q.blank && s.Blank:
		return phrase.Of("rows without a quantity")
	case q.sign == 0 && q.isNumber && s.Zero:
		return phrase.Of("rows with the quantity 0")
	case q.sign < 0 && s.Negative:
		return phrase.Of("rows with a quantity below 0")
	}
	return why
}

// only says why a row is left out that fits none of the conditions which rows must fit.
func (m *Mapping) only(t *sheet.Table, r sheet.Row) (why phrase.Phrase) {
	for i := range m.Only {
		if at, ok := t.Column(m.Only[i].Column); ok && m.Only[i].fits(r.Cells[at]) {
			return why
		}
	}
	if len(m.Only) == 0 {
		return why
	}
	return phrase.Of("rows that are not among the only ones")
}

// An Expect is what somebody knows of a file from elsewhere.
type Expect struct {
	// Rows is how many rows become pledges; nil where that is not said.
	Rows *int
	// Sum is what the quantities in Unit add up to; the zero Quantity where that is not said.
	Sum  events.Quantity
	Unit events.Unit
}

// readExpect reads {rows: 28, sum: 5529, unit: personnel}.
func readExpect(v strictyaml.Value) Expect {
	m := v.Members("rows", "sum", "unit")
	e := Expect{Rows: strictyaml.Parsed(m["rows"], parseRows), Unit: events.Unit(m["unit"].Text())}
	if m["sum"].Given() && !e.Unit.Valid() {
		v.Fault("say in which unit the sum is: {sum: 5529, unit: personnel}")
	}
	e.Sum = strictyaml.Parsed(m["sum"], func(s string) (events.Quantity, error) {
		return Numbers{}.quantity(s, e.Unit)
	})
	return e
}

func parseRows(s string) (*int, error) {
	n, err := parseDays(s)
	if err != nil || *n < 0 {
		return nil, phrase.Errorf("write how many rows become pledges")
	}
	return n, nil
}
