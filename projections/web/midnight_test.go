package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// given are values of parameters: of those that have no example here, one from their schema.
func given(l round) map[string]string {
	return map[string]string{
		"as_of": number(l.Last() - 2), "on": "2026-01-04", "from": "3", "to": "6",
		"from_on": "2026-01-04",
		"to_on":   "2026-02-04", "until": "2026-06-30", "min_seq": "2", "view": "coalition",
		"without": "FRA", "discharge": "vote",
		"rung": "accepted", "operation": "force", "role": "ground", "nation": "FRA",
		"only": "ground",
		"line": "ground-all", "by": "role", "after": l.fra.id.String(), "id": l.fra.id.String(),
		"record": number(l.Last()), "limit": "2", "within": "5", "days": "3", "type": "pledge",
		"reference": "NV 12/2026", "import": "kiel-tracker",
		"signer": "HQ/founder", "wait": "1", "what": "coverage", "step": "month", "state": "live",
		"statements": `{"type":"pledge.withdrawn"}`,
	}
}

// addresses returns every question with each of its parameters absent, empty and given, on both
// forms.
func addresses(t *testing.T, api huma.API, l round) (all []string) {
	values := given(l)
	add := func(path, name, value string) {
		q := url.Values{}
		switch path { // what a question cannot be asked without
		case "/explain/{what}":
			q.Set("line", values["line"])
		case "/diff":
			q.Set("from", values["from"])
		}
		if name != "" {
			q.Set(name, value)
		}
		filled := partOfPath.ReplaceAllStringFunc(path, func(part string) string {
			return values[strings.Trim(part, "{}")]
		})
		for _, form := range []string{"", csvSuffix} {
			all = append(all, filled+form+"?"+q.Encode())
		}
	}
	for _, question := range slices.Sorted(maps.Keys(paths)) {
		if slices.Contains(uncached, question) {
			continue
		}
		path := paths[question]
		add(path, "", "")
		for _, p := range api.OpenAPI().Paths[Root+path].Get.Parameters {
			value, ok := values[p.Name]
			if p.Schema.Type == huma.TypeBoolean {
				value, ok = "true", true
			}
			if !ok {
				t.Fatalf("%s takes %s, of which there is no example", question, p.Name)
			}
			if p.In == "query" {
				add(path, p.Name, "")
				add(path, p.Name, value)
			}
		}
	}
	return all
}

// newFresh returns what answers each address as a server of the same picture that has kept nothing.
func (s *testServer) newFresh() func(path string) string {
	service := NewService(s.projector, s.source)
	service.Views = s.service.Views
	s.t.Cleanup(service.Stop)
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Muster", "test")
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	DescribeWords(config.Components.Schemas)
	service.Register(humago.New(mux, config))
	handler := service.Handler(mux)
	return func(path string) string {
		service.Now, service.kept = s.service.Now, newResponseCache()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Root+path, nil))
		return w.Body.String()
	}
}

// After midnight nobody is answered as of yesterday: neither who has yesterday's answer, nor who
// asks for the first time and would get what the server has kept.
func TestMidnight(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked, one after the other")
	}
	l := newRound(t)
	s := newServer(t, l.testLog)
	before := time.Date(2026, 1, 20, 23, 59, 59, 0, time.UTC)
	all := addresses(t, s.api, l)
	fresh, tags, changed := s.newFresh(), map[string]string{}, 0
	s.service.Now = func() time.Time { return before }
	for _, path := range all {
		_, tags[path], _, _ = s.fetch(path, "")
	}
	s.service.Now = func() time.Time { return before.Add(2 * time.Second) }
	for _, path := range all {
		want := fresh(path)
		if _, _, _, got := s.fetch(path, ""); got != want {
			t.Errorf("%s: after midnight\n%s\nand not\n%s", path, got, want)
		}
		status, _, caching, got := s.fetch(path, tags[path])
		switch {
		case status == http.StatusNotModified:
			s.service.Now = func() time.Time { return before }
			if was := fresh(path); was != want {
				t.Errorf("%s: whoever has yesterday's answer is told that it is today's", path)
			}
			s.service.Now = func() time.Time { return before.Add(2 * time.Second) }
		case got != want:
			t.Errorf("%s: %d %s\nand not\n%s", path, status, got, want)
		default:
			changed++
		}
		if strings.Contains(caching, "max-age") && !strings.Contains(path, "as_of=") {
			t.Errorf("%s: %s", path, caching)
		}
	}
	if changed < len(all)/2 {
		t.Errorf("only %d of %d answers had another tag after midnight", changed, len(all))
	}
}
