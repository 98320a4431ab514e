package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/projections"
)

// The recorded clock is read as a sequence, a time or a date, which means its end.
func TestAsOf(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := l.Last()
	equal(t, "the first record", l.recorded(1), "2026-01-01T12:00:00Z")
	for asOf, want := range map[string]uint64{
		"":                          last,
		"1":                         1,
		"7":                         7,
		fmt.Sprint(last):            last,
		"2026-01-01T12:00:00Z":      1,
		"2026-01-01T12:59:59Z":      1,
		"2026-01-01T13:00:00Z":      2,
		"2026-01-01T14:00:00+01:00": 2,
		"2026-01-01T14:30:00.5Z":    3,
		"2026-01-01":                12,
		"2026-01-02":                last,
		"2026-01-20":                last, // a day that has begun is not ahead
		"2026-01-20T12:00:00Z":      last,
	} {
		b := told[projections.Roster](s, "members", "as_of="+url.QueryEscape(asOf)).Basis
		equal(t, "as of "+asOf, b.AsOf, want)
		on := events.DateOf(today)
		if asOf != "" {
			on = events.DateOf(l.records[want-1].Recorded)
		}
		equal(t, "on, as of "+asOf, b.On, on)
		equal(t, "recorded, as of "+asOf, b.Recorded.Format(time.RFC3339), l.recorded(want))
	}
	equal(t, "on", told[projections.Roster](s, "members", "as_of=7&on=2027-01-01").On, 2027_01_01)

	beyond := s.ask("members", fmt.Sprint("as_of=", last+1))
	equal(t, "beyond the last record", beyond.status, http.StatusNotFound)
	if p := beyond.problem(t); !strings.Contains(p.Detail,
		fmt.Sprintf("no record %d yet", last+1)) {
		t.Error(beyond.body)
	}
}

// Before the first record nothing was known, and every question has the answer of an empty picture.
func TestBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for _, before := range []string{"2026-01-01T11:59:59Z", "2025-12-31"} {
		c := told[Coverage](s, "coverage", "as_of="+before)
		equal(t, before, fmt.Sprint(c.AsOf, " ", c.On, len(c.Lines), len(c.NotCounted),
			len(c.Notes)),
			"0 "+before[:10]+" 0 0 0")
	}
	known := map[string]string{"plan": "operation=force", "pledge": "id=" + l.fra.id.String(),
		"nation":   "nation=FRA",
		"versions": "id=" + l.fra.id.String(), "counted": "record=" + number(l.fra.seq),
		"explain": "what=strength"}
	missing := map[string]bool{"plan": true, "pledge": true, "versions": true, "counted": true}
	for question, path := range paths {
		takes := s.api.OpenAPI().Paths[Root+path].Get.Parameters
		if !slices.ContainsFunc(takes, func(p *huma.Param) bool { return p.Name == "as_of" }) {
			continue
		}
		a := s.ask(question, known[question]+"&as_of=2025-12-31&on=2026-03-01")
		if question == "fingerprint" {
			a = s.ask(question, "as_of=2025-12-31")
		}
		if a.status == http.StatusNotFound != missing[question] || a.status >= 500 {
			t.Errorf("%s: %d %s", question, a.status, a.body)
		}
		if question != "nation" && !missing[question] && strings.Contains(a.body, "FRA") {
			t.Errorf("%s knows of France: %s", question, a.body)
		}
	}
}

