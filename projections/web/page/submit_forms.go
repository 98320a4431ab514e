package page

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A form is what one kind of statement asks for.
type form struct {
	Type events.Type
	// Name tells it from another form of the same kind of statement, "" where there is none.
	Name string
	// Pledge is set when it is about a pledge that is there, and Line when it is about a
	// requirement that is there.
	Pledge, Line bool
	// Record is set when it mends one record about the pledge: it has the fields that record
	// has.
	Record bool
	Fields []string
	// Side is whose statement it is.
	Side projections.Side
	// undated is set for what holds from its record on, and from no date.
	undated bool
}

var (
	termFields = []string{"role", "quantity", "unit", "area", "line", "from", "until",
		"notice_to_move", "presence", "release", "releasable_to",
		"expires", "predecessor", "successor", "elsewhere", "reference", "source", "note"}
	stepFields        = []string{"reason", "source"}
	requirementFields = []string{"operation", "line", "role", "area", "quantity", "unit", "from",
		"until", "priority", "essential"}
)

// disclosed is the form that restates the pledge by itself: only who may read it is filled in.
const disclosed events.Type = "pledge.disclosed"

// struck is the form that takes off a pledge that should never have been recorded.
const struck events.Type = "pledge.corrected"

// mended is the form that corrects one record about a pledge.
const mended = "record.corrected"

// Key names the form, in addresses and among the words.
func (f form) Key() string { return cmp.Or(f.Name, string(f.Type)) }

// forms are what can be said on the page: what begins a pledge and what is said of one, in the
// order of its life; and then what is said of no pledge.
var forms = slices.Concat([]form{
	{Type: "pledge.offered", Fields: with(words("operation nation"), termFields)},
	{Type: "pledge.indicated", Fields: with(words("operation nation"), termFields)},
}, ofPledge(
	form{Type: "pledge.amended", Fields: termFields},
	form{Type: disclosed, Fields: words("release releasable_to")},
	form{Type: "pledge.renewed", Fields: with(words("expires"), stepFields)},
	form{Type: "condition.added", Fields: with(words("condition kind"), stepFields)},
	form{Type: "condition.discharged", Fields: with(words("condition"), stepFields)},
	form{Type: "condition.failed", Fields: with(words("condition"), stepFields)},
	form{Type: "caveat.declared", Fields: with(words("caveat restriction"), stepFields)},
	form{Type: "caveat.lifted", Fields: with(words("caveat"), stepFields)},
	form{Type: "pledge.queried", Fields: with(words("to text due"), stepFields)},
	form{Type: "pledge.answered", Fields: with(words("query text"), stepFields)},
	form{Type: "allocation.released", Fields: with(words("allocation"), stepFields)},
	form{Type: "pledge.confirmed", Fields: stepFields},
	form{Type: "pledge.deployed", Fields: with(words("quantity"), stepFields)},
	form{Type: "pledge.reported", Fields: with(words("quantity"), stepFields)},
	form{Type: "pledge.returned", Fields: stepFields},
	form{Type: "pledge.withdrawn", Fields: stepFields},
	form{Type: struck, Fields: stepFields},
	form{Type: struck, Name: mended, Record: true, Fields: with(words("struck"), stepFields)},
), []form{
	{Type: "scope.declared", Fields: words("operation nation roles unlimited note")},
	{Type: "requirement.issued", Side: projections.ForCoordinators,
		Fields: with(requirementFields, words("release note"))},
	{Type: "requirement.revised", Line: true, Side: projections.ForCoordinators,
		Fields: with(requirementFields, words("note"))},
	{Type: "requirement.cancelled", Line: true, Side: projections.ForCoordinators,
		Fields: words("operation line reason")},
	{Type: "member.admitted", undated: true, Side: projections.ForCoordinators,
		Fields: words("key role clearance note")},
	{Type: "member.revoked", undated: true, Side: projections.ForCoordinators,
		Fields: words("key reason")},
	{Type: "meeting.closed", Fields: words("name note"), Side: projections.ForCoordinators},
})

func with(first, then []string) []string { return slices.Concat(first, then) }

// ofPledge marks forms that are about a pledge that is there.
func ofPledge(all ...form) []form {
	for i := range all {
		all[i].Pledge = true
	}
	return all
}

// isOfPledge reports whether the statement begins a pledge, or is about one.
func (f form) isOfPledge() bool { return f.Pledge || slices.Contains(f.Fields, "predecessor") }

// IsOfPledge reports whether the form begins a pledge, or is about one.
func (s *submitPage) IsOfPledge() bool { return s.Say.isOfPledge() }

