package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/cmd/internal/reach"
	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/access/session"
	"muster/projections/web"
)

const testOrigin = "muster.example/test"

// A confidence is a server on a real address, whose members have confided in it.
type confidence struct {
	*Server
	t    *testing.T
	keys map[string]*events.Signer
	said *shared
}

// shared is what the server logs.
type shared struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// newConfidence starts a server in which a pledge is for everybody, one for the coalition and one
// for the coordinators.
func newConfidence(t *testing.T, cfg Config) *confidence {
	t.Helper()
	c := &confidence{t: t, keys: map[string]*events.Signer{}, said: &shared{}}
	founder := c.key("HQ/founder")
	signed, err := events.Sign(&events.LedgerFounded{Founder: founder.Key(), Title: "test",
		Header: c.head("ledger.founded")}, founder)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir, cfg.Version, cfg.Founding = t.TempDir(), "0.0.0", &signed
	cfg.Log = slog.New(slog.NewTextHandler(c.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.Listen = cmp.Or(cfg.Listen, "127.0.0.1:0")
	if c.Server, err = Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	on := events.Dated{Effective: 2026_01_01}
	c.say("HQ/founder", &events.OperationOpened{Header: c.head("operation.opened"), Dated: on,
		Release: events.Public, OperationTerms: events.OperationTerms{Operation: "op",
			Title: "An operation", Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel"}}}}})
	for _, name := range []string{"FRA/paris", "GBR/london"} {
		c.say("HQ/founder", &events.MemberAdmitted{Header: c.head("member.admitted"),
			Key: c.key(name).Key(), Role: events.Liaison})
	}
	for n, release := range map[int64]events.Release{700100017: events.Public,
		700200019: events.CoalitionOnly,
		700300023: events.CoordinatorsOnly} {
		c.say("FRA/paris", &events.PledgeOffered{Header: c.head("pledge.offered"), Dated: on,
			Place: events.Place{Operation: "op", Nation: "FRA"},
			PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(n),
				Unit: "personnel", Window: events.Window{From: 2026_01_01}, Release: release}})
	}
	return c
}

func (c *confidence) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: testOrigin}
}

func (c *confidence) key(name string) *events.Signer {
	if c.keys[name] == nil {
		secret, _, err := events.NewKey(name)
		if err == nil {
			c.keys[name], err = events.NewSigner(secret)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return c.keys[name]
}

func (c *confidence) sign(by string, st events.Statement) events.Signed {
	c.t.Helper()
	signed, err := events.Sign(st, c.key(by))
	if err != nil {
		c.t.Fatal(err)
	}
	return signed
}

func (c *confidence) say(by string, st events.Statement) {
	c.t.Helper()
	receipt, err := c.Ledger.Submit(c.t.Context(), c.sign(by, st))
	if err == nil {
		err = c.Projector.WaitFor(c.t.Context(), receipt.Sequence)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// An answered request is what a server has answered over HTTP.
type answered struct {
	*http.Response
	body string
}

// ask does a request with headers in turn: a name, and a value.
func (c *confidence) ask(method, path, body string, headers ...string) answered {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.URL()+path,
		strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		} else {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	client := &http.Client{Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	resp, err := client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answered{resp, string(text)}
}

// nonce asks for one.
func (c *confidence) nonce() (n web.SessionNonce) {
	c.t.Helper()
	a := c.ask("POST", "/api/v1/session/nonce", "")
	if a.StatusCode != http.StatusOK || json.Unmarshal([]byte(a.body), &n) != nil {
		c.t.Fatalf("no nonce: %s %s", a.Status, a.body)
	}
	return n
}

// note is what somebody signs who has asked the server at an address.
func (c *confidence) note(by, address string) string {
	c.t.Helper()
	n := c.nonce()
	now := time.Now().UTC().Truncate(time.Second)
	return c.signNote(by, session.Note{Origin: n.Origin, Address: address, From: now,
		Until: now.Add(time.Hour), Nonce: n.Nonce})
}

func (c *confidence) signNote(by string, n session.Note) string {
	c.t.Helper()
	msg, err := n.Sign(c.key(by))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(msg)
}

// address is what a note says of where the server is.
func (c *confidence) address() string {
	c.t.Helper()
	address, err := session.Address(c.URL())
	if err != nil {
		c.t.Fatal(err)
	}
	return address
}

func (c *confidence) signIn(by string) (token string) {
	c.t.Helper()
	a := c.ask("POST", "/api/v1/session", c.note(by, c.address()), "Content-Type", "text/plain")
	var s web.Session
	if a.StatusCode != http.StatusCreated || json.Unmarshal([]byte(a.body), &s) != nil ||
		s.Token == "" {
		c.t.Fatalf("%s signs in: %s %s", by, a.Status, a.body)
	}
	return s.Token
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func cookie(token string) []string { return []string{"Cookie", web.CookieName + "=" + token} }

// Each reader is told what is released to it, by the cookie as by the header, and nobody else's.
func TestEachReadsItsOwn(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	paris, london, founder := c.signIn("FRA/paris"), c.signIn("GBR/london"), c.signIn("HQ/founder")
	const of = "700100017 700200019 700300023"
	for _, path := range []string{"/api/v1/pledges", "/api/v1/pledges.csv", "/api/v1/records",
		"/api/v1/records?from=1&wait=1"} {
		for name, test := range map[string]struct {
			headers []string
			sees    int
		}{"nobody": {nil, 1}, "London": {bearer(london), 2}, "Paris": {bearer(paris), 3},
			"Paris' browser":        {cookie(paris), 3},
			"Paris in both":         {append(cookie(paris), bearer(paris)...), 3},
			"who passes a proxy":    {[]string{"Authorization", "Basic eDp5"}, 1},
			"the coordinators":      {bearer(founder), 3},
			"London, in lower case": {[]string{"Authorization", "bearer " + london}, 2}} {
			a := c.ask("GET", path, "", test.headers...)
			for i, number := range strings.Fields(of) {
				if strings.Contains(a.body, number) != (i < test.sees) {
					t.Errorf("%s, asked by %s: %s\n%s", path, name, a.Status, a.body)
				}
			}
			if vary := strings.Join(a.Header.Values("Vary"), ", "); !strings.Contains(vary,
				"Authorization, Cookie") ||
				!strings.Contains(a.Header.Get("Cache-Control"), "private") {
				t.Errorf("%s, asked by %s: %v", path, name, a.Header)
			}
		}
	}
	for name, wider := range map[string][]string{"nobody": nil, "London": bearer(london)} {
		a := c.ask("GET", "/api/v1/coverage?view=FRA", "", wider...)
		if p := problemIn(a); p.Kind != problem.NotReadable || p.Fields[0].Location != "view" {
			t.Errorf("%s asks for the view of France: %s %s", name, a.Status, a.body)
		}
	}
	if a := c.ask("GET", "/api/v1/coverage?view=FRA", "",
		bearer(founder)...); a.StatusCode != 200 ||
		!strings.Contains(a.body, `"view":"FRA"`) {
		t.Errorf("the coordinators ask for the view of France: %s %s", a.Status, a.body)
	}
}

// problemIn returns the problem of an answer.
func problemIn(a answered) *problem.Problem { return problem.Decode(a.StatusCode, []byte(a.body)) }

// Who one is, one is told; signing out ends it, and takes the cookie away.
func TestWhoOneIs(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadMembers})
	var nobody web.SessionState
	if a := c.ask("GET", "/api/v1/session", ""); json.Unmarshal([]byte(a.body), &nobody) != nil ||
		nobody.SignedIn || len(nobody.Views) != 0 || nobody.Read != access.ReadMembers ||
		a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("nobody is %s %s", a.Status, a.body)
	}
	a := c.ask("POST", "/api/v1/session", c.note("FRA/paris", c.URL()), "Muster-Cookie", "1",
		"Content-Type", "text/plain")
	set := a.Cookies()
	if a.StatusCode != 201 || strings.Contains(a.body, `"token"`) || len(set) != 1 ||
		!strings.HasSuffix(a.Header.Get("Set-Cookie"), "; HttpOnly; Secure; SameSite=Strict") ||
		set[0].Path != "/" || set[0].MaxAge < 3590 || set[0].Domain != "" {
		t.Fatalf("a browser signs in: %s %v %s", a.Status, a.Header, a.body)
	}
	token := set[0].Value
	var paris web.SessionState
	if a = c.ask("GET", "/api/v1/session", "", cookie(token)...); json.Unmarshal([]byte(a.body),
		&paris) != nil ||
		paris.Key != c.key("FRA/paris").Key() || paris.View != "FRA" || paris.Nation != "FRA" ||
		strings.Contains(a.body, token) || len(paris.Views) != 3 {
		t.Errorf("Paris is %s %s", a.Status, a.body)
	}
	if a = c.ask("DELETE", "/api/v1/session", "", cookie(token)...); a.StatusCode != 200 ||
		a.Header.Get("Clear-Site-Data") != `"cache"` || a.Cookies()[0].MaxAge >= 0 {
		t.Errorf("Paris signs out: %s %v", a.Status, a.Header)
	}
	for _, path := range []string{"/api/v1/session", "/api/v1/coverage", "/api/v1/records/events",
		"/tile/entries/000.p/2"} {
		a := c.ask("GET", path, "", cookie(token)...)
		if p := problemIn(a); p.Code != session.CodeEnded || a.StatusCode != 401 ||
			len(a.Cookies()) != 1 ||
			a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s after that: %s %v %s", path, a.Status, a.Header, a.body)
		}
	}
	if a := c.ask("GET", "/checkpoint", "", cookie(token)...); a.StatusCode != 200 {
		t.Errorf("the checkpoint after that: %s", a.Status)
	}
}

// A request that names two sessions is refused, and so is one that writes a token into its address,
// which repeats it to nobody.
func TestTokensInOnePlace(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	paris, london := c.signIn("FRA/paris"), c.signIn("GBR/london")
	for _, headers := range [][]string{append(bearer(paris), cookie(london)...),
		append(bearer(paris), bearer(london)...), {"Authorization", "Bearer "},
		{"Cookie", web.CookieName + "=" + paris + "; " + web.CookieName + "=" + london}} {
		if a := c.ask("GET", "/api/v1/coverage", "", headers...); a.StatusCode != 400 {
			t.Errorf("%v: %s %s", headers[:1], a.Status, a.body)
		}
	}
	for _, path := range []string{"/api/v1/coverage?token=", "/api/v1/session?token=",
		"/api/v1/coverage?session=", "/?token=", "/api/v1/coverage.csv?access_token=",
		"/api/v1/records/events?token=", "/tile/entries/000.p/2?token="} {
		a := c.ask("GET", path+paris, "")
		if a.StatusCode < 400 || a.StatusCode >= 500 || strings.Contains(a.body, paris) {
			t.Errorf("%s: %s %s", path, a.Status, a.body)
		}
	}
}

// A note signs in at the server that it was signed for, at one of its addresses, and nowhere else:
// not here when another server has passed it on, whatever that server writes into its request.
func TestNotesOfOtherServers(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased, Hosts: []string{"muster.example"},
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	port := c.URL()[strings.LastIndex(c.URL(), ":"):]
	for _, test := range []struct {
		address string
		ok      bool
		headers []string
	}{
		{"http://127.0.0.1" + port, true, nil},
		{"http://localhost" + port, true, nil},
		{"https://muster.example", true, []string{"Host", "muster.example"}},
		{"https://muster.example", true, nil}, // a proxy has left the name out
		{"https://muster.example:8443", true, []string{"Host", "muster.example:8443"}},
		{"http://muster.example", true, []string{"Host", "muster.example"}},
		{"https://muster.example:8443", false, []string{"Host", "muster.example"}},
		{"https://hostile.example", false, []string{"Host", "muster.example"}},
		{"https://hostile.example", false, nil},
		{"https://sub.muster.example", false, []string{"Host", "muster.example"}},
		{"http://127.0.0.1:1", false, nil},
		{"http://localhost:1", false, []string{"Host", "localhost:1"}},
		{"http://192.0.2.7" + port, false, nil},
		{"http://127.0.0.1" + port, false, []string{"X-Forwarded-For", "192.0.2.7"}},
		{"nats:" + testOrigin, false, nil},
	} {
		a := c.ask("POST", "/api/v1/session", c.note("FRA/paris", test.address), test.headers...)
		if (a.StatusCode == 201) != test.ok || !test.ok && (a.StatusCode != 401 ||
			problemIn(a).AllFields()[0].Location != "address") {
			t.Errorf("%s %v: %s %s", test.address, test.headers, a.Status, a.body)
		}
		c.Questions.Sessions.Guesses = session.NewGuesses()
	}
	other := newConfidence(t, Config{Read: access.ReadReleased})
	note := c.note("FRA/paris", c.URL())
	if a := other.ask("POST", "/api/v1/session", note); a.StatusCode != 401 {
		t.Errorf("another server takes it: %s %s", a.Status, a.body)
	}
	if a := c.ask("POST", "/api/v1/session", note); a.StatusCode != 201 {
		t.Errorf("the server itself does not: %s %s", a.Status, a.body)
	}
	if a := c.ask("POST", "/api/v1/session", note); a.StatusCode != 401 ||
		problemIn(a).AllFields()[0].Location != "nonce" {
		t.Errorf("the server takes it twice: %s %s", a.Status, a.body)
	}
}

// A server is signed in to by its address of either kind.
func TestNotesOverIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := newConfidence(t, Config{Listen: "[::1]:0", Read: access.ReadMembers})
	a := c.ask("GET", "/api/v1/pledges", "", bearer(c.signIn("FRA/paris"))...)
	if a.StatusCode != 200 {
		t.Errorf("%s: %s %s", c.URL(), a.Status, a.body)
	}
}

// A server that speaks TLS takes no note for the clear.
func TestNotesForTheClear(t *testing.T) {
	_, cert, key := certified(t)
	c := newConfidence(t, Config{Read: access.ReadReleased, TLSCert: cert, TLSKey: key,
		Hosts: []string{"muster.example"}})
	for address, ok := range map[string]bool{"http://muster.example": false,
		"http" + strings.TrimPrefix(c.URL(), "https"): false, c.URL(): true,
		"https://muster.example": true} {
		now := time.Now().UTC().Truncate(time.Second)
		note := c.signNote("FRA/paris",
			session.Note{Origin: testOrigin, Address: address, From: now,
				Until: now.Add(time.Hour), Nonce: c.Questions.Sessions.Nonce()})
		req := httptest.NewRequest("POST", "/api/v1/session", strings.NewReader(note))
		req.RemoteAddr, req.Host = "127.0.0.1:9", strings.TrimPrefix(c.URL(), "https://")
		req.Header.Set("Content-Type", "text/plain")
		rec := httptest.NewRecorder()
		c.http.Handler.ServeHTTP(rec, req)
		if (rec.Code == 201) != ok {
			t.Errorf("%s: %d %s", address, rec.Code, rec.Body)
		}
	}
}

// Pages from elsewhere do nothing here, with the cookie or without: the browser says where they are
// from.
func TestOtherPagesDoNothing(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	token := c.signIn("FRA/paris")
	for _, does := range []string{"POST /api/v1/session", "POST /api/v1/session/nonce",
		"DELETE /api/v1/session", "POST /api/v1/statements", "POST /api/v1/statements/check",
		"POST /api/v1/statements/batch", "POST /api/v1/statements/check/batch",
		"POST /api/v1/preview", "POST /desk", "POST /import", "POST /submit", "POST /verify"} {
		method, path, _ := strings.Cut(does, " ")
		for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://hostile.example"}, {"Origin", "null"}} {
			a := c.ask(method, path, "x", append(from, cookie(token)...)...)
			if a.StatusCode != 403 || len(a.Cookies()) != 0 {
				t.Errorf("%s with %v: %s %v %s", does, from, a.Status, a.Header, a.body)
			}
		}
	}
	if _, err := c.Questions.Sessions.Store.Who(token); err != nil {
		t.Errorf("the session has ended: %v", err)
	}
}

// Guessing is slowed, whatever is guessed, and slows nobody else: neither another client, nor
// whoever has a good token.
func TestGuessingIsSlowed(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased,
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	token := c.signIn("FRA/paris")
	from := func(client string) []string { return []string{"X-Forwarded-For", client} }
	slowed := 0
	for i := range 30 {
		a := c.ask("GET", "/api/v1/coverage", "",
			append(from("192.0.2.7"), bearer("guess"+string(rune('a'+i)))...)...)
		if a.StatusCode == 429 {
			slowed++
			if a.Header.Get("Retry-After") == "" {
				t.Errorf("nothing says when to try again: %v", a.Header)
			}
		} else if a.StatusCode != 401 {
			t.Errorf("guess %d: %s", i, a.Status)
		}
	}
	if slowed < 15 {
		t.Errorf("of 30 guesses %d were slowed", slowed)
	}
	if a := c.ask("POST", "/api/v1/session", c.note("FRA/paris", c.URL()),
		from("192.0.2.7")...); a.StatusCode != 429 {
		t.Errorf("the client may go on with notes: %s", a.Status)
	}
	if a := c.ask("POST", "/api/v1/session", "no note", from("192.0.2.8")...); a.StatusCode == 429 {
		t.Errorf("another client is slowed: %s", a.Status)
	}
	for _, client := range []string{"192.0.2.7", "192.0.2.8"} {
		if a := c.ask("GET", "/api/v1/coverage", "",
			append(from(client), bearer(token)...)...); a.StatusCode != 200 {
			t.Errorf("a good token of %s: %s %s", client, a.Status, a.body)
		}
	}
}

// Over NATS nothing proves who asks. Guesses are slowed there from whichever inboxes they come, and
// nobody who has a good token or a good note is.
func TestGuessingIsSlowedOverNATS(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadMembers, NATSListen: "127.0.0.1:0"})
	now := time.Now().UTC().Truncate(time.Second)
	c.Questions.Sessions.Store.Now = func() time.Time { return now } // no guess is forgotten
	nc, err := reach.NATS{URLs: c.NATSURL()}.ConnectAsGuest()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ask := func(subject, body, token string) (string, *problem.Problem) {
		t.Helper()
		m, err := nc.RequestMsgWithContext(t.Context(), &nats.Msg{Subject: "muster." + subject,
			Data: []byte(body), Header: nats.Header{web.SessionHeader: {token}}})
		switch {
		case err != nil:
			t.Fatal(err)
		case m.Header.Get("Nats-Service-Error-Code") != "":
			return "", problem.Decode(0, m.Data)
		}
		return string(m.Data), nil
	}
	signIn := func() (s web.Session) {
		t.Helper()
		var n web.SessionNonce
		body, _ := ask("session.nonce", "", "")
		if err := json.Unmarshal([]byte(body), &n); err != nil {
			t.Fatal(err)
		}
		body, p := ask("session", c.signNote("FRA/paris", session.Note{Origin: testOrigin,
			Address: n.Address, From: now, Until: now.Add(time.Hour), Nonce: n.Nonce}), "")
		if p != nil || json.Unmarshal([]byte(body), &s) != nil {
			t.Fatalf("who has a good note is slowed: %s %v", body, p)
		}
		return s
	}
	good := signIn()
	// From the inbox of somebody else, and from one of his own for each guess.
	for i := range 2000 {
		inbox := nc.NewInbox()
		if i >= 100 {
			inbox = fmt.Sprintf("_INBOX.guest.G%d.x", i)
		}
		if i%500 == 499 { // more at a time would be dropped unread
			if _, p := ask("members", "{}", good.Token); p != nil {
				t.Fatalf("who has a good token is slowed: %v", p)
			}
		}
		err := nc.PublishMsg(&nats.Msg{Subject: "muster.members", Reply: inbox, Data: []byte("{}"),
			Header: nats.Header{web.SessionHeader: {good.Token[:20] + fmt.Sprint(i)}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, p := ask("members", "{}", good.Token[:20]); p == nil || p.Kind != problem.Busy {
		t.Errorf("after thousands of guesses, one more is told %v", p)
	}
	if _, p := ask("members", "{}", good.Token); p != nil {
		t.Errorf("who has a good token is slowed: %v", p)
	}
	signIn()
	guesser, err := reach.NATS{URLs: c.NATSURL()}.ConnectAsGuest()
	if err != nil {
		t.Fatal(err)
	}
	defer guesser.Close()
	m, err := guesser.RequestMsgWithContext(t.Context(), &nats.Msg{Subject: "muster.members",
		Header: nats.Header{web.SessionHeader: {good.Token[:20]}}})
	if err != nil || problem.Decode(0, m.Data).Kind != problem.Busy {
		t.Errorf("a guess from another inbox is not slowed: %s %v", m.Data, err)
	}
}

// A stream and a wait end with the session, and so does everything when the member is revoked.
func TestStreamsEndWithTheSession(t *testing.T) {
	for name, end := range map[string]func(c *confidence, token string){
		"signing out": func(c *confidence, token string) {
			c.ask("DELETE", "/api/v1/session", "", bearer(token)...)
		},
		"revoked": func(c *confidence, _ string) {
			c.say("HQ/founder", &events.MemberRevoked{Header: c.head("member.revoked"),
				Key: c.key("FRA/paris").Key(), Reason: "it was lost"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConfidence(t, Config{Read: access.ReadReleased})
			token := c.signIn("FRA/paris")
			ended := make(chan string, 3)
			for _, path := range []string{"/api/v1/records/events", "/api/v1/coverage/events",
				"/api/v1/records?from=100&wait=60"} {
				begun := make(chan struct{})
				go func() {
					req, _ := http.NewRequestWithContext(t.Context(), "GET", c.URL()+path, nil)
					req.Header.Set("Authorization", "Bearer "+token)
					if !strings.Contains(path, "/events") {
						close(begun)
					}
					resp, err := http.DefaultClient.Do(req)
					if err != nil {
						ended <- err.Error()
						return
					}
					defer resp.Body.Close()
					if strings.Contains(path, "/events") {
						close(begun)
					}
					_, _ = io.Copy(io.Discard, resp.Body) // until the session ends
					ended <- path
				}()
				<-begun
			}
			end(c, token)
			for range 3 {
				select {
				case <-ended:
				case <-time.After(20 * time.Second):
					t.Fatal("what was under way goes on")
				}
			}
		})
	}
}

// Whoever waits for a record is told at once when the session ends, and not what was recorded.
func TestWaitsEndWithTheSession(t *testing.T) {
	for _, path := range []string{"/api/v1/records?from=100&wait=60",
		"/api/v1/coverage?min_seq=100", "/api/v1/pledges.csv?min_seq=100"} {
		c := newConfidence(t, Config{Read: access.ReadReleased})
		token := c.signIn("FRA/paris")
		told := make(chan answered, 1)
		go func() { told <- c.ask("GET", path, "", bearer(token)...) }()
		c.say("HQ/founder", &events.MemberRevoked{Header: c.head("member.revoked"),
			Key: c.key("FRA/paris").Key(), Reason: "it was lost"})
		select {
		case a := <-told:
			if a.StatusCode != 401 || !strings.Contains(a.body, session.CodeEnded) {
				t.Errorf("%s: %s %s", path, a.Status, a.body)
			}
		case <-time.After(8 * time.Second):
			t.Errorf("%s: the wait goes on", path)
			<-told
		}
	}
}

// Over NATS it is the same: a header has the token.
func TestSessionsOverNATS(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadMembers, NATSListen: "127.0.0.1:0"})
	nc, err := reach.NATS{URLs: c.NATSURL()}.ConnectAsGuest()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ask := func(subject, body string, tokens ...string) (string, *problem.Problem) {
		t.Helper()
		msg := nats.NewMsg("muster." + subject)
		msg.Data = []byte(body)
		for _, token := range tokens {
			msg.Header.Add(web.SessionHeader, token)
		}
		m, err := nc.RequestMsgWithContext(t.Context(), msg)
		if err != nil {
			t.Fatal(err)
		}
		if code := m.Header.Get("Nats-Service-Error-Code"); code != "" {
			return "", problem.Decode(0, m.Data)
		}
		return string(m.Data), nil
	}
	var n web.SessionNonce
	body, _ := ask("session.nonce", "")
	if err := json.Unmarshal([]byte(body), &n); err != nil || n.Address != "nats:"+testOrigin {
		t.Fatalf("%s, %v", body, err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	note := session.Note{Origin: testOrigin, Address: n.Address, From: now,
		Until: now.Add(time.Hour),
		Nonce: n.Nonce}
	other := note
	other.Address = c.URL()
	if _, p := ask("session", c.signNote("FRA/paris", other)); p == nil ||
		p.Kind != problem.SignedOut {
		t.Errorf("a note for HTTP: %v", p)
	}
	var s web.Session
	body, _ = ask("session", c.signNote("FRA/paris", note))
	if err := json.Unmarshal([]byte(body), &s); err != nil || s.Token == "" || s.View != "FRA" {
		t.Fatalf("%s, %v", body, err)
	}
	shared, err := nats.Connect(c.NATSURL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	for subject, token := range map[string]string{"muster.members": s.Token, "muster.session": ""} {
		msg := nats.NewMsg(subject)
		msg.Data = []byte("{}")
		if token != "" {
			msg.Header.Set(web.SessionHeader, token)
		}
		m, err := shared.RequestMsgWithContext(t.Context(), msg)
		if err != nil || !strings.Contains(string(m.Data), "others could hear it") {
			t.Errorf("%s is answered where others listen: %v, %v", subject, m, err)
		}
	}
	if _, p := ask("session", c.signNote("FRA/paris", note)); p == nil ||
		p.Kind != problem.SignedOut {
		t.Errorf("the note again: %v", p)
	}
	if body, _ = ask("pledges", "", s.Token); !strings.Contains(body, "700300023") {
		t.Errorf("Paris reads %s", body)
	}
	if body, p := ask("pledges", ""); p == nil || p.Kind != problem.SignedOut {
		t.Errorf("nobody reads %s", body)
	}
	if body, p := ask("pledges", "", s.Token, s.Token); p == nil || p.Kind != problem.Usage {
		t.Errorf("who sends two tokens reads %s", body)
	}
	if body, p := ask("tile", "tile/entries/000.p/5"); p == nil {
		t.Errorf("nobody reads the tile %s", body)
	}
	if body, p := ask("tile", "tile/entries/000.p/5", s.Token); p != nil ||
		!strings.Contains(body, "ledger.founded") {
		t.Errorf("Paris reads the tile %s, %v", body, p)
	}
	if body, _ = ask("session.who", "", s.Token); !strings.Contains(body, `"signed_in":true`) {
		t.Errorf("Paris is %s", body)
	}
	if _, p := ask("session.end", "", s.Token); p != nil {
		t.Errorf("Paris signs out: %v", p)
	}
	if _, p := ask("pledges", "", s.Token); p == nil || p.Code != session.CodeEnded {
		t.Errorf("after that: %v", p)
	}
}

// Tokens and notes are in nothing that the server writes.
func TestTokensAreInNoLog(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	token := c.signIn("FRA/paris")
	_ = c.ask("GET", "/api/v1/coverage?token="+url.QueryEscape(token), "", bearer(token)...)
	_ = c.ask("GET", "/"+token, "", cookie(token)...)
	_ = c.ask("POST", "/api/v1/session", token+"\n")
	_ = c.ask("GET", "/api/v1/coverage", "", append(bearer(token), cookie("other")...)...)
	c.Questions.Panicked("a test", "a fault")
	if said := c.said.String(); strings.Contains(said, token) ||
		!strings.Contains(said, "a fault") {
		t.Errorf("the log has the token, or nothing:\n%s", said)
	}
}
