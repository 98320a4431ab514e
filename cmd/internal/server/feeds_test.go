package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-ical"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/access/feeds"
	"muster/projections/web"
)

// makeFeed makes a feed of what is due.
func (c *confidence) makeFeed(token, view string) (f web.Feed) {
	c.t.Helper()
	of := `{"of":"due","within":"40"`
	if view != "" {
		of += fmt.Sprintf(`,"view":%q`, view)
	}
	a := c.ask("POST", "/api/v1/feeds", of+"}", bearer(token)...)
	if a.StatusCode != http.StatusCreated || json.Unmarshal([]byte(a.body), &f) != nil ||
		a.Header.Get("Cache-Control") != "no-store" {
		c.t.Fatalf("a feed of %q: %s %s", view, a.Status, a.body)
	}
	if _, in, _ := strings.Cut(f.Path, "/feeds/"); len(in) != 43+len("/due.ics") {
		c.t.Fatalf("the address is %s", f.Path)
	}
	return f
}

// calendarAt reads a feed as a calendar does, and returns what its events say.
func (c *confidence) calendarAt(path string) string {
	c.t.Helper()
	a := c.ask("GET", path, "")
	cal, err := ical.NewDecoder(strings.NewReader(a.body)).Decode()
	if a.StatusCode != http.StatusOK || err != nil {
		c.t.Fatalf("a feed: %s, %v, %s", a.Status, err, a.body)
	}
	var all []string
	for _, e := range cal.Children {
		said, err := e.Props.Text(ical.PropDescription)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, said)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// lapsing offers three pledges of France that lapse, for everybody, the coalition and nobody else.
func (c *confidence) lapsing() {
	on := events.Dated{Effective: 2026_01_01}
	for n, release := range map[int64]events.Release{800100017: events.Public,
		800200019: events.CoalitionOnly, 800300023: events.CoordinatorsOnly} {
		c.say("FRA/paris", &events.PledgeOffered{Header: c.head("pledge.offered"), Dated: on,
			Place: events.Place{Operation: "op", Nation: "FRA"},
			PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(n),
				Unit: "personnel", Expires: events.DateOf(c.Questions.Now()).AddDays(20),
				Window: events.Window{From: 2026_01_01}, Release: release}})
	}
}

// ended reports whether there is nothing at an address, told with the same bytes as of one that
// never was.
func (c *confidence) ended(path string) bool {
	c.t.Helper()
	never := c.ask("GET", "/feeds/"+strings.Repeat("A", 43)+"/due.ics", "")
	is := c.ask("GET", path, "")
	return is.StatusCode == http.StatusNotFound && is.body == never.body
}

