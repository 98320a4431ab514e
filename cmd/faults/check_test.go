package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// The check finds what it is there to find: a record that is lost, altered, there twice, out of its
// place, or that nobody sent; and a root that is not that of the records.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notebook")
	book, err := openNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := newSimKeys(t)
	var l heldLedger
	if err := book.begin(1); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		st := &events.PledgeOffered{Header: simHead("pledge.offered", events.NewID()),
			Dated: events.Dated{Effective: simDay}, Place: simPlace,
			PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(7),
				Unit: "personnel", Window: events.Window{From: simDay}}}
		s := sign(t, st, keys.paris)
		rec, err := events.NewRecord(uint64(i)+1, time.Now(), "a", s)
		if err != nil {
			t.Fatal(err)
		}
		l.records = append(l.records, web.Record{Sequence: rec.Sequence, ID: st.ID,
			Stored: string(rec.Stored)})
		if i == 0 { // from before the notebook
			continue
		}
		envelope, _, _ := strings.Cut(string(rec.Stored), "\n")
		err = book.send(s)
		if err == nil && i < 5 { // the last was sent, and nobody was told
			err = book.acknowledge(s, intake.Receipt{Sequence: rec.Sequence, ID: st.ID,
				Envelope: envelope})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := book.close(); err != nil {
		t.Fatal(err)
	}
	l.size, l.root = len(l.records), rootOf(stored(l.records))
	n, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := n.check(l); len(wrong) > 0 {
		t.Fatalf("nothing is wrong, and found was %v", wrong)
	}
	for name, spoil := range map[string]func(r []web.Record) []web.Record{
		"lost":    func(r []web.Record) []web.Record { return r[:4] },
		"altered": func(r []web.Record) []web.Record { r[2].Stored += " "; return r },
		"a time altered": func(r []web.Record) []web.Record {
			r[2].Stored = strings.Replace(r[2].Stored, `"by":"a"`, `"by":"b"`, 1)
			return r
		},
		"twice": func(r []web.Record) []web.Record {
			again := r[2]
			again.Sequence = 7
			return append(r, again)
		},
		"out of place": func(r []web.Record) []web.Record {
			r[2], r[3] = r[3], r[2]
			r[2].Sequence, r[3].Sequence = 3, 4
			return r
		},
		"a gap":              func(r []web.Record) []web.Record { return slices.Delete(r, 2, 3) },
		"sent by nobody":     func(r []web.Record) []web.Record { return append(r, nobodys(t, r)) },
		"before it, altered": func(r []web.Record) []web.Record { r[0].Stored += " "; return r },
	} {
		spoilt := heldLedger{spoil(slices.Clone(l.records)), l.size, l.root}
		if wrong := n.check(spoilt); len(wrong) == 0 {
			t.Errorf("%s: found was nothing", name)
		}
		if name == "before it, altered" { // which the root alone tells
			continue
		}
		spoilt.size, spoilt.root = len(spoilt.records), rootOf(stored(spoilt.records))
		if wrong := n.check(spoilt); len(wrong) == 0 {
			t.Errorf("%s, with a new root: found was nothing", name)
		}
	}
	n.forget(time.Time{}, time.Now())
	l.records = l.records[:4]
	l.size, l.root = 4, rootOf(stored(l.records))
	if wrong := n.check(l); len(wrong) > 0 {
		t.Errorf("of what does not count is said: %v", wrong)
	}
}

func stored(records []web.Record) (all [][]byte) {
	for _, r := range records {
		all = append(all, []byte(r.Stored))
	}
	return all
}

// nobodys is a record that nobody has sent.
func nobodys(t *testing.T, r []web.Record) web.Record {
	st := &events.PledgeWithdrawn{PledgeStep: events.PledgeStep{
		Header: simHead("pledge.withdrawn", events.NewID()),
		Dated:  events.Dated{Effective: simDay}, Place: simPlace,
		Step: events.Step{Pledge: r[1].ID}}}
	rec, err := events.NewRecord(uint64(len(r))+1, time.Now(), "a",
		sign(t, st, newSimKeys(t).paris))
	if err != nil {
		t.Fatal(err)
	}
	return web.Record{Sequence: rec.Sequence, ID: st.ID, Stored: string(rec.Stored)}
}

// The root is that of another implementation.
func TestRootAgainstAnotherImplementation(t *testing.T) {
	var stored [][]byte
	hashes := memoryHashes{}
	for n := range 70 {
		want, err := tlog.TreeHash(int64(n), hashes)
		if got := rootOf(stored); err != nil || n > 0 && !bytes.Equal(got[:], want[:]) {
			t.Errorf("the root of %d records is %x, and should be %x: %v", n, got, want, err)
		}
		record := []byte{byte(n), 1, 2}
		more, err := tlog.StoredHashes(int64(n), record, hashes)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range more {
			hashes[int64(len(hashes))] = h
		}
		stored = append(stored, record)
	}
}

type memoryHashes map[int64]tlog.Hash

// ReadHashes implements tlog.HashReader.
func (m memoryHashes) ReadHashes(indexes []int64) (all []tlog.Hash, err error) {
	for _, i := range indexes {
		all = append(all, m[i])
	}
	return all, nil
}

// A line that was being written when the machine stopped is no line.
func TestNotebookWithATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notebook")
	book, err := openNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.begin(4); err != nil {
		t.Fatal(err)
	}
	if err := book.close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026-11-2`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if n, err := readNotebook(path); err != nil || *n.had != 4 {
		t.Errorf("got %+v, %v", n, err)
	}
}
