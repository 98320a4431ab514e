package page

import (
	"context"
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections/web"
)

// The page on which a file of pledges is brought in: a form that was filled in, or a table with a
// mapping.

// An ImportFile is what is to be brought in.
type ImportFile struct {
	SentFile
	// Mapping says what a table's columns and words mean; nothing for a form.
	Mapping []byte
	// Changed, Gone and Reason are what was chosen, in the words of the command line.
	Changed, Gone, Reason string
	// Good is set where the rows that can be signed are to be, and the others come back.
	Good bool
	// Tell tells a phrase in the reader's language, as the file that comes back is written for.
	Tell func(phrase.Phrase) string
}

// An ImportPlan is what a file of pledges comes to.
type ImportPlan struct {
	FileComes
	// Choose says that nothing is to be signed since something is for somebody to choose.
	Choose bool
	// Returned is the file with what is wrong beside each row, of the given name.
	Returned     []byte
	ReturnedName string
	// Unused are columns that nothing looks at, and Left what is left out, as people read it.
	Unused []string
	Left   []phrase.Phrase
	// Hidden says what a spreadsheet hides of what is read.
	Hidden []phrase.Phrase
}

// importFields are those of the form.
var importFields = fileFields{files: words("file mapping"),
	values: words("changed new gone good reason")}

// An importPage is the form, and what its file comes to.
type importPage struct {
	filePage
	File ImportFile
	Plan *ImportPlan
}

// importing answers the page without a file.
func (p *Pages) importing(f *frame) (any, error) { return p.newImport(f) }

func (p *Pages) newImport(f *frame) (*importPage, error) {
	page := &importPage{File: ImportFile{Changed: "ask", Gone: "leave"}}
	var err error
	page.filePage, err = f.newFile(importFields, p.Import != nil)
	return page, err
}

// serveImport takes a file.
func (p *Pages) serveImport(w http.ResponseWriter, r *http.Request) {
	p.serveFile(w, r, "import", func(f *frame, r *http.Request) (any, *filePage, error) {
		page, err := p.newImport(f)
		if err == nil {
			err = p.imported(page, r)
		}
		return page, &page.filePage, err
	})
}

// imported has the page show what its file comes to.
func (p *Pages) imported(page *importPage, r *http.Request) error {
	if p.Import == nil {
		return page.refusal(problem.NotFound, "import.not-here")
	}
	err := page.read(r)
	page.choose()
	if err != nil {
		return page.refused(err)
	}
	plan, err := p.Import(page.ctx, page.service, page.File)
	if err != nil {
		return page.refused(err)
	}
	page.Plan = &plan
	return page.shows(&plan.FileComes)
}

// choose takes in what the form says about the file.
func (i *importPage) choose() {
	_, mapping, _ := i.form.sent("mapping") // which was read before
	form := i.form.Values
	i.File = ImportFile{SentFile: i.Sent, Mapping: mapping, Changed: form.Get("changed"),
		Gone: form.Get("gone"), Good: form.Get("good") != "",
		Reason: strings.TrimSpace(form.Get("reason")),
		Tell:   func(said phrase.Phrase) string { return i.Tell(said).Text }}
	if form.Get("new") != "" {
		i.File.Changed = strings.TrimPrefix(i.File.Changed+",new", "ask,")
	}
}

// ReturnedLink is the file that comes back, as a link.
func (i *importPage) ReturnedLink() template.URL {
	return template.URL("data:application/octet-stream;base64," +
		base64.StdEncoding.EncodeToString(i.Plan.Returned))
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

// An Importer says what a file comes to, for who is answered by a service; it records nothing.
type Importer func(context.Context, *web.Service, ImportFile) (ImportPlan, error)
