package proof

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

func TestGoodLedger(t *testing.T) {
	h := newHistory(t).offers(3 * batchSize)
	root, _ := h.tree.root(h.tree.size)
	seen := h.offer(5)
	seen.Seen = &events.Seen{Size: h.tree.size, Root: root.String()}
	h.say(seen, h.paris)
	h.say(h.revocation(h.paris), h.founder)
	r := verified(t, h.source(h.entries()), h.trusted())
	if !r.OK || r.Fault != nil || r.Records != 3*batchSize+5 || r.Origin != testOrigin {
		t.Fatal(describe(r))
	}
	for _, c := range r.Checks {
		if c.Outcome != Verified {
			t.Errorf("%s: %s, %s", c.Name, c.Outcome, c.Text)
		}
	}
	for _, says := range []string{"773 signatures, by 2 keys",
		"has signed for 773 records, which are all", "1 statement names",
		"Everything that was looked at"} {
		if !strings.Contains(describe(r), says) {
			t.Errorf("it does not say %q:\n%s", says, describe(r))
		}
	}
}

// A tampering is a way to spoil a good ledger, and what must be said of it.
type tampering struct {
	name     string
	spoil    func(h *history, all []Entry) []Entry
	sequence uint64
	check    string
	says     string
}

// What somebody changes who cannot sign checkpoints: the tree no longer fits.
var tamperings = []tampering{
	{"the text of a statement", func(_ *history, all []Entry) []Entry {
		all[299].Stored = bytes.Replace(all[299].Stored, []byte(`"quantity":297`),
			[]byte(`"quantity":999`), 1)
		return all
	}, 300, "signatures", "record 300: the signature is not that of FRA/paris"},
	{"the time in an envelope, which nobody has signed", func(_ *history, all []Entry) []Entry {
		all[299].Stored = bytes.Replace(all[299].Stored, []byte(":59.000000Z"),
			[]byte(":59.000001Z"), 1)
		return all
	}, 0, "checkpoint", "some record was altered, put in or left out"},
	{"a record left out", func(_ *history, all []Entry) []Entry {
		return slices.Delete(all, 299, 300)
	},
		300, "records", "record 300: it is missing: record 301 follows"},
	{"the last record left out", func(_ *history, all []Entry) []Entry { return all[:len(all)-1] },
		603, "records", "record 603: it is missing: its checkpoint is of 603 records, and here " +
			"are 602"},
	{"a record left out, and the others moved up", func(_ *history, all []Entry) []Entry {
		return renumbered(slices.Delete(all, 299, 300))
	}, 603, "records", "record 603: it is missing"},
	{"two records swapped", func(_ *history, all []Entry) []Entry {
		all[299], all[300] = all[300], all[299]
		return all
	},
		300, "records", "record 300: it is missing: record 301 follows"},
	{"two records swapped, with each other's sequence", func(_ *history, all []Entry) []Entry {
		all[299], all[300] = all[300], all[299]
		return renumbered(all)
	}, 301, "records", "record 301: it was recorded at"},
	{"a record put in twice", func(_ *history, all []Entry) []Entry {
		return renumbered(slices.Insert(all, 300, all[299]))
	}, 301, "rules", "its id"},
	{"garbage", func(_ *history, all []Entry) []Entry {
		all[299].Stored = []byte("hello")
		return all
	},
		300, "records", "record 300: it is damaged"},
	{"a subject", func(_ *history, all []Entry) []Entry {
		all[299].Subject = "muster.ev.DEU.x"
		return all
	},
		300, "records", "record 300: it lies under the subject muster.ev.DEU.x"},
}

func renumbered(all []Entry) []Entry {
	for i := range all {
		all[i].Sequence = uint64(i) + 1
	}
	return all
}

func TestTampering(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	h := newHistory(t).offers(600)
	for _, c := range tamperings {
		r := verified(t, h.source(c.spoil(h, h.entries())), h.trusted())
		if r.OK || r.Fault == nil || r.Fault.Sequence != c.sequence || r.Fault.Check != c.check ||
			!strings.Contains(r.Fault.String(), c.says) {
			t.Errorf("%s: %+v\n%s", c.name, r.Fault, describe(r))
		}
		if got := outcomes(r)[c.check]; got != Failed {
			t.Errorf("%s: the check %s is %q", c.name, c.check, got)
		}
	}
}

