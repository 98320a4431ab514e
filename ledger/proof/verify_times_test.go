package proof

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/events"
)

// A record that has a later time than that at which a witness has signed for it is a fault, and the
// first such is named; witnesses of trees that do not have it say nothing of it.
func TestTimes(t *testing.T) {
	h := newHistory(t).offers(10)
	all := h.entries()
	at := func(sequence int) time.Time { return h.records[sequence-1].Recorded }
	for name, c := range map[string]struct {
		bounds   []Bound
		sequence uint64 // 0 where nothing is wrong
		says     string
	}{
		"none":      {nil, 0, ""},
		"after all": {[]Bound{{h.tree.size, "the witness oslo", at(len(all))}}, 0, "first 13"},
		"within what clocks may differ": {[]Bound{{h.tree.size, "the witness oslo",
			at(len(all)).Add(-Skew)}}, 0, "first 13"},
		"before a record": {[]Bound{{12, "the witness oslo", at(7).Add(-Skew - time.Microsecond)},
			{13, "the witness rome", at(13)}}, 7, "the witness oslo had signed for the first 12"},
		"of a smaller tree": {[]Bound{{6, "the witness oslo", at(7).Add(-Skew)},
			{13, "the witness rome", at(13)}}, 0, "first 13"},
		"the earliest of a larger tree": {[]Bound{{6, "the witness rome", at(13)},
			{13, "the witness oslo", at(3).Add(-Skew - time.Microsecond)}}, 3, "oslo"},
	} {
		o := h.trusted()
		o.Bounds = c.bounds
		r := verified(t, h.source(h.entries()), o)
		switch {
		case c.sequence == 0 && (!r.OK || len(c.bounds) > 0 != (outcomes(r)["times"] == Verified)):
			t.Errorf("%s: %s", name, describe(r))
		case c.sequence > 0 && (r.OK || r.Fault.Sequence != c.sequence || r.Fault.Check != "times"):
			t.Errorf("%s: %s", name, describe(r))
		case !strings.Contains(describe(r), c.says):
			t.Errorf("%s: it does not say %q:\n%s", name, c.says, describe(r))
		}
	}
}

// What is late is so by one of the bounds.
func TestLateByABound(t *testing.T) {
	begun := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(0, 30)
		all := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Bound {
			return Bound{Size: int64(minutes.Draw(t, "size")), By: "oslo",
				At: begun.Add(time.Duration(minutes.Draw(t, "at")) * time.Minute)}
		})).Draw(t, "bounds")
		rec := events.Record{Sequence: uint64(minutes.Draw(t, "sequence")),
			Recorded: begun.Add(time.Duration(minutes.Draw(t, "recorded")) * time.Minute)}
		want := false
		for _, b := range all {
			want = want || b.Size >= int64(rec.Sequence) && rec.Recorded.After(b.At.Add(Skew))
		}
		if got := newBounded(all).late(rec); (got != "") != want {
			t.Fatalf("record %d of %s: %q, and by the bounds %t: %+v", rec.Sequence, rec.Recorded,
				got, want, all)
		}
	})
}
