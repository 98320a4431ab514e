package page

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// The page on which a file of pledges is brought in: a form that was filled in, or a table with a
// mapping. It shows row by row what the file comes to and what that would change; the browser signs
// it (static/desk.js), and the server never sees the key. What the file comes to the two halves
// tell together, which a page does not know: so it is asked through [Config].

// An ImportFile is what is to be brought in, by somebody who reads in a view.
type ImportFile struct {
	// Name is that of the file, as the browser tells it; it is shown, and nothing else.
	Name string
	Data []byte
	// Mapping says what a table's columns and words mean; nothing for a form.
	Mapping []byte
	// Changed, Gone and Reason are what was chosen, in the words of the command line.
	Changed, Gone, Reason string
	// Good is set where the rows that can be signed are to be, and the others come back.
	Good bool
	// Seen is the checkpoint that the statements are to name, nil for none.
	Seen *events.Seen
}

// An ImportPlan is what a file comes to.
type ImportPlan struct {
	Rows []ImportRow
	// Said is what is to be signed, in this order.
	Said []ImportSaid
	// Wrong is why nothing is to be signed, or not all of it, and Choose that it is for
	// somebody to choose.
	Wrong  *problem.Problem
	Choose bool
	// Returned is the file with what is wrong beside each row, of the given name.
	Returned     []byte
	ReturnedName string
	// Unused are columns that nothing looks at, and Left what is left out, as people read it.
	Unused, Left []string
}

// An ImportRow is what became of a row, or of a pledge that the file does not have any more.
type ImportRow struct {
	Place string // "line 7"
	What  string // in a sentence
	// Alike is the pledge that a row resembles which is alike, "" for others.
	Alike   string
	Kind    string // new, changed, unchanged, alike, gone, refused; "" where nobody knows yet
	Asked   bool
	Changes []ImportChange
	Refused []string
}

// An ImportChange is a cell that says otherwise than what is recorded. Base is what the file had
// before, and Stays what the ledger has and keeps, where somebody has changed it meanwhile.
type ImportChange struct{ Field, Was, Is, Base, Stays string }

// An ImportSaid is a statement that a row makes, by the row's place.
type ImportSaid struct {
	Row       int
	Statement events.Statement
}

// What the page takes.
const (
	// maxImport is the most bytes of a file and its mapping together. They stand in the page
	// again, so that nobody has to drop them twice, in four characters for three bytes.
	maxImport = 640 << 10
	// maxOfAKind is how many rows of one kind are listed at most of which nothing is to be
	// signed.
	maxOfAKind = 200
)

// An importPage is the form, and what its file comes to.
type importPage struct {
	*frame
	File ImportFile
	*ImportPlan
	Effect *projections.Preview
	// Refused is why the file is not taken, nil where it is.
	Refused *problem.Problem
	// Sign are the statements of the plan, each with its row.
	Sign []importShown
	// Elsewhere is the server that a mirror follows, where files are brought in.
	Elsewhere string
}

// An importShown is a statement as its template shows it; First of its row.
type importShown struct {
	Row       *ImportRow
	First     bool
	Type      events.Type
	Statement string
}

// importing answers the page without a file.
func (p *Pages) importing(f *frame) (any, error) { return p.newImport(f) }

func (p *Pages) newImport(f *frame) (*importPage, error) {
	page := &importPage{frame: f, File: ImportFile{Changed: "ask", Gone: "leave"}}
	if p.Import == nil && f.Mirror() != nil {
		page.Elsewhere = f.Mirror().Of
	}
	return page, f.readPast()
}

// serveImport takes a file.
func (p *Pages) serveImport(w http.ResponseWriter, r *http.Request) {
	k := kindNamed("import")
	values, err := valuesOf(p.words.speakerFor(r), r)
	f, hidden := p.frame(r, k, values)
	if err = first(hidden, err); err == nil {
		err = k.unknown(f.speaker, values)
	}
	var page *importPage
	if err == nil {
		r.Body = http.MaxBytesReader(w, r.Body, web.MaxBody)
		page, err = p.imported(f, r)
	}
	if err != nil {
		p.refuse(w, f, web.AskLess(p.Service.WhyEnded(f.ctx, err), nil))
		return
	}
	f.finish()
	status := http.StatusOK
	if page.Refused != nil {
		status = page.Refused.Kind.Status
	}
	if page.ImportPlan != nil && page.Wrong != nil && len(page.Sign) == 0 {
		status = page.Wrong.Kind.Status
	}
	p.write(w, f, status, k.Name, page)
}

