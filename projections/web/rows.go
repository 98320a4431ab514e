package web

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"muster/events/phrase"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/projections"
	"muster/projections/web/tabular"
)

// A rowsForm is a form in which the rows of a question are had, by the end of its address.
type rowsForm struct {
	suffix, media, summary string
	// attached has a browser save the file, and not show it.
	attached bool
	begin    func(w io.Writer, first Table, facts []tabular.Fact) (rowsFile, error)
	// of is the only question that has the form, "" for all.
	of string
	// list gives what is in it, where that is something else than the question's rows.
	list func(context.Context, *Service, any, writePage) error
	// followed says that programs of people follow it: it leads to pages of the server, and its
	// sentences are told in a language that is asked for.
	followed bool
	// takes are those of the question's parameters that mean something in it, nil for all; and
	// instead says what is so in the place of others.
	takes   []string
	instead string
}

// check refuses what the question takes and the form has no use for: an answer to something else
// than was asked would mislead.
func (f *rowsForm) check(r request) error {
	if f.takes == nil {
		return nil
	}
	var wrong []problem.Field
	for _, name := range slices.Sorted(maps.Keys(r.given)) {
		if !slices.Contains(f.takes, name) {
			wrong = append(wrong, problem.FieldOf(name, problem.Shorten(r.given[name]),
				"%s: it takes %s", phrase.Text(f.instead), strings.Join(f.takes, ", ")+", "+
					languageParameter))
		}
	}
	err := problem.OfFields(wrong)
	if err == nil {
		return nil
	}
	whole := *problem.From(err)
	whole.Kind = problem.Usage
	return &whole
}

const csvSuffix = ".csv"

