package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/access/session"
	"muster/projections/web"
)

// forEverybody are the paths that are answered in no view: there is nothing of the ledger in them,
// or nothing but what proves that it was not changed.
var forEverybody = []string{
	// The root and the hashes, which tell nothing of what is hashed.
	"/checkpoint", "/checkpoint/witnessed", "/tile/0/000.p/1", "/tile",
	// Whether the server works, and how many records it has.
	"/healthz", "/readyz", "/livez",
	// What can be asked, and what can be said.
	"/docs", "/docs.css", "/asyncapi.json", "/openapi.json", "/openapi.yaml",
	"/openapi-3.0.json", "/openapi-3.0.yaml", "/schemas/all.json",
	// Where a token in the address says whose it is, and without one there is nothing.
	web.FeedsRoot,
	// What pages load.
	"/static/muster.js",
	// Where one signs in and out, and who one is.
	web.SignInPath, "/api/v1/session", "/api/v1/session/nonce",
	// A signature says by itself whose it is.
	"/api/v1/statements", "/api/v1/statements/check",
	"/api/v1/statements/batch", "/api/v1/statements/check/batch",
}

// forEverybodyOverNATS are the subjects of the same.
var forEverybodyOverNATS = []string{"muster.checkpoint", "muster.tile", "muster.submit",
	"muster.check", "muster.submit-batch", "muster.check-batch", "muster.status",
	"muster.session", "muster.session.nonce", "muster.session.who",
	"muster.session.end"}

// patternsOf returns all that is registered on a mux, which does not tell by itself.
func patternsOf(mux *http.ServeMux) (all []string) {
	index := reflect.ValueOf(mux).Elem().FieldByName("index")
	add := func(patterns reflect.Value) {
		for i := range patterns.Len() {
			all = append(all, patterns.Index(i).Elem().FieldByName("str").String())
		}
	}
	add(index.FieldByName("multis"))
	for each := index.FieldByName("segments").MapRange(); each.Next(); {
		add(each.Value())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var inBraces = regexp.MustCompile(`\{[^}]*\}`)

// concrete returns a request's method and path for a pattern: there are examples of the parts that
// stand for something.
func (c *confidence) concrete(pattern string) (method, path string) {
	method, path, both := strings.Cut(pattern, " ")
	if !both {
		method, path = "GET", pattern
	}
	var pledge string
	_ = c.Projector.View(func(p *projections.Picture) error {
		list, err := p.Pledges(c.t.Context(), projections.Moment{On: 2026_06_01},
			projections.PledgeFilter{})
		if err == nil {
			pledge = list.Pledges[0].ID.String()
		}
		return err
	})
	path = strings.NewReplacer("{$}", "", "{id}", pledge, "{nation}", "FRA", "{operation}", "op",
		"{record}", "5", "{what}", "coverage", "{file}", "all.json").Replace(path)
	switch path {
	case "/static/all.json":
		path = "/static/muster.js"
	case "/tile/":
		path = "/tile/entries/000.p/5"
	}
	return method, inBraces.ReplaceAllString(path, "x")
}

// reached are all requests that can be made: what the document of the API has, and what is
// registered beside it.
func (c *confidence) reached() (all []string) {
	muxes := []*http.ServeMux{c.routes, (*http.ServeMux)(reflect.ValueOf(c.Questions).Elem().
		FieldByName("routes").UnsafePointer())}
	for _, mux := range muxes {
		for _, pattern := range patternsOf(mux) {
			if pattern != "/" { // which leads to the other mux
				method, path := c.concrete(pattern)
				all = append(all, method+" "+path)
			}
		}
	}
	var document struct{ Paths map[string]map[string]any }
	text := c.ask("GET", "/openapi.json", "").body
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		c.t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method := range methods {
			method, path := c.concrete(strings.ToUpper(method) + " " + path)
			all = append(all, method+" "+path)
		}
	}
	all = append(all, "GET /tile/0/000.p/1", "GET /tile/released/000.p/5", "GET /no-such-page",
		"GET /pledges/01K00000000000000000000000", "POST /verify", "POST /submit",
		"POST /desk", "POST /import")
	slices.Sort(all)
	return slices.Compact(all)
}

// serve has a request served, and returns the answer and the views that were chosen for it. What
// would go on for ever is ended.
func (c *confidence) serve(does string, headers ...string) (*httptest.ResponseRecorder, string) {
	method, path, _ := strings.Cut(does, " ")
	ctx, visit := access.WithVisit(c.t.Context())
	if at, _, _ := strings.Cut(path, "?"); strings.HasSuffix(at, "/events") {
		method = http.MethodHead
	}
	req := httptest.NewRequestWithContext(ctx, method, string(c.cfg.Base)+path,
		strings.NewReader("{}"))
	req.Host, req.RemoteAddr = c.listener.Addr().String(), "127.0.0.1:9"
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	c.http.Handler.ServeHTTP(rec, req)
	_, views := visit.Noted()
	return rec, views
}

// Nothing can be reached over HTTP without a view having been chosen, but what is for everybody,
// and only for members where it is theirs alone.
func TestNothingIsReachedWithoutAView(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other: the run without the race detector does it")
	}
	for _, read := range []access.Reading{access.ReadMembers, access.ReadReleased} {
		c := newConfidence(t, Config{Read: read})
		all := c.reached()
		if len(all) < 80 {
			t.Fatalf("only %d requests are known: %q", len(all), all)
		}
		for _, does := range all {
			_, path, _ := strings.Cut(does, " ")
			rec, views := c.serve(does)
			switch {
			case slices.Contains(forEverybody, path):
				if views != "" && path != web.SignInPath ||
					rec.Code == 401 && !strings.HasPrefix(path, "/api/v1/session") {
					t.Errorf("%s: %s is for everybody, and answered in the view %q: %d", read, does,
						views, rec.Code)
				}
			case rec.Code >= 500:
				t.Errorf("%s: %s: %d %s", read, does, rec.Code, rec.Body)
			case read == access.ReadMembers && rec.Code != 401 && !leadsToSignIn(rec):
				t.Errorf("%s: %s is answered to nobody: %d %.200s", read, does, rec.Code, rec.Body)
			case read == access.ReadReleased && views != "public" && rec.Code < 400:
				t.Errorf("%s: %s is answered in the view %q: %d %.200s", read, does, views,
					rec.Code, rec.Body)
			}
			for _, withheld := range []string{"700200019", "700300023"} {
				if strings.Contains(rec.Body.String(), withheld) {
					t.Errorf("%s: %s tells nobody of %s", read, does, withheld)
				}
			}
		}
	}
}

