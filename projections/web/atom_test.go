package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed/atom"

	"muster/events"
	"muster/projections/access"
)

// atomAt reads a feed as another program does.
func (s *testServer) atomAt(path string) *atom.Feed {
	s.t.Helper()
	status, header, body := s.send(http.MethodGet, s.url+Root+path, nil, nil)
	equal(s.t, path, status, http.StatusOK)
	equal(s.t, "type", header.Get("Content-Type"), "application/atom+xml; charset=utf-8")
	f, err := (&atom.Parser{}).Parse(strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatalf("%s: %v in\n%s", path, err, body)
	}
	ids := map[string]bool{}
	for _, e := range f.Entries {
		if ids[e.ID] || e.ID == "" || e.Title == "" || e.UpdatedParsed == nil ||
			len(e.Links) != 1 || len(e.Authors) != 1 {
			s.t.Errorf("%s: an entry is %+v", path, e)
		}
		ids[e.ID] = true
	}
	if f.ID == "" || f.UpdatedParsed == nil || f.Title == "" {
		s.t.Errorf("%s: the feed is %q, %q, %v", path, f.ID, f.Title, f.UpdatedParsed)
	}
	return f
}

// said tells a feed, an entry in a line, by what its id ends with.
func said(f *atom.Feed) string {
	var lines []string
	for _, e := range f.Entries {
		_, id, _ := strings.Cut(e.ID, testOrigin+":")
		lines = append(lines, id+" "+e.Title)
	}
	return strings.Join(lines, "\n")
}

// The latest records, and what they have changed in coverage, are feeds: each entry is the same for
// ever, and leads to its record. What may not be read is in none.
func TestAtom(t *testing.T) {
	t.Parallel()
	c := newConfidence(t)
	began := c.offer("ITA", 12, func(s *events.PledgeOffered) {
		s.From, s.Line = 2026_03_01, "ground-all"
	})
	secret := c.offer("FRA", 7777, func(s *events.PledgeOffered) {
		s.Release, s.Line = events.CoordinatorsOnly, "ground-all"
	})
	const hostile = "<b>&amp; ]]> \u202e"
	asked := c.say("HQ/founder", &events.PledgeQueried{To: "FRA", Text: hostile,
		PledgeStep: secret.step("pledge.queried", 2026_01_06)})
	s := newServer(t, c.testLog)
	if err := s.projector.WaitFor(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	f := s.atomAt("/records.atom")
	e := f.Entries[0]
	equal(t, "the newest", e.ID, fmt.Sprintf("urn:muster:records:%s:%d", testOrigin, asked))
	equal(t, "its link", e.Links[0].Href, fmt.Sprintf("%s/log?from=%d", s.url, asked))
	if !strings.Contains(e.Title, "The coordinators ask France: "+strings.TrimSuffix(hostile,
		" \u202e")) {
		t.Errorf("it says %q", e.Title)
	}
	if told := said(f); !strings.Contains(told, fmt.Sprintf("%d Italy offers 12 personnel for "+
		"ground", began.seq)) || !strings.Contains(told, "7,777") ||
		!strings.Contains(told, "founds the ledger") {
		t.Errorf("the records say\n%s", told)
	}
	equal(t, "limited", len(s.atomAt("/records.atom?limit=2").Entries), 2)
	for view, sees := range map[string]bool{"FRA": true, "coalition": false, "public": false} {
		for _, path := range []string{"/records.atom?view=", "/coverage.atom?view="} {
			f := s.atomAt(path + view)
			if told := said(f); strings.Contains(told, "7,001") != sees {
				t.Errorf("%s: \n%s", path+view, told)
			}
			equal(t, "for whom", strings.HasPrefix(f.Subtitle, "Counted: "), true)
		}
	}
	changes := said(s.atomAt("/coverage.atom"))
	// In another language each entry is one of its own, and what was recorded stays.
	c.pages(s, c.testLog)
	s.service.Reads = access.ReadOpen
	f = s.atomAt("/records.atom?lang=fr")
	if told := said(f); !strings.Contains(told, fmt.Sprintf("%d:fr Italie", began.seq)) ||
		!strings.Contains(told, strings.TrimSuffix(hostile, " \u202e")) ||
		strings.Contains(told, " offers ") || f.Language != "fr" ||
		!strings.HasSuffix(f.ID, ":fr") {
		t.Errorf("in French (%s, %s) the records say\n%s", f.Language, f.ID, told)
	}
	if told := said(s.atomAt("/coverage.atom?lang=fr")); !strings.Contains(told,
		"\u00a0: il manque ") || strings.Contains(told, "lacks") || strings.Contains(told, "On 2") {
		t.Errorf("in French the changes are\n%s", told)
	}
	later := c.offer("DEU", 5, func(s *events.PledgeOffered) {
		s.From, s.Line = 2026_03_01, "ground-spare"
	})
	if err := s.projector.WaitFor(t.Context(), later.seq); err != nil {
		t.Fatal(err)
	}
	after := said(s.atomAt("/coverage.atom"))
	if !strings.HasSuffix(after, changes) || after == changes {
		t.Errorf("changes in coverage were\n%s\nand are\n%s", changes, after)
	}
	if !strings.Contains(after, "On 2026-03-01, ground-spare ") {
		t.Errorf("a change ahead is told as\n%s", after)
	}
	for path, want := range map[string]int{"/coverage.atom?operation=none": 404,
		"/coverage.atom?x=1": 400, "/coverage.atom?min_seq=1&role=ground": 200,
		"/due.atom": 404, "/records.atom?type=x": 400} {
		status, _, _ := s.send(http.MethodGet, s.url+Root+path, nil, nil)
		equal(t, path, status, want)
	}
	// What would be ignored is refused by its name.
	for path, names := range map[string]string{"/coverage.atom?on=2026-03-01": "on",
		"/coverage.atom?rung=confirmed": "rung", "/coverage.atom?as_of=3": "as_of",
		"/coverage.atom?without=FRA": "without", "/records.atom?wait=1": "wait"} {
		status, _, body := s.send(http.MethodGet, s.url+Root+path, nil, nil)
		equal(t, path, status, http.StatusBadRequest)
		if !strings.Contains(string(body), `"location":"`+names+`"`) {
			t.Errorf("%s: %s", path, body)
		}
	}
}