// What is due for a reader is read at an address of its own by who has no key: in one view, as the
// key reads now, and nothing else; until the feed is revoked.
func TestFeed(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadMembers})
	c.lapsing()
	paris, london := c.signIn("FRA/paris"), c.signIn("GBR/london")
	own, narrow := c.makeFeed(paris, ""), c.makeFeed(paris, "public")
	theirs := c.makeFeed(london, "")
	for path, sees := range map[string]int{own.Path: 3, narrow.Path: 1, theirs.Path: 2} {
		said := c.calendarAt(path)
		for i, number := range []string{"800,100,017", "800,200,019", "800,300,023"} {
			if strings.Contains(said, number) != (i < sees) {
				t.Errorf("of what %d may see, a calendar is told\n%s", sees, said)
			}
		}
	}

	a := c.ask("GET", own.Path, "")
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer",
		"Cache-Control": "private, no-cache", "Content-Type": "text/calendar; charset=utf-8"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if a := c.ask("GET", own.Path, "", "If-None-Match",
		a.Header.Get("ETag")); a.StatusCode != http.StatusNotModified {
		t.Errorf("who has it already is answered %s", a.Status)
	}
	// Whoever comes reads the same: who has signed in as another, too, or did once.
	for _, headers := range [][]string{bearer(london), cookie("ended")} {
		if b := c.ask("GET", own.Path+"?view=public", "", headers...); b.body != a.body {
			t.Errorf("with %s: %s %s", headers[0], b.Status, b.body)
		}
	}
	token := strings.Split(own.Path, "/")[2]
	for _, does := range []string{"GET /feeds/" + token, "GET /feeds/" + token + "/",
		"GET /feeds/" + token + "/due.csv", "GET /feeds/" + token + "/due.ics/x",
		"POST " + own.Path, "DELETE " + own.Path, "GET /feeds/" + token[:42] + "/due.ics"} {
		method, path, _ := strings.Cut(does, " ")
		if a := c.ask(method, path, ""); a.StatusCode != http.StatusNotFound &&
			a.StatusCode != http.StatusTooManyRequests || strings.Contains(a.body, token[:42]) {
			t.Errorf("%s: %s %s", does, a.Status, a.body)
		}
	}
	for _, path := range []string{"/api/v1/due", "/api/v1/session", "/api/v1/feeds"} {
		if a := c.ask("GET", path, "", bearer(token)...); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("the token of a feed opens %s: %s", path, a.Status)
		}
	}
	for of, view := range map[string]string{"records": "700,300,023", "coverage": ""} {
		var f web.Feed
		a := c.ask("POST", "/api/v1/feeds", `{"of":"`+of+`","operation":"op"}`, bearer(paris)...)
		if json.Unmarshal([]byte(a.body), &f) != nil || f.View != "FRA" {
			t.Fatalf("a feed of %s: %s %s", of, a.Status, a.body)
		}
		a = c.ask("GET", f.Path, "")
		if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/atom+xml") ||
			!strings.Contains(a.body, view) {
			t.Errorf("a feed of %s: %s %s", of, a.Status, a.body)
		}
		c.ask("DELETE", "/api/v1/feeds/"+f.ID, "", bearer(paris)...)
	}
	c.othersFeeds(own, paris, london)
}

// othersFeeds looks at who is told of which feeds, and who revokes them.
func (c *confidence) othersFeeds(own web.Feed, paris, london string) {
	for name, test := range map[string]struct {
		token string
		has   int
	}{"Paris": {paris, 2}, "London": {london, 1}} {
		a, listed := c.ask("GET", "/api/v1/feeds", "", bearer(test.token)...), web.Feeds{}
		if err := json.Unmarshal([]byte(a.body), &listed); err != nil ||
			len(listed.Feeds) != test.has || strings.Contains(a.body, `"path"`) {
			c.t.Errorf("%s has %s, %v", name, a.body, err)
		}
	}
	for _, token := range []string{"", london} {
		var headers []string
		if token != "" {
			headers = bearer(token)
		}
		a := c.ask("DELETE", "/api/v1/feeds/"+own.ID, "", headers...)
		if token == "" && a.StatusCode != 401 || token != "" && a.StatusCode != 404 {
			c.t.Errorf("another one revokes a feed: %s %s", a.Status, a.body)
		}
	}
	for body, want := range map[string]int{`{}`: 422, `{"of":"all"}`: 422, `[]`: 400,
		`{"of":"due","on":"2026-01-01"}`: 400, `{"of":"due","operation":"none"}`: 404,
		`{"of":"due","view":"coordinators"}`: 403, `{"of":"due","view":"GBR"}`: 403} {
		if a := c.ask("POST", "/api/v1/feeds", body, bearer(paris)...); a.StatusCode != want {
			c.t.Errorf("%s: %s %s", body, a.Status, a.body)
		}
	}
	if c.ended(own.Path) {
		c.t.Error("a feed has ended that nobody has revoked")
	}
	if a := c.ask("DELETE", "/api/v1/feeds/"+own.ID, "",
		bearer(paris)...); a.StatusCode != http.StatusOK || !c.ended(own.Path) {
		c.t.Errorf("a feed is revoked: %s %s", a.Status, a.body)
	}
}

