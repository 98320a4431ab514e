package web_test

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"muster/events"
	"muster/projections"
	"muster/projections/internal/ledgertest"
	"muster/projections/web"
)

// A list that is asked for page by page goes through the records once, and through them again where
// somebody asks for what lies before.
func TestFoldedReadsOnce(t *testing.T) {
	t.Parallel()
	l, err := ledgertest.AllKinds()
	if err != nil {
		t.Fatal(err)
	}
	read := uint64(0)
	records := func(yield func(events.Record, error) bool) {
		for rec, err := range l.Records(1) {
			read++
			if !yield(rec, err) {
				return
			}
		}
	}
	p, err := projections.Replay(t.Context(), iter.Seq2[events.Record, error](records), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := web.NewFolded(p, "", records)
	for _, nation := range []string{"", "FRA"} {
		read = 0
		var all []uint64
		for from := uint64(1); from <= l.Last(); {
			var page web.Records
			if err := f.Ask(t.Context(), time.Now(), "records", map[string]string{"limit": "2",
				"from": fmt.Sprint(from), "nation": nation}, &page); err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				all = append(all, r.Sequence)
			}
			from = page.Next
		}
		if nation == "" && uint64(len(all)) != l.Last() || len(all) < 3 {
			t.Errorf("nation %q: the pages have %d", nation, all)
		}
		if read > l.Last() {
			t.Errorf("nation %q: for %d records, %d were read", nation, l.Last(), read)
		}
	}
}
