package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
)

// Whoever reads a record, by the letters of those who do: P the public, C the coalition, F France,
// B Britain.
const everybody, members = "PCFB", "CFB"

// A confidence is a ledger in which much is withheld, and who may read each record, written down as
// it was said.
type confidence struct {
	round
	read []string
}

// newConfidence goes on from a round with what few may read.
func newConfidence(t *testing.T) confidence {
	c := confidence{round: newRound(t)}
	for _, rec := range c.records {
		reads := members
		if s := rec.Statement.Head().Type.Subject(); s == "ledger" || s == "member" {
			reads = everybody
		}
		c.read = append(c.read, reads)
	}
	said := func(reads string) {
		for len(c.read) < len(c.records) {
			c.read = append(c.read, reads)
		}
	}
	c.say("HQ/founder", &events.OperationOpened{Header: head("operation.opened"),
		Dated: dated(2026_01_01), Release: events.CoordinatorsOnly,
		OperationTerms: events.OperationTerms{Operation: "quiet", Title: "Quiet",
			Roles: []events.RoleDefinition{{Role: "divers", Title: "Divers",
				Units: []events.Unit{"team"}}}}})
	c.say("HQ/founder", &events.RequirementIssued{Header: head("requirement.issued"),
		Dated: dated(2026_01_01), Release: events.CoordinatorsOnly,
		RequirementTerms: events.RequirementTerms{Operation: "force", Line: "ground-spare",
			Role: "ground", Quantity: events.Count(77), Unit: "personnel",
			Window: events.Window{From: 2026_01_01}, Priority: 1, Essential: true}})
	said("")
	confide := func(n int64, to ...events.Nation) func(*events.PledgeOffered) {
		return func(s *events.PledgeOffered) {
			s.Quantity, s.Release, s.ReleasableTo = events.Count(n), events.CoordinatorsOnly, to
		}
	}
	secret := c.offer("FRA", 1, confide(7001, "GBR"))
	secret.accept(2026_01_02)
	secret.hangOn("secret-vote")
	said("FB")
	c.offer("POL", 1, confide(7003))
	c.offer("FIN", 1, confide(7005)) // of which nobody has heard otherwise
	said("")
	told := c.offer("GBR", 1, confide(7007))
	said("B")
	c.say("GBR/liaison", &events.PledgeDisclosed{Header: head("pledge.disclosed"),
		Dated: dated(2026_01_03),
		Place: events.Place{Operation: "force", Nation: "GBR"}, Pledge: told.id,
		PledgeTerms: told.terms(events.CoalitionOnly),
		Standing:    events.Standing{Rung: events.Offered}})
	told.accept(2026_01_04)
	said(members)
	c.offer("ITA", 30)
	said(members)
	c.offer("FRA", 1, confide(7009))
	said("F")
	query := &events.PledgeQueried{PledgeStep: secret.step("pledge.queried", 2026_01_06), To: "FRA",
		Text: "about the 7001", Due: 2026_03_01}
	c.say("HQ/founder", query)
	c.say("FRA/liaison", &events.PledgeQueried{To: events.HQ, Text: "and what of the 7001?",
		PledgeStep: secret.step("pledge.queried", 2026_01_06)})
	c.say("FRA/liaison", &events.PledgeAnswered{Query: query.ID, Text: "the 7001 stand",
		PledgeStep: secret.step("pledge.answered", 2026_01_07)})
	said("FB")
	return c
}

// terms are those that an offer of the tests has, of so many and released so.
func (p testPledge) terms(release events.Release) events.PledgeTerms {
	for _, rec := range p.l.records {
		if rec.Statement.Head().ID == p.id {
			terms := rec.Statement.(*events.PledgeOffered).PledgeTerms
			terms.Release, terms.ReleasableTo = release, nil
			return terms
		}
	}
	p.l.t.Fatal("there is no such offer")
	return events.PledgeTerms{}
}

// unsaid returns the log as it is where what one of the letters may not read was never said, and
// only its place is kept.
func (c confidence) unsaid(reader string) *testLog {
	l := &testLog{t: c.t, more: make(chan struct{}), clock: c.clock, keys: c.keys}
	for i, rec := range c.records {
		if !strings.Contains(c.read[i], reader) {
			rec = events.Record{Sequence: rec.Sequence}
		}
		l.records = append(l.records, rec)
	}
	return l
}

