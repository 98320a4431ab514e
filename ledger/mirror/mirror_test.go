package mirror

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

var bothViews = []events.View{events.CoordinatorsView, events.CoalitionView}

// However a mirror grows, it holds what its server has, the folder verifies, no tile is there that
// the checkpoint does not need, and a mirror that is opened again goes on.
func TestGrow(t *testing.T) {
	t.Parallel()
	sizes := []int{1, 2, 256, 257, 600, 1024, 1100}
	if testing.Short() {
		sizes = []int{2, 257, 1100}
	}
	s := newSource(t, 1100)
	for _, view := range bothViews {
		m := s.open(t.TempDir(), view)
		for _, size := range sizes {
			if err := m.Grow(t.Context(), s.at(size), s.fetch); err != nil {
				t.Fatalf("%d records: %v", size, err)
			}
			s.has(m, size)
			for _, name := range names(files(t, m.dir)) {
				if strings.HasPrefix(name, "tile/") &&
					!m.isOf(m.About(), int64(size), false, name) {
					t.Errorf("of %d records, %s is left over", size, name)
				}
			}
			if size == 257 {
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
				m = s.open(m.dir, view)
				s.has(m, size)
			}
		}
		for _, level := range []int{0, 1} {
			tile := tlog.Tile{H: 8, L: level, N: 0, W: 4}
			got, err := m.Tile(tile)
			want, _ := tlog.ReadTileData(tile, s)
			if err != nil || string(got) != string(want) {
				t.Errorf("%v: %v", tile, err)
			}
		}
		for _, tile := range []tlog.Tile{{H: 8, L: 0, N: 4, W: 77}, {H: 8, L: 1, N: 0, W: 5},
			{H: 8, L: -1, N: 5, W: 1}, {H: 8, L: 2, N: 0, W: 1}, {H: 8, L: 63, N: 1 << 60, W: 1}} {
			if _, err := m.Tile(tile); !problem.Is(err, problem.NotFound) {
				t.Errorf("%v: %v", tile, err)
			}
		}
		stored, included, err := m.Prove(600)
		if view == events.CoordinatorsView {
			if err != nil || string(stored) != string(s.records[599].Stored) || len(included) == 0 {
				t.Errorf("%v", err)
			}
		} else if !problem.Is(err, problem.NotReadable) {
			t.Errorf("a record that is withheld is proved: %v", err)
		}
	}
}

// Any web server can show the folder, and any client of tlog-tiles reads it.
func TestAnyWebServerShowsIt(t *testing.T) {
	t.Parallel()
	s := newSource(t, 600)
	for _, view := range bothViews {
		m := s.open(t.TempDir(), view)
		if err := m.Grow(t.Context(), s.at(600), s.fetch); err != nil {
			t.Fatal(err)
		}
		web := httptest.NewServer(http.FileServer(http.Dir(m.dir)))
		defer web.Close()
		fetcher, err := torchwood.NewTileFetcher(web.URL, torchwood.WithTilePath(m.About().path))
		if err != nil {
			t.Fatal(err)
		}
		client, err := torchwood.NewClient(fetcher, torchwood.WithCutEntry(
			func(tile []byte) (entry []byte, leaf tlog.Hash, rest []byte, err error) {
				e, rest, err := m.About().cut(tile)
				return e.Stored, e.Leaf, rest, err
			}))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get(web.URL + "/checkpoint")
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(err, resp)
		}
		_ = resp.Body.Close()
		n := int64(0)
		for i, entry := range client.AllEntries(t.Context(), s.at(600).Tree, 0) {
			var want []byte
			if view == events.CoordinatorsView || !isWithheld(i) {
				want = s.records[i].Stored
			}
			if i != n || !bytes.Equal(entry, want) {
				t.Fatalf("entry %d: %q", i, entry)
			}
			n++
		}
		if err := client.Err(); err != nil || n != 600 {
			t.Errorf("%d records, %v", n, err)
		}
	}
}

