package page

import (
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/projections"
	"muster/projections/web"
)

// Pages that show the answer of one question as rows: those that it has as CSV, with heads in the
// reader's language, and what they name leading there.

// A tablePage is a question whose answer is shown in rows.
type tablePage struct {
	*frame
	// Question is its name over HTTP, and Asks the parameters that its form asks for.
	Question string
	Asks     []string
	Columns  []tableColumn
	Rows     cut[[]tableCell]
	CSV      string
	// Notes stand over the rows.
	Notes []tableNote
	// Beside are further tables, each with the words over it.
	Beside []besideTable
}

// A tableColumn is a column that says something in one row at the least.
type tableColumn struct {
	Name, Head string
	IsNumber   bool
}

// A tableCell is what a row says in a column, and where that leads.
type tableCell struct {
	Said    []stretchOfText // a sentence, in the place of parts
	Class   string
	Parts   []tablePart
	English bool
	// Recorded is set of a text that somebody has written: see [recorded].
	Recorded bool
}

// A tablePart is a word of a cell, and where it leads, nil for nowhere.
type tablePart struct {
	Text    string
	Address any
}

// A besideTable is a table that stands beside the rows.
type besideTable struct {
	Title   string
	Columns []tableColumn
	Rows    cut[[]tableCell]
}

// A tableKind is a question that has such a page.
type tableKind struct {
	name    string
	asks    []string // beside what every page asks
	ignores []string // of what every page has: see [pageKind]
	rows    func(*frame) (tableAnswer, error)
}

// A tableAnswer is the rows of a page, and what it says of them in words of its own: whatever the
// lines over and under the rows say to people elsewhere.
type tableAnswer struct {
	web.Table
	notes []tableNote
}

// A tableNote is a sentence of such a page, and a day that it leads to, zero for none, or the page
// Members, nil for nowhere.
type tableNote struct {
	Text string
	// Recorded is set of a text that somebody has written: see [recorded].
	Recorded bool
	Day      events.Date
	At       any
}

// tables are the pages of rows, in the order of the list on top.
var tables = []tableKind{
	{"due", words("nation role within"), words("rung"), func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.DueQuery], f.service.Due)
		f.Basis = a.Basis
		t := web.DueTable(a)
		what := slices.Index(t.Head, "what")
		for i := range a.Due { // in words of the page
			t.Rows[i].Cells[what] = f.SaysDue(&a.Due[i])
		}
		t.Beside = nil // of which the page tells in a note
		// What the sentence says needs no column beside it.
		t = without(t, "quantity", "unit", "waits for", "recorded")
		told := f.tell(t, f.Count("table.within", a.Within))
		if err == nil {
			var notes []tableNote
			notes, err = f.secondsDue()
			told.notes = append(told.notes, notes...)
		}
		return told, err
	}},
	{"readiness", words("role within by_nation"), nil, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.ReadinessQuery], f.service.Readiness)
		f.Basis = a.Basis
		return f.tell(web.ReadinessTable(a)).firstThere(f, a.Next), err
	}},
	{"review", words("role"), nil, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.FilterQuery], f.service.Review)
		f.Basis = a.Basis
		t := f.tell(web.ReviewTable(a))
		t.say(f, "what", len(a.Findings), func(i int) phrase.Phrase { return a.Findings[i].Told })
		for i, r := range t.Rows {
			at := slices.Index(t.Head, "what")
			r.Cells[at] = projections.WithoutCommand(r.Cells[at])
			t.Rows[i] = r
		}
		return t, err
	}},
	{"delivery", words("role"), worldAsIs, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.PastQuery], f.service.Delivery)
		f.Basis = a.Basis
		return f.tell(web.DeliveryTable(a)), err
	}},
	{"nations", words("only"), nil, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.NationsQuery], f.service.Nations)
		f.Basis = a.Basis
		t := f.tell(web.NationsTable(a)).firstThere(f, a.Next)
		t.say(f, "scope", len(a.Nations),
			func(i int) phrase.Phrase { return a.Nations[i].ScopeTold })
		return t, err
	}},
	{"plan", nil, worldAsIs, (*frame).planRows},
	{"members", nil, worldAsIs, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.MembersQuery], f.service.Members)
		if err == nil {
			err = f.readBasis()
		}
		t := web.MembersTable(a)
		for i, w := range a.Waiting { // which stand beside, in words
			cells := t.Beside[0].Rows[i].Cells
			cells[len(cells)-2] = f.lacks(w)
			if f.MaySecond(w) {
				f.toSecond = append(f.toSecond, w.Statement.String())
			}
		}
		return f.tell(t, f.unheard(a)...), err
	}},
	{"corrections", words("role"), worldAsIs, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.PastQuery], f.service.Corrections)
		f.Basis = a.Basis
		t := f.tell(web.CorrectionsTable(a))
		t.say(f, "what was said", len(a.Corrections),
			func(i int) phrase.Phrase { return a.Corrections[i].Mends.Told })
		t.say(f, "what is right", len(a.Corrections),
			func(i int) phrase.Phrase { return a.Corrections[i].Told })
		return t, err
	}},
	{"late", words("role days"), worldAsIs, func(f *frame) (tableAnswer, error) {
		a, err := ask(f, web.Read[web.LateQuery], f.service.Late)
		f.Basis = a.Basis
		t := f.tell(web.LateTable(a), f.Count("table.more-than", a.MoreThan))
		t.say(f, "what", len(a.Records), func(i int) phrase.Phrase { return a.Records[i].Told })
		return t, err
	}},
}

