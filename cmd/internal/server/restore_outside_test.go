package server

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger/stream"
)

// Of two servers that would make a damaged stream anew, the second cannot copy what the first has
// deleted: that is no fault of its own, and half a copy is not left.
func TestRenewedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Config{Dir: dir, Founding: founding(t)})
	created, err := s.Stream.Created(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := s.natsd.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), stream.DefaultName); err != nil {
		t.Fatal(err)
	}
	err = s.renewOutside(t.Context(), outsideFinding{created: created, last: 1, known: 1, lacks: 1})
	if !errors.Is(err, stream.ErrRenewed) {
		t.Errorf("who cannot copy what another has deleted says: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, damagedPrefix+"*")); len(left) > 0 ||
		err != nil {
		t.Errorf("it leaves %s, %v", left, err)
	}
}
