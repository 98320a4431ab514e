package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// Rows whose ids were exchanged, as where a part of the columns was sorted, say of no pledge what
// another was filled in with, whatever was chosen and changed besides.
func TestExchangedIDs(t *testing.T) {
	offers := []*events.PledgeOffered{offer("FRA", 2026_01_01, 50000),
		offer("FRA", 2026_02_01, 70000), offer("FRA", 2026_03_01, 90000),
		offer("FRA", 2026_03_01, 95000)}
	sheet := func(w *world, isList bool,
		change func(rows []reconcile.Row) []reconcile.Row) string {
		base := &reconcile.Base{Known: newWorld(t).Known, Filled: map[events.ID]bool{}}
		var rows []reconcile.Row
		for i, o := range offers {
			w.say(o)
			base.Known.Take(events.Record{Sequence: uint64(i + 1),
				Signed: events.Signed{Statement: o}})
			base.Filled[o.ID] = true
			rows = append(rows, asSheet(w.Pledge(o.ID), o.PledgeTerms))
		}
		opt := reconcile.Options{Ledger: origin, Changed: reconcile.Amended, Today: today}
		if !isList {
			opt.Name, opt.Base = "form-1", base
		}
		r := w.Reconcile(change(rows), opt)
		var told []string
		for _, o := range r.Outcomes {
			told = append(told, fmt.Sprintf("%s %d %s", o.Kind, len(o.Statements), o.Problem))
		}
		return strings.Join(told, "\n")
	}
	exchange := func(rows []reconcile.Row, a, b int) {
		rows[a].ID, rows[b].ID = rows[b].ID, rows[a].ID
	}
	refused := func(is, says int) string {
		return fmt.Sprintf("refused 0 the row has the id of the pledge %s, and says what the file "+
			"had of %s: put each id back beside its own row; where the pledge is to be so, amend "+
			"it by hand", offers[is].ID, offers[says].ID)
	}
	const same, changed = "unchanged 0 ", "changed 1 "
	for name, c := range map[string]struct {
		change func(rows []reconcile.Row) []reconcile.Row
		want   []string
	}{
		"two": {func(rows []reconcile.Row) []reconcile.Row {
			exchange(rows, 0, 1)
			return rows
		}, []string{refused(1, 0), refused(0, 1), same, same}},
		"three, and a cell": {func(rows []reconcile.Row) []reconcile.Row {
			exchange(rows, 0, 1)
			exchange(rows, 1, 2)
			euros(560)(&rows[0].Offer.PledgeTerms)
			return rows
		}, []string{refused(1, 0), refused(2, 1), refused(0, 2), same}},
		"one, and the other row is out": {func(rows []reconcile.Row) []reconcile.Row {
			exchange(rows, 0, 1)
			return rows[1:]
		}, []string{refused(0, 1), same, same, "gone 0 "}},
		"of what differs in one cell": {func(rows []reconcile.Row) []reconcile.Row {
			exchange(rows, 2, 3)
			return rows
		}, []string{same, same, changed, changed}},
		"none, but one says what another does": {func(rows []reconcile.Row) []reconcile.Row {
			rows[0].Offer.PledgeTerms = rows[1].Offer.PledgeTerms
			return rows
		}, []string{changed, same, same, same}},
	} {
		want := strings.Join(c.want, "\n")
		if got := sheet(newWorld(t), false, c.change); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		if len(c.want) == 4 && !strings.Contains(want, "gone") {
			if got := sheet(newWorld(t), true, c.change); got != want {
				t.Errorf("of a list, %s:\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}
