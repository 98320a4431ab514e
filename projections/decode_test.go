package projections

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/events"
	"muster/projections/records"
)

// quickly reads a record in one pass, and reports whether that was possible.
func quickly(d *records.Decoder, stored []byte) (r records.Row, ok bool) {
	ok = d.Quick(&r, stored)
	return r, ok
}

// slow are the kinds of which there are few in any ledger: they are not read in one pass.
var slow = []events.Type{"pledge.disclosed", "ledger.founded", "member.admitted", "member.revoked",
	"member.seconded", "member.retracted", "meeting.closed", "pledge.queried", "pledge.answered",
	"operation.opened",
	"operation.revised", "requirement.issued", "requirement.revised", "requirement.cancelled",
	"scope.declared", "pledge.corrected"}

// strictly reads a record as it is read when it enters a ledger.
func strictly(stored []byte) (r records.Row, err error) {
	rec, err := events.ParseRecord(1, stored)
	if err != nil {
		return r, err
	}
	return records.RowOf(rec)
}

// learned returns a decoder that knows all the words of some records.
func learned(t tb, all []events.Record) *records.Decoder {
	d := records.NewDecoder()
	for _, rec := range all {
		var r records.Row
		if err := d.Decode(&r, rec.Sequence, rec.Stored); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// checkDecoding fails the test when what is read in one pass is not what is read strictly.
func checkDecoding(t tb, d *records.Decoder, stored []byte) (quick bool) {
	got, quick := quickly(d, stored)
	if !quick {
		return false
	}
	want, err := strictly(stored)
	if err != nil {
		t.Fatalf("%s\nwas read, and strictly it cannot be: %v", stored, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s\nwas read as %s", stored, diff)
	}
	return true
}

// Whatever was said, a row that was decoded is that of the record, and of all kinds but those of
// which there are few it is read in one pass.
func TestDecodingIsStrict(t *testing.T) {
	l := newAllKinds(t)
	l.withSeen()
	d := learned(t, l.All)
	read := map[events.Type]bool{}
	for _, rec := range l.All {
		if checkDecoding(t, d, rec.Stored) {
			read[rec.Statement.Head().Type] = true
		}
	}
	for _, typ := range events.Types() {
		if read[typ] == slices.Contains(slow, typ) {
			t.Errorf("that a %s was read in one pass is %v", typ, read[typ])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		d := records.NewDecoder()
		for i, rec := range s.All {
			var got records.Row
			if err := d.Decode(&got, rec.Sequence, rec.Stored); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(must[records.Row](t)(records.RowOf(rec)), got); diff != "" {
				t.Fatalf("record %d: %s", i+1, diff)
			}
		}
	})
}

// withSeen adds a record whose signer has seen a checkpoint, and one with all that terms may say.
func (l *testLedger) withSeen() {
	notice := 30
	h := l.head("pledge.offered")
	h.Seen = &events.Seen{Size: 7, Root: "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="}
	l.say("FRA/liaison", &events.PledgeOffered{Header: h, Dated: dated(1), Place: place("FRA"),
		PledgeTerms: pledgeTerms(7, func(t *events.PledgeTerms) {
			t.Area, t.Until, t.NoticeToMove, t.Presence, t.Release = "west", day(9), &notice,
				events.Reserve, events.CoalitionOnly
			t.Source, t.Note, t.Expires = "Le Monde, 3 février",
				"à confirmer — sous réserve", day(8)
			t.Line = "west"
			t.Predecessor = l.All[len(l.All)-1].Statement.Head().ID
		})})
}

// spoilings change a record a little: most of what they make is no record, and some of it is one
// with another meaning.
var spoilings = []struct{ from, to string }{
	{"2026-01-", "2026-02-"}, {"-02\"", "-31\""}, {"-01\"", "-00\""}, {"2026", "1899"},
	{"2026", "2200"}, {"2026", "2024"}, {"01-0", "13-0"},
	{`:00:00`, `:61:00`}, {"T1", "T3"}, {"Z\"", "\""}, {`"v":1`, `"v":2`}, {`"v":1`, `"v": 1`},
	{`"quantity":1`, `"quantity":0`}, {`"quantity":1`, `"quantity":01`},
	{`"quantity":1`, `"quantity":-1`}, {`"quantity":1`, `"quantity":1.0`},
	{`"quantity":1`, `"quantity":1e1`}, {`"quantity":1`, `"quantity":"1.00"`},
	{`"quantity":1`, `"quantity":9007199254740991`},
	{`"quantity":1`, `"quantity":9007199254740992`}, {`"quantity":1`, `"quantity":"unknown"`},
	{`"2500000.50"`, `"02500000.50"`},
	{`"2500000.50"`, `"90071992547409.91"`}, {`"2500000.50"`, `"90071992547409.92"`},
	{`"2500000.50"`, `"0.00"`}, {`"2500000.50"`, `"0.01"`},
	{`"2500000.50"`, `2500000`}, {`"2500000.50"`, `"2500000.5"`},
	{`"unit":"personnel"`, `"unit":"EUR"`}, {`"unit":"EUR"`, `"unit":"personnel"`},
	{`"unit":"personnel"`, `"unit":""`}, {`"nation":"FRA"`, `"nation":"FRO"`},
	{`"nation":"FRA"`, `"nation":null`}, {`"area":"west"`, `"area":""`},
	{`"FRA"`, `"FR\u0041"`}, {`"reason":`, `"reaſon":`}, {`"nation"`, `"NATION"`},
	{`{"type"`, `{ "type"`}, {`,"id"`, `,"id":"01KDVDNA000000000000000001","id"`},
	{"01K", "81K"}, {"01K", "01I"}, {"01K", "01k"}, {"—", "-"}, {"\n\n", "\n"}, {"=\n", "\n"},
	{"=\n", "=\n\n"}, {"=\n", "=\n— FRA/liaison AAAAAAAAAA==\n"},
	{`"note":"`, `"note":"` + "\x7f"}, {`"note":"`, `"note":"` + "\xff"},
	{`"note":"`, `"note":"\n`}, {`"note":"`, `"note":"é`},
	{`"source":"`, `"source":"` + strings.Repeat("x", events.MaxText)},
	{`"source":"a report"`, `"source":" "`}, {`"restriction":"by day only"`, `"restriction":""`},
	{`"size":7`, `"size":0`}, {`"size":7`, `"size":07`}, {"BBA=", "BBB="},
	{`"notice_to_move":30`, `"notice_to_move":3651`}, {`"notice_to_move":30`, `"notice_to_move":0`},
	{`"presence":"reserve"`, `"presence":"afar"`}, {`"predecessor"`, `"successor"`},
	{`"kind":"parliament"`, `"kind":"other"`}, {`"from"`, `"until"`},
	{"pledge.offered", "pledge.amended"}, {"pledge.deployed", "pledge.reported"},
	{"pledge.accepted", "pledge.renewed"}, {"condition.added", "caveat.lifted"},
	{`"line":"west"`, `"line":""`}, {`"line":"west"`, `"line":"West"`},
	{`"line":"west"`, `"line":["west"]`}, {"pledge.offered", "pledge.deployed"},
	{"pledge.offered", "pledge.promised"}, {`"expires":"2026-01-20"`, `"expires":"2026-01-02"`},
}

// Statements say which state of a pledge they build on: no row has it, and those that do are read
// in one pass like the others.
func TestDecodingOfWhatBuildsOn(t *testing.T) {
	l := newAllKinds(t)
	d := learned(t, l.All)
	after := map[events.Type]bool{}
	for _, rec := range l.All {
		typ := rec.Statement.Head().Type
		if slices.Contains(slow, typ) || events.Thing(rec.Statement) == rec.Statement.Head().ID {
			continue
		}
		stored := bytes.Replace(rec.Stored, []byte(`"pledge":`), []byte(`"after":7,"pledge":`), 1)
		after[typ] = true
		if !checkDecoding(t, d, stored) {
			t.Errorf("not read in one pass: %s", stored)
		}
		if got, _ := quickly(d, stored); cmp.Diff(must[records.Row](t)(strictly(rec.Stored)),
			got) != "" {
			t.Errorf("another row: %s", stored)
		}
		without := bytes.Replace(stored, []byte(`"pledge":`), []byte(`"pledgee":`), 1)
		if checkDecoding(t, d, without) {
			t.Errorf("read without the pledge: %s", without)
		}
	}
	if len(after) < 15 {
		t.Errorf("only %d kinds were looked at", len(after))
	}
}

// However a record is spoilt, it is not read in one pass when it is not read strictly, and never as
// another.
func TestDecodingOfSpoiltRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("it calculates for long, in one goroutine")
	}
	l := newAllKinds(t)
	l.withSeen()
	d := learned(t, l.All)
	used, quick := map[int]bool{}, 0
	for _, rec := range l.All {
		for i, s := range spoilings {
			for n := range bytes.Count(rec.Stored, []byte(s.from)) {
				used[i] = true
				if checkDecoding(t, d, replaceNth(rec.Stored, s.from, s.to, n)) {
					quick++
				}
			}
		}
		for i := range rec.Stored {
			checkDecoding(t, d, rec.Stored[:i])
			for _, b := range []byte(`"0z ` + "\n\\\x00") {
				spoilt := bytes.Clone(rec.Stored)
				spoilt[i] = b
				checkDecoding(t, d, spoilt)
			}
		}
	}
	for i, s := range spoilings {
		if !used[i] {
			t.Errorf("no record holds %q", s.from)
		}
	}
	if quick < 100 {
		t.Errorf("only %d that were changed could be read in one pass", quick)
	}
}

func replaceNth(data []byte, from, to string, n int) []byte {
	at := 0
	for range n {
		at += bytes.Index(data[at:], []byte(from)) + len(from)
	}
	at += bytes.Index(data[at:], []byte(from))
	return append(append(bytes.Clone(data[:at]), to...), data[at+len(from):]...)
}

// A word that nobody has yet used is not taken for one.
func TestDecoderLearns(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 1)
	l.offer("FRA", 2)
	d := records.NewDecoder()
	for i, want := range []bool{false, false, false, true} {
		if _, quick := quickly(d, l.All[i].Stored); quick != want {
			t.Errorf("record %d was read in one pass: %v", i+1, quick)
		}
		var r records.Row
		if err := d.Decode(&r, uint64(i+1), l.All[i].Stored); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	l := newAllKinds(f)
	l.withSeen()
	for _, rec := range l.All {
		f.Add(rec.Stored)
	}
	d := learned(f, l.All)
	f.Fuzz(func(t *testing.T, stored []byte) { checkDecoding(t, d, stored) })
}

// BenchmarkDecode compares reading in one pass with reading strictly, over records of all the kinds
// that are read in one pass.
func BenchmarkDecode(b *testing.B) {
	l := newAllKinds(b)
	d := learned(b, l.All)
	var all [][]byte
	for _, rec := range l.All {
		if checkDecoding(b, d, rec.Stored) {
			all = append(all, rec.Stored)
		}
	}
	var r records.Row // as where batches are read, whose rows are used again
	for _, parser := range []struct {
		name string
		read func(stored []byte) bool
	}{
		{"one-pass", func(stored []byte) bool { r = records.Row{}; return d.Quick(&r, stored) }},
		{"strictly", func(stored []byte) bool { _, err := strictly(stored); return err == nil }},
	} {
		b.Run(parser.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if !parser.read(all[i%len(all)]) {
					b.Fatalf("not read: %s", all[i%len(all)])
				}
			}
		})
	}
}
