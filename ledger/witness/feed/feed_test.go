package feed_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/ledger/witness"
	"muster/ledger/witness/feed"
)

const origin = "muster.example/test"

// A log is a tree that grows, whose server signs each size.
type log struct {
	signer *proof.CheckpointSigner

	mu      sync.Mutex
	hashes  []tlog.Hash
	size    int64
	changed chan struct{}
}

func newLog(t *testing.T) *log {
	t.Helper()
	secret, err := proof.NewCheckpointKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := proof.NewCheckpointSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &log{signer: signer, changed: make(chan struct{})}
}

// grow adds records, which begin with some text.
func (l *log) grow(t *testing.T, n int, text string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		more, err := tlog.StoredHashes(l.size, fmt.Appendf(nil, "%s %d", text, l.size), l.reader())
		if err != nil {
			t.Fatal(err)
		}
		l.hashes, l.size = append(l.hashes, more...), l.size+1
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *log) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) (all []tlog.Hash, err error) {
		for _, i := range indexes {
			all = append(all, l.hashes[i])
		}
		return all, nil
	})
}

func (l *log) Signed() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	root, err := tlog.TreeHash(l.size, l.reader())
	if err != nil || l.size == 0 {
		return nil
	}
	signed, err := l.signer.Sign(tlog.Tree{N: l.size, Hash: root})
	if err != nil {
		return nil
	}
	return signed
}

func (l *log) Wait(ctx context.Context, after uint64) error {
	for {
		l.mu.Lock()
		size, changed := l.size, l.changed
		l.mu.Unlock()
		if uint64(size) > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *log) Tiles() tlog.TileReader { return tiles{l} }

type tiles struct{ *log }

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (t tiles) ReadTiles(all []tlog.Tile) (data [][]byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tile := range all {
		d, err := tlog.ReadTileData(tile, t.reader())
		if err != nil {
			return nil, err
		}
		data = append(data, d)
	}
	return data, nil
}

// A served is a witness that answers over HTTP, unless its gate is shut.
type served struct {
	*witness.Witness
	url string

	mu    sync.Mutex
	gate  chan struct{} // nil while it answers
	asked int
}

func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	gate := s.gate
	s.asked++
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-r.Context().Done():
			return
		}
	}
	s.Witness.ServeHTTP(w, r)
}

func (s *served) shut() (open func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.gate = gate
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gate = nil
		close(gate)
	}
}

