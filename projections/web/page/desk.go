package page

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// The desk, where one thing is said of many pledges: they are ticked on the page Pledges, or the
// requirements that are short on the page Shortfalls. It makes a statement of each, leaves out what
// the ledger's rules refuse, with the reason, and shows the effect of all the others together. As
// on the page Submit, the browser signs them (static/desk.js), and the server never sees the key.

// deskActs are what can be said of many pledges at once.
var deskActs = []events.Type{"pledge.accepted", "allocation.made", "pledge.confirmed",
	"pledge.declined"}

// deskMost is the most pledges and requirements that are taken at once.
const deskMost = 250

// A deskPage is what is to be signed, and what it would change.
type deskPage struct {
	*frame
	Act events.Type // "" where nothing was chosen yet
	// Rows are what is to be signed, and Left what is not, each with the reason.
	Rows, Left []deskRow
	// Filled tells of the requirements that were chosen how much of what is missing is allocated.
	Filled []deskFill
	Effect *projections.Preview
	Wrong  *problem.Problem
	// Effective and Reason are what the form says, Line the requirement to which is allocated, ""
	// for where each pledge fits; Lines are those that there are.
	Effective, Reason, Line string
	Lines                   []projections.Requirement
	// Chosen are the parameters that were ticked.
	Chosen []hidden

	on         events.Date
	seen       *events.Seen
	used       map[events.ID]int64 // what the statements allocate of a pledge
	statements []events.Statement
}

// A deskRow is a statement about one pledge, or why there is none.
type deskRow struct {
	Pledge    *projections.Pledge
	Line      events.Line
	Quantity  events.Quantity
	Statement string
	Why       why
}

// A deskFill is how much of what a requirement lacks is allocated.
type deskFill struct {
	Gap         projections.Gap
	Taken, Left events.Quantity
}

// A deskGroup is what is left out for one reason.
type deskGroup struct {
	Why  why
	Rows []deskRow
}

// Groups are what is left out, by the reason: one reason is told once.
func (d *deskPage) Groups() (all []deskGroup) {
	for _, row := range d.Left {
		at := slices.IndexFunc(all, func(g deskGroup) bool { return g.Why == row.Why })
		if at < 0 {
			at, all = len(all), append(all, deskGroup{Why: row.Why})
		}
		all[at].Rows = append(all[at].Rows, row)
	}
	return all
}

// DeskActs lists what can be said of many pledges.
func (f *frame) DeskActs() []events.Type { return deskActs }

// DeskMost is the most pledges and requirements that the desk takes at once.
func (f *frame) DeskMost() int { return deskMost }

// desk answers the desk on which nothing lies.
func (p *Pages) desk(f *frame) (any, error) { return p.deskOf(f, url.Values{}) }

// serveDesk takes what was ticked.
func (p *Pages) serveDesk(w http.ResponseWriter, r *http.Request) {
	p.servePosted(w, r, "desk", func(f *frame, form url.Values) (any, *problem.Problem, error) {
		d, err := p.deskOf(f, form)
		if err != nil {
			return nil, nil, err
		}
		return d, d.Wrong, nil
	})
}

// deskOf answers the desk with what was chosen.
func (p *Pages) deskOf(f *frame, form url.Values) (*deskPage, error) {
	d := &deskPage{frame: f, Act: events.Type(form.Get("act")), used: map[events.ID]int64{},
		Reason: strings.TrimSpace(form.Get("reason")), Line: strings.TrimSpace(form.Get("line"))}
	if err := d.unknown(form); err != nil {
		return nil, err
	}
	if err := f.readPast(); err != nil {
		return nil, err
	}
	if d.Effective = strings.TrimSpace(form.Get("effective")); d.Effective == "" {
		d.Effective = f.Today.String()
	}
	if d.Act == "" {
		return d, nil
	}
	if err := d.read(form); err != nil || d.Wrong != nil {
		return d, err
	}
	if err := d.sayAll(form); err != nil || len(d.statements) == 0 {
		return d, err
	}
	return d, d.preview()
}

// unknown refuses fields that the form does not have, and more than it takes.
func (d *deskPage) unknown(form url.Values) error {
	takes := words("act pledge gap effective reason line seen_size seen_root")
	var found []problem.Field
	for _, name := range slices.Sorted(maps.Keys(form)) {
		f, at := problem.Field{}, problem.Shorten(printable(name))
		switch n := len(form[name]); {
		case !slices.Contains(takes, name):
			f = d.field(at, "", "problem.unknown.field")
		case name != "pledge" && name != "gap" && n > 1:
			f = d.field(at, "", "problem.twice", n)
		case n > deskMost:
			f = d.field(at, "", "desk.most", n, deskMost)
		default:
			continue
		}
		if found = append(found, f); len(found) == maxUnknown {
			break
		}
	}
	if err := d.ofFields(problem.Usage, found); err != nil {
		return err
	}
	if d.Act != "" && !slices.Contains(deskActs, d.Act) {
		return d.oneOf("act", string(d.Act), joinedTypes(deskActs))
	}
	return nil
}

func joinedTypes(all []events.Type) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

// read reads the rest of the form.
func (d *deskPage) read(form url.Values) error {
	for _, name := range []string{"pledge", "gap"} {
		slices.Sort(form[name])
		form[name] = slices.Compact(form[name])
		for _, value := range form[name] {
			d.Chosen = append(d.Chosen, hidden{name, value})
		}
	}
	day, err := events.ParseDate(d.Effective)
	if err != nil {
		d.Wrong = problem.OfField(problem.Invalid, problem.FieldOf("effective",
			d.Effective, "%s", err))
		return nil
	}
	d.on = day
	d.seen = seenIn(form)
	plan, err := d.service.Plan(d.ctx,
		&web.PlanQuery{Operation: events.Operation(d.Get("operation"))})
	if err == nil {
		d.Lines = plan.Requirements
	}
	return nil
}

// preview tells what the statements would change together. From which rung it looks follows from
// what they say: to accept changes nothing from the rung "offered" up.
func (d *deskPage) preview() error {
	rung := d.Basis.Rung
	switch d.Act {
	case "pledge.accepted":
		rung = projections.Accepted
	case "pledge.confirmed":
		rung = projections.Confirmed
	}
	d.Basis.Rung = rung
	effect, wrong, err := d.previewed(&web.PreviewQuery{Rung: rung,
		MomentQuery: web.MomentQuery{On: d.Basis.On}, Statements: d.statements})
	if wrong != nil {
		d.Rows, d.Wrong = nil, wrong
	}
	d.Effect = effect
	return err
}

// A deskShown is a row of the desk as its template shows it.
type deskShown struct {
	F *frame
	R deskRow
}

// DeskOf shows a row of the desk.
func (d *deskPage) DeskOf(r deskRow) deskShown { return deskShown{d.frame, r} }

// LiveAddress is nowhere: nothing that others record replaces what is being signed.
func (d *deskPage) LiveAddress() string { return "" }
