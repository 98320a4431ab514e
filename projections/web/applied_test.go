package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/projections/access"
)

// worlds are the parameters with which another world is asked for than the one as it is, each with
// values of which at least one makes another answer.
var worlds = map[string][]string{"rung": {"accepted", "deployed", "indicated"},
	"without": {"DEU", "FRA", "ITA"}, "without_conditional": {"true"},
	"without_caveated": {"true"}, "discharge": {"vote,third-vote"}}

// newWorlds is a round of which each question has something to tell that hangs on a condition, is
// restricted by a caveat, and stands on another rung.
func newWorlds(t *testing.T) (r round, pledge testPledge) {
	r = newRound(t)
	r.need("train-all", "air", "aircraft", 40)
	for _, name := range []events.Line{"second-vote", "third-vote"} {
		p := r.offer("ITA", 600, func(s *events.PledgeOffered) {
			s.Expires, s.Area = 2026_02_10, "west"
			s.Elsewhere = []string{"another operation"}
			s.NoticeToMove = new(int)
		})
		pledge = p
		p.hangOn(name)
		p.accept(2026_01_04)
		r.say("ITA/liaison", &events.CaveatDeclared{Restriction: "by day",
			CaveatStep: events.CaveatStep{Caveat: "no-night",
				PledgeStep: p.step("caveat.declared", 2026_01_03)}})
	}
	first := r.offer("FRA", 7, func(s *events.PledgeOffered) { s.Until = 2026_06_30 })
	next := r.offer("FRA", 7, func(s *events.PledgeOffered) {
		s.From, s.Predecessor = 2026_07_10, first.id
	})
	next.accept(2026_01_05)
	return r, pledge
}

// A question takes no parameter that it does not apply: its answer would name in its head a world
// of which it does not tell. What a question takes makes another answer with some value.
func TestWhatIsTakenIsApplied(t *testing.T) {
	if testing.Short() {
		t.Skip("one question after the other")
	}
	t.Parallel()
	r, pledge := newWorlds(t)
	s := newServer(t, r.testLog)
	known := map[string]string{"plan": "operation=force", "pledge": "id=" + pledge.id.String(),
		"nation": "nation=ITA", "versions": "id=" + pledge.id.String(),
		"counted": "record=" + number(pledge.seq),
		"explain": "what=coverage&operation=force&line=ground-all", "diff": "from=8",
		"digest": "from=8", "due": "within=90"}
	for i := range s.service.questions {
		q := &s.service.questions[i]
		if q.name == "preview" { // of which each statement would have to be another
			continue
		}
		for name, values := range worlds {
			if !slices.Contains(q.inQuery(), name) {
				continue
			}
			asked := known[q.name]
			if name == "discharge" && slices.Contains(q.inQuery(), "without_conditional") {
				asked += "&without_conditional=true" // which it brings back
			}
			as := saidOf(told[map[string]any](s, q.name, asked))
			if !slices.ContainsFunc(values, func(value string) bool {
				other := s.overHTTP(q.name, asked+"&"+name+"="+value)
				return other.status == http.StatusOK &&
					as != saidOf(decode[map[string]any](s, other))
			}) {
				t.Errorf("%s takes %s, and answers the same with it", q.name, name)
			}
		}
	}
}

// saidOf is an answer without what it rests on.
func saidOf(answer map[string]any) string {
	for _, name := range strings.Fields("rung what_if on on_until as_of recorded view basis") {
		delete(answer, name)
	}
	for _, member := range answer {
		if of, ok := member.(map[string]any); ok {
			saidOf(of)
		}
	}
	text, err := json.Marshal(answer)
	return fmt.Sprint(string(text), err)
}

// inHTML are the attributes in which a page takes parameters along, and the sum of a form.
var inHTML = regexp.MustCompile(`(href|value|action|data-live)="[^"]*"|<input type="hidden"[^>]*>|` +
	`(?s:<p class="noprint">.*?</p>)`)

// No page names in its head, its foot or its forms another world than the one of which it tells:
// where the page is the same without a parameter, it says that it does not apply it.
func TestPagesNameWhatTheyApply(t *testing.T) {
	if testing.Short() {
		t.Skip("one question after the other")
	}
	t.Parallel()
	r, pledge := newWorlds(t)
	s := newServer(t, r.testLog)
	pages := confidence{round: r}.pages(s, r.testLog)
	s.service.Reads = access.ReadOpen
	said := map[string]string{"rung=deployed": "from the rung deployed up",
		"without=ITA": "without Italy", "without_caveated=true": "without what is restricted",
		"discharge=third-vote": "third-vote"}
	get := func(path string) (whole, main string) {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		whole = inHTML.ReplaceAllString(w.Body.String(), "")
		_, main, _ = strings.Cut(whole, "<main")
		main, _, _ = strings.Cut(main, "</main>")
		return withoutIDs(whole), withoutIDs(main)
	}
	ignored := 0
	for _, path := range []string{"/due?within=90", "/readiness", "/review", "/delivery",
		"/nations", "/plan", "/members", "/corrections", "/late?days=0", "/log", "/verify",
		"/submit", "/desk", "/import", "/plan/file", "/mine?nation=ITA", "/pledges", "/shortfalls",
		"/pledges/" + pledge.id.String()} {
		for asked, words := range said {
			if path == "/desk" && strings.HasPrefix(asked, "rung") {
				continue // on which nothing lies
			}
			_, as := get(path)
			if strings.HasPrefix(asked, "discharge") { // which brings back what is left out
				asked = "without_conditional=true&" + asked
				_, as = get(path + sep(path) + "without_conditional=true")
			}
			whole, main := get(path + sep(path) + asked)
			notes := strings.Count(whole, `id="ignored"`)
			ignored += notes
			if main != as && notes == 0 {
				continue
			}
			head, _, _ := strings.Cut(whole, "<main")
			head = regexp.MustCompile(`<p class="note" id="ignored">.*?</p>`).ReplaceAllString(head, "")
			_, foot, _ := strings.Cut(whole, "</main>")
			name, _, _ := strings.Cut(asked, "=")
			if main != as || notes == 0 || strings.Contains(head+foot, words) ||
				strings.Contains(whole, `name="`+name+`"`) {
				t.Errorf("%s with %s: the rest is the same: %t, is not applied, it says: %d times",
					path, asked, main == as, notes)
			}
		}
	}
	if ignored < 20 {
		t.Errorf("only %d pages say that they do not apply something", ignored)
	}
}

// A page of rows says what else is said over and under the rows elsewhere.
func TestPagesSayWhatIsBeside(t *testing.T) {
	t.Parallel()
	r := newRound(t)
	s := newServer(t, r.testLog)
	pages := confidence{round: r}.pages(s, r.testLog)
	s.service.Reads = access.ReadOpen
	for path, want := range map[string]string{"/due?within=7": "Looked ahead: 7 days.",
		"/due?within=90":           `href="/api/v1/due.ics?within=90"`,
		"/late?days=3":             "more than 3 days late",
		"/plan?operation=force":    "force: Operation force</li><li lang=\"\">illustrative",
		"/plan":                    `/timeline?line=air-all&amp;operation=force`,
		"/readiness?on=2025-12-01": "The first pledge is there from 2026-01-01 on.",
		"/nations?on=2025-12-01":   `on=2026-01-01">Show that day`,
		"/due?within=7&lang=fr":    "Horizon\u00a0: 7 jours.",
	} {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s does not say %q:\n%s", path, want, w.Body)
		}
	}
}
