package proof

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/seeded"
)

// without withholds records.
func (h *history) without(withheld ...uint64) []Entry {
	all := h.entries()
	for _, n := range withheld {
		all[n-1] = all[n-1].Withhold()
	}
	return all
}

// inView is the history as those have it who have a view, from which records are withheld.
func (h *history) inView(v events.View, withheld ...uint64) Source {
	src := h.source(h.without(withheld...))
	src.View = v
	return src
}

func bundleOfView(t testing.TB, h *history, v events.View, withheld ...uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	x, err := ExportLedger(t.Context(), &b, h.inView(v, withheld...), h.trusted().Key, nil)
	if err != nil || x.Withheld != uint64(len(withheld)) ||
		x.Records != uint64(len(h.records)-len(withheld)) {
		t.Fatalf("%+v, %v", x, err)
	}
	return b.Bytes()
}

// Who may not read all verifies the rest, and is told how much could not be read; from a source and
// from a bundle alike. Nobody is told that all is well with what is withheld.
func TestVerifyView(t *testing.T) {
	h := newHistory(t).offers(300)
	withheld := []uint64{5, 6, 200, 303}
	src := h.inView(events.CoalitionView, withheld...)
	for of, r := range map[string]Report{"the source": verified(t, src, h.trusted()),
		"its bundle": verifiedFile(t, bundleOfView(t, h, events.CoalitionView, withheld...),
			h.trusted())} {
		root, _ := h.tree.root(h.tree.size)
		if !r.OK || r.Withheld != 4 || r.Records != 303 || r.View != events.CoalitionView ||
			r.Root != root.String() || r.Checkpoint == nil {
			t.Errorf("%s: %s", of, describe(r))
		}
		o := outcomes(r)
		if o["withheld"] != NotChecked || o["tree"] != Verified || o["rules"] != Verified {
			t.Errorf("%s: %v", of, o)
		}
		for _, says := range []string{"303 records (4 of them withheld)",
			"299 signatures, by 2 keys",
			"4 records of 303 could not be read in the view coalition",
			"as it should be. 4 records could not be read.\n",
			"- that nothing is withheld but what its label closes"} {
			if said := describe(r); !strings.Contains(said, says) {
				t.Errorf("%s does not say %q:\n%s", of, says, said)
			}
		}
	}
	known := h.trusted()
	earlier := newHistoryLike(h, 0)
	earlier.records, earlier.tree = nil, tree{}
	for _, rec := range h.records[:100] {
		earlier.records = append(earlier.records, rec)
		earlier.tree.add(tlog.RecordHash(rec.Stored))
	}
	known.Since = earlier.checkpoint()
	if r := verified(t, src, known); !r.OK || outcomes(r)["since"] != Verified {
		t.Error(describe(r))
	}
}