// tableActs are what a reader may go on to say from such a page.
var tableActs = map[string][]events.Type{
	"plan":    {"requirement.issued", "requirement.revised", "requirement.cancelled"},
	"members": {"member.admitted", "member.revoked"}}

// Acts are the forms that the page leads to.
func (p *tablePage) Acts() (all []act) {
	if !p.MayCoordinate() || p.Mirror() != nil {
		return nil
	}
	for _, t := range tableActs[p.Question] {
		all = append(all, act{t, p.To("/submit", "type", string(t), "as_of", "")})
	}
	return all
}

// tell has a page tell of its rows in sentences of its own; "" is none.
func (f *frame) tell(t web.Table, sentences ...string) tableAnswer {
	a := tableAnswer{Table: t}
	for _, text := range sentences {
		if text != "" {
			a.notes = append(a.notes, tableNote{Text: text})
		}
	}
	return a
}

// without returns a table without some columns.
func without(t web.Table, columns ...string) web.Table {
	head := t.Head
	isOut := func(i int) bool { return slices.Contains(columns, head[i]) }
	keep := func(cells []string) (kept []string) {
		for i, c := range cells {
			if !isOut(i) {
				kept = append(kept, c)
			}
		}
		return kept
	}
	t.Head, t.Rows = keep(head), slices.Clone(t.Rows)
	for i := range t.Rows {
		t.Rows[i].Cells = keep(t.Rows[i].Cells)
	}
	return t
}

// say has a column say sentences in the reader's language. The first rows are those told.
func (a tableAnswer) say(f *frame, column string, rows int, sentence func(int) phrase.Phrase) {
	at := slices.Index(a.Head, column)
	for i := range min(rows, len(a.Rows)) {
		a.Rows[i].Cells[at] = f.Tell(sentence(i)).Text
	}
}

// firstThere has the page of nothing lead to the first day on which there is something.
func (a tableAnswer) firstThere(f *frame, next events.Date) tableAnswer {
	if next != 0 {
		a.notes = append(a.notes, tableNote{Text: f.T("nations.next", f.Date(next)), Day: next})
	}
	return a
}

// unheard names the keys that were admitted without their nation's word.
func (f *frame) unheard(r projections.Roster) (all []string) {
	for _, m := range r.Members {
		if m.Unheard {
			all = append(all, f.T("table.unheard", m.Name, m.Admitted))
		}
	}
	return all
}

// lacks says whose word something lacks.
func (f *frame) lacks(w projections.Waiting) string {
	var all []string
	if w.Coordinators > 0 {
		all = append(all, f.Count("verify.lacks", w.Coordinators))
	}
	if w.Liaison != "" {
		all = append(all, f.T("verify.lacks-liaison", f.Named(w.Liaison)))
	}
	return strings.Join(all, ", ")
}

