package mirror

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

const testOrigin events.Origin = "muster.example/test"

// A source is a ledger that the test writes, and a server shows. Every fifth record is withheld
// from those who may not read all.
type source struct {
	t       testing.TB
	founder *events.Signer
	key     *proof.CheckpointSigner
	records []events.Record
	hashes  []tlog.Hash

	mu    sync.Mutex
	asked []string                                        // the tiles of records
	lie   func(path string, data []byte) []byte           // nil for none
	away  func(path string) error                         // nil for none
	odd   func(n int, st events.Statement) *events.Signer // who signs; nil for the founder
}

// notShort leaves to the run without the race detector what does one thing after the other.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one thing after the other")
	}
}

func newSource(t testing.TB, records int) *source {
	t.Helper()
	s := &source{t: t, founder: signer(t, "HQ/founder")}
	secret, err := proof.NewCheckpointKey(testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	if s.key, err = proof.NewCheckpointSigner(secret); err != nil {
		t.Fatal(err)
	}
	return s.grow(records)
}

func signer(t testing.TB, name string) *events.Signer {
	t.Helper()
	secret, _, err := events.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// grow makes records until there are so many.
func (s *source) grow(to int) *source {
	s.t.Helper()
	head := func(typ events.Type) events.Header {
		return events.Header{Type: typ, ID: events.NewID(), Ledger: testOrigin}
	}
	for n := len(s.records); n < to; n++ {
		var st events.Statement = &events.LedgerFounded{Header: head("ledger.founded"),
			Title: "a test", Founder: s.founder.Key()}
		if n > 0 {
			st = &events.OperationOpened{Header: head("operation.opened"),
				Dated: events.Dated{Effective: 2026_11_23},
				OperationTerms: events.OperationTerms{
					Operation: events.Operation(fmt.Sprintf("mnf-%d", n)), Title: "a test",
					Roles: []events.RoleDefinition{{Role: "ground", Title: "troops",
						Units: []events.Unit{"personnel"}}}}}
		}
		by := s.founder
		if s.odd != nil {
			by = s.odd(n, st)
		}
		s.say(st, by)
	}
	return s
}

func (s *source) say(st events.Statement, by *events.Signer) {
	s.t.Helper()
	signed, err := events.Sign(st, by)
	if err != nil {
		s.t.Fatal(err)
	}
	n := int64(len(s.records))
	rec, err := events.NewRecord(uint64(n)+1, time.Unix(1_795_392_000+n, 0), "test", signed)
	if err != nil {
		s.t.Fatal(err)
	}
	hashes, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(rec.Stored), s)
	if err != nil {
		s.t.Fatal(err)
	}
	s.records, s.hashes = append(s.records, rec), append(s.hashes, hashes...)
}

// at is the signed checkpoint of the first records.
func (s *source) at(size int) proof.Checkpoint {
	s.t.Helper()
	root, err := tlog.TreeHash(int64(size), s)
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := s.key.Sign(tlog.Tree{N: int64(size), Hash: root})
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := proof.OpenCheckpoint(signed, s.key.Key())
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// ReadHashes implements tlog.HashReader.
func (s *source) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s.hashes)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes[i] = s.hashes[index]
	}
	return hashes, nil
}

// fetch is a [proof.Fetcher].
func (s *source) fetch(ctx context.Context, path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.away != nil {
		if err := s.away(path); err != nil {
			return nil, err
		}
	}
	data, err := s.tile(path)
	if err == nil && s.lie != nil {
		data = s.lie(path, data)
	}
	return data, err
}

func isWithheld(n int64) bool { return n%5 == 4 }

func (s *source) tile(path string) (data []byte, err error) {
	path, _, _ = strings.Cut(path, "?")
	number, released := strings.CutPrefix(path, proof.ReleasedPath)
	if released {
		path = "tile/entries/" + number
	}
	t, err := torchwood.ParseTilePath(path)
	if err != nil {
		return nil, problem.New(problem.NotFound, "there is no %s", path)
	}
	if t.L >= 0 {
		return tlog.ReadTileData(t, s)
	}
	s.asked = append(s.asked, path)
	for i := range int64(t.W) {
		at := t.N*torchwood.TileWidth + i
		switch {
		case at >= int64(len(s.records)):
			return nil, problem.New(problem.NotFound, "there is no record %d", at+1)
		case !released:
			data, err = torchwood.AppendTileEntry(data, s.records[at].Stored)
		case isWithheld(at):
			data = proof.AppendWithheld(data, tlog.RecordHash(s.records[at].Stored))
		default:
			data, err = proof.AppendReleased(data, s.records[at].Stored)
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}

// open opens a mirror of the source in a folder.
func (s *source) open(dir string, view events.View) *Mirror {
	s.t.Helper()
	m, err := s.opens(dir, view)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = m.Close() })
	return m
}

func (s *source) opens(dir string, view events.View) (*Mirror, error) {
	m, err := Open(s.t.Context(), dir, Options{
		Keys: func(events.Origin, string) ([]string, error) { return []string{s.key.Key()}, nil }})
	if err != nil {
		return nil, err
	}
	err = m.Begin(About{Origin: testOrigin, View: view, Key: s.key.Key(),
		URL: "http://muster.example"})
	if err != nil {
		return nil, fmt.Errorf("%w, %v", err, m.Close())
	}
	return m, nil
}

// made is a folder of a mirror that holds the first records, and is not open.
func (s *source) made(size int) (dir string) {
	s.t.Helper()
	m := s.open(s.t.TempDir(), events.CoordinatorsView)
	if err := m.Grow(s.t.Context(), s.at(size), s.fetch); err != nil {
		s.t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		s.t.Fatal(err)
	}
	return m.dir
}

// copyOf copies a folder.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// has makes sure that a mirror holds the first records, and that its folder verifies.
func (s *source) has(m *Mirror, size int) {
	s.t.Helper()
	if m.Lacks() != nil || m.Last() != uint64(size) {
		s.t.Fatalf("it holds %d records instead of %d, and lacks %v", m.Last(), size, m.Lacks())
	}
	n := 0
	for rec, err := range m.Records(1) {
		want := s.records[n]
		if !m.About().All() && isWithheld(int64(n)) {
			want.Stored = nil
		}
		if err != nil || rec.Sequence != want.Sequence || !bytes.Equal(rec.Stored, want.Stored) {
			s.t.Fatalf("record %d is %d, %q, %v", n+1, rec.Sequence, rec.Stored, err)
		}
		n++
	}
	if n != size {
		s.t.Fatalf("%d records are yielded of %d", n, size)
	}
	if size > 0 {
		s.verifies(m.dir, size)
	}
}

// verifies makes sure that a folder verifies.
func (s *source) verifies(dir string, size int) {
	s.t.Helper()
	src, _, err := OfFolder(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := proof.Verify(s.t.Context(), src, proof.Options{
		Key: proof.TrustedKey{Verifier: s.key.Key(), Why: "was given"}})
	if err != nil || !r.OK || r.Records != uint64(size) || r.Checkpoint == nil {
		s.t.Fatalf("%+v, %v", r, err)
	}
}

// files are the files of a folder that are shown to others, with what is in them.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if name = filepath.ToSlash(name); strings.HasPrefix(name, LocalFolder+"/") {
			return err
		}
		data, err := os.ReadFile(path)
		all[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// names are the names of the files.
func names(all map[string]string) (names []string) {
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
