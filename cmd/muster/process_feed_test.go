package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"muster/ledger/intake"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
)

// policyFile writes the policy that asks for so many of the witnesses, each a name, a key and an
// address.
func policyFile(t *testing.T, log string, many int, witnesses ...[3]string) string {
	t.Helper()
	text, names := "log "+log+"\n", ""
	for _, w := range witnesses {
		text += "witness " + strings.Join(w[:], " ") + "\n"
		names += " " + w[0]
	}
	file := filepath.Join(t.TempDir(), "policy")
	text += fmt.Sprintf("group some %d%s\nquorum some\n", many, names)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// awaitWitnessed returns when so many records are witnessed by so many, as the server shows it to
// everybody, and verifies that.
func (p *serverProcess) awaitWitnessed(t *testing.T, file, key string, records int64, by int) (
	c proof.Checkpoint) {
	t.Helper()
	asks, err := policy.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the witnesses", func() error {
		signed, err := p.client().Fetch(t.Context(), "checkpoint/witnessed")
		if err != nil {
			return err
		}
		if c, err = proof.OpenCheckpoint(signed, key); err != nil {
			return err
		}
		w, err := asks.Witnessed(signed)
		if err == nil && (c.N < records || len(w.By) < by) {
			err = fmt.Errorf("%d records are %v", c.N, w)
		}
		return err
	})
	return c
}

// A server has its witnesses sign what it has recorded: one of ours, one that is not, and one that
// is away. None is waited for, but at the start, and a copy of an old state of the folder, which
// would give the records' places to others, does not start.
func TestServerFeedsWitnesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	key := p.checkpointKey(t)
	p.stop(t)
	old := filepath.Join(dir, "copy", "ledger")
	copyTo(t, p.dir, old)

	lite := litewitness(t, key)
	address := freeAddress(t)
	witness := func() *witnessProcess {
		return witnessing(t, filepath.Join(dir, "witness"), "--name", "witness.example/fra",
			"--log", key, "--listen", address)
	}
	ours := witness()
	away := witnessing(t, filepath.Join(dir, "away"), "--name", "away.example/ita", "--log", key)
	if err := away.terminate(); err != nil {
		t.Fatal(err)
	}
	file := policyFile(t, key, 2, [3]string{"paris", ours.key, ours.url},
		[3]string{"oslo", lite.key, lite.url}, [3]string{"rome", away.key, away.url})

	p = serving(t, p.dir, "--policy", file)
	p.isHealthy(t)
	offer := c.offer(t)
	first, err := p.client().Submit(t.Context(), offer)
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	const all = recordsOfBegin + 31
	p.awaitWitnessed(t, file, key, all, 2)
	again, err := p.client().Submit(t.Context(), offer)
	if err != nil || again.Sequence != first.Sequence ||
		strings.Contains(first.Proof, "witness.") ||
		!strings.Contains(again.Proof, "— witness.example/fra ") ||
		!strings.Contains(again.Proof, "— lite.example/nor ") {
		t.Errorf("%v: the receipt is\n%s\nand again\n%s", err, first.Proof, again.Proof)
	}
	u := newUser(t)
	out, _ := u.content(t, "checkpoint", "--url", p.url) // as a user without a policy sees it
	if !strings.Contains(out, "— lite.example/nor ") {
		t.Errorf("the checkpoint is\n%s", out)
	}
	u.content(t, "verify", p.url)

	// With one witness gone, the server goes on.
	if err := ours.terminate(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Fatal(err)
	}
	p.awaitNotSigned(t, "paris")
	p.isHealthy(t)
	out, _ = u.content(t, "status", "--url", p.url)
	for _, says := range []string{`witnessed +3\d records, witnessed by 2 of 3`,
		`witness paris +signs nothing now: the witness cannot be asked`,
		`witness oslo +has signed for 3\d records at 20`} {
		if !regexp.MustCompile(says).MatchString(out) {
			t.Errorf("the status has not %s:\n%s", says, out)
		}
	}
	p.stop(t)

	// An old copy: one witness is enough to know, and one that shows what it has signed proves it.
	q := launch(t, old, "--policy", file)
	const ahead = "oslo has signed 3[0-9] records of this ledger, and this server has 3:"
	if _, err := q.await(&q.stderr, ahead); err != nil {
		t.Error(err)
	}
	if code, said := q.ends(t); code != 7 || !strings.Contains(said, "the newer data folder") {
		t.Errorf("exit code %d: %s", code, said)
	}
	ours = witness()
	q = launch(t, old, "--policy", policyFile(t, key, 1, [3]string{"paris", ours.key, ours.url}))
	if code, said := q.ends(t); code != 7 || !strings.Contains(said, "both signed checkpoints") {
		t.Errorf("exit code %d: %s", code, said)
	}
	kept, err := filepath.Glob(filepath.Join(old, "witness-*.checkpoints"))
	if err != nil || len(kept) != 2 {
		t.Errorf("kept are %v, %v", kept, err)
	}
	for _, file := range kept {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "\n3\n") {
			t.Errorf("%v: kept is\n%s", err, text)
		}
	}

	// The folder itself goes on; and without any witness it waits.
	if err := ours.terminate(); err != nil {
		t.Fatal(err)
	}
	p = serving(t, p.dir, "--policy", file)
	p.refuses(t, c, "1 have signed since this server started", "takes them when enough have signed")
	if n := len(p.records(t)); n != all+1 { // it answers
		t.Errorf("it shows %d records", n)
	}
	ours = witness()
	p.isHealthy(t)
	if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Fatal(err)
	}
	p.awaitWitnessed(t, file, key, all+2, 2)
	p.stop(t)
	if err := ours.terminate(); err != nil {
		t.Fatal(err)
	}
}