// rowsForms is the table of them.
var rowsForms = []rowsForm{
	{suffix: csvSuffix, media: "text/csv; charset=utf-8; header=present", summary: "CSV",
		begin: beginCSV},
	{suffix: ".xlsx", summary: "a workbook (XLSX)", attached: true, begin: beginWorkbook,
		media: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{suffix: ".parquet", media: "application/vnd.apache.parquet", summary: "Parquet",
		attached: true, begin: beginParquet},
	{suffix: ".ics", media: "text/calendar; charset=utf-8", attached: true, begin: beginCalendar,
		summary: "a calendar of what has a day (iCalendar)", of: "due", list: listAgenda,
		followed: true},
	{suffix: atomSuffix, media: atomMedia, begin: beginAtom(atomRecords), of: atomRecords,
		summary: "a feed of the latest ones (Atom)", list: listLatest, followed: true,
		takes: []string{"from", "nation", "operation", "type", "import", "signer", "limit",
			"view"},
		instead: "a feed waits for no record"},
	{suffix: atomSuffix, media: atomMedia, begin: beginAtom(atomCoverage), of: atomCoverage,
		summary: "a feed of what has changed in it lately (Atom)", list: listCoverageChanges,
		followed: true, takes: []string{"operation", "role", "min_seq", "view"},
		instead: "a feed tells each change at the rung offered, as it was known then, on the day " +
			"on which it came to hold"},
}

// serverFact names the address of the server among the facts of a form that leads to its pages.
const serverFact = "server"

// formsOf returns the forms that the rows of a question have.
func formsOf(question string) (all []*rowsForm) {
	for i := range rowsForms {
		if f := &rowsForms[i]; f.of == "" || f.of == question {
			all = append(all, f)
		}
	}
	return all
}

// withoutSuffix takes the end off that says in which form rows are asked for, "" for none.
func withoutSuffix(path string) (rest, suffix string) {
	for _, f := range rowsForms {
		if rest, ok := strings.CutSuffix(path, f.suffix); ok {
			return rest, f.suffix
		}
	}
	return path, ""
}

// formOf returns the form of a question's rows that has an end of its address, nil for none.
func formOf(question, suffix string) *rowsForm {
	all := formsOf(question)
	i := slices.IndexFunc(all, func(f *rowsForm) bool { return f.suffix == suffix })
	if i < 0 {
		return nil
	}
	return all[i]
}

// IsRows reports whether the path of an address asks for rows as a file.
func IsRows(path string) bool {
	_, suffix := withoutSuffix(path)
	return suffix != ""
}

// A rowsFile is a file that rows are written into, page by page.
type rowsFile interface {
	write(page Table) error
	close() error
	discard() // where it was not closed
}

// A csvFile has what the rows rest on in every row.
type csvFile struct{ *csv.Writer }

func beginCSV(w io.Writer, first Table, _ []tabular.Fact) (rowsFile, error) {
	c := csvFile{csv.NewWriter(w)}
	return c, c.Write(first.csvHead())
}

func (c csvFile) write(page Table) error { return page.writeRows(c.Writer) }

func (c csvFile) close() error {
	c.Flush()
	return c.Error()
}

func (csvFile) discard() {}

// A typedFile has it once.
type typedFile struct{ tabular.Writer }

func beginWorkbook(w io.Writer, first Table, facts []tabular.Fact) (rowsFile, error) {
	b, err := tabular.NewWorkbook(w, rowsSheet, first.columns(), facts)
	return typedFile{b}, err
}

func beginParquet(w io.Writer, first Table, facts []tabular.Fact) (rowsFile, error) {
	p, err := tabular.NewParquet(w, first.columns(), facts)
	return typedFile{p}, err
}

// rowsSheet is the name of the sheet of rows.
const rowsSheet = "rows"

func (f typedFile) write(page Table) error {
	rows := make([][]string, 0, len(page.Rows)+len(page.Also))
	for _, r := range page.all() {
		rows = append(rows, r.Cells)
	}
	err := f.Write(rows)
	if errors.Is(err, tabular.ErrTooManyRows) {
		err = problem.New(problem.TooLarge, "the list has too many rows: %w", err).
			WithHint("ask for less of it, or take it as CSV or as Parquet")
	}
	return err
}

func (f typedFile) close() error { return f.Close() }

func (f typedFile) discard() { f.Discard() }

// WriteFile writes the rows in one of the forms csv, xlsx and parquet.
func (t Table) WriteFile(form string, w io.Writer) error {
	for _, f := range rowsForms {
		if f.suffix != "."+form || f.of != "" {
			continue
		}
		file, err := f.begin(w, t, t.facts())
		if err != nil {
			return err
		}
		defer file.discard()
		err = file.write(t)
		if err == nil {
			err = file.close()
		}
		return err
	}
	return fmt.Errorf("rows have no form %q", form)
}

// facts are what the rows rest on, by the names that columns of CSV have for it.
func (t Table) facts() (all []tabular.Fact) {
	all = slices.Clone(t.RestsOn)
	head, cells := t.basis()
	for i := range head {
		all = append(all, tabular.Fact{Name: head[i], Value: cells[i]})
	}
	return all
}

// A rowsAnswer is a list on its way to a client, page by page.
type rowsAnswer struct {
	http.ResponseWriter
	s     *Service // as it answers in a view
	r     *http.Request
	form  *rowsForm
	name  string   // of the file
	file  rowsFile // nil before the first page
	width int      // how many columns there are
	told  teller   // the language of its sentences
	sent  bool     // something was written
}

// answerRows answers with rows, or with a problem as every other address does. They are written as
// they are made, so that a list may be long. One that breaks off is no whole answer: the last row
// of CSV says so, and the connection is cut.
func (s *Service) answerRows(w http.ResponseWriter, r *http.Request, q *question, form *rowsForm) {
	a := &rowsAnswer{ResponseWriter: w, s: s, r: r, form: form, name: q.name + form.suffix}
	var query any
	asked, err := requestOfHTTP(r, q.path, form.suffix)
	if err == nil {
		s, err = s.choose(r.Context(), asked)
	}
	if err == nil {
		a.told, err = s.takeLanguage(form, &asked)
	}
	if err == nil {
		a.s = s
		if s.View() != "" { // as its rows do, where it has any
			a.name = q.name + "-" + string(s.View()) + form.suffix
		}
		query, err = q.read(r.Context(), s, asked)
	}
	if err == nil {
		err = form.check(asked)
	}
	defer func() { // also when a list breaks off, which ends in a panic
		if a.file != nil {
			a.file.discard()
		}
	}()
	if err == nil {
		list := q.list
		if form.list != nil {
			list = form.list
		}
		err = list(r.Context(), s, query, a.page)
	}
	if err == nil {
		err = a.file.close()
	}
	switch {
	case err == nil:
	case a.sent:
		a.breakOff(err)
	default:
		for _, name := range []string{"Content-Type", "Content-Disposition", "Link"} {
			w.Header().Del(name)
		}
		wire.HTTP(w, err)
	}
}

// page writes a page of the list.
func (a *rowsAnswer) page(page Table, rest map[string]string) error {
	if a.file == nil {
		if err := a.begin(page, rest); err != nil {
			return err
		}
	}
	if err := a.file.write(page); err != nil {
		return err
	}
	if a.sent {
		err := http.NewResponseController(a).Flush()
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	return a.r.Context().Err()
}

// begin writes what stands before the first row. Link leads to the rest of what the client has cut
// itself (RFC 8288).
func (a *rowsAnswer) begin(page Table, rest map[string]string) error {
	h := a.Header()
	h.Set("Content-Type", a.form.media)
	how := "inline"
	if a.form.attached {
		how = "attachment"
	}
	h.Set("Content-Disposition", how+`; filename="`+a.name+`"`)
	if rest != nil {
		values := a.r.URL.Query()
		for name, value := range rest {
			values.Set(name, value)
		}
		h.Set("Link", "<"+string(BaseOf(a.r.Context()))+a.r.URL.EscapedPath()+"?"+
			values.Encode()+`>; rel="next"`)
	}
	a.width = len(page.csvHead())
	page.RestsOn = a.s.restsOn(page.Basis)
	facts := page.facts()
	page.told = a.told
	if a.form.followed {
		facts = append(facts, tabular.Fact{Name: serverFact, Value: ReachedAt(a.r)})
	}
	file, err := a.form.begin(a, page, facts)
	if err == nil {
		a.file = file
	}
	return err
}

// Write notes that something is on its way.
func (a *rowsAnswer) Write(p []byte) (int, error) {
	a.sent = true
	return a.ResponseWriter.Write(p)
}

// restsOn says of which ledger an answer is and, where it is as of a record, the root of the tree
// of the records up to that one.
func (s *Service) restsOn(b *projections.Basis) (all []tabular.Fact) {
	_ = s.Projector.View(func(p *projections.Picture) error {
		if founding, ok := p.Founding(); ok {
			all = append(all, tabular.Fact{Name: "ledger", Value: string(founding.Origin)})
		}
		return nil
	})
	if b == nil || s.RootAt == nil || b.AsOf == 0 {
		return all
	}
	if root, err := s.RootAt(b.AsOf); err == nil {
		all = append(all, tabular.Fact{Name: "root", Value: root})
	}
	return all
}

func (a *rowsAnswer) breakOff(err error) {
	if c, ok := a.file.(csvFile); ok {
		last := make([]string, max(1, a.width))
		last[0] = "NOT WHOLE: the list breaks off here: " + problem.From(err).Error()
		_ = c.Write(last)
		c.Flush()
	}
	_ = http.NewResponseController(a).Flush()
	panic(http.ErrAbortHandler)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (a *rowsAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