// What has changed since before there was anything is all that there is.
func TestDiffFromBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.service.Now = func() time.Time { return l.records[l.Last()-1].Recorded.Add(time.Hour) }
	d := told[projections.Diff](s, "diff", "from=-7d&on=2026-03-01")
	equal(t, "from", fmt.Sprint(d.From.AsOf, " ", d.From.On), "0 2026-03-01")
	now := told[Coverage](s, "coverage", "on=2026-03-01")
	if len(now.Lines) == 0 || len(d.Lines) != len(now.Lines) || len(d.Pledges) == 0 {
		t.Errorf("%d lines and %d pledges differ, of %d", len(d.Lines), len(d.Pledges),
			len(now.Lines))
	}
	for _, one := range d.Lines {
		if one.From != nil || one.To == nil || len(one.Records) == 0 {
			t.Errorf("%s: %+v", one.Line, one)
		}
	}
	if back := told[projections.Diff](s, "diff",
		"from=2026-01-01&to=2025-12-31&on=2026-03-01"); back.To.AsOf != 0 {
		t.Errorf("%+v", back.To)
	}
	equal(t, "two moments before",
		len(told[projections.Diff](s, "diff", "from=2025-12-01&to=2025-12-31").Lines), 0)
	table := DiffTable(d)
	if !strings.Contains(strings.Join(table.Above, "\n"), "before the first record") {
		t.Errorf("%q", table.Above)
	}
}

// What was recorded by a server whose clock is ahead can be asked for by its time.
func TestAsOfAheadOfTheClock(t *testing.T) {
	t.Parallel()
	l := newTestLog(t)
	s := newServer(t, l)
	s.service.Now = func() time.Time { return l.records[0].Recorded.Add(-time.Minute) }
	equal(t, "as of", told[projections.Roster](s, "members", "as_of="+l.recorded(1)).AsOf, 1)
	equal(t, "a moment later",
		s.ask("members", "as_of="+l.records[0].Recorded.Add(time.Second).
			Format(time.RFC3339)).status, http.StatusUnprocessableEntity)
}

// questionsOfMoments are all questions that take as_of, with every parameter that changes what they
// show.
func questionsOfMoments(l round) [][2]string {
	return [][2]string{
		{"coverage", "a"}, {"coverage", "on=2026-01-04"},
		{"coverage", "on=2026-03-01&rung=indicated"}, {"coverage", "rung=deployed&operation=force"},
		{"coverage", "operation=other"}, {"coverage", "role=cavalry"},
		{"strength", "a"}, {"strength", "on=2026-03-02&by=operation,role"},
		{"strength", "rung=accepted&nation=SWE&by=unit"},
		{"pledges", "a"}, {"pledges", "on=2026-03-01&state=live"}, {"pledges", "limit=3"},
		{"pledges", "limit=3&after=" + l.fra.id.String()},
		{"pledge", "id=" + l.fra.id.String()}, {"pledge", "on=2026-01-02&id=" + l.swe.id.String()},
		{"pledge", "id=" + l.dnk.id.String()},
		{"plan", "operation=force"}, {"plan", "operation=force&on=2026-02-01"},
		{"plan", "operation=other"},
		{"members", "a"}, {"scopes", "a"}, {"scopes", "nation=FRA&on=2026-02-01"},
		{"scopes", "operation=other"},
	}
}

// An old question has the same answer for ever: in the same bytes, whatever was recorded since, and
// however far back it reaches on the other clock.
func TestOldAnswersStay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked, one after the other")
	}
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := l.Last()
	moments := []string{fmt.Sprint(last), fmt.Sprint(last - 5), l.recorded(last),
		"2026-01-01T20:00:00Z", "2026-01-01"}
	ask := func() map[string]answer {
		answers := map[string]answer{}
		for _, q := range questionsOfMoments(l) {
			for _, asOf := range moments {
				query := strings.TrimPrefix(q[1], "a") + "&as_of=" + asOf
				answers[q[0]+" "+query] = s.ask(q[0], query)
			}
		}
		return answers
	}
	before := ask()
	now := s.ask("coverage", "").body
	sayMore(l)
	if err := s.projector.WaitFor(t.Context(), l.Last()); err != nil {
		t.Fatal(err)
	}
	if s.ask("coverage", "").body == now {
		t.Error("what was said since has changed nothing at all")
	}
	for what, after := range ask() {
		if was := before[what]; after != was {
			t.Errorf("%s\nbefore: %d %s\n after: %d %s", what, was.status, was.body,
				after.status, after.body)
		}
	}
}

