package server

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/cmd/internal/reach"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// start starts a server for this process alone, which the test closes.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Inside = true
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// founding is a ledger's first statement, as its founder signed it elsewhere.
func founding(t *testing.T) *events.Signed {
	t.Helper()
	secret, public, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := events.Sign(&events.LedgerFounded{Founder: public, Title: "test",
		Header: events.Header{Type: "ledger.founded", ID: events.NewID(),
			Ledger: "muster.example/test"}}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return &signed
}

// A server for this process alone founds the ledger that it was given, signs checkpoints and
// answers questions; it leaves neither an address nor a founder's key, and goes on from its folder.
func TestInside(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Config{Dir: dir, Founding: founding(t)})
	key := first.CheckpointKey()
	if c, err := proof.OpenCheckpoint(first.Journal.Checkpoint(), key); err != nil || c.N != 1 {
		t.Errorf("the checkpoint is of %d records, %v", c.N, err)
	}
	if at := first.Projector.Sequence(); at != 1 {
		t.Errorf("the picture has %d records", at)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, Config{Dir: dir})
	if o := again.Ledger.Origin(); o != "muster.example/test" || again.CheckpointKey() != key {
		t.Errorf("the second start has the ledger %s, and signs with %s", o, again.CheckpointKey())
	}
	for _, name := range []string{AddressFile, FounderFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("the folder has a file %s", name)
		}
	}
}

// A server that cannot have its address, or its folder, touches nothing there.
func TestStartTouchesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "ledger")
	_, err = Start(t.Context(), Config{Dir: dir, Listen: l.Addr().String()})
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("an address that is taken: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made")
	}

	running := start(t, Config{Dir: dir, Founding: founding(t)})
	before := names(t, dir)
	if _, err := Start(t.Context(), Config{Dir: dir, Inside: true}); !problem.Is(err,
		problem.Unavailable) {
		t.Errorf("a folder on which a server runs: %v", err)
	}
	if after := names(t, dir); !slices.Equal(after, before) || running.Healthy() != nil {
		t.Errorf("the folder had %v, and has %v: %v", before, after, running.Healthy())
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// When steps beside each other fail, the error is of the one that comes first in the order, however
// long it took: NATS, then the rest of the write side, then the projections.
func TestFirstErrorInOrder(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, Config{Dir: dir, Founding: founding(t)}).Close(); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(dir, ProjectionsFile)
	if err := os.RemoveAll(saved); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), saved); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Config{Dir: dir, Inside: true}); err == nil ||
		!strings.Contains(err.Error(), ProjectionsFile) {
		t.Fatalf("projections that cannot be opened: %v", err)
	}
	_, err := Start(t.Context(),
		Config{Dir: dir, Inside: true, NATS: reach.NATS{URLs: "nats://127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "no connection to NATS") ||
		strings.Contains(err.Error(), ProjectionsFile) {
		t.Errorf("and NATS, which is not there: %v", err)
	}
}
