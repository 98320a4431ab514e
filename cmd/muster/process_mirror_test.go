package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// A mirrorProcess is a mirror in a process of its own.
type mirrorProcess struct {
	*background
	dir, url string
}

// mirrors starts a mirror, and does not wait for it.
func mirrors(t *testing.T, of, dir string, flags ...string) *mirrorProcess {
	t.Helper()
	args := append([]string{"mirror", of, dir}, flags...)
	if said := strings.Join(flags, " "); !strings.Contains(said, "--once") &&
		!strings.Contains(said, "--listen") {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	b, err := startBackground(filepath.Dir(dir), []string{
		"MUSTER_CONFIG=" + filepath.Join(filepath.Dir(dir), "config-"+filepath.Base(dir))}, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.kill()
		if said := b.stderr.String(); broken.MatchString(said) {
			t.Errorf("the mirror in %s broke:\n%s", filepath.Base(dir), said)
		} else if t.Failed() {
			t.Logf("the mirror in %s said:\n%s", filepath.Base(dir), said)
		}
	})
	return &mirrorProcess{background: b, dir: dir}
}

// mirroringOf starts a mirror, and returns when it answers.
func mirroringOf(t *testing.T, of, dir string, flags ...string) *mirrorProcess {
	t.Helper()
	m := mirrors(t, of, dir, flags...)
	found, err := m.await(&m.stderr, `listening on (http://\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	m.url = found[1]
	return m
}

// fails waits for the end of a mirror, which has an exit code and says something.
func (m *mirrorProcess) fails(t *testing.T, code int, says ...string) {
	t.Helper()
	select {
	case <-m.ended:
	case <-time.After(patience):
		t.Fatalf("the mirror goes on; it said:\n%s", &m.stderr)
	}
	if got := m.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d instead of %d:\n%s", got, code, &m.stderr)
	}
	for _, text := range says {
		if !strings.Contains(m.stderr.String(), text) {
			t.Errorf("it does not say %q:\n%s", text, &m.stderr)
		}
	}
}

// health is what a mirror says of itself.
func (m *mirrorProcess) health(t *testing.T) (h server.Health) {
	t.Helper()
	status, body := get(t, m.url+"/healthz")
	if err := json.Unmarshal([]byte(body), &h); err != nil || status != http.StatusOK ||
		h.Mirror == nil {
		t.Fatalf("%d: %s", status, body)
	}
	return h
}

// awaitRecords returns when the mirror has so many records.
func (m *mirrorProcess) awaitRecords(t *testing.T, n uint64) {
	t.Helper()
	await(t, "the mirror", func() error {
		if h := m.health(t); h.Recorded != n || h.Projected != n {
			return fmt.Errorf("it has %d records", h.Recorded)
		}
		return nil
	})
}

// submitMany has Paris offer so much, of which every fifth is for the coordinators alone.
func submitMany(t *testing.T, p *serverProcess, c *country, n int) {
	t.Helper()
	client := p.client()
	var submitting sync.WaitGroup
	for of := range 16 {
		submitting.Go(func() {
			for i := of; i < n; i += 16 {
				st := c.offerOf(int64(i) + 1)
				if i%5 == 0 {
					st.Release = events.CoordinatorsOnly
				}
				if _, err := client.Submit(t.Context(), signed(t, st, c.paris)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	submitting.Wait()
}

// questionsOf are the addresses of all questions of which the answers follow from the records.
func questionsOf(t *testing.T, p *serverProcess) (all []string) {
	t.Helper()
	list := web.Client{URL: p.url}
	var pledges struct {
		Pledges []struct{ ID events.ID }
	}
	if err := list.Ask(t.Context(), "pledges", map[string]string{"view": "coalition"},
		&pledges); err != nil || len(pledges.Pledges) == 0 {
		t.Fatal(err, pledges)
	}
	names := strings.NewReplacer("{id}", pledges.Pledges[0].ID.String(), "{nation}", "FRA",
		"{operation}", "mnf-u", "{record}", "5", "{what}", "strength")
	for _, path := range []string{"/ledger", "/coverage", "/gaps", "/timeline", "/dependence",
		"/hanging", "/readiness", "/review", "/due", "/nations", "/nations/{nation}", "/strength",
		"/pledges", "/pledges/{id}", "/pledges/{id}/versions", "/operations/{operation}",
		"/diff?from=3", "/explain/{what}", "/records/{record}/counted", "/late", "/corrections",
		"/delivery", "/members", "/scopes", "/records?from=590", "/fingerprint", "/pledges.csv",
		"/coverage.csv", "/records.csv?from=500"} {
		all = append(all, web.Root+names.Replace(path))
	}
	return all
}

// withView adds a view to an address.
func withView(address, view string) string {
	if strings.Contains(address, "?") {
		return address + "&view=" + view
	}
	return address + "?view=" + view
}

// A nation that keeps a mirror has the ledger when the server is gone: the same answers, byte for
// byte, of the view that it may hold, the pages, and everything that proves them.
func TestMirror(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	submitMany(t, p, c, 600)
	const last = recordsOfBegin + 600
	whole := mirroringOf(t, p.url, filepath.Join(dir, "whole"))
	allied := mirroringOf(t, p.url, filepath.Join(dir, "allied"), "--view", "coalition")
	submitMany(t, p, c, 5) // which they follow
	for _, m := range []*mirrorProcess{whole, allied} {
		m.awaitRecords(t, last+5)
	}
	if f := allied.health(t).Mirror; f.View != events.CoalitionView || f.Withheld != 121 ||
		f.Of != p.url || f.Away != nil || f.Met == nil {
		t.Errorf("it follows as %+v", f)
	}
	told := map[string]string{}
	for _, address := range questionsOf(t, p) {
		status, body := get(t, p.url+address)
		_, released := get(t, p.url+withView(address, "coalition"))
		if status != http.StatusOK {
			t.Fatalf("%s: %d: %s", address, status, body)
		}
		told[whole.url+address] = body
		told[whole.url+withView(address, "coalition")] = released
		told[allied.url+address] = released
	}
	for _, path := range []string{"/checkpoint", "/tile/0/001", "/tile/1/000.p/2",
		"/tile/released/001?view=coalition", "/tile/released/002?view=public"} {
		_, body := get(t, p.url+path)
		told[whole.url+path], told[allied.url+path] = body, body
	}
	_, entries := get(t, p.url+"/tile/entries/001")
	told[whole.url+"/tile/entries/001"] = entries
	same := func() {
		t.Helper()
		for address, want := range told {
			if _, got := get(t, address); got != want {
				t.Errorf("%s: it answers\n%.300s\nand the server\n%.300s", address, got, want)
			}
		}
	}
	same()

	p.kill()
	for _, m := range []*mirrorProcess{whole, allied} {
		await(t, "the server to be gone", func() error {
			if f := m.health(t).Mirror; f.Away == nil || f.Problem == nil {
				return fmt.Errorf("it says %+v", f)
			}
			return nil
		})
	}
	same()
	u := newUser(t)
	for _, what := range []string{whole.url, allied.url, whole.dir, allied.dir} {
		out, said := u.content(t, "verify", what)
		if !strings.Contains(out, "verified     rules ") {
			t.Errorf("%s\n%s", out, said)
		}
	}
	u.content(t, "coverage", "--operation", "mnf-u", "--url", allied.url, "--verify")
	out, _ := u.content(t, "log", "--url", allied.url, "--from", "600")
	if !strings.Contains(out, "pledge.offered") {
		t.Errorf("the log is\n%s", out)
	}
	u.content(t, "export", "bundle", "all.bundle", "--url", whole.url)
	u.content(t, "verify", "all.bundle")
	u.content(t, "replay", whole.dir)
	out, _ = u.content(t, "status", "--url", allied.url)
	for _, says := range []string{"are not taken: this is a mirror of " + p.url, "not since 20",
		"the view coalition, with 121 records withheld", "608"} {
		if !strings.Contains(out, says) {
			t.Errorf("the status does not say %q:\n%s", says, out)
		}
	}
	for _, path := range []string{"/", "/log", "/pledges", "/verify?record=5", "/timeline",
		"/verify?record=4", "/compare", "/submit"} {
		status, page := get(t, allied.url+path)
		if status != http.StatusOK || !strings.Contains(page, "This is a mirror of the server") ||
			!strings.Contains(page, "It could not follow the server since") ||
			!strings.Contains(page, "what is released to the coalition") {
			t.Errorf("the page %s is %d:\n%.2000s", path, status, page)
		}
	}
	// Nobody is told more than it holds, and no statement is taken.
	for _, asked := range []string{"coordinators", "FRA"} {
		status, body := get(t, allied.url+withView(web.Root+"/coverage", asked))
		if status != http.StatusForbidden ||
			!strings.Contains(body, "this mirror holds the view coalition") {
			t.Errorf("%d: %s", status, body)
		}
	}
	_, err := (intake.HTTPClient{URL: whole.url, HTTP: http.DefaultClient}).Submit(t.Context(),
		c.offer(t))
	if err == nil || !strings.Contains(fmt.Sprint(err), "takes no statements") {
		t.Errorf("%v", err)
	}
	live, err := http.Get(allied.url + web.Root + "/records/events") // which goes on for ever
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	answered := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, live.Body)
		answered <- err
	}()
	if err := allied.terminate(); err != nil {
		t.Error(err)
	}
	// Its answer has come to an end, before the server would have cut off who is still answered.
	if err := <-answered; err != nil {
		t.Errorf("who follows it was cut off: %v", err)
	}

	// Any web server shows the folder, to who verifies and to another mirror.
	web := httptest.NewServer(http.FileServer(http.Dir(whole.dir)))
	defer web.Close()
	newUser(t).content(t, "verify", web.URL, "--checkpoint-key", p.checkpointKey(t))
	again := filepath.Join(dir, "again")
	mirrors(t, web.URL, again, "--once", "--checkpoint-key", p.checkpointKey(t)).fails(t, 7,
		"does not say who may read what", "with --view")
	mirrors(t, web.URL, again, "--once", "--checkpoint-key", p.checkpointKey(t), "--view",
		"coordinators").fails(t, 0)
	u.content(t, "verify", again)

	// What is damaged is fetched from another mirror, when nothing else is there.
	copied := copyFolder(t, whole.dir)
	tile := filepath.Join(copied, "tile/entries/001")
	data, err := os.ReadFile(tile)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(tile, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := u.types(t, "verify", copied); code != 8 {
		t.Errorf("a damaged folder is verified with exit code %d", code)
	}
	mirrors(t, p.url, copied, "--once").fails(t, 8, "lacks records 257 to 512")
	mirrors(t, whole.url, copied, "--once").fails(t, 0)
	u.content(t, "verify", copied)
}

// A mirror holds what its key may read, and shows each who signs in no more than that and its own.
func TestMirrorOfANation(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	warsaw, warsawKey := newSigner(t, "POL/warsaw")
	own, theirs := c.offerOf(300), c.offerOf(500)
	own.Release, theirs.Release, theirs.Nation = events.CoordinatorsOnly, events.CoordinatorsOnly,
		"POL"
	for _, s := range []events.Signed{signed(t, c.admission(warsaw), c.founder),
		signed(t, own, c.paris), signed(t, theirs, warsaw), c.offer(t)} {
		if _, err := p.client().Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	p.stop(t)
	p = serving(t, p.dir, "--read", "released")
	paris, poland := filepath.Join(dir, "paris.key"), filepath.Join(dir, "warsaw.key")
	for file, secret := range map[string]string{paris: c.secret, poland: warsawKey} {
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	held := filepath.Join(dir, "mirror")
	mirrors(t, p.url, held, "--key", paris, "--view", "POL", "--once").fails(t, 4,
		"may read the view FRA")
	m := mirroringOf(t, p.url, held, "--key", paris, "--read", "released")
	if f := m.health(t).Mirror; f.View != "FRA" || f.Withheld != 1 {
		t.Errorf("%+v", f)
	}
	founder := filepath.Join(p.dir, server.FounderFile)
	p.kill()
	u := newUser(t)
	for _, who := range []struct {
		flag, key, has, not string
	}{{"--key", paris, "300", "500"}, {"--key", poland, "100", "300"},
		{"--key", founder, "300", "500"}, {"--anonymous", "", "0 pledges", "100"}} {
		args := []string{"pledge", "list", "--url", m.url, who.flag}
		if who.key != "" {
			args = append(args, who.key)
		}
		out, said := u.content(t, args...)
		if !strings.Contains(out, who.has) || strings.Contains(out, "  "+who.not+"  ") {
			t.Errorf("%v: %s%s", args, out, said)
		}
	}
	u.content(t, "verify", m.url, "--key", poland)
	code, _, said := u.types(t, "pledge", "list", "--url", m.url, "--key", poland, "--view", "POL")
	if code != 4 || !strings.Contains(said, "this mirror holds the view FRA") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// A mirror is behind its server, and for good when that is gone: who has seen more of the ledger is
// told so, and reads what there is.
func TestMirrorIsBehind(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	submitted(t, p, c)
	held := filepath.Join(dir, "mirror")
	mirrors(t, p.url, held, "--once").fails(t, 0)
	p.stop(t)
	old := copyFolder(t, p.dir)
	p = serving(t, p.dir)
	submitted(t, p, c)
	u := newUser(t)
	u.content(t, "pledge", "list", "--url", p.url)
	p.kill()
	m := mirroringOf(t, p.url, held)
	out, said := u.content(t, "pledge", "list", "--url", m.url)
	if !strings.Contains(said, "this mirror has 4 records, and 5 were seen of the ledger before") ||
		!strings.Contains(out, "1 pledge") {
		t.Errorf("%s%s", out, said)
	}
	if out, _ = u.content(t, "verify", m.url); !strings.Contains(out, "these here are older") {
		t.Errorf("%s", out)
	}
	// Only a mirror may be behind.
	u.isShownOlder(t, "it shows 4 records, and 5 were seen before", "pledge", "list",
		"--url", between(t, m.url, func(path string, body []byte) []byte {
			if path == "/healthz" {
				return []byte(strings.Replace(string(body), `"mirror"`, `"none"`, 1))
			}
			return body
		}))
	// A server that has gone back, and says that it is a mirror, is sent nothing.
	back := serving(t, old)
	url := between(t, back.url, func(path string, body []byte) []byte {
		if path == "/healthz" {
			return []byte(strings.Replace(string(body), `{`, `{"mirror":{"problem":{"type":`+
				`"urn:muster:problem:unavailable"}},`, 1))
		}
		return body
	})
	code, out, said := u.types(t, "pledge", "offer", "--operation", "mnf-u", "--role", "ground",
		"--nation", "NLD", "--quantity", "7", "--url", url, "--key",
		filepath.Join(old, server.FounderFile))
	if code != 7 || !strings.Contains(said, "nothing was sent") || len(back.records(t)) != 4 {
		t.Errorf("exit code %d, and %d records\n%s%s", code, len(back.records(t)), out, said)
	}
}

// What a server shows, or what stands before it, that is not what it has signed, or not what it has
// shown before, is not stored; the mirror ends, keeps the proof, and answers from what it held when
// it is started again.
func TestMirrorBelievesNobody(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	submitMany(t, p, c, 300)
	const first = recordsOfBegin + 300
	p.stop(t)
	fork := serving(t, copyFolder(t, p.dir))
	submitMany(t, fork, c, 10)
	_, olderFork := get(t, fork.url+"/checkpoint")
	submitMany(t, fork, c, 20)
	p = serving(t, p.dir)
	held := filepath.Join(dir, "held")
	mirrors(t, p.url, held, "--once").fails(t, 0)
	_, older := get(t, p.url+"/checkpoint")
	submitMany(t, p, c, 20)
	for name, l := range map[string]struct {
		of     string
		change func(path string, body []byte) []byte
		ahead  bool // the mirror has all records first
		says   string
	}{
		"forked": {fork.url, func(_ string, body []byte) []byte { return body }, true,
			"SHOWS ANOTHER HISTORY"},
		"forked, and smaller": {fork.url, func(path string, body []byte) []byte {
			if path == "/checkpoint" {
				return []byte(olderFork)
			}
			return body
		}, true, "its 313 records are not the first of the 323 that are held"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied := copyFolder(t, held)
			has := uint64(first)
			if l.ahead {
				mirrors(t, p.url, copied, "--once").fails(t, 0)
				has += 20
			}
			var lies atomic.Bool
			url := between(t, l.of, func(path string, body []byte) []byte {
				lies.Store(true)
				return l.change(path, body)
			})
			m := mirrors(t, url, copied)
			m.fails(t, 8, l.says, fmt.Sprintf("holds %d records as before", has),
				filepath.Join(copied, "stopped.json"))
			if l.ahead {
				found := evidenceFiles.FindStringSubmatch(m.stderr.String())
				if found == nil {
					t.Fatalf("no evidence is kept:\n%s", &m.stderr)
				}
				for _, file := range found[1:] {
					if _, err := os.Stat(file); err != nil {
						t.Error(err)
					}
				}
			}
			out, _ := newUser(t).content(t, "verify", copied)
			if !strings.Contains(out, fmt.Sprintf("%d records", has)) {
				t.Errorf("%s", out)
			}
			m = mirroringOf(t, p.url, copied)
			if h := m.health(t); h.Recorded != has || !h.Mirror.Stopped {
				t.Errorf("%+v, %+v", h, h.Mirror)
			}
			if _, page := get(t, m.url+"/"); !strings.Contains(page, "is followed no more") {
				t.Errorf("the page says\n%s", page)
			}
			if !strings.Contains(m.stderr.String(), "NOT FOLLOWING "+p.url) {
				t.Errorf("it says\n%s", &m.stderr)
			}
			if err := m.terminate(); err != nil {
				t.Error(err)
			}
			mirrors(t, p.url, copied, "--once").fails(t, 8, "follows no more, since")
			if err := os.Remove(filepath.Join(copied, "stopped.json")); err != nil {
				t.Fatal(err)
			}
			mirrors(t, p.url, copied, "--once").fails(t, 0)
		})
	}
	t.Run("older", func(t *testing.T) {
		t.Parallel()
		isShownAnOlderState(t, p, copyFolder(t, held), older)
	})
}

// isShownAnOlderState has somebody between a mirror and its server show an old checkpoint again:
// the mirror says so, keeps what it holds, and goes on when the newer ones are shown.
func isShownAnOlderState(t *testing.T, p *serverProcess, held, older string) {
	mirrors(t, p.url, held, "--once").fails(t, 0)
	const has = recordsOfBegin + 320
	var replays atomic.Bool
	replays.Store(true)
	url := between(t, p.url, func(path string, body []byte) []byte {
		if path == "/checkpoint" && replays.Load() {
			return []byte(older)
		}
		return body
	})
	mirrors(t, url, held, "--once").fails(t, 7, "AN OLDER STATE", "these are the first of them")
	u := newUser(t)
	u.content(t, "checkpoint", "--url", p.url)
	if code, out, said := u.types(t, "verify", url); code != 7 ||
		!strings.Contains(out, "verified before; these are the first of them.") {
		t.Errorf("an old checkpoint: exit code %d\n%s%s", code, out, said)
	}
	m := mirroringOf(t, url, held)
	await(t, "the mirror to say what it is shown", func() error {
		h := m.health(t)
		if why := h.Mirror.Problem; why == nil || why.Code != "older-state" || h.Recorded != has {
			return fmt.Errorf("%+v, %+v", h, h.Mirror)
		}
		return nil
	})
	if said := m.stderr.String(); !strings.Contains(said, "cannot follow "+url) ||
		!strings.Contains(said, "AN OLDER STATE") {
		t.Errorf("it says\n%s", said)
	}
	if _, page := get(t, m.url+"/"); !strings.Contains(page, "AN OLDER STATE") {
		t.Errorf("the page says\n%s", page)
	}
	replays.Store(false)
	await(t, "the mirror to follow again", func() error {
		if f := m.health(t).Mirror; f.Away != nil || f.Stopped {
			return fmt.Errorf("%+v", f)
		}
		return nil
	})
	if _, err := os.Stat(filepath.Join(held, "stopped.json")); !os.IsNotExist(err) {
		t.Errorf("it has stopped: %v", err)
	}
	if err := m.terminate(); err != nil {
		t.Error(err)
	}
}

// A mirror that is killed while it catches up goes on when it is started again, and so does one
// whose server comes and goes.
func TestMirrorIsKilled(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	address := freeAddress(t)
	p := serving(t, filepath.Join(dir, "ledger"), "--listen", address)
	c := begin(t, p)
	submitMany(t, p, c, 300)
	held := filepath.Join(dir, "mirror")
	mirrors(t, p.url, held, "--once").fails(t, 0)
	submitMany(t, p, c, 300)
	reached, goOn := make(chan struct{}, 64), make(chan struct{})
	slow := between(t, p.url, func(path string, body []byte) []byte {
		if strings.HasPrefix(path, "/tile/entries/002") {
			reached <- struct{}{}
			<-goOn
		}
		return body
	})
	t.Cleanup(func() { close(goOn) }) // before the server that waits for it is closed
	m := mirrors(t, slow, held)
	<-reached
	elapsed := stopwatch()
	if err := m.terminate(); err != nil || elapsed() > beginTime/4 {
		t.Errorf("it ends after %v: %v", elapsed(), err)
	}
	m = mirrors(t, slow, held)
	<-reached
	if err := m.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-m.ended
	u := newUser(t)
	if out, _ := u.content(t, "verify", held); !strings.Contains(out, "303 records") {
		t.Errorf("%s", out)
	}
	m = mirroringOf(t, p.url, held)
	m.awaitRecords(t, 603)
	p.kill()
	if _, err := m.await(&m.stderr, `cannot follow http`); err != nil {
		t.Fatal(err)
	}
	p = serving(t, p.dir, "--listen", address)
	submitMany(t, p, c, 3)
	m.awaitRecords(t, 606)
	await(t, "the mirror to say that it follows again", func() error {
		if f := m.health(t).Mirror; f.Away != nil || f.Problem != nil {
			return fmt.Errorf("%+v", f)
		}
		return nil
	})
	u.content(t, "verify", held) // while it runs
	if err := m.terminate(); err != nil {
		t.Error(err)
	}
	// A server that never answers keeps nobody from what is held.
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-ended
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(ended) })
	elapsed = stopwatch()
	m = mirroringOf(t, silent.URL, held)
	if h := m.health(t); h.Recorded != 606 || elapsed() > beginTime/2 {
		t.Errorf("it has %d records after %v", h.Recorded, elapsed())
	}
	if err := m.interrupt(); err != nil {
		t.Error(err)
	}
}

// A mirror is a witness that has read every record that it signs for: a server's policy names it,
// and what another history has it does not sign.
func TestMirrorIsAWitness(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	address, at := freeAddress(t), freeAddress(t)
	p := serving(t, filepath.Join(dir, "ledger"), "--listen", address)
	c := begin(t, p)
	key := p.checkpointKey(t)
	held := filepath.Join(dir, "mirror")
	m := mirroringOf(t, p.url, held, "--witness-name", "witness.example/fra", "--listen", at)
	found, err := m.await(&m.stderr, `witness (\S+\+\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	p.stop(t)
	fork := serving(t, copyFolder(t, p.dir))
	policy := policyFile(t, key, 1, [3]string{"paris", found[1], "http://" + at})
	p = serving(t, p.dir, "--listen", address, "--policy", policy)
	p.isHealthy(t)
	submitted(t, p, c)
	submitted(t, p, c)
	p.awaitWitnessed(t, policy, key, recordsOfBegin+2, 1)
	m.awaitRecords(t, recordsOfBegin+2)
	if h := m.health(t); h.Mirror.Witness != found[1] {
		t.Errorf("%+v", h.Mirror)
	}
	u := newUser(t)
	for _, url := range []string{p.url, m.url} {
		await(t, "the mirror to show it", func() error {
			if code, _, said := u.types(t, "checkpoint", "--url", url, "--policy",
				policy); code != 0 || !strings.Contains(said, "witnessed by 1 of 1") {
				return fmt.Errorf("%d: %s", code, said)
			}
			return nil
		})
	}
	// Another history, which nobody has shown to the mirror.
	for range 2 {
		submitted(t, fork, c)
	}
	code, _, said := newUser(t).types(t, "checkpoint", "--url", fork.url, "--witness",
		"http://"+at, "--witness-key", found[1])
	if code != 8 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if err := m.terminate(); err != nil {
		t.Error(err)
	}
	m = mirroringOf(t, p.url, held, "--listen", at) // it is the same witness
	if again, err := m.await(&m.stderr, `witness (\S+\+\S+)`); err != nil || again[1] != found[1] {
		t.Errorf("%v, %v", again, err)
	}
	p.stop(t)
}

// What nobody has signed says nothing of the server, and stops no mirror: it is asked again. One
// that is to be made of it is not.
func TestMirrorOutlivesJunk(t *testing.T) {
	notShort(t)
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	c := begin(t, p)
	var junk atomic.Value // the beginning of the paths at which there is junk
	junk.Store("")
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if prefix := junk.Load().(string); prefix != "" && strings.HasPrefix(r.URL.Path, prefix) {
			_, _ = w.Write([]byte("an error page\n"))
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	m := mirroringOf(t, proxy.URL, filepath.Join(t.TempDir(), "held"))
	for i, prefix := range []string{"/checkpoint/witnessed", "/tile/entries/", "/tile/0/"} {
		junk.Store(prefix)
		if i > 0 {
			mirrors(t, proxy.URL, filepath.Join(t.TempDir(), "new"), "--once").fails(t, 8, "signed")
		}
		if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
		await(t, "the mirror, which is told junk", func() error {
			h := m.health(t)
			if h.Mirror.Stopped {
				t.Fatalf("%s: it follows no more: %+v", prefix, h.Mirror.Problem)
			}
			if h.Mirror.Away == nil {
				return fmt.Errorf("%s: it is not away", prefix)
			}
			if h.Mirror.Problem.Hint != "" {
				t.Errorf("it tells everybody %q", h.Mirror.Problem.Hint)
			}
			return nil
		})
		junk.Store("")
		await(t, "the mirror to go on", func() error {
			h := m.health(t)
			if h.Recorded != uint64(recordsOfBegin+1+i) || h.Mirror.Away != nil {
				return fmt.Errorf("it has %d records: %+v", h.Recorded, h.Mirror)
			}
			return nil
		})
	}
}
