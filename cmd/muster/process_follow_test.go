package main

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// Somebody follows a log, and behind its address another ledger takes the place of the first, which
// has as many records and more: that is told, and none of them is shown.
func TestFollowedLogOfAnotherLedger(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	first, second := newTarget(t), newTarget(t)
	var to atomic.Pointer[url.URL]
	at := func(s *targetServer) {
		u, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		to.Store(u)
	}
	at(first)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to.Load())
	}})
	t.Cleanup(proxy.Close)

	b, err := startBackground(t.TempDir(), nil, "log", "--follow", "--url", proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	if _, err := b.await(&b.stdout, "member.admitted"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := submitTo(second).Submit(t.Context(), second.c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	at(second)
	// Which ends a wait.
	if _, err := submitTo(first).Submit(t.Context(), first.c.offer(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.await(&b.stderr, "another ledger is at this address now"); err != nil {
		t.Fatal(err)
	}
	<-b.ended
	if code := b.cmd.ProcessState.ExitCode(); code != 8 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(b.stdout.String(), string(second.c.origin)) {
		t.Errorf("records of the other ledger are shown:\n%s", &b.stdout)
	}
	first.stop(t)
	second.stop(t)
}

func submitTo(s *targetServer) intake.HTTPClient { return intake.HTTPClient{URL: s.url} }

// Many people amend one pledge at once, over HTTP and NATS: each amendment that is recorded builds
// on the record before it, and who was too late is told what has changed.
func TestManyAmendAtOnce(t *testing.T) {
	t.Parallel()
	s := newTarget(t)
	r, err := submitTo(s).Submit(t.Context(), s.c.offer(t))
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	var done, late atomic.Int64
	for i := range 8 {
		way := []string{"--url", s.url}
		if i%2 == 1 {
			way = []string{"--nats", s.nats}
		}
		u := newUser(t)
		working.Go(func() {
			args := append([]string{"pledge", "amend", r.ID.String(), "--quantity",
				fmt.Sprint(101 + i), "--key", s.keyFile}, way...)
			switch code, _, said := u.types(t, args...); {
			case code == 0:
				done.Add(1)
			case code == 5 && strings.Contains(said, "pledge amended: quantity"):
				late.Add(1)
			default:
				t.Errorf("exit code %d: %s", code, said)
			}
		})
	}
	working.Wait()
	var life web.Records
	getJSON(t, s.url+"/api/v1/records?type=pledge&limit=100", &life)
	before := fmt.Sprint(r.Sequence)
	for _, one := range life.Records[1:] {
		if !strings.Contains(one.Statement(), `"after":`+before+`,`) {
			t.Errorf("record %d does not build on %s: %s", one.Sequence, before, one.Statement())
		}
		before = fmt.Sprint(one.Sequence)
	}
	if n := len(life.Records) - 1; n != int(done.Load()) || done.Load()+late.Load() != 8 || n == 0 {
		t.Errorf("%d amendments are recorded, %d were told so, and %d that they were late", n,
			done.Load(), late.Load())
	}
	t.Logf("%d recorded, %d late", done.Load(), late.Load())
	newUser(t).content(t, "verify", s.url)
	s.stop(t)
	newUser(t).content(t, "verify", s.dir)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	again := serving(t, s.dir)
	newUser(t).content(t, "replay", copied, "--against", again.url)
	again.stop(t)
}

// Whoever follows a log signs in again by itself when the session has ended, and goes on where it
// was, over HTTP and over NATS; when its key is revoked, it is told so.
func TestFollowedLogAcrossSessions(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	s := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats-listen", "127.0.0.1:0",
		"--read", "released")
	s.awaitNATS(t)
	c, key := begin(t, s), filepath.Join(t.TempDir(), "paris.key")
	if err := os.WriteFile(key, []byte(c.secret), 0o600); err != nil {
		t.Fatal(err)
	}
	says := func(st events.Statement, with *events.Signer) {
		t.Helper()
		if _, err := s.client().Submit(t.Context(), signed(t, st, with)); err != nil {
			t.Fatal(err)
		}
	}
	says(c.offerOf(7001), c.paris)
	ways := [][]string{{"--key", key, "--url", s.url}, {"--key", key, "--nats", s.nats}}
	var all []*background
	hears := func(offer string) {
		t.Helper()
		for _, b := range all {
			if _, err := b.await(&b.stdout, offer); err != nil {
				t.Fatal(err)
			}
		}
	}
	var users []user
	for _, way := range ways {
		u := newUser(t)
		b, err := startBackground(u.dir,
			[]string{"MUSTER_CONFIG=" + filepath.Join(u.dir, "config")},
			append([]string{"log", "--follow"}, way...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.kill)
		all, users = append(all, b), append(users, u)
	}
	hears(`"quantity":7001`)
	for i, u := range users {
		u.content(t, append([]string{"session", "end"}, ways[i]...)...)
	}
	says(c.offerOf(7002), c.paris)
	hears(`"quantity":7002`)
	says(&events.MemberRevoked{Header: c.head("member.revoked"), Key: c.paris.Key(),
		Reason: "it was lost"}, c.founder)
	says(c.operation("after-it"), c.founder)
	for i, b := range all {
		if _, err := b.await(&b.stderr,
			"FRA/paris could not sign in: .* or it was revoked$"); err != nil {
			t.Fatal(err)
		}
		<-b.ended
		said := b.stdout.String()
		if code := b.cmd.ProcessState.ExitCode(); code != 4 ||
			strings.Count(said, "7001") != 1 || strings.Count(said, "7002") != 1 ||
			strings.Contains(said, "after-it") {
			t.Errorf("%v: exit code %d after\n%s%s", ways[i], code, said, &b.stderr)
		}
	}
	s.stop(t)
}