// What a server shows that it has not signed, or that it has signed and the rules do not have, is
// not stored: the folder is as it was, and is read as before.
func TestLies(t *testing.T) {
	notShort(t)
	t.Parallel()
	s, other := newSource(t, 700), newSource(t, 700)
	other.key = s.key
	stranger := signer(t, "HQ/stranger")
	forging := newSource(t, 0)
	forging.founder, forging.key = s.founder, s.key
	forging.odd = func(n int, _ events.Statement) *events.Signer {
		if n == 650 {
			return stranger
		}
		return s.founder
	}
	in := func(prefix string, change func([]byte) []byte) func(string, []byte) []byte {
		return func(path string, data []byte) []byte {
			if strings.HasPrefix(path, prefix) {
				return change(slices.Clone(data))
			}
			return data
		}
	}
	flip := func(data []byte) []byte { data[len(data)/2] ^= 1; return data }
	made := s.made(600)
	for what, c := range map[string]struct {
		next  proof.Checkpoint
		lie   func(string, []byte) []byte
		fetch proof.Fetcher
		// other is whether it is a proof of two histories, and between whether somebody between can
		// have made it.
		other, between bool
	}{
		"a record is edited": {s.at(700), in("tile/entries/002", flip), s.fetch, false, true},
		"a tile ends early": {s.at(700), in("tile/entries/002",
			func(d []byte) []byte { return d[:len(d)-9] }), s.fetch, false, true},
		"a tile has more": {s.at(700), in("tile/entries/002",
			func(d []byte) []byte { return append(d, 0, 1, 'x') }), s.fetch, false, true},
		"a hash is edited":          {s.at(700), in("tile/0/002", flip), s.fetch, false, true},
		"another history, as large": {other.at(600), nil, other.fetch, true, false},
		"another history":           {other.at(700), nil, other.fetch, true, false},
		"another history, smaller":  {other.at(599), nil, other.fetch, true, false},
		"a stranger has signed":     {},
	} {
		t.Run(what, func(t *testing.T) {
			m := s.open(copyOf(t, made), events.CoordinatorsView)
			if c.fetch == nil { // of the same records up to there
				forging.records, forging.hashes = slices.Clone(s.records[:600]), nil
				for i, rec := range forging.records {
					leaf := tlog.RecordHash(rec.Stored)
					more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, forging)
					if err != nil {
						t.Fatal(err)
					}
					forging.hashes = append(forging.hashes, more...)
				}
				forging.grow(700)
				c.next, c.fetch = forging.at(700), forging.fetch
			}
			before := files(t, m.dir)
			s.lie = c.lie
			err := m.Grow(t.Context(), c.next, c.fetch)
			s.lie = nil
			var history *proof.OtherHistory
			if errors.As(err, &history) != c.other || IsNotSigned(err) != c.between ||
				!c.other && !problem.Is(err, problem.Unverified) {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(before, files(t, m.dir)); diff != "" {
				t.Errorf("something was stored:\n%s", diff)
			}
			has := 600
			if m.Last() != uint64(has) {
				t.Errorf("it holds %d records", m.Last())
			}
			if c.between { // it goes on as soon as the server is heard
				has = int(c.next.N)
				if err := m.Grow(t.Context(), c.next, c.fetch); err != nil {
					t.Error(err)
				}
			}
			_ = m.Close()
			s.has(s.open(m.dir, events.CoordinatorsView), has)
		})
	}
}

