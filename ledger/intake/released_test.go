package intake_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/journal"
	"muster/ledger/natsd"
	"muster/ledger/proof"
)

// sparing withholds every third record from the view "few", and nothing from who names none.
type sparing struct{ journal *journal.Journal }

func withheld(seq uint64) bool { return seq%3 == 0 }

func (s sparing) Released(_ context.Context, view string, from uint64,
	n int) ([][]byte, bool, error) {
	all, _, err := s.journal.Stored(from, n, nil)
	for i := range all {
		if view == "few" && withheld(from+uint64(i)) {
			all[i] = nil
		}
	}
	if view != "" && view != "few" {
		err = problem.New(problem.Invalid, "there is no view %s", view)
	}
	return all, view == "", err
}

// longer has more records in the ledger than a tile has.
func (b *bench) longer(t *testing.T) {
	t.Helper()
	for b.journal.Last() < 300 {
		if _, err := b.ledger.Submit(t.Context(), b.admission(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// The ordinary client of torchwood reads what is released, and finds every record and every stub
// under the root that everybody has.
func TestReleasedForTorchwood(t *testing.T) {
	b, mux := newBench(t), http.NewServeMux()
	key := b.signing(t)
	b.longer(t)
	intake.RegisterTree(mux, b.journal, sparing{b.journal})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c, err := proof.OpenCheckpoint(b.journal.Checkpoint(), key)
	if err != nil {
		t.Fatal(err)
	}
	for view, want := range map[string]int{"?view=few": 100, "": 0} {
		released := func(t tlog.Tile) string {
			path, records := strings.CutPrefix(torchwood.TilePath(t), "tile/entries/")
			if records {
				return proof.ReleasedPath + path + view
			}
			return path
		}
		fetcher, err := torchwood.NewTileFetcher(srv.URL, torchwood.WithTilePath(released))
		if err != nil {
			t.Fatal(err)
		}
		client, err := torchwood.NewClient(fetcher, torchwood.WithCutEntry(proof.CutReleased))
		if err != nil {
			t.Fatal(err)
		}
		n, stubs := int64(0), 0
		for i, entry := range client.AllEntries(t.Context(), c.Tree, 0) {
			rec, err := b.journal.Record(uint64(i) + 1)
			if err != nil || entry != nil && !bytes.Equal(entry, rec.Stored) {
				t.Fatalf("record %d is %q, %v", i+1, entry, err)
			}
			if entry == nil {
				stubs++
			}
			n++
		}
		if client.Err() != nil || n != c.N || stubs != want {
			t.Errorf("%q: %d records of %d, %d of them withheld, not %d: %v", view, n,
				c.N, stubs, want,
				client.Err())
		}
	}
}

// Who may not read all of a tile gets it with stubs, and is told so. What depends on who asks is
// kept by nobody for others.
func TestReleasedOverHTTP(t *testing.T) {
	b, mux := newBench(t), http.NewServeMux()
	b.signing(t)
	b.longer(t)
	intake.RegisterTree(mux, b.journal, sparing{b.journal})
	const public, private = "public, max-age=31536000, immutable", "private, no-cache"
	for path, want := range map[string]string{"/tile/0/000": public, "/tile/entries/000": public,
		"/tile/entries/000.p/2?view=few": private, "/tile/released/000": private,
		"/tile/released/001.p/44?view=few": private, "/tile/0/000?view=few": public} {
		r := asked(t, mux, "GET", path)
		vary := r.Header.Get("Vary")
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != want ||
			(vary == "Authorization, Cookie") != (want == private) {
			t.Errorf("%s: %d, %v", path, r.StatusCode, r.Header)
		}
	}
	for path, says := range map[string]string{
		"/tile/entries/000.p/3?view=few": `403 "detail":"tile/entries/000.p/3 holds records that you may ` +
			`not read","hint":"ask for /tile/released/000.p/3, which has their leaf hashes in their place"`,
		"/tile/entries/000?view=few":      `403 "hint":"ask for /tile/released/000,`,
		"/tile/released/000?view=many":    "422 there is no view many",
		"/tile/entries/000?view=many":     "422 there is no view many",
		"/tile/released/000?token=x":      `400 a tile has no such parameter`,
		"/tile/released/000?view=a&view=": "400 is given 2 times",
		"/tile/entries/000?view=%zz":      "400 cannot be read",
		"/tile/released/002": "404 there is no tile/entries/002: the checkpoint " +
			"does not cover it",
		"/tile/released/0/000":   "404 there is no tile/released/0/000",
		"/tile/released/000.p/0": "404 ", "/tile/released/-01": "404 ", "/tile/released/": "404 ",
	} {
		r := asked(t, mux, "GET", path)
		status, detail, _ := strings.Cut(says, " ")
		body := bodyOf(t, r)
		if !strings.HasPrefix(r.Status, status) || !strings.Contains(body, detail) ||
			strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, %v\n%s", path, r.Status, r.Header, body)
		}
	}
}

// Over NATS there is the same.
func TestReleasedOverNATS(t *testing.T) {
	b := newBench(t)
	b.signing(t)
	b.longer(t)
	mux := http.NewServeMux()
	intake.RegisterTree(mux, b.journal, sparing{b.journal})
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	service, err1 := srv.ConnectService()
	guest, err2 := nats.Connect(srv.URL(), nats.Timeout(time.Minute))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		guest.Close()
		service.Close()
		if err := srv.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	svc, err := micro.AddService(service, micro.Config{Name: "muster", Version: "1.0.0"})
	if err == nil {
		err = intake.RegisterTreeNATS(svc, b.journal, sparing{b.journal}, nil)
	}
	if err := errors.Join(err, service.Flush()); err != nil {
		t.Fatal(err)
	}
	client := intake.NATSClient{Conn: guest}
	for _, path := range []string{"tile/released/000?view=few", "tile/released/000",
		"tile/entries/000",
		"tile/entries/000.p/2?view=few"} {
		want := bodyOf(t, asked(t, mux, "GET", "/"+path))
		data, err := client.Fetch(t.Context(), path)
		if err != nil || string(data) != want {
			t.Errorf("%s: %d bytes over NATS, %d over HTTP: %v", path, len(data), len(want), err)
		}
	}
	if _, err := client.Fetch(t.Context(), "tile/entries/000?view=few"); !problem.Is(err,
		problem.NotReadable) {
		t.Errorf("who may not read all of a tile is told %v", err)
	}
}