// planRows are the requirements of the operation asked for, or of the only one.
func (f *frame) planRows() (tableAnswer, error) {
	operation := f.Get("operation")
	if all := f.Operations(); operation == "" && len(all) > 0 {
		operation = string(all[0].Operation)
	}
	if operation == "" {
		return f.tell(web.PlanTable(web.Plan{})), f.readBasis()
	}
	f.values.Set("operation", operation) // of which what the page leads to is, too
	a, err := ask(f, web.Read[web.PlanQuery], f.service.Plan, "operation", operation)
	f.Basis = a.Basis
	title := operation
	if a.Catalogue.Title != "" {
		title += ": " + a.Catalogue.Title
	}
	t := web.PlanTable(a)
	for i := range a.Catalogue.Roles {
		role := &a.Catalogue.Roles[i]
		title := f.titleOf(role)
		cells := t.Beside[0].Rows[i].Cells
		cells[len(cells)-2], cells[len(cells)-1] = f.unitsOf(role), title.Text
		if title.Known {
			f.translated = append(f.translated, title.Text)
		}
	}
	answer := f.tell(t, title, a.Catalogue.Note)
	for i := range answer.notes {
		answer.notes[i].Recorded = true
	}
	return answer, err
}

// unitsOf names the units of a role: "personnel or team".
func (f *frame) unitsOf(r *events.RoleDefinition) string {
	units := make([]string, len(r.Units))
	for i, u := range r.Units {
		units[i] = f.UnitName(u)
	}
	return f.Tell(phrase.List(phrase.Or, units...)).Text
}

// kind is the page of a question.
func (t tableKind) kind() pageKind {
	return pageKind{Name: t.name, path: "/" + t.name, nav: true, more: true, takes: t.asks,
		ignores: t.ignores, template: "table",
		content: func(_ *Pages, f *frame) (any, error) { return t.page(f) }}
}

// page answers the page of a question.
func (t tableKind) page(f *frame) (*tablePage, error) {
	rows, err := t.rows(f)
	if err != nil {
		return nil, err
	}
	p := &tablePage{frame: f, Question: t.name, Asks: t.asks, Notes: rows.notes}
	p.Columns, p.Rows = p.laidOut(&rows.Table)
	if t.name != "plan" {
		takes := slices.Concat(words("as_of on operation"), worldAsIs, t.asks)
		if t.name == "members" {
			takes = words("as_of")
		}
		p.CSV = f.csv(t.name, slices.DeleteFunc(takes, func(name string) bool {
			return !f.Applies(name)
		}))
	}
	for i := range rows.Beside {
		b := besideTable{Title: f.Word("table.beside", t.name)}
		b.Columns, b.Rows = p.laidOut(&rows.Beside[i])
		p.Beside = append(p.Beside, b)
	}
	return p, nil
}

// ICS is where what is due is a calendar; csv is where it is CSV.
func (p *tablePage) ICS(csv string) string { return strings.Replace(csv, ".csv", ".ics", 1) }

// WritesPlan reports whether the page leads to its plan as a file.
func (p *tablePage) WritesPlan() bool {
	return p.Question == "plan" && p.Has("operation") && p.pages.WritePlan != nil
}

// AsksOperation and AsksWorld report what the form of the page asks for beside its own.
func (p *tablePage) AsksOperation() bool { return p.Question == "plan" }

// AsksWorld: see [tablePage.AsksOperation].
func (p *tablePage) AsksWorld() bool { return p.Question != "members" && p.Question != "plan" }

// Asked are the parameters that the form of the page asks for, with what they are.
func (p *tablePage) Asked() (all []hidden) {
	for _, name := range p.Asks {
		all = append(all, hidden{name, p.Get(name)})
	}
	return all
}

// WorldHidden returns what the form of the world must take along.
func (p *tablePage) WorldHidden() []hidden {
	asked := slices.DeleteFunc(slices.Concat(worldAsks, p.Asks), func(name string) bool {
		return !p.Applies(name)
	})
	return p.Hidden(asked...)
}
