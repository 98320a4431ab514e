package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"muster/ledger/mirror"
	"muster/projections/web"
)

// natsBehindLies is a NATS server that passes all that it is asked on to another, and says
// something else in the answers to questions. What is signed comes as it is.
func natsBehindLies(t *testing.T, url, from, to string) string {
	t.Helper()
	liar := startNATS(t, &natsserver.Options{Host: "127.0.0.1", Port: anyPort, NoSigs: true,
		NoLog: true})
	there, err := nats.Connect(url, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(there.Close)
	here, err := nats.Connect(liar.ClientURL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(here.Close)
	_, err = here.Subscribe("muster.>", func(asked *nats.Msg) {
		answer, err := there.RequestMsg(&nats.Msg{Subject: asked.Subject, Header: asked.Header,
			Data: asked.Data}, patience)
		if err != nil {
			return
		}
		if asked.Subject != "muster.tile" && asked.Subject != "muster.checkpoint" {
			answer.Data = bytes.ReplaceAll(answer.Data, []byte(from), []byte(to))
		}
		_ = asked.RespondMsg(&nats.Msg{Header: answer.Header, Data: answer.Data})
	})
	if err == nil {
		err = here.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return liar.ClientURL()
}

// Who asks over NATS verifies as who asks over HTTP: what is asked with --verify, and whatever
// becomes part of a statement.
func TestAnswersOverNATSAreVerified(t *testing.T) {
	t.Parallel()
	notShort(t)
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats-listen", "127.0.0.1:0")
	p.awaitNATS(t)
	c := begin(t, p)
	offer := c.offerOf(100)
	if _, err := p.client().Submit(t.Context(), signed(t, offer, c.paris)); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "FRA-paris.key")
	if err := os.WriteFile(key, []byte(c.secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	liar := natsBehindLies(t, p.nats, `:100,`, `:900,`)
	for _, line := range []string{
		"pledge amend " + offer.ID.String() + " --dry-run --note another",
		"pledge correct 4 --dry-run --reason wrong --note another",
		"pledge list --verify",
		"log --verify -o json",
	} {
		for at, want := range map[string]int{p.nats: 0, liar: 8} {
			var out, errs bytes.Buffer
			args := append(strings.Fields(line), "--nats", at, "--key", key)
			if code := run(args, strings.NewReader(""), &out, &errs); code != want {
				t.Errorf("muster %s, at the liar: %v: exit code %d\n%s%s", line, at == liar, code,
					&out, &errs)
			}
		}
	}
}

// Who has signed in is not shown the public's numbers as verified: a token that somebody between
// has made up is no session.
func TestNobodyIsAnsweredAsAnother(t *testing.T) {
	t.Parallel()
	notShort(t)
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--read", "released")
	c := begin(t, p)
	key := filepath.Join(t.TempDir(), "FRA-paris.key")
	if err := os.WriteFile(key, []byte(c.secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	var token atomic.Value
	token.Store("")
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if made := token.Load().(string); made != "" {
			r.Header.Del("Authorization")
			if r.Method == http.MethodPost && r.URL.Path == web.Root+"/session" {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"token":%q,"until":"2190-01-01T00:00:00Z"}`, made)
				return
			}
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	token.Store(strings.Repeat("0123456789", 4) + "abc")
	u := newUser(t)
	code, out, said := u.types(t, "strength", "--verify", "--url", proxy.URL, "--key", key)
	if code != 8 || out != "" || !strings.Contains(said, "answers as nobody") {
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
	u.content(t, "strength", "--verify", "--url", p.url, "--key", key)
}

// Whose view an organisation's name means follows from the verified records: a server that takes
// NATO for the whole coalition, and shows what all of it may read, leaves something out.
func TestNamesOfViewsAreVerified(t *testing.T) {
	t.Parallel()
	notShort(t)
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	u := newUser(t)
	plan := filepath.Join(u.dir, "plan.yaml")
	if err := os.WriteFile(plan, []byte("operation: op1\ntitle: A force\neffective: 2026-01-01\n"+
		"roles: [{role: ground, title: Troops, unit: personnel}]\n"+
		"organisations: [{code: x-nato, name: NATO}]\nrequirements: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u.content(t, "plan", "apply", plan, "--data", p.dir)
	u.content(t, "pledge", "offer", "--data", p.dir, "--nation", "FRA", "--operation", "op1",
		"--role", "ground", "--quantity", "700", "--from", "2026-01-01", "--effective",
		"2026-01-01", "--release", "coordinators", "--releasable-to", "NATO")
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	var instead atomic.Value
	instead.Store("coalition")
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("view") == "NATO" {
			q.Set("view", instead.Load().(string))
			r.URL.RawQuery = q.Encode()
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(liar.Close)
	for _, line := range []string{"log --view NATO --verify",
		"pledge list --operation op1 --on 2026-06-01 --view NATO --verify -o csv"} {
		out, _ := u.content(t, append(strings.Fields(line), "--url", p.url)...)
		if !strings.Contains(out, "FRA") {
			t.Errorf("muster %s says\n%s", line, out)
		}
		code, out, said := u.types(t, append(strings.Fields(line), "--url", liar.URL)...)
		if code != 8 {
			t.Errorf("muster %s, at the liar: exit code %d\n%s%s", line, code, out, said)
		}
	}
	// What is fetched and verified anyway tells whose the name is, and nothing else is kept.
	for _, line := range []string{"verify %s --view NATO", "replay --url %s --view NATO",
		"mirror %s copy --view NATO --once", "export bundle nato.bundle --url %s --view NATO"} {
		code, out, said := u.types(t, strings.Fields(fmt.Sprintf(line, liar.URL))...)
		if code != 8 || out != "" || !strings.Contains(said, `the server takes "NATO" for the `+
			`view coalition, and by the records it is the view x-nato`) {
			t.Errorf("muster %s, at the liar: exit code %d\n%s%s", line, code, out, said)
		}
		u.content(t, strings.Fields(fmt.Sprintf(line, p.url))...)
	}
	// Those who may not read what declares the name cannot tell whose it is.
	instead.Store("public")
	code, out, said := u.types(t, "verify", liar.URL, "--view", "NATO")
	if code != 8 || out != "" || !strings.Contains(said, "give the code of the organisation") {
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
	// A mirror's own records tell it, too.
	u.content(t, "mirror", liar.URL, "copy", "--view", "NATO", "--once")
	if about, err := mirror.ReadAbout(filepath.Join(u.dir, "copy")); err != nil ||
		about.View != "x-nato" {
		t.Errorf("the mirror is of %s: %v", about.View, err)
	}
}
