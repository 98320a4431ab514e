package witness_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/witness"
)

const origin = "muster.example/test"

// A history is a tree that its server signs.
type history struct {
	signer *proof.CheckpointSigner
	hashes []tlog.Hash
	sizes  int64
}

func (h *history) ReadHashes(indexes []int64) (all []tlog.Hash, err error) {
	for _, i := range indexes {
		all = append(all, h.hashes[i])
	}
	return all, nil
}

func (h *history) grow(tb interface{ Fatal(...any) }, records ...string) {
	for _, r := range records {
		more, err := tlog.StoredHashes(h.sizes, []byte(r), h)
		if err != nil {
			tb.Fatal(err)
		}
		h.hashes, h.sizes = append(h.hashes, more...), h.sizes+1
	}
}

func (h *history) root(tb interface{ Fatal(...any) }, n int64) tlog.Hash {
	root, err := tlog.TreeHash(n, h)
	if err != nil {
		tb.Fatal(err)
	}
	return root
}

func (h *history) checkpoint(tb interface{ Fatal(...any) }, n int64) []byte {
	signed, err := h.signer.Sign(tlog.Tree{N: n, Hash: h.root(tb, n)})
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}

// add is the body of a request, with the proof from old to n.
func (h *history) add(tb interface{ Fatal(...any) }, old, n int64) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	if 0 < old && old < n {
		p, err := tlog.ProveTree(n, old, h)
		if err != nil {
			tb.Fatal(err)
		}
		for _, hash := range p {
			fmt.Fprintln(&b, hash)
		}
	}
	fmt.Fprintf(&b, "\n%s", h.checkpoint(tb, n))
	return b.Bytes()
}

