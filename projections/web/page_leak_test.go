package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/rules"
	"muster/projections/access"
)

// ServePages makes what answers for the pages of a service. Package page has it: it imports this
// one, so that it is set from outside, before the tests run.
var ServePages func(s *Service, ledger any) http.Handler

// A keptLedger is how a ledger of the tests is kept, as its pages ask for it. The tree is that of
// all records, for every reader and also where some were never said: their places are kept, and a
// place is the hash of its leaf.
type keptLedger struct {
	tree  *testLog
	rules *rules.State // of what was said
}

// kept keeps a ledger in which that was said which the log has. The rules name a pledge by the
// first that was said of it: so a disclosure that is the first has the id of what it discloses.
func (c confidence) kept(said *testLog) *keptLedger {
	part, known := rules.NewPart(), map[events.ID]bool{}
	for i, rec := range said.records {
		st, discloses := rec.Statement.(*events.PledgeDisclosed)
		if discloses && !known[st.Pledge] {
			first := *st
			first.ID, rec.Statement = st.Pledge, &first
		}
		var err error
		if rec.Stored == nil {
			err = part.Withhold(uint64(i + 1))
		} else {
			known[rec.Statement.Head().ID] = true
			_, err = part.State.Apply(rec)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return &keptLedger{c.testLog, part.State}
}

func (k *keptLedger) CheckUnsigned(_ context.Context, v events.View, st events.Statement) error {
	if v == "" {
		v = events.CoordinatorsView
	}
	return rules.DecideUnsigned(k.rules, v, st)
}

func (k *keptLedger) LeafHashes(sequences []uint64) (all [][sha256.Size]byte, err error) {
	for _, n := range sequences {
		all = append(all, tlog.RecordHash(k.tree.records[n-1].Stored))
	}
	return all, nil
}

// RootAt stands for the root of a tree: other records have another.
func (k *keptLedger) RootAt(size int64) (root [sha256.Size]byte, err error) {
	var stored []byte
	for _, rec := range k.tree.records[:size] {
		stored = append(stored, rec.Stored...)
	}
	return sha256.Sum256(stored), nil
}

func (k *keptLedger) Checkpoint() []byte {
	return fmt.Appendf(nil, "%s\n%d\nroot\n\n— %s AAAAAAAA\n", testOrigin, k.tree.Last(),
		testOrigin)
}

func (k *keptLedger) Receipt(n uint64) (stored, receipt []byte, err error) {
	stored = k.tree.records[n-1].Stored
	return stored, append([]byte("receipt of "), stored...), nil
}

func (k *keptLedger) Healthy() error { return nil }

func (k *keptLedger) Opened() (time.Time, uint64) { return today, 1 }

func (k *keptLedger) Witnessed() (records int64, by, of int, enough bool) { return 1, 1, 3, false }

func (k *keptLedger) Compared() (uint64, time.Time) { return 1, today }

func (k *keptLedger) Compare(context.Context) error { return errors.New("they differ") }

// A pageAsk is a page that is asked for, or a form that is sent.
type pageAsk struct {
	path string
	form url.Values // nil where the page is only asked for
}

func (a pageAsk) String() string { return strings.TrimSpace(a.path + " " + a.form.Encode()) }

// pageAsks are all pages, with each parameter that they have, those that name what is withheld from
// some among them, and what a page says of an address that is wrong.
func (c confidence) pageAsks() (all []pageAsk) {
	for _, path := range strings.Fields(`/ /?show=all /?show=short /?step=month
		/?step=month&until=2026-06-30 /?differences=true /?open=ground-all /?open=ground-spare
		/?open=ground-all&holds=FRA&at=2026-02-01 /?role=divers /?role=diver /?role=ground
		/?operation=quiet /?operation=quie /?operation=force&on=2026-01-04&rung=accepted
		/?discharge=secret-vote /?discharge=secret-vot /?without=FIN /?without=POL,FRA
		/?without_conditional=true&without_caveated=true
		/shortfalls /shortfalls?role=divers /shortfalls?role=ground /shortfalls?on=2026-01-04
		/timeline /timeline?step=month /timeline?line=ground-spare /timeline?line=ground-all
		/timeline?role=divers /timeline?from=2026-01-01&until=2026-06-30
		/compare /compare?from=3 /compare?from=22 /compare?from=3&as_of=24 /compare?from=2026-01-01
		/compare?from_on=2026-01-01&on=2026-02-01 /compare?from=3&nation=FIN
		/compare?from=3&role=divers
		/pledges /pledges?sort=quantity /pledges?sort=-last /pledges?sort=last&role=ground
		/pledges?nation=FIN /pledges?nation=GBR /pledges?role=divers /pledges?line=ground-spare
		/pledges?state=live&rung=accepted /pledges?state=ahead /pledges?operation=quiet
		/log /log?from=20 /log?from=2026-01-02 /log?nation=FIN /log?nation=FRA&type=pledge.offered
		/log?type=pledge.disclosed /log?signer=FIN/liaison /log?signer=GBR/liaison
		/log?operation=quiet /log?type=requirement.issued&from=10
		/verify /verify?record=0 /verify?record=999 /verify?as_of=24
		/mine /mine?nation=FRA /mine?nation=FIN /mine?nation=GBR /mine?nation=nobody
		/due /due?nation=FIN /due?within=400 /readiness?by_nation=true /review /delivery /nations
		/nations?only=divers /plan /plan?operation=quiet /members /corrections /late?days=0 /desk /import
		/plan/file /second /second?statement=nothing
		/session /session?then=/pledges /session?said=ended /session?said=nothing
		/submit /submit?type=nothing /submit?nation=FIN /submit?role=divers
		/nowhere /pledges/nothing /coverage?step=odd /?step=odd /pledges?sort=odd /pledges?odd=1
		/?view=FIN /?view=FRA /?view=coalition /?view=public /?view=coordinators /?view=odd`) {
		all = append(all, pageAsk{path: path})
	}
	ids := []string{events.ID{1}.String()} // of nothing
	for i, rec := range c.records {
		all = append(all, pageAsk{path: fmt.Sprint("/verify?record=", i+1)})
		if i%4 == 0 {
			for _, path := range []string{"/?as_of=", "/log?as_of=", "/pledges?as_of=",
				"/compare?from="} {
				all = append(all, pageAsk{path: fmt.Sprint(path, i+1)})
			}
		}
		if id := events.Thing(rec.Statement).String(); !slices.Contains(ids, id) {
			ids = append(ids, id)
			all = append(all, pageAsk{path: "/pledges/" + id})
		}
	}
	for _, path := range []string{"/verify", "/verify?record=20", "/verify?record=999",
		"/verify?as_of=24", "/verify?as_of=24&record=27", "/session", "/session?then=/pledges"} {
		all = append(all, pageAsk{path, url.Values{}}) // which compares, and signs out
	}
	last := len(ids) - 7 // of pledges, of which some may be read by few
	ids = append(slices.Clone(ids[last:]), ids[0], c.fra.id.String())
	for _, id := range ids {
		all = append(all, pageAsk{path: "/pledges/" + id + "?as_of=27"})
	}
	for _, id := range ids {
		for _, act := range []string{"pledge.accepted", "allocation.made"} {
			all = append(all, pageAsk{"/desk", url.Values{"act": {act}, "pledge": {id},
				"effective": {"2026-01-15"}, "line": {"ground-spare"}}})
		}
	}
	all = append(all, pageAsk{"/desk?operation=force", url.Values{"act": {"allocation.made"},
		"gap": {"force/ground-spare", "force/ground-all"}}})
	return append(all, c.formAsks(ids)...)
}

// pledgeForms are the kinds of statement that the form makes of a pledge that is there.
var pledgeForms = []string{"pledge.amended", "pledge.disclosed", "pledge.renewed",
	"condition.added", "caveat.declared", "caveat.lifted", "condition.discharged",
	"condition.failed", "pledge.confirmed", "pledge.queried", "pledge.answered",
	"pledge.deployed", "pledge.reported", "pledge.returned", "pledge.withdrawn"}

// formAsks are the form of each kind of statement, empty and sent.
func (c confidence) formAsks(ids []string) (all []pageAsk) {
	filled := func(pairs ...string) url.Values {
		form := url.Values{"id": {"01K00000000000000000000000"}, "effective": {"2026-01-15"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return form
	}
	for _, typ := range []string{"pledge.offered", "pledge.indicated"} {
		all = append(all, pageAsk{path: "/submit?type=" + typ})
		for i, line := range []string{"", "ground-spare", "ground-spar", "ground-all"} {
			for _, operation := range []string{"force", "quiet"} {
				all = append(all, pageAsk{"/submit", filled("type", typ, "nation", "FRA",
					"operation", operation, "role", "ground", "quantity", "5", "unit", "personnel",
					"from", "2026-02-01", "line", line, "release", "coordinators",
					"predecessor", ids[i])})
			}
		}
	}
	for _, typ := range pledgeForms {
		all = append(all, pageAsk{path: "/submit?type=" + typ})
		for _, id := range ids {
			all = append(all, pageAsk{path: "/submit?type=" + typ + "&pledge=" + id},
				pageAsk{"/submit", filled("type", typ, "pledge", id, "condition", "secret-vote",
					"quantity", "3", "release", "coalition", "reason", "as agreed",
					"role", "ground", "unit", "personnel", "from", "2026-02-01")})
		}
	}
	return all
}

// formID and signedID find the id that a form, and what is to be signed, is given for what it will
// say. Each begins with letters, which are found ten times as soon as either of them in one
// expression.
var (
	formID   = regexp.MustCompile(`name="id" value="[0-9A-Z]{26}"`)
	signedID = regexp.MustCompile(`&#34;id&#34;:&#34;[0-9A-Z]{26}&#34;`)
)

// withoutIDs takes the ids out of a page that are others each time.
func withoutIDs(page string) string {
	return signedID.ReplaceAllString(formID.ReplaceAllString(page, `name="id"`), "&#34;id&#34;")
}

// get returns a page as somebody gets it, in a language: the status, all headers and all bytes but
// the new ids of what nobody has said yet.
func (a pageAsk) get(pages http.Handler, reader access.Reader, lang string) string {
	r := httptest.NewRequest(http.MethodGet, a.path, nil)
	if a.form != nil {
		r = httptest.NewRequest(http.MethodPost, a.path, strings.NewReader(a.form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", lang)
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r.WithContext(access.WithReader(r.Context(), reader)))
	body := w.Body.String()
	if a.form == nil || strings.HasPrefix(a.path, "/desk") {
		body = withoutIDs(body)
	}
	return fmt.Sprintln(w.Code, w.Header()) + body
}

// pages serves the pages of a server of a ledger, in which those read who have signed in.
func (c confidence) pages(s *testServer, said *testLog) http.Handler {
	s.service.Reads = access.ReadReleased
	s.service.Sessions = NewSessions(testOrigin, s.service.full)
	return ServePages(s.service, c.kept(said))
}

// No page tells anything of what is withheld from whoever looks at it: it is that of a ledger in
// which it was never said, byte for byte, in both languages.
func TestNothingIsLeakedOnPages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every page is asked for twice, one after the other")
	}
	c := newConfidence(t)
	whole := c.pages(newServer(t, c.testLog), c.testLog)
	asks := c.pageAsks()
	coordinator := access.Reader{Key: c.key("HQ/founder").Key(), Role: events.Coordinator,
		View: events.CoordinatorsView}
	for nth, who := range []struct {
		letter string
		access.Reader
	}{
		{"P", access.Reader{}},
		{"C", access.Reader{Key: c.key("POL/analyst").Key(), Role: events.Reader,
			View: events.CoalitionView}},
		{"F", access.Reader{Key: c.key("FRA/liaison").Key(), Role: events.Liaison, View: "FRA"}},
		{"B", access.Reader{Key: c.key("GBR/liaison").Key(), Role: events.Liaison, View: "GBR"}},
	} {
		unsaid := c.unsaid(who.letter)
		never := c.pages(newServer(t, unsaid), unsaid)
		leaked, secret, shown := 0, 0, 0
		for i, ask := range asks {
			lang := []string{"en", "fr"}[(i+nth)%2]
			got, want := ask.get(whole, who.Reader, lang), ask.get(never, who.Reader, lang)
			if got != want {
				if leaked++; leaked < 5 {
					t.Errorf("%s in %s, told to %s:\n%s", ask, lang, who.letter,
						firstDifference(got, want))
				}
			}
			if strings.HasPrefix(got, "200 ") {
				shown++
			}
			if i%8 == nth &&
				ask.get(whole, coordinator, lang) != ask.get(never, coordinator, lang) {
				secret++
			}
		}
		if secret < len(asks)/8/4 {
			t.Errorf("only %d of %d pages are others for %s than for all: this shows little",
				secret, len(asks)/8, who.letter)
		}
		if shown < len(asks)/4 {
			t.Errorf("only %d of %d pages are shown to %s: this shows little", shown, len(asks),
				who.letter)
		}
		if leaked > 0 {
			t.Errorf("%d of %d pages tell %s what is withheld", leaked, len(asks), who.letter)
		}
	}
}

// On a server that lets everybody read all, a page in a view is that of a ledger in which nothing
// else was ever said.
func TestNothingIsLeakedInAViewOfPages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every page is asked for twice, one after the other")
	}
	c := newConfidence(t)
	open := func(said *testLog) http.Handler {
		s := newServer(t, said)
		s.service.Reads = access.ReadOpen
		return ServePages(s.service, c.kept(said))
	}
	whole := open(c.testLog)
	all := c.pageAsks()
	for letter, view := range map[string]string{"P": "public", "C": "coalition", "F": "FRA",
		"B": "GBR"} {
		never, leaked, shown, asked := open(c.unsaid(letter)), 0, 0, 0
		for i, ask := range all {
			if i%3 != len(view)%3 || strings.Contains(ask.path, "view=") {
				continue
			}
			asked++
			ask.path += sep(ask.path) + "view=" + view
			got := ask.get(whole, access.Reader{}, "en")
			if want := ask.get(never, access.Reader{}, "en"); got != want {
				if leaked++; leaked < 5 {
					t.Errorf("%s:\n%s", ask, firstDifference(got, want))
				}
			}
			if strings.HasPrefix(got, "200 ") {
				shown++
			}
		}
		if leaked > 0 || shown < asked/4 {
			t.Errorf("of %d pages in the view %s %d are shown, and %d tell what is withheld", asked,
				view, shown, leaked)
		}
	}
}

// firstDifference shows the first lines in which two pages differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %.1500s\nand where nothing was withheld: %.1500s", i,
				a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, and where nothing was withheld %d", len(a), len(b))
}
