package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"muster/cmd/internal/server"
)

// Two servers on copies of a ledger answer alike whatever they are asked; and no longer, when one
// of them has a record more.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("it asks two servers some hundred questions")
	}
	o := &options{work: t.TempDir(), log: io.Discard}
	g, err := o.generate(300, 20, 5)
	if err != nil {
		t.Fatal(err)
	}
	first := t.TempDir()
	m, err := startMuster(t.Context(), first, &g.records[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range g.records[1:299] {
		if _, err := m.Ledger.Submit(t.Context(), r.Signed); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(second, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := &walk{out: &out, most: 5, each: 2, began: "2026"}
	var both [2]*server.Server
	for i, dir := range []string{first, second} {
		both[i], w.sides[i] = serveBeside(t, dir)
	}
	if err := w.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.conclude(); err != nil {
		t.Errorf("copies of a ledger do not answer alike: %v\n%s", err, &out)
	}
	for of, c := range w.counts {
		if c.asked < 8 || c.refused > c.asked/2 {
			t.Errorf("%s: %d asked, of which %d were refused", of, c.asked, c.refused)
		}
	}
	r, err := both[1].Ledger.Submit(context.Background(), g.records[299].Signed)
	if err == nil {
		err = both[1].Projector.WaitFor(t.Context(), r.Sequence)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.get(t.Context(), "JSON", "/api/v1/ledger")
	if err := w.conclude(); err == nil || !strings.Contains(out.String(), "/api/v1/ledger\n- ") {
		t.Errorf("another ledger passes for the same: %v\n%s", err, &out)
	}
}

// serveBeside serves a folder in this process, as compareBuilds has a process do.
func serveBeside(t *testing.T, dir string) (*server.Server, side) {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{Dir: dir, Name: "compared",
		Hosts: []string{host}, Listen: "127.0.0.1:0", NATSListen: "127.0.0.1:0", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	nc, err := nats.Connect(s.NATSURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return s, side{s.URL(), nc}
}