func newSigner(tb interface{ Fatal(...any) }, name string) *proof.CheckpointSigner {
	secret, err := proof.NewCheckpointKey(origin)
	if name != origin && err == nil {
		secret, _, err = note.GenerateKey(nil, name)
	}
	if err != nil {
		tb.Fatal(err)
	}
	s, err := proof.NewCheckpointSigner(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// histories are two with the same first records, which one server signs.
func histories(tb interface{ Fatal(...any) }, same, each int) (a, b *history) {
	signer := newSigner(tb, origin)
	a, b = &history{signer: signer}, &history{signer: signer}
	for i := range same + each {
		a.grow(tb, fmt.Sprint("record ", i))
		if i < same {
			b.grow(tb, fmt.Sprint("record ", i))
		} else {
			b.grow(tb, fmt.Sprint("another record ", i))
		}
	}
	return a, b
}

func open(tb interface{ Fatal(...any) }, cfg witness.Config) *witness.Witness {
	w, err := witness.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func config(t *testing.T, keys ...string) (cfg witness.Config, said *bytes.Buffer) {
	secret, err := witness.NewKey("witness.example/fra")
	if err != nil {
		t.Fatal(err)
	}
	said = new(bytes.Buffer)
	return witness.Config{Secret: secret, Logs: keys, Dir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(said, nil))}, said
}

// Each way to be refused has its status, and none of them changes what the witness holds.
func TestAddCheckpoint(t *testing.T) {
	a, b := histories(t, 5, 5)
	cfg, said := config(t, a.signer.Key())
	w := open(t, cfg)
	defer w.Close()
	server := httptest.NewServer(w)
	defer server.Close()
	post := func(body []byte) (status int, kind, text string) {
		t.Helper()
		r, err := http.Post(server.URL+"/add-checkpoint", "", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(r.Body); err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, r.Header.Get("Content-Type"), b.String()
	}
	verifier, err := torchwood.NewCosignatureVerifier(w.Key())
	if err != nil {
		t.Fatal(err)
	}
	signs := func(h *history, old, n int64) {
		t.Helper()
		status, _, text := post(h.add(t, old, n))
		if status != http.StatusOK {
			t.Fatalf("%d to %d: %d %s", old, n, status, text)
		}
		signed := append(h.checkpoint(t, n), text...)
		opened, err := note.Open(signed, note.VerifierList(verifier))
		if err != nil || len(opened.Sigs) != 1 {
			t.Fatalf("%d to %d: %v: %s", old, n, err, text)
		}
	}
	signs(a, 0, 0)
	signs(a, 0, 6)
	signs(a, 6, 6)
	other := &history{signer: newSigner(t, "muster.example/other")}
	other.grow(t, "x")
	stranger := &history{signer: newSigner(t, origin)}
	stranger.grow(t, "x")
	proofs := func(change func(lines []string) []string) []byte {
		head, rest, _ := strings.Cut(string(a.add(t, 6, 9)), "\n\n")
		return []byte(strings.Join(change(strings.Split(head, "\n")), "\n") + "\n\n" + rest)
	}
	oldIs := func(size string) []byte {
		return bytes.Replace(a.add(t, 6, 9), []byte("old 6"), []byte("old "+size), 1)
	}
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"nothing":             {nil, 400},
		"no size":             {proofs(func(l []string) []string { return l[1:] }), 400},
		"a size in two forms": {oldIs("06"), 400},
		"a negative size":     {oldIs("-6"), 400},
		"no hash": {proofs(func(l []string) []string {
			l[1] = "no hash"
			return l
		}), 400},
		"64 hashes": {proofs(func(l []string) []string {
			for len(l) < 65 {
				l = append(l, l[1])
			}
			return l
		}), 400},
		"more than there are":  {a.add(t, 8, 7), 400},
		"another ledger":       {other.add(t, 0, 1), 404},
		"another key":          {stranger.add(t, 0, 1), 403},
		"too long":             {append(a.add(t, 6, 9), make([]byte, 1<<20)...), 413},
		"behind":               {a.add(t, 0, 9), 409},
		"ahead":                {a.add(t, 7, 9), 409},
		"an older one":         {a.add(t, 5, 5), 409},
		"a hash too many":      {proofs(func(l []string) []string { return append(l, l[1]) }), 422},
		"a hash too few":       {proofs(func(l []string) []string { return l[:len(l)-1] }), 422},
		"another history":      {b.add(t, 6, 9), 422},
		"another history at 6": {b.add(t, 6, 6), 409},
		"a proof of nothing": {bytes.Replace(a.add(t, 6, 6), []byte("old 6\n"),
			[]byte("old 6\n"+a.root(t, 3).String()+"\n"), 1), 422},
	} {
		status, kind, text := post(c.body)
		if status != c.status {
			t.Errorf("%s: %d, want %d: %s", name, status, c.status, text)
		}
		if c.status == 409 && (kind != "text/x.tlog.size" || text != "6\n") {
			t.Errorf("%s: %s %q", name, kind, text)
		}
	}
	signs(a, 6, 9)
	// The two checkpoints that cannot both be true are kept, and said once.
	post(b.add(t, 9, 9))
	post(b.add(t, 9, 9))
	kept, err := filepath.Glob(filepath.Join(cfg.Dir, "other-history-*"))
	if err != nil || len(kept) != 2 || strings.Count(said.String(), "level=ERROR") != 2 {
		t.Fatalf("kept are %v, %v; it says\n%s", kept, err, said)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil || !bytes.Contains(text, []byte(a.root(t, 6).String())) ||
		!bytes.Contains(text, []byte(b.root(t, 6).String())) {
		t.Errorf("%v: %s", err, text)
	}
	hash := sha256.Sum256([]byte(origin))
	got, err := http.Get(fmt.Sprintf("%s/%x/checkpoint", server.URL, hash))
	if err != nil || got.StatusCode != http.StatusOK {
		t.Errorf("its checkpoint: %v, %v", got, err)
	}
}

// Whatever is asked, in whatever order, of a witness that is started anew now and then: all that it
// signs is of one history.
func TestNoTwoHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same, each := rapid.IntRange(0, 6).Draw(t, "same"), 6
		a, b := histories(t, same, each)
		dir, err := os.MkdirTemp("", "witness")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		secret, err := witness.NewKey("witness.example/fra")
		if err != nil {
			t.Fatal(err)
		}
		cfg := witness.Config{Secret: secret, Logs: []string{a.signer.Key()}, Dir: dir,
			Log: slog.New(slog.DiscardHandler)}
		w := open(t, cfg)
		defer func() { w.Close() }()
		held, isA, isB := int64(0), true, true
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			if rapid.Bool().Draw(t, "starts anew") {
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				w = open(t, cfg)
			}
			h := rapid.SampledFrom([]*history{a, b}).Draw(t, "history")
			n := int64(rapid.IntRange(0, same+each).Draw(t, "size"))
			old := rapid.SampledFrom([]int64{held, held, 0, n}).Draw(t, "old")
			if _, err := w.Add(h.add(t, old, n)); err != nil {
				if (h == a && isA || h == b && isB) && old == held && n >= held {
					t.Fatalf("from %d to %d: %v", old, n, err)
				}
				continue
			}
			if old != held || n < held {
				t.Fatalf("it held %d, and signs %d as if it had held %d", held, n, old)
			}
			held = n
			isA, isB = isA && a.root(t, n) == h.root(t, n), isB && b.root(t, n) == h.root(t, n)
			if !isA && !isB {
				t.Fatalf("it has signed two histories, the last at %d", n)
			}
		}
	})
}