// What is wrong is found although something is withheld.
func TestFaultsInView(t *testing.T) {
	h := newHistory(t).offers(5)
	of := func(change func(all []Entry) []Entry, withheld ...uint64) Source {
		src := h.inView(events.CoalitionView, withheld...)
		src.Entries = entriesOf(change(h.without(withheld...)))
		return src
	}
	same := func(all []Entry) []Entry { return all }
	for name, c := range map[string]struct {
		src         Source
		check, says string
		sequence    uint64
	}{
		"the founding is withheld": {of(same, 1), "records",
			"the founding of a ledger is for everybody to read", 1},
		"a member is withheld": {of(same, 3), "rules", "is not a member of this ledger", 4},
		"an operation is withheld": {of(same, 2), "rules",
			"there is no such operation in this ledger", 4},
		"another leaf hash": {of(func(all []Entry) []Entry {
			all[4].Leaf[7] ^= 1
			return all
		}, 5), "checkpoint", "some record was altered, put in or left out", 0},
		"a record is left out": {of(func(all []Entry) []Entry { return slices.Delete(all, 5, 6) },
			5),
			"records", "it is missing: record 7 follows", 6},
		"a withheld record is left out": {of(func(all []Entry) []Entry {
			return slices.Delete(all, 4, 5)
		}, 5),
			"records", "it is missing: record 6 follows", 5},
		"a record is changed": {of(func(all []Entry) []Entry {
			all[6].Stored = bytes.Replace(all[6].Stored, []byte(`"quantity":4`),
				[]byte(`"quantity":9`), 1)
			return all
		}, 5), "signatures", "the signature is not that of FRA/paris", 7},
	} {
		r := verified(t, c.src, h.trusted())
		if f := r.Fault; r.OK || f == nil || f.Check != c.check || f.Sequence != c.sequence ||
			!strings.Contains(f.What, c.says) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// A bundle is of the second version only where something is withheld: who may read all has the
// first, byte for byte.
func TestBundleOfWhoReadsAll(t *testing.T) {
	h := newHistory(t).offers(5)
	whole := bundleOf(t, h, events.ID{})
	if of := bundleOfView(t, h, "GBR"); !bytes.Equal(of, whole) {
		t.Errorf("nothing is withheld from Britain, whose bundle begins with %.60q", of)
	}
	var b bytes.Buffer
	src := h.source(h.without(5))
	if _, err := ExportLedger(t.Context(), &b, src, h.trusted().Key, nil); !problem.Is(err,
		problem.NotReadable) {
		t.Errorf("a source of all that withholds something: %v", err)
	}
}

// Whatever is changed in the bundle of a view is noticed, or refused.
func TestTamperedBundleOfView(t *testing.T) {
	h := newHistory(t).offers(5)
	bundle := string(bundleOfView(t, h, events.CoalitionView, 5, 7))
	line := withheldLine(5, tlog.RecordHash(h.records[4].Stored), events.CoalitionView)
	for name, c := range map[string]struct{ from, to, says string }{
		"another label": {line, strings.Replace(line, " coordinators", " coalition", 1),
			"is no line of a record that is withheld"},
		"nations of the label": {line, line + "+FRA", "is no line of a record that is withheld"},
		"no label":             {line, strings.TrimSuffix(line, " coordinators"), "is no line"},
		"another sequence":     {"withheld 5 ", "withheld 05 ", "is no line"},
		"another view": {"view coalition", "view public",
			"is no line of a record that is withheld in the view public"},
		"the view of all": {"view coalition", "view coordinators",
			"is no view of those who may not read all"},
		"a view by its name": {"view coalition", "view France", "is no view"},
		"no view":            {"view coalition\n", "", "where its view should be"},
		"the first version": {"bundle v2 ledger", "bundle v1 ledger",
			"does not end with a length"},
		"another version": {"bundle v2 ledger", "bundle v3 ledger",
			"this muster reads v1 and v2"},
		"of something else": {"bundle v2 ledger", "bundle v2 folder",
			"does not say of what it is"},
		"left out":              {line + "\n", "", "it is missing: record 6 follows"},
		"said twice":            {line, line + "\n" + line, "stands in its place"},
		"another end":           {"end 6 2", "end 6 3", "it ends with"},
		"an end of the first":   {"end 6 2", "end 6", "it ends with"},
		"another count":         {"end 6 2", "end 7 2", "it ends with"},
		"more behind it":        {"end 6 2\n", "end 6 2\nhello\n", "there is more after its end"},
		"a withheld first line": {"record 1 ", "withheld 1 ", "is no line"},
	} {
		if !strings.Contains(bundle, c.from) {
			t.Fatalf("%s: no %q in the bundle", name, c.from)
		}
		path := filepath.Join(t.TempDir(), "bundle")
		if err := os.WriteFile(path, []byte(strings.Replace(bundle, c.from, c.to, 1)),
			0o600); err != nil {
			t.Fatal(err)
		}
		r, err := VerifyBundle(t.Context(), path, h.trusted())
		said := describe(r)
		if err != nil {
			said = err.Error()
		}
		if r.OK && err == nil || !strings.Contains(said, c.says) {
			t.Errorf("%s: %s", name, said)
		}
	}
	if _, err := readBundle(
		strings.NewReader(strings.Replace(bundle, "withheld", "record", 1))); err != nil {
		t.Error(err)
	}
}

// Every byte of the bundle of a view counts, as of any.
func TestEveryByteOfABundleOfView(t *testing.T) {
	t.Parallel()
	third := seeded.New(t).IntN(3) // of the bytes, in each run
	h := newHistory(t).offers(3)
	bundle := bundleOfView(t, h, "FRA", 5)
	begin := bytes.Index(bundle, []byte("key ")) + 4
	view := bytes.Index(bundle, []byte("view FRA")) + 5
	path := filepath.Join(t.TempDir(), "bundle")
	for at := range bundle {
		claimed := at >= begin && at < begin+len(h.vkey) || at >= view && at < view+3
		if claimed || at%3 != third || testing.Short() && at%101 != 0 {
			continue // what the bundle claims is not believed
		}
		bad := bytes.Clone(bundle)
		bad[at] ^= 1 << (at % 7)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := VerifyBundle(t.Context(), path, h.trusted())
		if err == nil && (r.OK || r.Fault == nil) {
			t.Errorf("byte %d of %d was %q, is %q, and nobody notices", at, len(bundle),
				bundle[at], bad[at])
		}
	}
}

// A second verifier, which was written from FORMAT.md alone, finds the same root and as many
// records withheld, in tiles of what is released and in a bundle; and notices what is changed.
func TestSecondVerifier(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	h := newHistory(t).offers(600)
	withheld := []uint64{4, 5, 200, 256, 257, 300, 512, 600}
	dir := t.TempDir()
	h.writeReleased(t, dir, withheld)
	bundle := filepath.Join(dir, "coalition.bundle")
	write(t, bundle, bundleOfView(t, h, events.CoalitionView, withheld...))
	root, _ := h.tree.root(h.tree.size)
	type found struct {
		Size, Withheld int
		Root           string
		Signed         bool
	}
	want := found{603, len(withheld), root.String(), true}
	look := func(what string) (f found, err error) {
		out, err := exec.Command(python, "testdata/second_verifier.py", what, h.vkey).
			CombinedOutput()
		if err == nil {
			err = json.Unmarshal(out, &f)
		}
		return f, err
	}
	for _, what := range []string{dir, bundle} {
		if got, err := look(what); err != nil || got != want {
			t.Errorf("%s: %+v, %v, and not %+v", what, got, err, want)
		}
	}
	tile := filepath.Join(dir, "tile", "released", "001")
	data, err := os.ReadFile(tile)
	if err != nil {
		t.Fatal(err)
	}
	data[1] ^= 1
	write(t, tile, data)
	if got, err := look(dir); err == nil {
		t.Errorf("the leaf hash of a stub was changed, and nobody notices: %+v", got)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writeReleased writes the checkpoint and the tiles as a server shows them, into files of their
// names.
func (h *history) writeReleased(t *testing.T, dir string, withheld []uint64) {
	t.Helper()
	write(t, filepath.Join(dir, "checkpoint"), h.checkpoint())
	for at := int64(0); at < h.tree.size; at += tileWidth {
		tile := tlog.Tile{H: tileHeight, L: -1, N: at / tileWidth,
			W: int(min(tileWidth, h.tree.size-at))}
		var data []byte
		for i := range int64(tile.W) {
			stored := h.records[at+i].Stored
			if slices.Contains(withheld, uint64(at+i)+1) {
				data = AppendWithheld(data, tlog.RecordHash(stored))
				continue
			}
			var err error
			if data, err = AppendReleased(data, stored); err != nil {
				t.Fatal(err)
			}
		}
		path := strings.Replace(torchwood.TilePath(tile), "tile/entries/", ReleasedPath, 1)
		write(t, filepath.Join(dir, path), data)
	}
}