// With tiles to ask, each record that is not the one in the tree is found, also where nothing is
// wrong with its text.
func TestTamperingWithTiles(t *testing.T) {
	h := newHistory(t).offers(600)
	for _, c := range tamperings[:2] {
		src := h.source(c.spoil(h, h.entries()))
		src.Tiles = tilesOf{&h.tree}
		r := verified(t, src, h.trusted())
		if r.Fault == nil || r.Fault.Sequence != 300 || r.Fault.Check != "tree" ||
			!strings.Contains(r.Fault.What, "it was altered or is damaged") {
			t.Errorf("%s: %+v\n%s", c.name, r.Fault, describe(r))
		}
	}
}

// tilesOf serves the tiles of a tree.
type tilesOf struct{ tree *tree }

func (t tilesOf) Height() int                     { return 8 }
func (t tilesOf) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tilesOf) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		d, err := tlog.ReadTileData(tile, t.tree)
		if err != nil {
			return nil, err
		}
		data = append(data, d)
	}
	return data, nil
}

// What somebody adds who holds the checkpoint key: the tree is whole, and only the rules notice.
func TestForgeries(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	brest, stranger := testSigner(t, "FRA/brest"), testSigner(t, "FRA/nobody")
	for name, c := range map[string]struct {
		forge func(h *history)
		check string
		code  string
		says  string
	}{
		"a revoked member": {func(h *history) {
			h.say(h.revocation(h.paris), h.founder)
			h.offers(1)
		}, "rules", "revoked", "was revoked by record 24"},
		"nobody's key": {func(h *history) { h.say(h.offer(1), stranger) }, "rules",
			"not-admitted", "is not a member of this ledger"},
		"before its admission": {func(h *history) {
			h.say(h.offer(1), brest)
			h.say(h.admission(brest), h.founder)
		}, "rules", "not-admitted", "is not a member"},
		"a second founding": {func(h *history) {
			h.say(&events.LedgerFounded{Header: h.head("ledger.founded"), Title: "x",
				Founder: h.founder.Key()}, h.founder)
		}, "rules", "already-founded", "was founded already"},
		"for another nation": {func(h *history) {
			o := h.offer(1)
			o.Nation = "DEU"
			h.say(o, h.paris)
		}, "rules", "speaks-for-itself", "cannot speak for"},
		"for another ledger": {func(h *history) {
			o := h.offer(1)
			o.Ledger = "muster.example/other"
			h.say(o, h.paris)
		}, "rules", "other-ledger", "was made for the ledger"},
		"a signature of another key": {func(h *history) {
			h.saySignedAs(h.offer(1), stranger, h.paris)
		}, "signatures", "bad-signature", "the signature is not that of FRA/paris"},
		"an earlier time": {func(h *history) {
			h.put(h.signed(h.offer(1), h.paris), time.Unix(5, 0))
		}, "records", "", "before record"},
		"an id again": {func(h *history) {
			o := h.offer(1)
			h.say(o, h.paris)
			o.Quantity = events.Count(7)
			h.say(o, h.paris)
		}, "rules", "id-taken", "is that of record 24"},
		"after its last moment": {func(h *history) {
			o := h.offer(1)
			o.NotAfter = events.InstantOf(time.Unix(1_795_392_000, 0))
			h.say(o, h.paris)
		}, "rules", "too-late", "not_after \"2026-11-23T00:00:00Z\": is past: its record would " +
			"have the time 2026-11-23T00:00:23.000000Z"},
		"seen in another ledger": {func(h *history) { h.saySeen(10, tlog.Hash{1}) }, "seen",
			"other-history", "its signer has seen another ledger: the first 10 records had the " +
				"root"},
		"seen in a longer ledger": {func(h *history) { h.saySeen(1000, tlog.Hash{1}) }, "seen",
			"other-history", "its signer has seen a ledger of 1000 records, and this one had 23 " +
				"then"},
	} {
		h := newHistory(t).offers(20)
		good := len(h.records)
		c.forge(h)
		h.offers(300) // many of them are wrong too: the first is told
		r := verified(t, h.source(h.entries()), h.trusted())
		f := r.Fault
		if f == nil || f.Check != c.check || f.Code != c.code ||
			!strings.Contains(f.What, c.says) || f.Sequence <= uint64(good) ||
			f.Sequence > uint64(good)+2 {
			t.Errorf("%s: %+v", name, f)
			continue
		}
		if got := outcomes(r); got["tree"] != Verified || got["checkpoint"] != Verified ||
			got[c.check] != Failed {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func (h *history) signed(st events.Statement, by *events.Signer) events.Signed {
	h.t.Helper()
	s, err := events.Sign(st, by)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// saySignedAs makes a record of a statement whose signature bears the name of one key and was made
// with another.
func (h *history) saySignedAs(st events.Statement, by, as *events.Signer) {
	h.t.Helper()
	forged, err := note.Sign(
		&note.Note{Text: strings.SplitAfter(string(h.signed(st, by).Note), "\n")[0]},
		disguised{by, as})
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := events.ParseSigned(forged)
	if err != nil {
		h.t.Fatal(err)
	}
	h.put(s, time.Unix(1_795_392_000+int64(len(h.records)), 0))
}

type disguised struct{ by, as *events.Signer }

func (d disguised) Name() string                    { return d.as.Name() }
func (d disguised) KeyHash() uint32                 { return d.as.KeyHash() }
func (d disguised) Sign(msg []byte) ([]byte, error) { return d.by.Sign(msg) }

func (h *history) saySeen(size int64, root tlog.Hash) {
	h.t.Helper()
	o := h.offer(1)
	o.Seen = &events.Seen{Size: size, Root: root.String()}
	h.say(o, h.paris)
}

func TestCheckpoints(t *testing.T) {
	h, other := newHistory(t).offers(40), newHistory(t).offers(43)
	late := h.source(h.entries())
	h.offers(5)
	early := h.source(h.entries())
	early.Checkpoint = late.Checkpoint
	if r := verified(t, early, h.trusted()); !r.OK ||
		!strings.Contains(describe(r), "has signed for the first 43 records of 48") {
		t.Errorf("records after the checkpoint: %s", describe(r))
	}
	wrongKey := h.trusted()
	wrongKey.Key.Verifier = other.vkey
	if r := verified(t, late, wrongKey); r.OK || outcomes(r)["checkpoint"] != Failed ||
		!strings.Contains(r.Fault.What, "does not carry the signature of "+string(testOrigin)) {
		t.Errorf("another server's key: %s", describe(r))
	}
	if r := verified(t, late, Options{}); !r.OK || outcomes(r)["checkpoint"] != NotChecked {
		t.Errorf("no key: %s", describe(r))
	}
	mixed := late
	mixed.Checkpoint = other.checkpoint()
	if r := verified(t, mixed, other.trusted()); r.OK || outcomes(r)["checkpoint"] == Verified {
		t.Errorf("another ledger's checkpoint: %s", describe(r))
	}
	none := late
	none.Checkpoint, none.NoCheckpoint = nil, "this is a test"
	if r := verified(t, none, h.trusted()); !r.OK || outcomes(r)["checkpoint"] != NotChecked ||
		!strings.Contains(describe(r), "this is a test: nobody has signed") {
		t.Errorf("no checkpoint: %s", describe(r))
	}
}

func TestSince(t *testing.T) {
	h := newHistory(t).offers(397)
	o := h.trusted()
	o.Since = h.checkpoint()
	h.offers(100)
	r := verified(t, h.source(h.entries()), o)
	if !r.OK || outcomes(r)["since"] != Verified || outcomes(r)["older"] != NotChecked ||
		!strings.Contains(describe(r), "100 signatures, by 1 key") {
		t.Error(describe(r))
	}
	fork := newHistory(t).offers(600)
	fork.log, fork.vkey = h.log, h.vkey
	if r := verified(t, fork.source(fork.entries()), o); r.OK || outcomes(r)["since"] != Failed ||
		!strings.Contains(r.Fault.What, "the checkpoint to begin with has") {
		t.Errorf("a fork: %s", describe(r))
	}
	shorter := h.source(h.entries()[:300])
	shorter.Checkpoint = nil
	if r := verified(t, shorter, o); r.OK || r.Fault.Sequence != 301 ||
		!strings.Contains(r.Fault.What,
			"the checkpoint to begin with is of 400 records, and here are 300") {
		t.Errorf("an old copy: %s", describe(r))
	}
	o.Since = []byte("hello")
	if _, err := Verify(t.Context(), h.source(h.entries()), o); err == nil ||
		!strings.Contains(err.Error(), "the checkpoint to begin with: ") {
		t.Errorf("no checkpoint to begin with: %v", err)
	}
}

func TestKnownCheckpoints(t *testing.T) {
	h := newHistory(t).offers(97)
	fork := newHistory(t).offers(50)
	short, shorter := h.source(h.entries()), fork.source(fork.entries())
	h.offers(100)
	known := func(of *history) Options {
		c, err := OpenCheckpoint(of.checkpoint(), of.vkey)
		if err != nil {
			t.Fatal(err)
		}
		o := h.trusted()
		o.Known = []Checkpoint{c}
		return o
	}
	old := short
	old.MayBeOld = true
	for name, c := range map[string]struct {
		src  Source
		o    Options
		want Outcome
		says string
	}{
		"the same ledger": {h.source(h.entries()), known(h), Verified,
			"the records are still those of 1 checkpoint that earlier commands have verified"},
		"another": {h.source(h.entries()), known(fork), Failed,
			"a checkpoint that was verified before has"},
		"an old copy": {short, known(h), NotChecked, "has signed for 200 records before, which " +
			"was verified then: these here are an older state"},
		"an old bundle": {old, known(h), NotChecked,
			"a checkpoint that was verified before is of 200 records: these here are older"},
	} {
		r := verified(t, c.src, c.o)
		if got := outcomes(r)["known"]; got != c.want || r.OK != (got != Failed) ||
			!strings.Contains(describe(r), c.says) {
			t.Errorf("%s: %s", name, describe(r))
		}
		if r.WentBack != (name == "an old copy") ||
			r.WentBack != strings.Contains(describe(r), "But it is AN OLDER STATE") {
			t.Errorf("%s: %s", name, describe(r))
		}
	}
	o := known(h)
	o.Key.Verifier = fork.vkey // another server of the ledger lags
	if r := verified(t, shorter, o); outcomes(r)["known"] != NotChecked {
		t.Errorf("a server that lags: %s", describe(r))
	}
}

// A record that only a newer version can read is no fault, when the tree has it so; and no success.
func TestNewerRecord(t *testing.T) {
	h := newHistory(t).offers(20)
	newer := bytes.Replace(h.records[9].Stored, []byte(`{"v":1,`), []byte(`{"v":2,`), 1)
	altered := h.entries()
	altered[9].Stored = newer
	if r := verified(t, h.source(altered), h.trusted()); r.OK || r.Fault.Sequence != 10 ||
		outcomes(r)["checkpoint"] != Failed {
		t.Errorf("one that was put in: %s", describe(r))
	}
	h.records[9].Stored = newer
	h.tree = tree{}
	for _, rec := range h.records {
		h.tree.add(tlog.RecordHash(rec.Stored))
	}
	_, err := Verify(t.Context(), h.source(h.entries()), h.trusted())
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(problem.From(err).Hint,
		"use a newer muster") {
		t.Errorf("one that the tree has so: %v", err)
	}
}

// Who asks for it to end is obeyed, wherever the work is.
func TestInterrupted(t *testing.T) {
	h := newHistory(t).offers(2000)
	ctx, stop := context.WithCancel(t.Context())
	o := h.trusted()
	o.Progress = func(int64, int64) { stop() }
	if _, err := Verify(ctx, h.source(h.entries()), o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