// A feed outlives the server, and ends with the key that has made it.
func TestFeedEndsWithItsKey(t *testing.T) {
	c := newConfidence(t, Config{})
	c.lapsing()
	made := c.makeFeed(c.signIn("FRA/paris"), "")
	of := c.makeFeed(c.signIn("HQ/founder"), "coalition")
	path := filepath.Join(c.cfg.Dir, FeedsFile)
	kept, err := os.ReadFile(path)
	if info, e := os.Stat(path); e != nil || info.Mode().Perm() != 0o600 || err != nil ||
		strings.Contains(string(kept), strings.Split(made.Path, "/")[2]) {
		t.Fatalf("what is kept is %s, %v", kept, err)
	}
	before := c.calendarAt(made.Path)
	cfg := c.cfg
	cfg.Founding = nil
	if c.Close() != nil {
		t.Fatal("it does not close")
	}
	if c.Server, err = Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if after := c.calendarAt(made.Path); after != before {
		t.Errorf("after the start it says\n%s", after)
	}
	c.say("HQ/founder", &events.MemberRevoked{Header: c.head("member.revoked"),
		Key: c.key("FRA/paris").Key(), Reason: "lost"})
	if !c.ended(made.Path) {
		t.Error("the key was revoked, and its feed goes on")
	}
	if said := c.calendarAt(of.Path); strings.Contains(said, "800,300,023") ||
		!strings.Contains(said, "800,200,019") {
		t.Errorf("the founder's is %s", said)
	}

	c.damagedFeeds(path, kept, of.Path)
}

// damagedFeeds has the file of the feeds damaged twice: each time it is set aside, where no earlier
// one is, and the server goes on.
func (c *confidence) damagedFeeds(path string, kept []byte, made string) {
	c.t.Helper()
	first, second := kept[:len(kept)/2], kept[:len(kept)/3]
	for _, half := range [][]byte{first, second} {
		if err := c.Close(); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(path, half, 0o600); err != nil {
			c.t.Fatal(err)
		}
		cfg := c.cfg
		cfg.Founding = nil
		var err error
		if c.Server, err = Start(c.t.Context(), cfg); err != nil {
			c.t.Fatal(err)
		}
		if !c.ended(made) {
			c.t.Error("a feed has not ended whose file was damaged")
		}
		made = c.makeFeed(c.signIn("HQ/founder"), "").Path
	}
	for aside, want := range map[string][]byte{".damaged": first, ".damaged-2": second} {
		if got, err := os.ReadFile(path + aside); err != nil || !bytes.Equal(got, want) ||
			!strings.Contains(c.said.String(), FeedsFile+aside) {
			c.t.Errorf("what was set aside at %s is %s, %v\n%s", aside, got, err, c.said)
		}
	}
}

