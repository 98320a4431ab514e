package web

import (
	"encoding/json"
	"testing"
	"time"

	"muster/events"
	"muster/projections"
)

// newAhead is a ledger of one operation, of which nothing is required before February, and nobody
// is there.
func newAhead(t *testing.T) *testLog {
	l := newTestLog(t)
	l.open("later", events.RoleDefinition{Role: "ground", Title: "Troops",
		Units: []events.Unit{"personnel"}})
	l.say("HQ/founder", &events.RequirementIssued{Header: head("requirement.issued"),
		Dated: events.Dated{Effective: 2026_01_01},
		RequirementTerms: events.RequirementTerms{Operation: "later", Line: "west", Role: "ground",
			Quantity: events.Count(10), Unit: "personnel",
			Window: events.Window{From: 2026_02_10}, Priority: 1}})
	return l
}

// What has not begun is answered on its first day, on every face, and says so; whoever asks for
// today is answered for today.
func TestWhatHasNotBegun(t *testing.T) {
	t.Parallel()
	s := newServer(t, newAhead(t))
	for _, question := range []string{"coverage", "strength", "gaps", "dependence", "hanging",
		"readiness", "review", "nations", "timeline"} {
		for query, want := range map[string]string{"": "2026-02-10 later",
			"on=": "2026-02-10 later", "on=today": "2026-01-20 ", "on=2026-02-10": "2026-02-10 ",
			"operation=later": "2026-02-10 later", "as_of=3": "2026-02-10 later",
			"as_of=1": "2026-01-01 "} {
			for face, a := range map[string]answer{"HTTP": s.overHTTP(question, query),
				"NATS": s.overNATS(question, query)} {
				var b projections.Basis
				if err := json.Unmarshal([]byte(a.body), &b); err != nil {
					t.Fatalf("%s?%s: %s", question, query, a.body)
				}
				equal(t, face+" "+question+"?"+query, b.On.String()+" "+string(b.Beginning), want)
			}
		}
	}
	for _, question := range []string{"pledges", "due", "scopes", "members", "late",
		"corrections", "delivery"} {
		var b projections.Basis
		if err := json.Unmarshal([]byte(s.overHTTP(question, "").body), &b); err != nil {
			t.Fatal(question, err)
		}
		if b.Beginning != "" || b.On != 0 && b.On != 2026_01_20 {
			t.Errorf("%s is of %s, and tells that %s begins", question, b.On, b.Beginning)
		}
	}
}

// The word today is another date tomorrow: no answer to it is kept for longer than the day.
func TestTodayPasses(t *testing.T) {
	t.Parallel()
	s := newServer(t, newAhead(t))
	for _, path := range []string{"/coverage?on=today&as_of=3", "/timeline?on=today&as_of=3",
		"/coverage?on=today"} {
		_, before, caching, _ := s.fetch(path, "")
		equal(t, path, caching, "private, no-cache")
		s.service.Now = func() time.Time { return today.AddDate(0, 0, 1) }
		_, after, _, _ := s.fetch(path, "")
		s.service.Now = func() time.Time { return today }
		if before == after {
			t.Errorf("%s has the same tag on the next day", path)
		}
	}
}