// No question tells anything of what is withheld: of every question, with every parameter, the
// answer in a view is that of a ledger in which it was never said, byte for byte.
func TestNothingIsLeaked(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked twice, one after the other")
	}
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	// That it is told in a view, which it may say.
	told := func(view events.View, body string) string {
		body = strings.ReplaceAll(body, fmt.Sprintf(`,"view":%q`, view), "")
		body = withoutColumn(body, view)
		return strings.ReplaceAll(body, "; counted: what is released to France", "")
	}
	all := addresses(t, s.api, c.round)
	for _, thing := range []string{"/pledges/", "/pledges/%s/versions", "/records?from=%d",
		"/records/%d/counted", "/fingerprint?as_of=%d", "/coverage?as_of=%d"} {
		for i, rec := range c.records {
			if strings.Contains(thing, "%d") {
				all = append(all, fmt.Sprintf(thing, i+1))
			} else {
				id := events.Thing(rec.Statement).String()
				all = append(all, strings.Replace(thing+id, "%s"+"/versions"+id, id+"/versions", 1))
			}
		}
	}
	for _, name := range []string{"operation=quiet", "role=divers", "nation=FIN",
		"discharge=secret-vote", "line=ground-spare"} {
		for _, path := range []string{"/coverage", "/pledges", "/review", "/due", "/timeline",
			"/explain/coverage", "/nations", "/strength"} {
			all = append(all, path+"?"+name)
		}
	}
	all = append(all, "/nations/FIN", "/operations/quiet",
		"/explain/ground-spare?line=ground-spare", "/records?nation=FIN",
		"/records?type=pledge.disclosed")
	for reader, view := range map[string]events.View{"P": events.PublicView,
		"C": events.CoalitionView, "F": "FRA", "B": "GBR"} {
		unsaid := newServer(t, c.unsaid(reader))
		leaked, secret := 0, 0
		for _, path := range all {
			if strings.Contains(path, "view=") || strings.HasPrefix(path, "/rebuild") {
				continue
			}
			in := path + "?view=" + url.QueryEscape(string(view))
			if strings.Contains(path, "?") {
				in = path + "&view=" + url.QueryEscape(string(view))
			}
			status, _, _, body := s.fetch(in, "")
			wantStatus, _, _, want := unsaid.fetch(path, "")
			if got := told(view, body); status != wantStatus || got != want {
				if leaked++; leaked < 5 {
					t.Errorf("%s, told to %s: %d\n%s\nand where nothing was withheld: %d\n%s", path,
						view, status, got, wantStatus, want)
				}
			}
			if _, _, _, whole := s.fetch(path, ""); whole != want {
				secret++
			}
		}
		if secret < len(all)/4 {
			t.Errorf("only %d of %d answers are others for %s than for all: this shows little",
				secret, len(all), view)
		}
		if leaked > 0 {
			t.Errorf("%d answers of %d tell %s what is withheld", leaked, len(all), view)
		}
	}
}

// A view is asked for by its name, over NATS too, and a name that is none is refused.
func TestViewIsNamed(t *testing.T) {
	t.Parallel()
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	for _, view := range []string{"coalition", "FRA", "France", "public", "coordinators", ""} {
		// On both faces, and compares them.
		a := s.ask("coverage", url.Values{"view": {view}}.Encode())
		says := strings.Contains(string(a.body), `"view":`)
		if a.status != 200 || says != !slices.Contains([]string{"coordinators", ""}, view) {
			t.Errorf("%q: %d %s", view, a.status, a.body)
		}
	}
	p := s.ask("coverage", "view=everybody").problem(t)
	equal(t, "a view that is none", p.Detail,
		`view "everybody": not a nation that is known here: write the nation's three-letter code `+
			`(ISO 3166-1) in capitals, such as FRA; no organisations are declared; or public, `+
			`coalition or coordinators`)
	s.service.Views = nil
	p = s.ask("coverage", "view=coalition").problem(t)
	equal(t, "a server without views", p.Detail, `view "coalition": this server keeps no views`)
}

// The records of a view, of which tiles of what is released are made, are those of a ledger in
// which what is withheld was never said; and they stay what they are when it is disclosed.
func TestReleasedRecordsTellNothing(t *testing.T) {
	t.Parallel()
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	n := len(c.records)
	for reader, view := range map[string]string{"P": "public", "C": "coalition",
		"F": "FRA", "B": "GBR",
		"A": "", "H": "coordinators"} {
		all, shared, err := s.service.Released(t.Context(), view, 1, n)
		if err != nil || len(all) != n || shared != (view == "") {
			t.Fatalf("%s: %d records, shared %v, %v", view, len(all), shared, err)
		}
		want := c.unsaid(reader)
		if reader == "A" || reader == "H" {
			want = c.testLog
		}
		for i, stored := range all {
			if rec := want.records[i]; string(stored) != string(rec.Stored) ||
				(stored == nil) != (rec.Stored == nil) {
				t.Errorf("%s: record %d is %q, and was to be %q", view, i+1, stored, rec.Stored)
			}
		}
	}
	if _, _, err := s.service.Released(t.Context(), "everybody", 1, n); err == nil ||
		!strings.Contains(err.Error(), `view "everybody": not a nation that is known here`) {
		t.Errorf("a view that is none: %v", err)
	}
	s.service.recordWait = time.Millisecond
	if _, _, err := s.service.Released(t.Context(), "coalition", 1, n+1); !problem.Is(err,
		problem.Unavailable) {
		t.Errorf("more than there is: %v", err)
	}
	s.service.Views = nil
	if _, _, err := s.service.Released(t.Context(), "coalition", 1, n); err == nil {
		t.Error("a server without views shows one")
	}
}
