package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// The page on which a liaison says something of a pledge. It makes the statement, says all that is
// wrong with it at once, and shows what it would change. It does not sign and does not record: that
// is done in the browser (static/sign.js) with a key that this server never sees, or, without
// JavaScript, with the program; and what was signed goes to the API, as from anywhere else.

// A form is what one kind of statement asks for.
type form struct {
	Type events.Type
	// Pledge is set when it is about a pledge that is there.
	Pledge bool
	Fields []string
}

var (
	termFields = []string{"role", "quantity", "unit", "area", "line", "from", "until",
		"notice_to_move", "presence", "release", "releasable_to",
		"expires", "predecessor", "successor", "elsewhere", "reference", "source", "note"}
	stepFields = []string{"reason", "source"}
)

// disclosed is the form that restates the pledge by itself: only who may read it is filled in.
const disclosed events.Type = "pledge.disclosed"

// struck is the form that takes off a pledge that should never have been recorded.
const struck events.Type = "pledge.corrected"

// forms are what can be said on the page, in the order of a pledge's life.
var forms = []form{
	{"pledge.offered", false, termFields},
	{"pledge.indicated", false, termFields},
	{"pledge.amended", true, termFields},
	{disclosed, true, []string{"release", "releasable_to"}},
	{"pledge.renewed", true, append([]string{"expires"}, stepFields...)},
	{"condition.added", true, append([]string{"condition", "kind"}, stepFields...)},
	{"condition.discharged", true, append([]string{"condition"}, stepFields...)},
	{"condition.failed", true, append([]string{"condition"}, stepFields...)},
	{"pledge.confirmed", true, stepFields},
	{"pledge.deployed", true, append([]string{"quantity"}, stepFields...)},
	{"pledge.reported", true, append([]string{"quantity"}, stepFields...)},
	{"pledge.returned", true, stepFields},
	{"pledge.withdrawn", true, stepFields},
	{struck, true, stepFields},
}

// A submitPage is the form, and what became of it.
type submitPage struct {
	*frame
	Say    form
	Fields []field
	// Mine are the pledges that it can be about, and About the one that it is.
	// MoreOfMine says that there are more than are listed.
	Mine       []projections.Pledge
	MoreOfMine bool
	About      *projections.Pledge
	// After is the last record of the pledge that whoever fills in the form has seen; Since is what
	// has changed after it.
	After string
	Since *sinceThen
	// Statement is what is to be signed, "" while something is wrong; Effect is what it would
	// change.
	Statement string
	Effect    *projections.Preview
	Wrong     *problem.Problem

	given url.Values
	life  []projections.LifeEvent // of the pledge
}

// Forms lists what can be said.
func (s *submitPage) Forms() []form { return forms }

// submit answers the empty form.
func (p *Pages) submit(f *frame) (any, error) { return p.submitForm(f, nil) }

// serveSubmit takes the form.
func (p *Pages) serveSubmit(w http.ResponseWriter, r *http.Request) {
	k := kindNamed("submit")
	values, err := valuesOf(p.words.speakerFor(r), r)
	f, hidden := p.frame(r, k, values)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err = first(hidden, err); err == nil {
		err = k.unknown(f.speaker, values)
	}
	var content any
	if err == nil {
		content, err = p.submitPosted(f, r)
	}
	if err != nil {
		p.refuse(w, f, web.AskLess(p.Service.WhyEnded(f.ctx, err), nil))
		return
	}
	f.finish()
	status := http.StatusOK
	if s := content.(*submitPage); s.Wrong != nil {
		status = s.Wrong.Kind.Status
	}
	p.write(w, f, status, k.Name, content)
}

// maxForm is the most bytes that the form may have: what fits into a statement, each byte as three
// characters.
const maxForm = 3*events.MaxBytes + 1024