// sayMore says something about everything, also with effect from long ago.
func sayMore(l round) {
	l.fra.accept(2026_01_01)
	l.fra.deploy(2026_01_01, 390, "personnel")
	l.swe.withdraw(2026_01_03)
	l.offer("PRT", 7)
	l.offer("BEL", 1, func(s *events.PledgeOffered) {
		s.Effective, s.From = 2026_02_01, 2026_02_01
	})
	l.need("ground-more", "ground", "personnel", 5)
	l.open("other", events.RoleDefinition{Role: "cavalry", Title: "Horses",
		Units: []events.Unit{"horse"}})
	l.say("HQ/founder", &events.OperationRevised{Header: head("operation.revised"),
		Dated: dated(2026_01_01), OperationTerms: events.OperationTerms{
			Operation: "force", Title: "Renamed", Note: "otherwise", Roles: []events.RoleDefinition{
				{Role: "ground", Title: "Troops", Units: []events.Unit{"personnel", "team"}},
				{Role: "air", Title: "Aircraft", Units: []events.Unit{"aircraft"}},
				{Role: "fund", Title: "Money", Units: []events.Unit{"EUR"}},
				{Role: "cavalry", Title: "Horses", Units: []events.Unit{"horse"}}}}})
	l.say("HQ/founder", &events.RequirementCancelled{Header: head("requirement.cancelled"),
		Dated: dated(2026_01_01), Operation: "force", Line: "air-all", Reason: "not needed"})
	l.say("HQ/founder", &events.MemberRevoked{Header: head("member.revoked"),
		Key: l.key("FRA/liaison").Key(), Reason: "lost"})
	l.say("FRA/liaison", &events.ScopeDeclared{Header: head("scope.declared"),
		Dated: dated(2026_01_01),
		Place: events.Place{Operation: "force", Nation: "FRA"}, Unlimited: true})
}

// A question waits until the record that it asks for is in the picture.
func TestMinSeq(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for _, question := range []string{"coverage", "strength", "pledges", "members", "scopes"} {
		next := l.Last() + 1
		answers := s.askTogether(question, fmt.Sprint("min_seq=", next))
		l.offer("PRT", 7)
		if a := soon(t, answers); !strings.HasPrefix(a.body, fmt.Sprintf(`{"as_of":%d,`, next)) {
			t.Errorf("%s: %s", question, a.body)
		}
	}
	equal(t, "what is there already", s.ask("members", "min_seq=1").status, http.StatusOK)
	equal(t, "none", s.ask("members", "min_seq=0").status, http.StatusOK)
}

// A question about a time waits until all that was recorded then is in the picture: else its answer
// would not stay.
func TestAsOfWaitsForThePicture(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newStillServer(t, l.testLog)
	behind := l.Last()
	l.offer("PRT", 7)
	equal(t, "as of what the picture has", s.ask("members", fmt.Sprint("as_of=", behind)).status,
		http.StatusOK)
	byTime, bySequence := s.askTogether("members", "as_of=2026-01-20"),
		s.askTogether("members", fmt.Sprint("as_of=", behind+1))
	s.follow()
	for _, answers := range []<-chan answer{byTime, bySequence} {
		equal(t, "as of", decode[projections.Roster](s, soon(t, answers)).AsOf, behind+1)
	}
}

func TestWhatDoesNotCome(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newStillServer(t, l.testLog)
	s.service.recordWait = 20 * time.Millisecond
	next := l.Last() + 1
	refused := func(query, says string) {
		t.Helper()
		a := s.ask("coverage", query)
		equal(t, query, a.status, http.StatusServiceUnavailable)
		if p := a.problem(t); !strings.Contains(p.Detail, says) || p.Hint == "" {
			t.Errorf("%s: %s", query, a.body)
		}
	}
	refused(fmt.Sprint("min_seq=", next),
		fmt.Sprintf("record %d is not in the picture yet, which is at record %d", next, next-1))
	l.offer("PRT", 7)
	refused(fmt.Sprint("as_of=", next), "not in the picture yet")
	refused("as_of=2026-01-20", "not in the picture yet")

	// When the projector has stopped, nobody waits.
	s.service.recordWait = patient
	l.close(errors.New("the disk is gone"))
	s.follow()
	refused(fmt.Sprint("min_seq=", next+1), "the disk is gone")
}
