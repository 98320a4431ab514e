package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/events"
	"muster/projections/access"
)

// An answer is offered to who is asked, and the form has what they are asked.
func TestAnswersAreOfferedToWhoIsAsked(t *testing.T) {
	t.Parallel()
	c := newConfidence(t)
	ask := func(p testPledge, signer string, to events.Nation) string {
		st := &events.PledgeQueried{PledgeStep: p.step("pledge.queried", 2026_01_06), To: to,
			Text: "What of it?"}
		c.say(signer, st)
		return st.ID.String()
	}
	ask(c.fra, "FRA/liaison", events.HQ)
	both := c.offer("FRA", 12)
	first, second := ask(both, "FRA/liaison", events.HQ), ask(both, "HQ/founder", "FRA")
	many := c.offer("FRA", 13)
	for range 102 {
		ask(many, "HQ/founder", "FRA")
	}
	pages := c.pages(newServer(t, c.testLog), c.testLog)
	france := access.Reader{Key: c.key("FRA/liaison").Key(), Role: events.Liaison, View: "FRA"}
	hq := access.Reader{Key: c.key("HQ/founder").Key(), Role: events.Coordinator,
		View: events.CoordinatorsView}
	get := func(path string, who access.Reader) string {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r.WithContext(access.WithReader(r.Context(), who)))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d\n%s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	for _, of := range []struct {
		id   events.ID
		asks bool
	}{{c.fra.id, false}, {both.id, true}} {
		form := "/submit?pledge=" + of.id.String() + "&amp;type=pledge.answered"
		for _, path := range []string{"/pledges/" + of.id.String(), "/mine?nation=FRA"} {
			equal(t, "France, "+path, strings.Contains(get(path, france), form), of.asks)
			equal(t, "HQ, "+path, strings.Contains(get(path, hq), form), true)
		}
	}
	options := func(who access.Reader) (all []string) {
		form := get("/submit?pledge="+both.id.String()+"&type=pledge.answered", who)
		for _, part := range strings.Split(form, "<option")[1:] {
			tag, _, _ := strings.Cut(part, ">")
			if strings.Contains(tag, first) {
				all = append(all, "first")
			} else if strings.Contains(tag, second) {
				all = append(all, "second")
			}
		}
		return all
	}
	equal(t, "what France is asked", strings.Join(options(france), " "), "second")
	equal(t, "what HQ is asked", strings.Join(options(hq), " "), "first second")
	// Of very many questions a page shows the latest, and says how many more there are.
	for _, path := range []string{"/pledges/" + many.id.String(),
		"/submit?type=pledge.withdrawn&pledge=" + many.id.String()} {
		page := get(path, france)
		equal(t, path, strings.Count(page, "<dt>Asked of"), 100)
		equal(t, "what is left out, "+path, strings.Contains(page, `class="cut">and 2 more:`), true)
	}
}