func leadsToSignIn(rec *httptest.ResponseRecorder) bool {
	return rec.Code == http.StatusSeeOther &&
		strings.HasPrefix(rec.Header().Get("Location"), web.SignInPath)
}

// Over NATS neither: all endpoints that the micro service tells of are asked.
func TestNothingIsReachedWithoutAViewOverNATS(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadMembers, NATSListen: "127.0.0.1:0"})
	nc, err := nats.Connect(c.NATSURL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	m, err := nc.Request("$SRV.INFO.muster", nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var info struct{ Endpoints []struct{ Subject string } }
	if err := json.Unmarshal(m.Data, &info); err != nil || len(info.Endpoints) < 30 {
		t.Fatalf("%d endpoints, %v", len(info.Endpoints), err)
	}
	for _, e := range info.Endpoints {
		m, err := nc.Request(e.Subject, []byte(`{}`), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		refused := m.Header.Get("Nats-Service-Error-Code") == "401"
		forAll := slices.Contains(forEverybodyOverNATS, e.Subject)
		p := problem.Decode(401, m.Data)
		if refused == forAll || p.Code == session.CodeEnded {
			t.Errorf("%s is answered to nobody: %v, %s", e.Subject, m.Header, m.Data)
		}
	}
	m, err = nc.Request("muster.tile", []byte("tile/released/000.p/5"), time.Minute)
	if err != nil || m.Header.Get("Nats-Service-Error-Code") != "401" {
		t.Errorf("a tile of records is answered to nobody: %s, %v", m.Data, err)
	}
}