func serve(t *testing.T, name string, l *log) *served {
	t.Helper()
	secret, err := witness.NewKey("witness.example/" + name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(witness.Config{Secret: secret, Logs: []string{l.signer.Key()},
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Witness: w}
	server := httptest.NewServer(s)
	s.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// policyOf asks for some of the witnesses.
func policyOf(t *testing.T, l *log, many int, all ...*served) *policy.Policy {
	t.Helper()
	text, names := "log "+l.signer.Key()+"\n", ""
	for i, w := range all {
		text += fmt.Sprintf("witness w%d %s %s\n", i, w.Key(), w.url)
		names += fmt.Sprint(" w", i)
	}
	p, err := policy.Parse(fmt.Appendf(nil, "%sgroup g %d%s\nquorum g\n", text, many, names))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// standings is what the feeder has told last.
type standings struct {
	mu  sync.Mutex
	all []feed.Standing
}

func (s *standings) add(next feed.Standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, next)
}

func start(t *testing.T, l *log, p *policy.Policy) (*feed.Feeder, *standings, *bytes.Buffer) {
	t.Helper()
	told, said := new(standings), new(bytes.Buffer)
	f, err := feed.Start(feed.Config{Policy: p, Key: l.signer.Key(), Tree: l,
		HTTP:     func(string) (*http.Client, error) { return &http.Client{}, nil },
		Standing: told.add, Every: 20 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, told, said
}

// awaits waits until so many records are witnessed by so many.
func awaits(t *testing.T, f *feed.Feeder, records int64, by int) feed.Cosigned {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		if c, ok := f.Best(records); ok && len(c.By.By) >= by {
			return c
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d records are not witnessed by %d: %+v", records, by, f.States())
	return feed.Cosigned{}
}

// A witness that does not answer holds up no other, and what it signs when it is back is added to
// what the others have signed.
func TestFeed(t *testing.T) {
	l := newLog(t)
	l.grow(t, 300, "record")
	a, b, slow := serve(t, "a", l), serve(t, "b", l), serve(t, "slow", l)
	open := slow.shut()
	f, told, _ := start(t, l, policyOf(t, l, 2, a, b, slow))
	c := awaits(t, f, 300, 2)
	if !c.By.Enough || c.By.String() != "witnessed by 2 of 3" {
		t.Errorf("it is %v", c.By)
	}
	for size := int64(301); size < 330; size++ { // one after the other, as commits come
		l.grow(t, 1, "record")
		if size%10 == 0 {
			awaits(t, f, size, 2)
		}
	}
	open()
	c = awaits(t, f, 329, 3)
	ledger, err := proof.CheckpointVerifier(l.signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(c.Signed, note.VerifierList(ledger))
	if err != nil || len(n.UnverifiedSigs) != 3 {
		t.Errorf("%v: it is signed as\n%s", err, c.Signed)
	}
	if s := f.Standing(); !s.Enough || s.Heard != 3 || len(s.Parted) > 0 {
		t.Errorf("the witnesses say %+v", s)
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	heard := 0 // what is told is how it stands then, when another may have answered already
	for _, s := range told.all {
		if s.Heard < max(heard, 1) || s.Enough != (s.Heard >= 2) {
			t.Errorf("it was told %+v", told.all)
		}
		heard = s.Heard
	}
	if heard != 3 {
		t.Errorf("it was told of %d witnesses", heard)
	}
}

// Commits that come quickly are shown together.
func TestFeedInBatches(t *testing.T) {
	l := newLog(t)
	l.grow(t, 1, "record")
	w := serve(t, "a", l)
	f, _, _ := start(t, l, policyOf(t, l, 1, w))
	begun := time.Now()
	for range 500 {
		l.grow(t, 1, "record")
	}
	awaits(t, f, 501, 1)
	most := 3 + int(time.Since(begun)/(20*time.Millisecond))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked > most {
		t.Errorf("it was asked %d times, and there is time for %d", w.asked, most)
	}
}

// What a witness has signed and this server does not have is told, with the proof; and one that
// cannot be asked has signed nothing.
func TestParted(t *testing.T) {
	for name, c := range map[string]struct {
		here, there int // records beside the 5 that both have
		says        string
	}{
		"ahead":           {0, 2, "has signed 7 records of this ledger, and it is shown 5"},
		"another history": {2, 2, "another history"},
		"both":            {1, 2, "has signed 7 records"},
		"gone on":         {3, 2, "another history"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			l.grow(t, 5, "record")
			other := newLog(t)
			other.signer = l.signer
			other.grow(t, 5, "record")
			other.grow(t, c.there, "another record")
			l.grow(t, c.here, "record")
			w, away := serve(t, "a", l), serve(t, "away", l)
			theirs, _, _ := start(t, other, policyOf(t, l, 1, w))
			signed := awaits(t, theirs, 7, 1)
			if err := theirs.Close(); err != nil {
				t.Fatal(err)
			}
			away.url = "http://127.0.0.1:1"
			f, _, said := start(t, l, policyOf(t, l, 1, w, away))
			f.Heard(t.Context())
			s := f.Standing()
			if s.Enough || len(s.Parted) != 1 || !strings.Contains(s.Parted[0].Error(), c.says) ||
				s.Parted[0].Size != 7 || s.Parted[0].Ours.N != int64(5+c.here) ||
				!bytes.Equal(s.Parted[0].Theirs, signed.Signed) {
				t.Errorf("the witnesses say %+v", s)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(said.String(), c.says) {
				t.Errorf("it says\n%s", said)
			}
			if all := f.States(); all[0].Problem == nil || all[1].Problem == nil ||
				all[0].Signed != 0 {
				t.Errorf("they are %+v", all)
			}
		})
	}
}