// imported answers the page with what the file comes to.
func (p *Pages) imported(f *frame, r *http.Request) (*importPage, error) {
	page, err := p.newImport(f)
	if err != nil {
		return nil, err
	}
	if p.Import == nil {
		return nil, f.refusal(problem.NotFound, "import.not-here")
	}
	if err := page.read(r); err != nil {
		return page.refused(err)
	}
	plan, err := p.Import(f.ctx, f.service, page.File)
	if err != nil {
		return page.refused(err)
	}
	page.ImportPlan = &plan
	return page, page.preview()
}

// refused is the page with why its file is not taken, above the form. What is not about the file is
// refused as on every page.
func (i *importPage) refused(err error) (*importPage, error) {
	why := problem.From(err)
	if why.Kind != problem.TooLarge && why.Kind != problem.Usage || errors.Is(err, errEnded) {
		return nil, err
	}
	var told toldProblem
	i.Refused, i.Told = why, errors.As(err, &told)
	return i, nil
}

// preview tells what the statements would change together. What the picture cannot take is a
// problem of theirs.
func (i *importPage) preview() error {
	if len(i.Said) == 0 {
		return nil
	}
	all := make([]events.Statement, len(i.Said))
	shown := map[int]bool{}
	for n, said := range i.Said {
		text, err := events.Marshal(said.Statement)
		if err != nil {
			return err
		}
		all[n] = said.Statement
		i.Sign = append(i.Sign, importShown{&i.Rows[said.Row], !shown[said.Row],
			said.Statement.Head().Type, problem.InJSON(string(text))})
		shown[said.Row] = true
	}
	effect, wrong, err := i.previewed(&web.PreviewQuery{
		MomentQuery: web.MomentQuery{On: i.Basis.On}, Statements: all})
	if wrong != nil {
		i.Sign, i.Wrong = nil, wrong
	}
	i.Effect = effect
	return err
}

// Kept are the file and its mapping, in base 64, so that what is chosen about them can be said
// without them being dropped again.
func (i *importPage) Kept() []hidden {
	if i.ImportPlan == nil {
		return nil
	}
	text := func(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
	return []hidden{{"kept-file", text(i.File.Data)}, {"kept-file-name", i.File.Name},
		{"kept-mapping", text(i.File.Mapping)}}
}

// ReturnedLink is the file that comes back, as a link.
func (i *importPage) ReturnedLink() template.URL {
	return template.URL("data:application/octet-stream;base64," +
		base64.StdEncoding.EncodeToString(i.Returned))
}

// A listed are rows of one kind of which nothing is to be signed: the first of them.
type listed struct {
	Kind string
	All  int
	Rows []ImportRow
}

// Listed are the rows of which nothing is to be signed, by their kinds: those that need somebody
// first.
func (i *importPage) Listed() (all []listed) {
	says := map[int]bool{}
	if len(i.Sign) > 0 {
		for _, said := range i.Said {
			says[said.Row] = true
		}
	}
	by := map[string]*listed{}
	for n, row := range i.Rows {
		kind := row.Kind
		switch {
		case says[n]:
			continue
		case row.Asked:
			kind = "asked"
		case len(row.Refused) > 0:
			kind = "refused"
		}
		if by[kind] == nil {
			by[kind] = &listed{Kind: kind}
		}
		l := by[kind]
		if l.All++; l.All <= maxOfAKind {
			l.Rows = append(l.Rows, row)
		}
	}
	for _, kind := range words("asked refused new changed alike gone unchanged") {
		if by[kind] != nil {
			all = append(all, *by[kind])
		}
	}
	return all
}

// ChangedNow and IsNew are what was chosen of rows that have changed.
func (i *importPage) ChangedNow() string {
	now, _, _ := strings.Cut(i.File.Changed, ",")
	if now == "new" {
		return "ask"
	}
	return now
}

// IsNew reports whether rows that only resemble pledges were chosen to be others.
func (i *importPage) IsNew() bool {
	return slices.Contains(strings.Split(i.File.Changed, ","), "new")
}

// ImportLimit is how large a file may be, as people read it.
func (i *importPage) ImportLimit() string { return fmt.Sprint(maxImport >> 10) }

// Words parts a list of words.
func (i *importPage) Words(s string) []string { return words(s) }

// A rowShown is a row as its template shows it.
type rowShown struct {
	F *frame
	R ImportRow
}

// RowOf shows a row.
func (i *importPage) RowOf(r any) rowShown {
	if at, ok := r.(*ImportRow); ok {
		return rowShown{i.frame, *at}
	}
	return rowShown{i.frame, r.(ImportRow)}
}

// LiveAddress is nowhere: nothing that others record replaces what is being signed.
func (i *importPage) LiveAddress() string { return "" }

// An Importer says what a file comes to, for who is answered by a service; it records nothing.
type Importer func(context.Context, *web.Service, ImportFile) (ImportPlan, error)
