package form

import (
	"slices"
	"strconv"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
)

// A Sheet is a form that has come back.
type Sheet struct {
	Form
	table    *sheet.Table
	from1904 bool
}

// Open opens a workbook as a form. It returns nil for a file that is none, which may be another
// workbook. The error is a [problem.Problem].
func Open(data []byte) (*Sheet, error) {
	if !sheet.IsXLSX(data) {
		return nil, nil
	}
	b, err := sheet.OpenBook(data)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if !slices.Contains(b.Sheets(), factsSheet) {
		return nil, nil
	}
	facts, err := b.Read(sheet.Form{Sheet: factsSheet})
	if err != nil {
		return nil, err
	}
	f, err := readFacts(facts)
	if f == nil || err != nil {
		return nil, err
	}
	s := &Sheet{Form: *f, from1904: b.From1904()}
	s.table, err = pledgesOf(b)
	return s, err
}

// Torn refuses a workbook that has the pledges of a form without the hidden sheet, as where the
// sheet was copied into a workbook of its own; nil for any other one.
func Torn(data []byte) error {
	b, err := sheet.OpenBook(data)
	if err != nil {
		return nil // whoever reads it says so
	}
	defer b.Close()
	if t, _ := pledgesOf(b); t == nil {
		return nil
	}
	return problem.New(problem.Invalid, "the workbook has the pledges of a form, and not its "+
		"hidden sheet %q, by which the form is known again", factsSheet).
		WithHint("give back the form itself; or copy the rows into a new one, `muster sheet new`")
}

// pledgesOf finds the sheet of pledges by its tags, whatever it is called and wherever it stands.
// Of two, as where somebody has kept a copy, nobody knows which is meant.
func pledgesOf(b *sheet.Book) (*sheet.Table, error) {
	var unread error
	var found *sheet.Table
	var called string
	for _, name := range b.Sheets() {
		if name == factsSheet || name == listsSheet {
			continue
		}
		t, err := b.Read(sheet.Form{Sheet: name})
		if err != nil {
			if unread == nil {
				unread = err
			}
			continue
		}
		if _, ok := t.Column(idTag); !ok {
			continue
		}
		if found != nil {
			return nil, problem.New(problem.Invalid, "two sheets of the form have the tag %s: %q "+
				"and %q", idTag, called, name).
				WithHint("move the one that is not meant into another workbook")
		}
		found, called = t, name
	}
	switch {
	case found != nil:
		return found, nil
	case unread != nil:
		return nil, unread
	}
	return nil, problem.New(problem.Invalid, "no sheet of the form has the tag %s, by which the "+
		"sheet of pledges is known", idTag).
		WithHint("put the row of tags below the head of the pledges back, as in a new form: " +
			"`muster sheet new`")
}

const columnBack phrase.Text = "put the column back, with its tag below its head"

// Mapping returns a mapping that reads the form, with what always holds in another one. The form
// says by itself what its columns are.
func (s *Sheet) Mapping(m round.Mapping) (round.Mapping, error) {
	if len(m.Columns)+len(m.Key)+len(m.Rules)+len(m.Units)+len(m.Words) > 0 || m.Wide != nil {
		return m, problem.New(problem.Usage, "the file is a form, whose columns are known by "+
			"their tags: leave out the mapping and its columns")
	}
	if m.Name == "" {
		m.Name = s.Name
	}
	m.IsForm, m.Columns = true, map[string][]string{}
	for _, col := range columns {
		_, there := s.table.Column(col.tag)
		switch {
		case col.field == "":
		case there:
			m.Columns[col.field] = []string{col.tag}
		case required[col.field] || col.field == "nation" && s.Nation == "":
			return m, problem.New(problem.Invalid, "no column of the form has the tag %s (%s)",
				col.tag, col.en).
				WithHint("%s", columnBack)
		default:
			if _, head := s.table.Column(col.en + " " + col.fr); head {
				return m, problem.New(problem.Invalid, "the column %q of the form has lost its "+
					"tag %s", col.en, col.tag).WithHint("%s", columnBack)
			}
		}
	}
	always := map[string]string{"operation": string(s.Operation), "nation": string(s.Nation)}
	for field, value := range m.Always {
		always[field] = value
	}
	m.Always = always
	serial := "serial"
	if s.from1904 {
		serial = "serial 1904"
	}
	for _, form := range []string{serial, "31.12.2021"} {
		f, err := round.ParseDateForm(form)
		if err != nil {
			return m, err
		}
		m.Dates = append(m.Dates, f)
	}
	return m, nil
}

// Read reads the rows, as [round.ReadTable] does, for the ledger with the given origin.
func (s *Sheet) Read(m round.Mapping, origin events.Origin) (*round.Round, error) {
	if origin != s.Ledger {
		return nil, problem.New(problem.Conflict,
			"the form is of the ledger %s, and this one is %s", s.Ledger, origin).
			WithHint("bring it to a server of that ledger, or fill in a form of this one: " +
				"muster sheet new")
	}
	r, err := round.ReadTable(s.table, m, origin)
	if r == nil {
		return nil, err
	}
	r.Unused = slices.DeleteFunc(r.Unused, s.isOwn)
	r.Left = slices.DeleteFunc(r.Left, func(l round.Left) bool {
		return l.Why.String() == string(round.RowsOfTags)
	})
	again := map[string]int{}
	for i := range r.Rows {
		row := &r.Rows[i]
		row.Fields = row.Fields[:0:0]
		for _, col := range columns {
			if len(m.Columns[col.field]) > 0 && col.field != "id" {
				row.Fields = append(row.Fields, col.field)
			}
		}
		if row.Offer != nil && row.ID.IsZero() {
			if err := identify(row.Offer, m.Name, again); err != nil {
				return nil, err
			}
		}
	}
	return r, err
}

// identify gives a row that was added its ID: it follows from the form and from all that the row
// says, and not from the day on which it is imported, so that it is known when it comes again.
func identify(o *events.PledgeOffered, name string, again map[string]int) error {
	said := *o
	said.ID, said.Effective = events.ID{1}, o.From
	text, err := events.Marshal(&said)
	if err != nil {
		return err
	}
	n := again[string(text)]
	again[string(text)]++
	o.ID = reconcile.IDOf(o.Ledger, name, []string{string(text), strconv.Itoa(n)}, 0)
	return nil
}

// isOwn reports whether a head is that of a column that the form has for itself.
func (s *Sheet) isOwn(head string) bool {
	for _, col := range columns {
		if at, ok := s.table.Column(col.tag); ok && s.table.Header[at] == head {
			return true
		}
	}
	return false
}

// Base returns what the form was filled in with, given what was recorded when it was.
func (s *Sheet) Base(then *reconcile.Known) *reconcile.Base {
	b := &reconcile.Base{Known: then, Filled: map[events.ID]bool{}, On: s.On}
	for _, id := range s.Filled {
		b.Filled[id] = true
	}
	return b
}
