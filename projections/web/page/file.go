package page

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// A page on which a file becomes statements: somebody drops it, and is shown row by row what it
// comes to and what that would change; the browser signs it (static/desk.js), and the server never
// sees the key. What a file comes to the two halves tell together, which a page does not know: so
// it is asked through [Config]. What such pages have in common is here, in file_form.go and in
// templates/shared/file.html.

// A SentFile is a file as it was sent, by somebody who reads in a view.
type SentFile struct {
	// Name is that of the file, as the browser tells it; it is shown, and nothing else.
	Name string
	Data []byte
	// Seen is the checkpoint that the statements are to name, nil for none.
	Seen *events.Seen
}

// FileComes is what a file comes to.
type FileComes struct {
	Rows []FileRow
	// Said is what is to be signed, in this order.
	Said []FileSaid
	// Wrong is why nothing is to be signed, or not all of it.
	Wrong *problem.Problem
}

// A FileRow is what became of a row, or of what the file does not have any more.
type FileRow struct {
	Place phrase.Phrase // "line 7"
	What  phrase.Phrase // in a sentence
	// Alike is the pledge that a row resembles which is alike, "" for others.
	Alike   string
	Kind    string // one of those that the words file.kind name; "" where nobody knows yet
	Asked   bool
	Changes []FileChange
	Refused []FileRefusal
}

// A FileRefusal is why a row is refused: the cause, which other rows may have, too, and what this
// row has in its place, "" where the whole row is meant.
type FileRefusal struct {
	Cause phrase.Phrase
	Value string
}

// A FileChange is a cell that says otherwise than what is recorded. Of is what it is a term of
// where that is a part of the row's, such as a role. Base is what the file had before, and Stays
// what the ledger has and keeps, where somebody has changed it meanwhile.
type FileChange struct {
	Field                phrase.Phrase
	Of                   string
	Was, Is, Base, Stays phrase.Phrase
}

// A FileSaid is a statement that a row makes, by the row's place among the rows.
type FileSaid struct {
	Row       int
	Statement events.Statement
}

// What the page takes.
const (
	// maxFile is the most bytes of a file, together with what belongs to it. They stand in the page
	// again, so that nobody has to drop them twice, in four characters for three bytes.
	maxFile = 640 << 10
	// maxOfAKind is how many rows of one kind are listed at most of which nothing is to be
	// signed.
	maxOfAKind = 200
	// maxOfACause is how many of the rows are listed that are refused for one cause, as the
	// program does. The file that comes back has all.
	maxOfACause = 20
)

// A filePage is the form, and what its file comes to.
type filePage struct {
	*frame
	Sent SentFile
	// Comes is what the file comes to, nil before one was sent.
	Comes  *FileComes
	Effect *projections.Preview
	// Refused is why the file is not taken, nil where it is.
	Refused *problem.Problem
	// Sign are the statements, each with its row.
	Sign []fileShown
	// Elsewhere is the server that a mirror follows, where files are brought in.
	Elsewhere string

	takes fileFields
	form  fileForm
}

// A fileShown is a statement as its template shows it; First of its row.
type fileShown struct {
	Row       *FileRow
	First     bool
	Type      events.Type
	Statement string
}

// newFile is the page without a file; here says whether any is taken at this server.
func (f *frame) newFile(takes fileFields, here bool) (p filePage, err error) {
	p = filePage{frame: f, takes: takes}
	if !here && f.Mirror() != nil {
		p.Elsewhere = f.Mirror().Of
	}
	return p, f.readPast()
}

// serveFile answers the page of a name with the file that was sent to it. What takes the file
// returns the page.
func (p *Pages) serveFile(w http.ResponseWriter, r *http.Request, name string,
	take func(*frame, *http.Request) (content any, page *filePage, err error)) {
	k := kindNamed(name)
	values, err := valuesOf(p.words.speakerFor(r), r)
	f, hidden := p.frame(r, k, values)
	if err = first(hidden, err); err == nil {
		err = k.unknown(f.speaker, values)
	}
	var content any
	var page *filePage
	if err == nil {
		r.Body = http.MaxBytesReader(w, r.Body, web.MaxBody)
		content, page, err = take(f, r)
	}
	if err != nil {
		p.refuse(w, f, web.AskLess(p.Service.WhyEnded(f.ctx, err), nil))
		return
	}
	f.finish()
	p.write(w, f, page.status(), k.Name, content)
}

// status is that of an answer with the page.
func (p *filePage) status() int {
	switch {
	case p.Refused != nil:
		return p.Refused.Kind.Status
	case p.Comes != nil && p.Comes.Wrong != nil && len(p.Sign) == 0:
		return p.Comes.Wrong.Kind.Status
	}
	return http.StatusOK
}

// refused has the page say why its file is not taken, above the form. What is not about the file is
// refused as on every page: then it is returned.
func (p *filePage) refused(err error) error {
	why := problem.From(err)
	if why.Kind != problem.TooLarge && why.Kind != problem.Usage || errors.Is(err, errEnded) {
		return err
	}
	p.Refused = why
	return nil
}

