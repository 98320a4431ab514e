package reconcile_test

import (
	"fmt"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// taking makes a row, and other rows that take so much off it, each on its day.
func taking(cents int64, days []events.Date, off []int64, key ...string) reconcile.Row {
	r := row(offer("FRA", 2025_05_01, cents), "offered", key...)
	for i, on := range days {
		cents -= off[i]
		head := events.Header{Type: "pledge.amended", Ledger: origin}
		if cents == 0 {
			head.Type = "pledge.withdrawn"
		}
		hash := reconcile.IDOf(origin, string(head.Type), []string{r.Offer.ID.String(),
			on.String(), fmt.Sprint(off[i])}, 0)
		head.ID, _ = events.IDAt(uint64(on.Time().UnixMilli()), [10]byte(hash[6:]))
		source := events.WithImport(r.Offer.Source, tracker)
		if cents == 0 {
			r.Rest = append(r.Rest, &events.PledgeWithdrawn{PledgeStep: events.PledgeStep{
				Header: head, Dated: events.Dated{Effective: on}, Place: r.Offer.Place,
				Step: events.Step{Pledge: r.Offer.ID, Source: source}}})
			continue
		}
		left := r.Offer.PledgeTerms
		left.Quantity, left.Source = events.Unit("EUR").Of(cents), source
		r.Rest = append(r.Rest, &events.PledgeAmended{Header: head,
			Dated: events.Dated{Effective: on}, Place: r.Offer.Place, Pledge: r.Offer.ID,
			PledgeTerms: left})
	}
	return r
}

// What rows take off is restated with what they take it off: recorded once, as the file has it.
func TestRowsThatTakeOff(t *testing.T) {
	march, april := events.Date(2026_03_01), events.Date(2026_04_01)
	for _, key := range [][]string{nil, {"1"}} {
		b := newBook(t)
		for i, step := range []struct {
			cents int64
			days  []events.Date
			off   []int64
			as    reconcile.Choice
			want  string
			left  int64 // 0 where the pledge has ended
		}{
			{100, []events.Date{march}, []int64{30}, "", "offered amended", 70},
			{100, []events.Date{march, april}, []int64{30, 10}, "", "amended", 60},
			{120, []events.Date{march, april}, []int64{30, 10}, reconcile.Corrected,
				"corrected corrected corrected", 80},
			{120, []events.Date{march, april}, []int64{40, 10}, reconcile.Corrected,
				"corrected corrected", 70},
			{120, []events.Date{april}, []int64{10}, reconcile.Corrected,
				"corrected corrected", 110},
			{130, []events.Date{april}, []int64{10}, reconcile.Amended,
				"refused: [quantity 1.10 -> 1.30 amended 1.10 -> 1.20]", 110},
			{120, []events.Date{april}, []int64{120}, reconcile.Corrected,
				"corrected withdrawn", 0},
			{150, []events.Date{april}, []int64{120}, reconcile.Corrected,
				"corrected corrected amended", 30},
			{150, nil, nil, "", "changed: [amended 2026-04-01 -> none]", 30},
			{150, nil, nil, reconcile.Corrected, "corrected", 150},
			{150, []events.Date{april}, []int64{120}, "", "amended", 30},
		} {
			opt := reconcile.Options{Name: tracker, Changed: step.as}
			got := b.bring(func() reconcile.Row {
				return taking(step.cents, step.days, step.off, key...)
			}, opt)
			p := b.known(len(b.records)).All()[0]
			terms := p.Terms()
			left, _ := terms.Quantity.Number()
			if p.Ended != "" {
				left = 0
			}
			if got != step.want || left != step.left || len(b.known(len(b.records)).All()) != 1 {
				t.Errorf("%q, step %d: %q and %d are left, want %q and %d", key, i+1, got, left,
					step.want, step.left)
			}
		}
	}
}