// Forms lists what the reader may say, as far as their key tells: of a pledge, or of none.
func (s *submitPage) Forms(pledge bool) (all []form) {
	for _, f := range forms {
		if f.isOfPledge() == pledge &&
			(f.Side != projections.ForCoordinators || s.MayCoordinate()) {
			all = append(all, f)
		}
	}
	return all
}

// MayCoordinate reports whether the reader may speak for the coordinators, as far as is known: who
// has signed in for a nation, or to read, may not.
func (f *frame) MayCoordinate() bool {
	who := f.Who()
	return !who.SignedIn() || who.Key.Party() == events.HQ && who.Role == events.Coordinator
}

// readLine finds the requirement that the form is about, as it stands on the day from which what is
// said is to hold: a revision replaces all of it. Where that is another than the one that the form
// began with, the form says what stands.
func (s *submitPage) readLine() {
	name := s.Get("line")
	if s.given != nil {
		name = s.given.Get("line")
	}
	lines := s.linesOn(s.EffectiveDay())
	at := slices.IndexFunc(lines, func(l projections.Requirement) bool {
		return string(l.Line) == name
	})
	if !s.Say.Line || at < 0 {
		return
	}
	s.Requirement = &lines[at]
	s.After = text(s.Requirement.Sequence)
	if s.given == nil || s.given.Get("after") == s.After || s.Say.Type != "requirement.revised" {
		return
	}
	s.Since = &sinceThen{}
	is := ofLine(s.Requirement)
	for _, name := range s.Say.Fields {
		if form := strings.TrimSpace(s.given.Get(name)); !slices.Contains(fixedOfLine, name) &&
			form != is[name] {
			s.Since.Terms = append(s.Since.Terms, termSince{Name: name, Is: is[name], Form: form})
		}
	}
}

// EffectiveDay is the day from which what is said is to hold, as far as the form says one.
func (s *submitPage) EffectiveDay() events.Date {
	if day, err := events.ParseDate(strings.TrimSpace(s.given.Get("effective"))); err == nil {
		return day
	}
	return s.Today
}

// ofLine is what the fields say of a requirement as it is.
func ofLine(l *projections.Requirement) map[string]string {
	now := map[string]string{"operation": string(l.Operation), "line": string(l.Line),
		"role": string(l.Role), "area": string(l.Area), "quantity": l.Required.String(),
		"unit": string(l.Unit), "from": l.From.String(), "priority": text(l.Priority),
		"note": l.Note}
	if l.Until != 0 {
		now["until"] = l.Until.String()
	}
	if l.Essential {
		now["essential"] = "true"
	}
	return now
}

// offerMemberRoles gives a field what a key may be admitted as.
func (s *submitPage) offerMemberRoles(f *field) {
	f.Words, f.Labels = words("coordinator liaison importer reader"), map[string]string{}
	for _, w := range f.Words {
		f.Labels[w] = s.Word("session.role", w)
	}
}

// offerKeys gives a field the keys that may sign.
func (s *submitPage) offerKeys(f *field) {
	roster, err := ask(s.frame, web.Read[web.MembersQuery], s.service.Members, "as_of", "")
	if err != nil {
		return // the field takes any key, and the rules say what is wrong with it
	}
	f.Labels = map[string]string{}
	for _, m := range roster.Members {
		if m.Revoked == 0 {
			f.Words = append(f.Words, string(m.Key))
			f.Labels[string(m.Key)] = s.T("submit.member", m.Name,
				s.Word("session.role", m.Role), m.Admitted)
		}
	}
}

// offerPledges gives a field the pledges of the operation, to be searched for by whose they are,
// for what and from when to when.
func (s *submitPage) offerPledges(f *field) {
	if s.operation() == "" {
		return
	}
	f.Labels = map[string]string{}
	for _, state := range []projections.State{projections.Live, projections.Ahead} {
		all, err := ask(s.frame, web.Read[web.PledgesQuery], s.service.Pledges, "as_of", "",
			"limit", choiceSize, "operation", s.operation(), "nation", "", "role", "", "line", "",
			"reference", "", "rung", "", "state", state)
		if err != nil {
			return // the field takes any pledge, and the rules say what is wrong with it
		}
		for i := range all.Pledges {
			p := &all.Pledges[i]
			if s.About != nil && s.About.ID == p.ID {
				continue
			}
			f.Offered = append(f.Offered, p.ID.String())
			f.Labels[p.ID.String()] = strings.TrimSuffix(s.Nation(p.Nation)+" · "+string(p.Role)+
				" · "+s.HowMuch(p.Amount(), p.Unit)+" · "+s.Window(p.Window), " · ")
		}
	}
}