// shows has the page show what its file comes to, and what that would change together. What the
// picture cannot take is a problem of the statements.
func (p *filePage) shows(c *FileComes) error {
	p.Comes = c
	if len(c.Said) == 0 {
		return nil
	}
	all := make([]events.Statement, len(c.Said))
	shown := map[int]bool{}
	for n, said := range c.Said {
		text, err := events.Marshal(said.Statement)
		if err != nil {
			return err
		}
		all[n] = said.Statement
		p.Sign = append(p.Sign, fileShown{&c.Rows[said.Row], !shown[said.Row],
			said.Statement.Head().Type, problem.InJSON(string(text))})
		shown[said.Row] = true
	}
	effect, wrong, err := p.previewed(&web.PreviewQuery{
		MomentQuery: web.MomentQuery{On: p.Basis.On}, Statements: all})
	if wrong != nil {
		p.Sign, c.Wrong = nil, wrong
	}
	p.Effect = effect
	return err
}

// Kept are the files, in base 64, so that what is chosen about them can be said without them being
// dropped again.
func (p *filePage) Kept() (all []hidden) {
	if p.Comes == nil {
		return nil
	}
	for _, name := range p.takes.files {
		_, data, err := p.form.sent(name)
		if err == nil {
			all = append(all, hidden{"kept-" + name, base64.StdEncoding.EncodeToString(data)})
		}
	}
	return append(all, hidden{"kept-file-name", p.Sent.Name})
}

// listedKinds are the kinds of rows of which nothing is to be signed: those first that need
// somebody.
const listedKinds = "asked refused kept added ended new changed cancelled alike gone unchanged"

// A listed are rows of one kind of which nothing is to be signed: the first of them, or what they
// are refused for.
type listed struct {
	Kind   string
	All    int
	Rows   []FileRow
	Causes []fileCause
}

// A fileCause is one cause for which rows are refused, and the first of them.
type fileCause struct {
	Cause phrase.Phrase
	All   int
	Rows  []causedRow
}

// A causedRow is a row that is refused, and what it has.
type causedRow struct {
	Place phrase.Phrase
	Value string
}

// refuse adds a refused row to each of its causes.
func (l *listed) refuse(row *FileRow) {
	for _, r := range row.Refused {
		at := slices.IndexFunc(l.Causes, func(c fileCause) bool {
			return c.Cause.String() == r.Cause.String()
		})
		if at < 0 {
			at = len(l.Causes)
			l.Causes = append(l.Causes, fileCause{Cause: r.Cause})
		}
		c := &l.Causes[at]
		if c.All++; c.All <= maxOfACause {
			c.Rows = append(c.Rows, causedRow{row.Place, r.Value})
		}
	}
}

// cutCauses leaves the causes that most rows have.
func (l *listed) cutCauses() {
	slices.SortStableFunc(l.Causes, func(a, b fileCause) int { return cmp.Compare(b.All, a.All) })
	l.Causes = l.Causes[:min(len(l.Causes), maxOfAKind)]
}

// More is how many rows have the cause besides those that are listed.
func (c fileCause) More() int { return c.All - len(c.Rows) }

// Listed are the rows of which nothing is to be signed, by their kinds.
func (p *filePage) Listed() (all []listed) {
	if p.Comes == nil {
		return nil
	}
	says := map[int]bool{}
	if len(p.Sign) > 0 {
		for _, said := range p.Comes.Said {
			says[said.Row] = true
		}
	}
	by := map[string]*listed{}
	for n, row := range p.Comes.Rows {
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
		switch l.All++; {
		case kind == "refused":
			l.refuse(&row)
		case l.All <= maxOfAKind:
			l.Rows = append(l.Rows, row)
		}
	}
	for _, kind := range words(listedKinds) {
		if l := by[kind]; l != nil {
			l.cutCauses()
			all = append(all, *l)
		}
	}
	return all
}

// Its returns what is said of the page's own files: the words of a key behind the page's name.
func (p *filePage) Its(key string, values ...any) string {
	return p.T(p.Kind.Name+"."+key, values...)
}

// Faults are what is wrong with the file, each with its place, where there are several.
func (p *filePage) Faults() *cut[problem.Field] {
	all := p.Comes.Wrong.Listed()
	if len(all) == 0 {
		return nil
	}
	shown := cutAt(all, maxOfAKind)
	return &shown
}

// FileLimit is how large a file may be, in KB.
func (p *filePage) FileLimit() string { return text(maxFile >> 10) }

// Words parts a list of words.
func (p *filePage) Words(s string) []string { return words(s) }

// A rowShown is a row as its template shows it.
type rowShown struct {
	F *frame
	R FileRow
}

// RowOf shows a row.
func (p *filePage) RowOf(r any) rowShown {
	if at, ok := r.(*FileRow); ok {
		return rowShown{p.frame, *at}
	}
	return rowShown{p.frame, r.(FileRow)}
}

// LiveAddress is nowhere: nothing that others record replaces what is being signed.
func (p *filePage) LiveAddress() string { return "" }