// A mirror that broke off, wherever that was, has what its checkpoint covers, and goes on.
func TestBreaksOff(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newSource(t, 700)
	broken := errors.New("the power is gone")
	for _, view := range bothViews {
		dir := t.TempDir()
		m := s.open(dir, view)
		if err := m.Grow(t.Context(), s.at(300), s.fetch); err != nil {
			t.Fatal(err)
		}
		for writes := 0; ; writes++ {
			left := writes
			m.before = func(string) error {
				if left--; left < 0 {
					return broken
				}
				return nil
			}
			err := m.Grow(t.Context(), s.at(700), s.fetch)
			if err == nil {
				break
			}
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
			_ = m.Close()
			half := filepath.Join(dir, "tile", newFile+"1")
			if err := os.WriteFile(half, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			m = s.open(dir, view)
			s.has(m, 300)
			s.mu.Lock()
			s.asked = nil
			s.mu.Unlock()
		}
		m.before = nil
		// What was stored before is not asked for again: the last tile of records alone was
		// missing.
		if s.has(m, 700); len(s.asked) > 1 {
			t.Errorf("it has asked for %v", s.asked)
		}
		_ = m.Close()
		m = s.open(dir, view)
		s.has(m, 700)
	}
}

// A disk that was full, wherever that was, and has space again lacks nothing.
func TestFull(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newSource(t, 310)
	full := errors.New("no space left on device")
	for writes := 0; ; writes++ {
		m := s.open(t.TempDir(), events.CoordinatorsView)
		if err := m.Grow(t.Context(), s.at(200), s.fetch); err != nil {
			t.Fatal(err)
		}
		left := writes
		m.before = func(string) error {
			if left--; left < 0 {
				return full
			}
			return nil
		}
		err := m.Grow(t.Context(), s.at(300), s.fetch)
		if err != nil && !problem.Is(err, problem.Unavailable) {
			t.Fatal(err)
		}
		m.before = nil
		if err := m.Grow(t.Context(), s.at(310), s.fetch); err != nil {
			t.Fatal(err)
		}
		s.has(m, 310)
		if err == nil {
			return
		}
	}
}

// While the server is away, what is held stays, and what was read is not read again.
func TestAway(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newSource(t, 4500)
	m := s.open(t.TempDir(), events.CoordinatorsView)
	if err := m.Grow(t.Context(), s.at(300), s.fetch); err != nil {
		t.Fatal(err)
	}
	s.away = func(path string) error {
		if strings.Contains(path, "tile/entries/017") {
			return problem.New(problem.Unavailable, "away")
		}
		return nil
	}
	if err := m.Grow(t.Context(), s.at(4500), s.fetch); !problem.Is(err, problem.Unavailable) {
		t.Fatal(err)
	}
	s.has(m, 300)
	s.away, s.asked = nil, nil
	if err := m.Grow(t.Context(), s.at(4500), s.fetch); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(s.asked, "tile/entries/002") {
		t.Errorf("it has asked for %v", s.asked)
	}
	s.has(m, 4500)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s.grow(4600)
	if err := m.Grow(ctx, s.at(4600), s.fetch); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A folder that is damaged is mended: hashes from the records, records from a server, of which no
// more is asked for than is damaged. Without a server it is said what is lacking.
func TestMend(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newSource(t, 1300)
	made := s.made(1300)
	good := files(t, made)
	flip := func(t *testing.T, file string) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for what, damage := range map[string]struct {
		flips, gone []string
		newer       string // what looks like a record of a newer version
		asks        []string
	}{
		"records of a newer version": {newer: "tile/entries/003",
			asks: []string{"tile/entries/003"}},
		"hashes":          {flips: []string{"tile/0/001", "tile/1/000.p/5"}},
		"hashes are gone": {gone: []string{"tile/0/003", "tile/0/005.p/20"}},
		"records": {flips: []string{"tile/entries/002"},
			asks: []string{"tile/entries/002"}},
		"records are gone": {gone: []string{"tile/entries/000", "tile/entries/005.p/20"},
			asks: []string{"tile/entries/000", "tile/entries/005.p/20"}},
		"records, and hashes": {flips: []string{"tile/entries/001", "tile/0/001"},
			gone: []string{"tile/0/004"}, asks: []string{"tile/entries/001", "tile/entries/004"}},
	} {
		t.Run(what, func(t *testing.T) {
			dir := copyOf(t, made)
			for _, name := range damage.flips {
				flip(t, filepath.Join(dir, name))
			}
			if damage.newer != "" {
				file := filepath.Join(dir, damage.newer)
				newer := strings.Replace(good[damage.newer], "operation.opened",
					"operation.openee", 1)
				if err := os.WriteFile(file, []byte(newer), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range damage.gone {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			m := s.open(dir, events.CoordinatorsView)
			if (m.Lacks() != nil) != (damage.asks != nil) {
				t.Fatalf("it lacks %v", m.Lacks())
			}
			if lacks := m.Lacks(); lacks != nil {
				if !strings.Contains(problem.From(lacks).Hint, "muster mirror URL "+dir) {
					t.Errorf("%v: %s", lacks, problem.From(lacks).Hint)
				}
				_ = m.Close() // nobody was there to be asked
				m = s.open(dir, events.CoordinatorsView)
			}
			s.asked = nil
			if err := m.Grow(t.Context(), s.at(1300), s.fetch); err != nil {
				t.Fatal(err)
			}
			slices.Sort(s.asked)
			if diff := cmp.Diff(damage.asks, s.asked); diff != "" {
				t.Errorf("it has asked for (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(good, files(t, dir)); diff != "" {
				t.Errorf("it is not as it was:\n%s", diff)
			}
			s.has(m, 1300)
		})
	}
}

// A byte that changes while the mirror runs is found out by who reads it.
func TestDamagedWhileRead(t *testing.T) {
	t.Parallel()
	s := newSource(t, 300)
	m := s.open(t.TempDir(), events.CoordinatorsView)
	if err := m.Grow(t.Context(), s.at(300), s.fetch); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(m.dir, "tile/entries/000")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-3] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Stored(10, 1, nil); !problem.Is(err, problem.Unverified) {
		t.Errorf("%v", err)
	}
	if _, _, err := m.Stored(290, 5, nil); err != nil {
		t.Errorf("%v", err)
	}
}

// A folder is of one ledger, one view and one process, and is never written over.
func TestFolderIsOfOne(t *testing.T) {
	t.Parallel()
	s := newSource(t, 10)
	dir := t.TempDir()
	m := s.open(dir, events.CoalitionView)
	if _, err := s.opens(dir, events.CoalitionView); !problem.Is(err, problem.Conflict) {
		t.Errorf("two are open: %v", err)
	}
	if err := m.Grow(t.Context(), s.at(10), s.fetch); err != nil {
		t.Fatal(err)
	}
	for _, other := range []About{{Origin: "muster.example/other", View: events.CoalitionView},
		{Origin: testOrigin, View: events.CoordinatorsView}} {
		if err := m.Begin(other); !problem.Is(err, problem.Conflict) {
			t.Errorf("%v: %v", other, err)
		}
	}
	_ = m.Close()
	if err := os.Remove(filepath.Join(dir, AboutFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.opens(dir, events.CoalitionView); !problem.Is(err, problem.Conflict) {
		t.Errorf("a folder without its description is taken for a new one: %v", err)
	}
}

// What witnesses have signed is kept where it is of this tree.
func TestWitnessed(t *testing.T) {
	t.Parallel()
	s, other := newSource(t, 20), newSource(t, 20)
	m := s.open(t.TempDir(), events.CoordinatorsView)
	if err := m.Grow(t.Context(), s.at(20), s.fetch); err != nil {
		t.Fatal(err)
	}
	if err := m.Witness(other.at(10)); err == nil || m.Witnessed() != nil {
		t.Errorf("another tree is witnessed: %v", err)
	}
	if err := m.Witness(s.at(15)); err != nil {
		t.Fatal(err)
	}
	if err := m.Witness(s.at(12)); err != nil || string(m.Witnessed()) != string(s.at(15).Signed) {
		t.Errorf("%v, %s", err, m.Witnessed())
	}
	_ = m.Close()
	m = s.open(m.dir, events.CoordinatorsView)
	if string(m.Witnessed()) != string(s.at(15).Signed) {
		t.Errorf("%s", m.Witnessed())
	}
}
