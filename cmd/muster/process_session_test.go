package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
	"muster/projections/access/session"
	"muster/projections/web"
)

// signsIn signs somebody in at a server, and returns the token.
func (p *serverProcess) signsIn(t *testing.T, with *events.Signer) string {
	t.Helper()
	var n web.SessionNonce
	post := func(path, body string, into any) {
		t.Helper()
		resp, err := http.Post(p.url+path, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= 300 || json.Unmarshal(text, into) != nil {
			t.Fatalf("%s: %s %s", path, resp.Status, text)
		}
	}
	post("/api/v1/session/nonce", "", &n)
	var s web.Session
	post("/api/v1/session", signedNote(t, n, p.url, with), &s)
	return s.Token
}

func signedNote(t *testing.T, n web.SessionNonce, address string, with *events.Signer) string {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	msg, err := session.Note{Origin: n.Origin, Address: address, From: now,
		Until: now.Add(time.Hour), Nonce: n.Nonce}.Sign(with)
	if err != nil {
		t.Fatal(err)
	}
	return string(msg)
}

// reads returns the status with which a token is answered.
func (p *serverProcess) reads(t *testing.T, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		p.url+"/api/v1/pledges", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// awaitProjected waits until a server that tells nobody of its records can answer from so many.
func (p *serverProcess) awaitProjected(t *testing.T, records uint64) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		var h server.Health
		_, body := p.health(t)
		if json.Unmarshal([]byte(body), &h) == nil && h.Projected >= records {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the server on %s has not come to record %d: %s", p.dir, records, body)
		}
	}
}

// Of a cluster of two servers, each lets members sign in, and over NATS it makes no difference
// which of them is asked. When a member is revoked at one of them, its sessions end on both at
// once. No token is in what they say, or in their access logs.
func TestSessionsOnTwoServers(t *testing.T) {
	t.Parallel()
	url, dir := natsCluster(t, t.TempDir(), anyPort).ClientURL(), t.TempDir()
	log := filepath.Join(dir, "access.log")
	a := serving(t, filepath.Join(dir, "a"), "--nats", url, "--name", "a", "--read", "members",
		"--access-log", "-")
	b := serving(t, filepath.Join(dir, "b"), "--nats", url, "--name", "b", "--read", "members",
		"--access-log", log)
	founder := founderOf(t, a.dir)
	c := &country{founder: founder}
	c.paris, c.secret = newSigner(t, "FRA/paris")
	nc, err := nats.Connect(url, nats.Timeout(patience),
		nats.CustomInboxPrefix("_INBOX.guest.test"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ask := func(subject, body, token string) (string, *problem.Problem) {
		t.Helper()
		m := &nats.Msg{Subject: "muster." + subject, Data: []byte(body), Header: nats.Header{}}
		if token != "" {
			m.Header.Set(web.SessionHeader, token)
		}
		got, err := nc.RequestMsgWithContext(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if got.Header.Get("Nats-Service-Error-Code") != "" {
			return "", problem.Decode(0, got.Data)
		}
		return string(got.Data), nil
	}
	signIn := func(with *events.Signer) (token string) {
		t.Helper()
		var n web.SessionNonce
		text, _ := ask("session.nonce", "", "")
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		c.origin = n.Origin
		var s web.Session
		note := signedNote(t, n, n.Address, with)
		text, p := ask("session", note, "")
		if p != nil || json.Unmarshal([]byte(text), &s) != nil {
			t.Fatalf("%s %v", text, p)
		}
		if _, p := ask("session", note, ""); p == nil { // at either server
			t.Fatal("a note signs in twice")
		}
		return s.Token
	}
	// over reports whether a session is refused as ended; who asks with one often is slowed.
	over := func(token string) bool {
		_, p := ask("pledges", "{}", token)
		return p != nil && (p.Code == session.CodeEnded || p.Kind == problem.Busy)
	}
	tokens := []string{signIn(founder)}
	for _, st := range []events.Statement{c.operation("mnf-u"), c.admission(c.paris)} {
		if _, err := a.client().Submit(t.Context(), signed(t, st, founder)); err != nil {
			t.Fatal(err)
		}
	}
	a.awaitProjected(t, 3)
	b.awaitProjected(t, 3)
	for range 8 {
		tokens = append(tokens, signIn(c.paris))
	}
	for _, token := range tokens {
		for range 8 {
			if _, p := ask("pledges", "{}", token); p != nil {
				t.Fatalf("a session is known to one server alone: %v", p)
			}
		}
	}
	if _, p := ask("session.end", "", tokens[1]); p != nil {
		t.Fatal(p)
	}
	for range 8 {
		if !over(tokens[1]) {
			t.Fatal("a session goes on after it was ended")
		}
	}
	onA, onB := a.signsIn(t, c.paris), b.signsIn(t, c.paris)
	if a.reads(t, onA) != 200 || b.reads(t, onB) != 200 || a.reads(t, onB) != 401 {
		t.Error("the sessions of the two servers")
	}
	waits := make(chan *problem.Problem)
	for _, body := range slices.Repeat([]string{`{"from":100,"wait":60}`}, 8) {
		go func() {
			_, p := ask("records", body, tokens[2])
			waits <- p
		}()
	}
	revoked := &events.MemberRevoked{Header: c.head("member.revoked"), Key: c.paris.Key(),
		Reason: "it was lost"}
	if _, err := a.client().Submit(t.Context(), signed(t, revoked, founder)); err != nil {
		t.Fatal(err)
	}
	for range 8 { // which either server has taken
		select {
		case p := <-waits:
			if p == nil || p.Code != session.CodeEnded && p.Kind != problem.Busy {
				t.Errorf("a wait of somebody who was revoked ends with %v", p)
			}
		case <-time.After(patience):
			t.Fatal("a wait of somebody who was revoked goes on")
		}
	}
	b.awaitProjected(t, 4)
	if a.reads(t, onA) != 401 || b.reads(t, onB) != 401 {
		t.Error("who was revoked reads on")
	}
	for _, token := range tokens[2:] {
		if !over(token) {
			t.Error("who was revoked reads on, over NATS")
		}
	}
	a.stop(t)
	b.stop(t)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	said := a.stderr.String() + b.stderr.String() + string(text)
	if !strings.Contains(said, "FRA/paris") {
		t.Errorf("the access logs do not say who has asked:\n%s", said)
	}
	for _, token := range append(tokens, onA, onB) {
		if strings.Contains(said, token) {
			t.Error("a token is in what the servers say")
		}
	}
}
