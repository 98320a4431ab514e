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

// The page on which a liaison says something of a pledge, and a coordinator of the plan and of who
// may sign. It makes the statement, says all that is
// wrong with it at once, and shows what it would change. It does not sign and does not record: that
// is done in the browser (static/sign.js) with a key that this server never sees, or, without
// JavaScript, with the program; and what was signed goes to the API, as from anywhere else.

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
	// Requirement is the one that it is about, nil where it is about none.
	Requirement *projections.Requirement
	// Mends is the record that is corrected, nil where none is.
	Mends *mendedRecord
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
	// TermsOn is the day of which an amendment has the terms that were not changed in it.
	TermsOn events.Date
}

// submit answers the empty form.
func (p *Pages) submit(f *frame) (any, error) { return p.submitForm(f, nil) }

// serveSubmit takes the form.
func (p *Pages) serveSubmit(w http.ResponseWriter, r *http.Request) {
	p.servePosted(w, r, "submit", func(f *frame, form url.Values) (any, *problem.Problem, error) {
		s, err := p.submitPosted(f, form)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Wrong, nil
	})
}

// servePosted answers a form that was sent to the page of a name. What answers it returns the page,
// and what is wrong with what was filled in.
func (p *Pages) servePosted(w http.ResponseWriter, r *http.Request, name string,
	answer func(*frame, url.Values) (any, *problem.Problem, error)) {
	k := kindNamed(name)
	values, err := valuesOf(p.words.speakerFor(r), r)
	f, hidden := p.frame(r, k, values)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err = first(hidden, err); err == nil {
		err = k.unknown(f.speaker, values)
	}
	var form url.Values
	if err == nil {
		form, err = readForm(f, r)
	}
	var content any
	var wrong *problem.Problem
	switch who := form.Get(whoField); {
	case err != nil:
	case f.hasGone(who):
		err = errEnded
	default:
		form = maps.Clone(form)
		form.Del(whoField)
		content, wrong, err = answer(f, form)
	}
	if err != nil {
		p.refuse(w, f, web.AskLess(p.Service.WhyEnded(f.ctx, err), nil))
		return
	}
	f.finish()
	status := http.StatusOK
	if wrong != nil {
		status = wrong.Kind.Status
	}
	p.write(w, f, status, k.Name, content)
}

// maxForm is the most bytes that the form may have: what fits into a statement, each byte as three
// characters.
const maxForm = 3*events.MaxBytes + 1024

// submitPosted answers the form that was sent.
func (p *Pages) submitPosted(f *frame, form url.Values) (*submitPage, error) {
	if err := formUnknown(f.speaker, form); err != nil {
		return nil, err
	}
	return p.submitForm(f, form)
}

// readForm reads a form that was sent.
func readForm(f *frame, r *http.Request) (url.Values, error) {
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
	for _, all := range r.PostForm {
		for i, value := range all {
			all[i] = strings.ToValidUTF8(value, "\uFFFD") // a page cannot show it otherwise
		}
	}
	return r.PostForm, nil
}

// formUnknown refuses fields that no form has, and fields that are given twice.
func formUnknown(s *speaker, given url.Values) error {
	takes := words("type pledge record after terms_on id seen_size seen_root effective not_after")
	for _, one := range forms {
		if typ := given.Get("type"); typ == one.Key() || typ == "" {
			takes = append(takes, one.Fields...)
			if one.Record {
				takes = append(takes, termFields...)
			}
			if one.Line {
				takes = append(takes, fixedOfLine...)
			}
		}
	}
	var found []problem.Field
	for _, name := range slices.Sorted(maps.Keys(given)) {
		f, at := problem.Field{}, problem.Shorten(printable(name))
		switch n := len(given[name]); {
		case !slices.Contains(takes, name):
			f = s.field(at, "", "problem.unknown.field")
		case n > 1:
			f = s.field(at, "", "problem.twice", n)
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
	s := &submitPage{frame: f, given: given, TermsOn: f.Today}
	if on, err := events.ParseDate(given.Get("terms_on")); err == nil {
		s.TermsOn = on
	}
	typ := f.Get("type")
	if given != nil {
		typ = given.Get("type")
	}
	s.Say = forms[0]
	if typ != "" {
		at := slices.IndexFunc(forms, func(one form) bool { return one.Key() == typ })
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
	if s.Say.Record && s.About != nil {
		if err := s.readMended(); err != nil {
			return nil, err
		}
	}
	if s.Say.Side == projections.ForCoordinators && !f.MayCoordinate() {
		return nil, f.refusal(problem.NotAllowed, "problem.coordinators")
	}
	s.readLine()
	s.readFields()
	if given == nil || s.Chooses() || s.Requirement != nil && s.Since != nil {
		return s, nil
	}
	return s, s.make()
}

// Chooses reports whether it was not said yet what the form is about.
func (s *submitPage) Chooses() bool {
	return s.Say.Pledge && s.About == nil || s.Say.Record && s.Mends == nil ||
		s.Say.Line && s.Requirement == nil
}

// Lines are the requirements that the form can be about.
func (s *submitPage) Lines() []projections.Requirement { return s.lines() }

// Operation is the one that the form is about.
func (s *submitPage) Operation() string { return string(s.operation()) }

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

// restatedOn returns the day for which the pledge is told: for what restates it, as a disclosure
// and an amendment do, the one from which that is to hold, whatever day is looked at; else that of
// the page.
func (s *submitPage) restatedOn() string {
	if s.Say.Type == disclosed || s.restates() {
		return s.EffectiveDay().String()
	}
	return s.Get("on")
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
	if err == nil && s.restates() {
		if err := s.catchUpWithDay(); err != nil || s.Since != nil {
			return err
		}
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
			at := strings.TrimPrefix(strings.TrimPrefix(w.Location, "terms."), "strength.")
			if name, _, _ := strings.Cut(strings.TrimSuffix(at, ".0"), "["); name ==
				s.Fields[i].Name {
				s.Fields[i].Problem, s.Fields[i].wrong = s.Tell(w.Said()), w.Message
			}
		}
	}
	return nil
}

// preview tells what the statement would change.
func (s *submitPage) preview(st events.Statement) error {
	effect, wrong, err := s.previewed(&web.PreviewQuery{
		MomentQuery: web.MomentQuery{On: s.Basis.On}, Statements: []events.Statement{st}})
	if wrong != nil {
		s.Statement, s.Wrong = "", wrong
	}
	s.Effect = effect
	return err
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
	case s.About != nil && s.Say.Key() == string(struck):
		members["corrects"], members["struck"] = s.About.ID, true
	}
	content := members
	if s.Mends != nil {
		content = s.Mends.correction(members, s.given.Get("struck") != "")
	}
	for _, f := range s.Fields {
		into := members
		if s.Mends != nil && s.Mends.has(f.Name) {
			into = content
		}
		switch {
		case f.Value == "":
		case f.Name == "quantity":
			s.writeAmount(into, f.Value)
		case f.Name == "nation":
			into[f.Name] = s.nationIn(f.Value)
		default:
			into[f.Name] = written(f.Name, f.Value)
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
		if !slices.ContainsFunc(s.Fields, func(f field) bool { return f.wrong == w.Message }) {
			all = append(all, w)
		}
	}
	return all
}