// awaitNotSigned returns when the server says that a witness has not signed.
func (p *serverProcess) awaitNotSigned(t *testing.T, name string) {
	t.Helper()
	says := `a witness has not signed.*witness=` + name
	if _, err := p.await(&p.stderr, says); err != nil {
		t.Error(err)
	}
}

// While a server runs, another one signs with a copy of its folder: the first takes nothing more,
// and keeps what both have signed.
func TestWitnessOfTwoServers(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	key := p.checkpointKey(t)
	p.stop(t)
	copyTo(t, p.dir, filepath.Join(dir, "copy", "ledger"))
	w := witnessing(t, filepath.Join(dir, "witness"), "--name", "witness.example/fra", "--log", key)
	file := policyFile(t, key, 1, [3]string{"paris", w.key, w.url})
	p = serving(t, p.dir, "--policy", file)
	p.isHealthy(t)
	q := serving(t, filepath.Join(dir, "copy", "ledger"), "--policy", file)
	q.isHealthy(t)
	for range 2 {
		if _, err := q.client().Submit(t.Context(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	q.awaitWitnessed(t, file, key, recordsOfBegin+2, 1)
	if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Fatal(err) // the witness is asked after that
	}
	p.isUnhealthy(t, "paris has signed 5 records of this ledger, and this server has 4")
	p.refuses(t, c, "has signed 5 records", "both signed checkpoints are kept")
	kept, err := filepath.Glob(filepath.Join(p.dir, "witness-*-4-5.checkpoints"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept are %v, %v", kept, err)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.SplitAfter(string(text), "=\n\nmuster") {
		if i == 1 {
			part = "muster" + part
		}
		part = strings.TrimSuffix(part, "\nmuster")
		if c, err := proof.OpenCheckpoint([]byte(part), key); err != nil || c.N != int64(4+i) {
			t.Errorf("%v: the %d. that is kept is\n%s", err, i+1, part)
		}
	}
	p.stop(t)
	q.stop(t)

	// A policy that asks for nobody has the server wait for nobody, and hear who answers.
	none := filepath.Join(t.TempDir(), "none")
	text = fmt.Appendf(nil, "witness paris %s %s\nquorum none\n", w.key, w.url)
	if err := os.WriteFile(none, text, 0o600); err != nil {
		t.Fatal(err)
	}
	late := launch(t, p.dir, "--policy", none)
	if code, said := late.ends(t); code != 7 || !strings.Contains(said, "has signed 5 records") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if err := w.terminate(); err != nil {
		t.Fatal(err)
	}
	q = serving(t, q.dir, "--policy", none)
	if _, err := q.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Error(err)
	}
	q.stop(t)
}

// Two servers of a ledger have the same witness: each is a moment behind the other now and then,
// and takes statements all the same; and each has what it shows signed.
func TestServersShareAWitness(t *testing.T) {
	t.Parallel()
	url, dir := natsCluster(t, t.TempDir(), anyPort).ClientURL(), t.TempDir()
	names := []string{"a", "b"}
	start := func(name string, flags ...string) *serverProcess {
		return serving(t, filepath.Join(dir, name),
			append([]string{"--nats", url, "--name", name}, flags...)...)
	}
	servers := []*serverProcess{start("a"), start("b")}
	c := begin(t, servers[0])
	servers[1].awaitRecord(t, recordsOfBegin)
	keys := []string{servers[0].checkpointKey(t), servers[1].checkpointKey(t)}
	for _, p := range servers {
		p.stop(t)
	}
	w := witnessing(t, filepath.Join(dir, "witness"), "--name", "witness.example/fra", "--log",
		keys[0], "--log", keys[1])
	file := policyFile(t, keys[0]+"\nlog "+keys[1], 1, [3]string{"paris", w.key, w.url})
	for i, name := range names {
		servers[i] = start(name, "--policy", file)
	}
	for _, p := range servers {
		p.isHealthy(t) // they have heard each other, too
	}
	const all = 60
	for i := range all {
		if _, err := servers[i%2].client().Submit(t.Context(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range servers {
		p.awaitWitnessed(t, file, keys[i], recordsOfBegin+all, 1)
		if said := p.stderr.String(); strings.Contains(said, "the witness paris has signed") {
			t.Errorf("the server %s says\n%s", names[i], said)
		}
		p.stop(t)
	}
}

// Behind an address are the checkpoints that witnesses have signed, and another history than they
// have: only who demands witnesses finds that out at the first contact.
func TestForkBehindWitnesses(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	key := p.checkpointKey(t)
	p.stop(t)
	copyTo(t, p.dir, filepath.Join(dir, "copy", "ledger"))
	w := witnessing(t, filepath.Join(dir, "witness"), "--name", "witness.example/fra", "--log", key)
	file := policyFile(t, key, 1, [3]string{"paris", w.key, w.url})
	p = serving(t, p.dir, "--policy", file)
	p.isHealthy(t)
	forked := serving(t, filepath.Join(dir, "copy", "ledger"))
	for _, to := range []*serverProcess{p, p, forked, forked, forked} {
		if _, err := to.client().Submit(t.Context(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	p.awaitWitnessed(t, file, key, recordsOfBegin+2, 1)
	signed, err := p.client().Fetch(t.Context(), intake.WitnessedPath)
	if err != nil {
		t.Fatal(err)
	}
	lie := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/"+intake.WitnessedPath {
			_, _ = w.Write(signed)
			return
		}
		to, err := http.Get(forked.url + r.URL.RequestURI())
		if err != nil {
			t.Error(err)
			return
		}
		defer to.Body.Close()
		w.Header().Set("Content-Type", to.Header.Get("Content-Type"))
		w.WriteHeader(to.StatusCode)
		_, _ = io.Copy(w, to.Body)
	}))
	t.Cleanup(lie.Close)
	newUser(t).content(t, "pledge", "list", "--url", lie.URL) // as who has seen nothing else
	newUser(t).isWarned(t, "", key, "pledge", "list", "--url", lie.URL, "--policy", file)
	code, out, said := newUser(t).types(t, "verify", lie.URL, "--policy", file)
	if code != 8 || !strings.Contains(out, "failed       known") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	newUser(t).content(t, "pledge", "list", "--url", p.url, "--policy", file)
	p.stop(t)
	forked.stop(t)
}

// A policy that cannot be is refused before anything else is done.
func TestServePolicy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte("quorum nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	unasked := filepath.Join(dir, "unasked")
	text := "witness paris witness.example/fra+d4df3d89+BHjVM/2QsKnJ9JwMHJHVG+rkAuYUXmDwhATt/" +
		"iEUNYw3\nquorum paris\n"
	if err := os.WriteFile(unasked, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, filepath.Join(dir, "unasked-ledger"), "--policy", unasked)
	if code, said := p.ends(t); code != 2 || !strings.Contains(said, "witness NAME KEY URL") {
		t.Errorf("exit code %d: %s", code, said)
	}
	for file, says := range map[string]string{wrong: "line 1 of the policy",
		filepath.Join(dir, "none"): "no such file"} {
		p := launch(t, filepath.Join(dir, "ledger"), "--policy", file)
		if code, said := p.ends(t); code == 0 || !strings.Contains(said, says) {
			t.Errorf("exit code %d: %s", code, said)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger")); err == nil {
		t.Error("a folder was made")
	}
}
