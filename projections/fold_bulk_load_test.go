package projections

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/events"
	"muster/projections/records"
)

// inside tells what fingerprints do not show: the table of versions, row by row, and what of it is
// known now of each pledge.
func (p *Picture) inside() string {
	var all strings.Builder
	for i, e := range p.versions.extents {
		v := &p.versions.what[i]
		kinds := [2]kind{p.kinds.names[v.promisedKind], p.kinds.names[v.presentKind]}
		a := v.amounts
		a.promisedKind, a.presentKind = 0, 0 // which are numbered in another order
		fmt.Fprintln(&all, e, a, kinds[0].role, kinds[0].area, kinds[0].unit, kinds[1].unit)
		for _, s := range v.shares() {
			fmt.Fprintln(&all, "share", s.line.name, s.id, s.promised, s.present, s.set)
		}
	}
	for _, pl := range p.pledges {
		c := pl.now()
		fmt.Fprintln(&all, pl.id, pl.no, c.open, pl.first, c.last, c.latest, c.head.rung,
			c.head.exit, c.head.expires, len(c.facts))
	}
	fmt.Fprintln(&all, p.times, p.touched)
	return all.String()
}

// Rows that are taken in together, in any number of bulk loads and between them one by one, make
// the picture that one after the other makes.
func TestBulkLoadEqualsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := newStory(t).rows()
		want, got := NewPicture(), NewPicture()
		for i := range rows {
			if err := want.ApplyRow(uint64(i+1), &rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		for at := 0; at < len(rows); {
			n := rapid.IntRange(1, len(rows)-at).Draw(t, "rows")
			if rapid.Bool().Draw(t, "one by one") {
				for i := at; i < at+n; i++ {
					if err := got.ApplyRow(uint64(i+1), &rows[i]); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				all := newBulkLoad(got, uint64(n))
				if err := all.takeBatch(&records.Batch{First: uint64(at + 1),
					Rows: rows[at : at+n]}); err != nil {
					t.Fatal(err)
				}
				if err := all.fold(); err != nil {
					t.Fatal(err)
				}
			}
			at += n
			equal(t, "sequence", got.Sequence(), uint64(at))
		}
		if diff := cmp.Diff(want.inside(), got.inside()); diff != "" {
			t.Fatal(diff)
		}
		equal(t, "fingerprint", whole(t, got), whole(t, want))
	})
}

// The error of a bulk load is that of the first row that cannot be, whether it is found before
// folding or in it.
func TestBulkLoadTellsTheFirstError(t *testing.T) {
	l := newTestLedger(t)
	a, b := l.offer("FRA", 1), l.offer("DEU", 1)
	good := l.rows()
	lost := func(pledge testPledge) records.Row {
		r := must[records.Row](t)(records.RowOf(l.All[pledge.seq-1]))
		r.Type, r.New, r.Corrects, r.Struck = "pledge.corrected", false, events.NewID(), true
		return r
	}
	unknown := lost(a)
	unknown.Thing = events.NewID()
	for name, wrong := range map[string][]records.Row{
		"found in folding":     {lost(a), lost(b)},
		"the later pledge's":   {lost(b), lost(a)},
		"before the other is":  {lost(a), unknown},
		"found before folding": {unknown, lost(a)},
	} {
		rows := append(append([]records.Row{}, good...), wrong...)
		one := NewPicture()
		var want error
		for i := 0; want == nil; i++ {
			want = one.ApplyRow(uint64(i+1), &rows[i])
		}
		all := newBulkLoad(NewPicture(), 0)
		got := all.takeBatch(&records.Batch{First: 1, Rows: rows})
		if got == nil {
			got = all.fold()
		}
		if got == nil || got.Error() != want.Error() || !strings.Contains(got.Error(), "record 5") {
			t.Errorf("%s: %v; one by one: %v", name, got, want)
		}
	}
}
