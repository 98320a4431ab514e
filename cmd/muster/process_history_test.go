package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/nats-io/nats.go"

	"muster/cmd/internal/server"
	"muster/ledger/intake"
	"muster/ledger/journal"
	"muster/ledger/proof"
	"muster/ledger/seeded"
)

// A user types commands, and has a memory of its own.
type user struct{ dir string }

func newUser(t *testing.T) user { return user{t.TempDir()} }

// types runs a command with the user's memory.
func (u user) types(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	c := exec.Command("muster", args...)
	c.Dir, c.Env = u.dir, plainEnv("MUSTER_CONFIG="+filepath.Join(u.dir, "config"))
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), said.String()
}

// content fails the test unless a command ends well.
func (u user) content(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	code, out, said := u.types(t, args...)
	if code != 0 {
		t.Fatalf("muster %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, said)
	}
	return out, said
}

var evidenceFiles = regexp.MustCompile(
	`(\S+-seen\.checkpoint) was seen before, and (\S+-shown\.checkpoint) is shown now`)

// isWarned fails the test unless a command refuses to go on because the server shows another
// history, and the evidence, two checkpoints that the key has signed, is kept.
func (u user) isWarned(t *testing.T, words, key string,
	args ...string) (seen, shown proof.Checkpoint) {
	t.Helper()
	code, out, said := u.types(t, args...)
	files := evidenceFiles.FindStringSubmatch(said)
	if code != 8 || out != "" || !strings.Contains(said, "THE SERVER SHOWS ANOTHER HISTORY") ||
		!regexp.MustCompile(words).MatchString(said) || files == nil {
		t.Fatalf("muster %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, said)
	}
	for i, c := range []*proof.Checkpoint{&seen, &shown} {
		signed, err := os.ReadFile(files[i+1])
		if err == nil {
			*c, err = proof.OpenCheckpoint(signed, key)
		}
		if err != nil {
			t.Fatalf("the evidence %s: %v", files[i+1], err)
		}
	}
	return seen, shown
}

// isShownOlder types a command that must say that it was shown an older state, and nothing else.
func (u user) isShownOlder(t *testing.T, words string, args ...string) {
	t.Helper()
	code, out, said := u.types(t, args...)
	if code != 7 || out != "" || !strings.Contains(said, "THE SERVER SHOWS AN OLDER STATE") ||
		!strings.Contains(said, words) || strings.Contains(said, "HISTORY") ||
		evidenceFiles.MatchString(said) {
		t.Fatalf("muster %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, said)
	}
}

// checkpointKey returns what the server says is its key.
func (p *serverProcess) checkpointKey(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`checkpoint key (\S+)`).FindStringSubmatch(p.stderr.String())
	if found == nil {
		t.Fatalf("the server does not say its checkpoint key:\n%s", &p.stderr)
	}
	return found[1]
}

// A liar is one address behind which there are several servers.
type liar struct {
	to atomic.Pointer[httputil.ReverseProxy]
}

func newLiar(t *testing.T) (l *liar, url string) {
	l = &liar{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.to.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return l, srv.URL
}

func (l *liar) show(t *testing.T, p *serverProcess) {
	t.Helper()
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	l.to.Store(httputil.NewSingleHostReverseProxy(u))
}

// copyFolder copies a stopped server's folder.
func copyFolder(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// A server tells one history to one client and another to another, both signed with its key.
// Neither can know, until it is shown what the other was; then it says so, sends nothing, and has
// the proof.
func TestServerThatShowsTwoHistories(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	first := serving(t, dir)
	c := begin(t, first)
	first.stop(t)
	second := serving(t, copyFolder(t, dir))
	first = serving(t, dir)
	for range 3 {
		submitted(t, first, c)
	}
	for range 2 {
		submitted(t, second, c)
	}
	lie, url := newLiar(t)
	key := filepath.Join(dir, server.FounderFile)
	offer := []string{"pledge", "offer", "--url", url, "--key", key, "--operation", "mnf-u",
		"--nation", "NLD", "--role", "ground", "--quantity", "5"}
	alice, bob := newUser(t), newUser(t)

	lie.show(t, first)
	if _, said := alice.content(t, "pledge", "list", "--url", url); !strings.Contains(said,
		"first contact with the ledger "+string(c.origin)) ||
		!strings.Contains(said, first.checkpointKey(t)) {
		t.Errorf("at the first contact it is said:\n%s", said)
	}
	lie.show(t, second)
	bob.content(t, "pledge", "list", "--url", url)
	bob.content(t, "pledge", "list", "--url", url) // the same again is no news

	before := len(second.records(t))
	for _, command := range [][]string{{"pledge", "list", "--url", url}, offer,
		{"checkpoint", "--url", url}} {
		alice.isShownOlder(t, "it shows 5 records, and 6 were seen before; whether these are the "+
			"first of them is not known", command...)
	}
	if code, out, said := alice.types(t, "verify", url); code != 7 ||
		!strings.Contains(out, "whether these are the first of them is not known") ||
		!strings.Contains(said, "whether these are the first of them is not known") {
		t.Errorf("a smaller fork: exit code %d\n%s%s", code, out, said)
	}
	if n := len(second.records(t)); n != before {
		t.Errorf("%d statements were sent to the liar", n-before)
	}
	lie.show(t, first)
	seen, shown := bob.isWarned(t,
		"the first 5 of its 6 records are not those that were there before",
		first.checkpointKey(t), offer...)
	if seen.N != 5 || shown.N != 6 {
		t.Errorf("the evidence is of %d and %d records", seen.N, shown.N)
	}
	submitted(t, second, c) // now they are of the same size
	lie.show(t, second)
	alice.isWarned(t, "of the same 6 records it shows the root", first.checkpointKey(t), offer...)
	submitted(t, second, c)
	alice.isWarned(t, "the first 6 of its 7 records are not those that were there before",
		first.checkpointKey(t), offer...)
	lie.show(t, first) // what could not be compared was not forgotten
	seen, shown = alice.isWarned(t,
		"the first 5 of its 6 records are not those that were there before",
		first.checkpointKey(t), offer...)
	if seen.N != 5 || shown.N != 6 {
		t.Errorf("the evidence is of %d and %d records", seen.N, shown.N)
	}
	newUser(t).content(t, offer...)
	first.stop(t)
	second.stop(t)
}

// submitted adds an offer to a server.
func submitted(t *testing.T, p *serverProcess, c *country) {
	t.Helper()
	if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Fatal(err)
	}
}

// A server that says more than it proves is not believed: nobody is told that anything was
// recorded.
func TestReceiptThatDoesNotProve(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir)
	begin(t, p)
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"sequence":\d+`:               `"sequence":2`,
		`"leaf_index":\d+`:             `"leaf_index":0`,
		`"recorded":"2`:                `"recorded":"3`,
		`,"by":"`:                      `,"by":"somebody-`,
		`"type":"pledge\.offered"`:     `"type":"pledge.indicated"`,
		`"envelope":"[^\\]*\\"v\\":1`:  `"envelope":"{\"v\":2`,
		`"proof":"[^"]*"`:              `"proof":""`,
		`"proof":.*`:                   `"proof":"c2sp.org/tlog-proof@v1\nindex 0\n\n"}`,
		`\\nindex \d+`:                 `\nindex 1`,
		`\\n\\n([a-z./0-9]+)\\n\d+\\n`: `\n\n$1\n99\n`,
	} {
		pattern := regexp.MustCompile(from)
		proxy := httputil.NewSingleHostReverseProxy(u)
		proxy.ModifyResponse = func(r *http.Response) error {
			if r.Request.URL.Path != intake.Path {
				return nil
			}
			data, err := io.ReadAll(r.Body)
			altered := pattern.ReplaceAll(data, []byte(to))
			if bytes.Equal(altered, data) {
				t.Errorf("%s is not in the receipt:\n%s", from, data)
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(altered)), int64(len(altered))
			r.Header.Set("Content-Length", fmt.Sprint(len(altered)))
			return err
		}
		srv := httptest.NewServer(proxy)
		receipt := filepath.Join(t.TempDir(), "receipt")
		code, out, said := newUser(t).types(t, "pledge", "offer", "--url", srv.URL, "--key",
			filepath.Join(dir, server.FounderFile),
			"--operation", "mnf-u", "--nation", "NLD", "--role", "ground", "--quantity", "5",
			"--receipt", receipt)
		_, err := os.Stat(receipt)
		if code != 8 || out != "" || !strings.Contains(said, "and does not prove it: ") ||
			err == nil {
			t.Errorf("%s: exit code %d\n%s%s", from, code, out, said)
		}
		srv.Close()
	}
	p.stop(t)
}

// An old copy of the folder is put back: whoever has seen more says so, over HTTP and over NATS.
// Who comes for the first time cannot know.
func TestOldCopyIsNoticed(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir)
	c := begin(t, p)
	p.stop(t)
	old := copyFolder(t, dir)

	p = serving(t, dir)
	u, key := newUser(t), p.checkpointKey(t)
	out, _ := u.content(t, "pledge", "offer", "--url", p.url, "--key",
		filepath.Join(dir, server.FounderFile), "--operation", "mnf-u", "--nation", "NLD", "--role",
		"ground", "--quantity", "5", "--json")
	if !strings.Contains(out, `"proof":`) && !strings.Contains(out, `"proof": `) {
		t.Errorf("the receipt has no proof:\n%s", out)
	}
	p.stop(t)

	p = serving(t, old, "--nats-listen", "127.0.0.1:0")
	p.awaitNATS(t)
	for _, where := range [][]string{{"--url", p.url}, {"--nats", p.nats}} {
		u.isShownOlder(t, "it shows 3 records, and 4 were seen before",
			append([]string{"pledge", "list"}, where...)...)
	}
	newUser(t).content(t, "pledge", "list", "--url", p.url)
	submitted(t, p, c)
	submitted(t, p, c)
	u.isWarned(t, "the first 4 of its 5 records are not those", key, "pledge", "list",
		"--nats", p.nats)
	p.stop(t)
}

// The key that was trusted first stays the trusted one. Another is believed when somebody gives it.
func TestAnotherKeyIsNotTrusted(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir)
	begin(t, p)
	u := newUser(t)
	u.content(t, "pledge", "list", "--url", p.url)
	p.stop(t)

	key := filepath.Join(dir, server.CheckpointKeyFile)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if code, said := launch(t, dir).ends(t); code != 3 ||
		!strings.Contains(said,
			"is missing: the journal's last checkpoint, of 3 records, was signed with one") {
		t.Errorf("without its key: exit code %d:\n%s", code, said)
	}
	p = serving(t, dir, "--new-checkpoint-key")
	code, out, said := u.types(t, "pledge", "list", "--url", p.url)
	if code != 8 || out != "" ||
		!strings.Contains(said, "is signed with no key that is trusted: it is of 3 records, "+
			"which go on from the 3 that were verified before") ||
		strings.Contains(said, "HISTORY") ||
		!strings.Contains(said, "--checkpoint-key") {
		t.Errorf("another key: exit code %d\n%s%s", code, out, said)
	}
	u.content(t, "pledge", "list", "--url", p.url, "--checkpoint-key", p.checkpointKey(t))
	u.content(t, "pledge", "list", "--url", p.url)

	stranger := newUser(t)
	secret, err := proof.NewCheckpointKey("muster.example/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := proof.KeyOfSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	code, _, said = stranger.types(t, "pledge", "list", "--url", p.url, "--checkpoint-key", pinned)
	if code != 8 || !strings.Contains(said, "is not signed with the key that is trusted") {
		t.Errorf("another ledger's key was given: exit code %d\n%s", code, said)
	}
	p.stop(t)
}

// Two servers of one ledger sign with keys of their own. Who trusts both holds them against each
// other; one that is behind lags, and is not taken for a liar.
func TestServersOfOneLedger(t *testing.T) {
	notShort(t)
	t.Parallel()
	cluster, dir := natsCluster(t, t.TempDir(), anyPort), t.TempDir()
	a := serving(t, filepath.Join(dir, "a"), "--nats", cluster.ClientURL(), "--name", "a")
	b := serving(t, filepath.Join(dir, "b"), "--nats", cluster.ClientURL(), "--name", "b")
	c, u := begin(t, a), newUser(t)
	b.awaitRecord(t, recordsOfBegin)
	u.content(t, "checkpoint", "--url", a.url)
	if code, _, said := u.types(t, "checkpoint", "--url", b.url); code != 8 ||
		!strings.Contains(said, "or this is another server of the ledger") {
		t.Errorf("the key of b is not known: exit code %d\n%s", code, said)
	}
	out, _ := u.content(t, "checkpoint", "--url", b.url, "--checkpoint-key", b.checkpointKey(t))
	if _, err := proof.OpenCheckpoint([]byte(out), b.checkpointKey(t)); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	submitted(t, a, c)
	b.awaitRecord(t, recordsOfBegin+1)
	for _, p := range []*serverProcess{a, b, a} {
		u.content(t, "checkpoint", "--url", p.url)
	}
	b.stop(t)
	alone := copyFolder(t, b.dir) // b, cut off from the others
	submitted(t, a, c)
	u.content(t, "checkpoint", "--url", a.url)
	b = serving(t, alone, "--name", "b")
	code, out, said := u.types(t, "checkpoint", "--url", b.url)
	if code != 7 || out != "" ||
		!strings.Contains(said,
			"this server lags: it shows 4 records, and 5 were seen of the ledger before") {
		t.Errorf("b lags: exit code %d\n%s%s", code, out, said)
	}
	a.stop(t)
	b.stop(t)
}

// Another ledger under an old name, with fewer records, does not lag: it is another one, and said
// to be, at once and with the evidence.
func TestAnotherLedgerOfTheName(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir, u := t.TempDir(), newUser(t)
	a := serving(t, filepath.Join(dir, "a"), "--origin", "muster.example/name")
	c := begin(t, a)
	submitted(t, a, c)
	u.content(t, "checkpoint", "--url", a.url, "--data", a.dir)
	a.stop(t)
	b := serving(t, filepath.Join(dir, "b"), "--origin", "muster.example/name")
	for _, typed := range [][]string{{"checkpoint"}, {"pledge", "list"}, {"log"}} {
		code, out, said := u.types(t, append(typed, "--url", b.url, "--data", b.dir)...)
		if code != 8 || out != "" ||
			!strings.Contains(said,
				"it is another ledger of the same name: its first record is ") ||
			!strings.Contains(said, "both signed checkpoints are kept") ||
			strings.Contains(said, "lags") {
			t.Errorf("%s: exit code %d\n%s%s", typed, code, out, said)
		}
	}
	b.stop(t)
}

// A memory that cannot be written is a warning, and reading goes on.
func TestNoPlaceToRemember(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	u := newUser(t)
	// Where the folder should be.
	if err := os.WriteFile(filepath.Join(u.dir, "config"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, said := u.content(t, "log", "--url", p.url)
	if !strings.Contains(out, "ledger.founded") ||
		strings.Count(said, "muster: warning: what the server shows cannot be held against "+
			"earlier contacts") != 1 {
		t.Errorf("%s%s", out, said)
	}
	p.stop(t)
}

// Torchwood's client reads the log as any C2SP tlog-tiles log, and finds every record where it
// should be.
func TestTorchwoodReadsTheLog(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats-listen", "127.0.0.1:0")
	p.awaitNATS(t)
	c := begin(t, p)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 65 {
				if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	fetcher, err := torchwood.NewTileFetcher(p.url)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := proof.OpenCheckpoint(signed, p.checkpointKey(t))
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	log, n := p.records(t), 0
	for i, entry := range client.AllEntries(t.Context(), checkpoint.Tree, 0) {
		if int(i) != n || string(entry) != log[n].Stored {
			t.Fatalf("entry %d is not record %d:\n%s\n%s", i, n+1, entry, log[n].Stored)
		}
		n++
	}
	if err := client.Err(); err != nil || n != len(log) || n != recordsOfBegin+8*65 ||
		checkpoint.N != int64(n) {
		t.Errorf("%d entries of %d records, the checkpoint is of %d, %v", n, len(log),
			checkpoint.N, err)
	}
	nc, err := nats.Connect(p.nats, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	overNATS, overHTTP := intake.NATSClient{Conn: nc}, p.client()
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/0/002.p/11", "tile/1/000.p/2",
		"tile/entries/001", "tile/entries/002.p/3"} {
		a, err1 := overNATS.Fetch(t.Context(), path)
		b, err2 := overHTTP.Fetch(t.Context(), path)
		if errors.Join(err1, err2) != nil || !bytes.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s: %d bytes over NATS, and %d over HTTP; %v, %v", path, len(a),
				len(b), err1, err2)
		}
	}
	p.stop(t)
}

// The server is killed while it commits. Each commit has its checkpoint, and every checkpoint that
// anybody was given is of the history that the server goes on with.
func TestKilledWhileSigning(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir, book := filepath.Join(t.TempDir(), "ledger"), newBook()
	p := serving(t, dir)
	c, key, random := begin(t, p), p.checkpointKey(t), seeded.New(t)
	var given []proof.Checkpoint
	for range 5 {
		acknowledged, _ := book.count()
		killWhileSubmitting(t, p, c, book, 16, acknowledged+40, upTo(random, 3*time.Millisecond))
		if signed, all := signedIn(t, dir); signed.N != all {
			t.Errorf("the journal has %d records, and its checkpoint is of %d", all, signed.N)
		}
		p = serving(t, dir)
		signed, err := p.client().Fetch(t.Context(), "checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		now, err := proof.OpenCheckpoint(signed, key)
		if err != nil {
			t.Fatal(err)
		}
		for _, before := range append(given, book.checkpoints(t, key)...) {
			if err := proof.CheckExtends(context.Background(), before, now,
				p.client().Fetch); err != nil {
				t.Fatalf("a checkpoint of %d records, that was given before: %v", before.N, err)
			}
		}
		given = append(given, now)
	}
	p.stop(t)
}

// signedIn reads the last checkpoint and the number of records from the journal of a server that
// does not run.
func signedIn(t *testing.T, dir string) (proof.Checkpoint, int64) {
	t.Helper()
	f, err := journal.Inspect(filepath.Join(dir, server.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	tree, signed, err := f.Meta()
	if err != nil {
		t.Fatal(err)
	}
	c, err := proof.ReadCheckpoint(signed)
	if err != nil || tree == nil || c.N == tree.N && c.Hash != tree.Hash {
		t.Fatalf("%v: the tree %v, signed as\n%s", err, tree, signed)
	}
	return c, tree.N
}

// checkpoints are those that receipts were under: one of every thirty.
func (b *accountBook) checkpoints(t *testing.T, key string) (all []proof.Checkpoint) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for id, r := range b.receipts {
		if n++; n%30 != 0 {
			continue
		}
		receipt := proof.Receipt{Record: append([]byte(r.Envelope+"\n"), b.sent[id].Note...),
			Proof: []byte(r.Proof)}
		in, err := receipt.Check(key)
		if err != nil {
			t.Fatal(fmt.Errorf("the receipt of record %d: %w", r.Sequence, err))
		}
		all = append(all, in.Checkpoint)
	}
	return all
}