// submitPosted answers the form that was sent.
func (p *Pages) submitPosted(f *frame, r *http.Request) (*submitPage, error) {
	err := r.ParseForm()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, f.refusal(problem.TooLarge, "problem.form.large", maxForm, events.MaxBytes)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, f.refusal(problem.Unavailable, "problem.form.late")
	case err != nil:
		return nil, f.refusal(problem.Usage, "problem.form.unread", err.Error())
	}
	if err := formUnknown(f.speaker, r.PostForm); err != nil {
		return nil, err
	}
	for _, all := range r.PostForm {
		for i, value := range all {
			all[i] = strings.ToValidUTF8(value, "\uFFFD") // a page cannot show it otherwise
		}
	}
	return p.submitForm(f, r.PostForm)
}

// formUnknown refuses fields that no form has, and fields that are given twice.
func formUnknown(s *speaker, given url.Values) error {
	takes := words("type pledge after id seen_size seen_root operation nation effective not_after")
	for _, one := range forms {
		takes = append(takes, one.Fields...)
	}
	var found []problem.Field
	for _, name := range slices.Sorted(maps.Keys(given)) {
		f := problem.Field{Location: problem.Shorten(printable(name))}
		switch n := len(given[name]); {
		case !slices.Contains(takes, name):
			f.Message = s.T("problem.unknown.field")
		case n > 1:
			f.Message = s.T("problem.twice", n)
		default:
			continue
		}
		if found = append(found, f); len(found) == maxUnknown {
			break
		}
	}
	return s.ofFields(problem.Usage, found)
}

func kindNamed(name string) pageKind {
	return kinds[slices.IndexFunc(kinds, func(k pageKind) bool { return k.Name == name })]
}

// submitForm answers the form, with what was given in it; nil for nothing yet.
func (p *Pages) submitForm(f *frame, given url.Values) (*submitPage, error) {
	s := &submitPage{frame: f, given: given}
	typ := f.Get("type")
	if given != nil {
		typ = given.Get("type")
	}
	s.Say = forms[0]
	if typ != "" {
		at := slices.IndexFunc(forms, func(one form) bool { return string(one.Type) == typ })
		if at < 0 {
			return nil, f.oneOf("type", typ, f.T("problem.forms"))
		}
		s.Say = forms[at]
	}
	if err := f.readPast(); err != nil {
		return nil, err
	}
	if s.Say.Pledge {
		if err := s.readPledges(); err != nil {
			return nil, err
		}
	}
	s.readFields()
	if given == nil || s.Say.Pledge && s.About == nil {
		return s, nil
	}
	return s, s.make()
}

// choiceSize is how many pledges one can choose from, of those that are there and of those that
// begin later.
const choiceSize = 500