// Of many requests at once that cannot all be true, only some are signed, and none behind another.
func TestAtOnce(t *testing.T) {
	a, b := histories(t, 1, 30)
	cfg, _ := config(t, a.signer.Key())
	w := open(t, cfg)
	defer w.Close()
	if _, err := w.Add(a.add(t, 0, 1)); err != nil {
		t.Fatal(err)
	}
	var signed sync.Map
	var all sync.WaitGroup
	for n := int64(2); n <= 31; n++ {
		for _, h := range []*history{a, b} {
			body := h.add(t, 1, n)
			all.Go(func() {
				if _, err := w.Add(body); err == nil {
					signed.Store(h.root(t, n), true)
				}
			})
		}
	}
	all.Wait()
	count := 0
	signed.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d are signed that go on from one record", count)
	}
}

// Two processes do not share a folder, and one that cannot read what it has signed does not start.
func TestFolder(t *testing.T) {
	a, _ := histories(t, 3, 0)
	cfg, _ := config(t, a.signer.Key())
	w := open(t, cfg)
	if _, err := w.Add(a.add(t, 0, 3)); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(cfg); !problem.Is(err, problem.Conflict) {
		t.Errorf("a second one: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	another := cfg
	var err error
	if another.Secret, err = witness.NewKey("witness.example/fra"); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(another); !problem.Is(err, problem.Unavailable) {
		t.Errorf("with another key: %v", err)
	}
	file := filepath.Join(cfg.Dir, "witness.db")
	if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(cfg); !problem.Is(err, problem.Unavailable) {
		t.Errorf("a damaged file: %v", err)
	}
}

// A witness that reads the records signs nothing that it has not read, and keeps the proof where
// the records that it has read are those of another history.
func TestHolds(t *testing.T) {
	a, b := histories(t, 5, 5)
	cfg, said := config(t, a.signer.Key())
	read := int64(5) // of the first history
	cfg.Holds = func(_ context.Context, c proof.Checkpoint) error {
		switch {
		case c.N > read:
			return errors.New("it has read fewer")
		case a.root(t, c.N) != c.Hash:
			seen, err := proof.OpenCheckpoint(a.checkpoint(t, read), a.signer.Key())
			if err != nil {
				t.Fatal(err)
			}
			return &proof.OtherHistory{Seen: seen, Shown: c, What: "it is another"}
		}
		return nil
	}
	w := open(t, cfg)
	defer w.Close()
	server := httptest.NewServer(w)
	defer server.Close()
	adds := func(body []byte, want int) {
		t.Helper()
		resp, err := http.Post(server.URL+"/add-checkpoint", "", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("status %d instead of %d", resp.StatusCode, want)
		}
	}
	adds(a.add(t, 0, 6), http.StatusServiceUnavailable)
	adds(a.add(t, 0, 4), http.StatusOK)
	read = 8
	adds(b.add(t, 4, 7), http.StatusUnprocessableEntity)
	adds(a.add(t, 4, 8), http.StatusOK)
	kept, err := filepath.Glob(filepath.Join(cfg.Dir, "other-history-*"))
	if err != nil || len(kept) != 1 || !strings.Contains(said.String(), "two histories") {
		t.Errorf("%v, %v\n%s", kept, err, said)
	}
	if _, sizes := w.Origins(); sizes[0] != 8 {
		t.Errorf("it has signed %v", sizes)
	}
}