// A key has so many feeds and no more, and who tries out tokens is told to wait. No log has a
// token.
func TestFeedsAreBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	c := newConfidence(t, Config{AccessLog: file})
	paris := c.signIn("FRA/paris")
	var last web.Feed
	for range feeds.MaxOfKey {
		last = c.makeFeed(paris, "")
	}
	a := c.ask("POST", "/api/v1/feeds", `{"of":"due"}`, bearer(paris)...)
	if p := problemIn(a); p.Kind != problem.Conflict || !strings.Contains(p.Hint, "revoke ID") {
		t.Errorf("one more: %s %s", a.Status, a.body)
	}
	c.makeFeed(c.signIn("GBR/london"), "") // which has its own share
	token := strings.Split(last.Path, "/")[2]
	busy := false
	for range 30 {
		a := c.ask("GET", "/feeds/"+token[1:]+"/due.ics", "")
		busy = busy || a.StatusCode == http.StatusTooManyRequests &&
			a.Header.Get("Retry-After") != ""
	}
	if !busy {
		t.Error("who tries out tokens is never told to wait")
	}
	escaped := fmt.Sprintf("/%%66eeds/%%%x%s/due.ics", token[0], token[1:])
	letter := fmt.Sprintf("%%%x%s", token[0], token[1:])
	for _, path := range []string{last.Path, escaped, "//feeds/" + token + "/x/../due.ics",
		"/feeds/" + token + "0/due.ics", "/Feeds/" + token + "0", "/calendars/" + letter,
		"/calendars/%25" + letter[1:], "/?at=%2ffeeds%2f" + letter, "/%2f" + token,
		"/" + token + "/" + token} {
		c.ask("GET", path, "")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	// Below a path of a host, too.
	cfg := c.cfg
	cfg.Founding, cfg.Base = nil, "/muster"
	var err error
	if c.Server, err = Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if a := c.ask("GET", last.Path, ""); a.StatusCode != http.StatusOK {
		t.Errorf("below a path: %s %s", a.Status, a.body)
	}
	c.ask("GET", "/elsewhere/feeds/"+token[1:]+"/due.ics", "")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(log)+c.said.String(), token[1:]) {
		t.Errorf("a token is logged: %v\n%s", err, log)
	}
	if !strings.Contains(string(log), `"/feeds/…/due.ics"`) ||
		!strings.Contains(string(log), `"/elsewhere/feeds/…/due.ics"`) ||
		!strings.Contains(string(log), `"who":"FRA/paris"`) {
		t.Errorf("the log is\n%s", log)
	}
}

// The page does the same without a script: it shows the address this once, and revokes.
func TestFeedsOnThePage(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	c.lapsing()
	paris := c.signIn("FRA/paris")
	send := func(form string) answered {
		return c.ask("POST", "/feeds", form+"&who=FRA/paris",
			append(cookie(paris), "Content-Type", "application/x-www-form-urlencoded",
				"Sec-Fetch-Site", "same-origin")...)
	}
	address := regexp.MustCompile(`id="feed-address">` + regexp.QuoteMeta(c.URL()) + `([^<]*)<`)
	made := send("of=due&for=coalition&operation=op&within=40")
	found := address.FindStringSubmatch(made.body)
	if made.StatusCode != http.StatusOK || found == nil ||
		made.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the page says %s %v\n%s", made.Status, made.Header, made.body)
	}
	if said := c.calendarAt(found[1]); strings.Contains(said, "800,300,023") ||
		!strings.Contains(said, "800,200,019") {
		t.Errorf("the feed says %s", said)
	}
	shown := c.ask("GET", "/feeds", "", cookie(paris)...)
	id := regexp.MustCompile(`name="revoke" value="([0-9a-f]+)"`).FindStringSubmatch(shown.body)
	if id == nil || strings.Contains(shown.body, found[1]) {
		t.Fatalf("the page lists\n%s", shown.body)
	}
	for form, want := range map[string]int{"of=due&for=GBR": 403, "of=due&within=-1": 422,
		"revoke=1f": 404} {
		if a := send(form); a.StatusCode != want {
			t.Errorf("%s: %s %s", form, a.Status, a.body)
		}
	}
	if a := c.ask("POST", "/feeds", "of=due", append(cookie(paris), "Sec-Fetch-Site", "cross-site",
		"Content-Type", "application/x-www-form-urlencoded")...); a.StatusCode != 403 {
		t.Errorf("a page from elsewhere makes a feed: %s", a.Status)
	}
	if a := send("revoke=" + id[1]); a.StatusCode != http.StatusOK ||
		!strings.Contains(a.body, `id="revoked"`) || !c.ended(found[1]) {
		t.Errorf("the page revokes: %s %s", a.Status, a.body)
	}
	if a := c.ask("GET", "/feeds", ""); a.StatusCode != http.StatusSeeOther ||
		!strings.HasPrefix(a.Header.Get("Location"), web.SignInPath) {
		t.Errorf("nobody is shown %s %s", a.Status, a.body)
	}
}