// readPledges finds the pledge that the form is about, or else those that it can be.
func (s *submitPage) readPledges() error {
	id := s.Get("pledge")
	if s.given != nil {
		id = s.given.Get("pledge")
	}
	if id != "" {
		one, err := ask(s.frame, web.Read[web.PledgeQuery], s.service.Pledge, "id", id,
			"as_of", "", "on", s.restatedOn())
		s.About, s.life = &one.Pledge, one.Life
		s.After = fmt.Sprint(one.Pledge.Last)
		if s.given != nil && s.given.Get("after") != "" {
			s.After = s.given.Get("after")
		}
		return err
	}
	for _, state := range []projections.State{projections.Live, projections.Ahead} {
		all, err := ask(s.frame, web.Read[web.PledgesQuery], s.service.Pledges, "as_of", "",
			"limit", choiceSize, "role", "", "line", "", "reference", "", "rung", "", "state",
			state)
		if err != nil {
			return err
		}
		s.Mine = append(s.Mine, all.Pledges...)
		s.MoreOfMine = s.MoreOfMine || !all.Next.IsZero()
	}
	slices.SortFunc(s.Mine, func(a, b projections.Pledge) int {
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return nil
}

// restatedOn returns the day for which the pledge is told: for a disclosure the one from which it
// holds, since it restates the pledge as it stands then; else that of the page.
func (s *submitPage) restatedOn() string {
	if s.Say.Type != disclosed {
		return s.Get("on")
	}
	if day, err := events.ParseDate(strings.TrimSpace(s.given.Get("effective"))); err == nil {
		return day.String()
	}
	return s.Today.String()
}

// make makes the statement of what was given, asks the ledger's rules, and previews it; or tells
// what is wrong with it.
func (s *submitPage) make() error {
	st, err := events.Parse(s.text())
	var text []byte
	if err == nil {
		text, err = events.Marshal(st)
	}
	if err == nil {
		err = s.pages.Ledger.CheckUnsigned(s.ctx, s.service.View(), st)
	}
	if err == nil {
		s.Statement = problem.InJSON(string(text))
		return s.preview(st)
	}
	s.Wrong = problem.From(err)
	if s.Wrong.Code == changedSince {
		return s.catchUp()
	}
	for i := range s.Fields {
		for _, w := range s.Wrong.AllFields() {
			if name, _, _ := strings.Cut(strings.TrimSuffix(w.Location, ".0"),
				"["); name == s.Fields[i].Name {
				s.Fields[i].Problem = w.Message
			}
		}
	}
	return nil
}

// preview tells what the statement would change. What the picture cannot take is a problem of the
// statement.
func (s *submitPage) preview(st events.Statement) error {
	effect, err := s.service.Preview(s.ctx,
		&web.PreviewQuery{MomentQuery: web.MomentQuery{On: s.Basis.On},
			Statements: []events.Statement{st}})
	var found *problem.Problem
	switch {
	case errors.As(err, &found) && found.Kind == problem.Conflict:
		s.Statement, s.Wrong = "", found
		return nil
	case err != nil:
		return err
	}
	s.Effect = &effect
	return nil
}

// text writes what was given as a statement. What is wrong with it, its reader says.
func (s *submitPage) text() []byte {
	members := map[string]any{"type": s.Say.Type, "id": s.given.Get("id"),
		"ledger": s.Ledger.Origin}
	if members["id"] == "" {
		members["id"] = events.NewID()
	}
	if size, root := s.given.Get("seen_size"), s.given.Get("seen_root"); size != "" && root != "" {
		members["seen"] = map[string]any{"size": json.Number(size), "root": root}
	}
	if s.About != nil {
		members["pledge"], members["operation"], members["nation"] = s.About.ID, s.About.Operation,
			s.About.Nation
		members["after"] = written("after", s.After)
	}
	switch {
	case s.About != nil && s.Say.Type == disclosed:
		restate(members, s.About)
	case s.About != nil && s.Say.Type == struck:
		members["corrects"], members["struck"] = s.About.ID, true
	}
	for _, f := range s.Fields {
		switch {
		case f.Value == "":
		case f.Name == "quantity":
			s.writeAmount(members, f.Value)
		default:
			members[f.Name] = written(f.Name, f.Value)
		}
	}
	text, err := json.Marshal(members)
	if err != nil { // seen_size is no number
		delete(members, "seen")
		text, _ = json.Marshal(members)
	}
	return text
}

// ID returns the id that the statement has, whatever is changed in it until it is recorded, and
// however often the form is sent. Where it is that of a record, what is said next is another one.
func (s *submitPage) ID() string {
	if s.given == nil || s.IsTaken() {
		return events.NewID().String()
	}
	var head struct{ ID string }
	_ = json.Unmarshal([]byte(s.Statement), &head)
	if head.ID == "" {
		return s.given.Get("id")
	}
	return head.ID
}

// IsTaken reports whether what the form said before it was changed is recorded.
func (s *submitPage) IsTaken() bool { return s.Wrong != nil && s.Wrong.Code == idTaken }

// idTaken is the code of the rule that an id is of one statement.
const idTaken = "id-taken"

// Others returns the problems that are of no field that is shown.
func (s *submitPage) Others() (all []problem.Field) {
	for _, w := range s.Wrong.AllFields() {
		if !slices.ContainsFunc(s.Fields, func(f field) bool { return f.Problem == w.Message }) {
			all = append(all, w)
		}
	}
	return all
}
