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

// Rows in which more was changed besides are told of where each is nearer to the other's pledge
// than to its own; and so are those whose references were exchanged.
func TestLikelyExchanged(t *testing.T) {
	first, second := offer("FRA", 2026_01_01, 50000), offer("FRA", 2026_02_01, 70000)
	first.Area, first.Until, first.Reference = "west", 2026_06_30, "NV 1"
	second.Area, second.Until, second.Reference = "capital", 2026_12_31, "NV 2"
	fill := func(choice reconcile.Choice, named bool,
		change func(a, b *events.PledgeTerms)) string {
		w, base := newWorld(t), &reconcile.Base{Known: newWorld(t).Known,
			Filled: map[events.ID]bool{}}
		var rows []reconcile.Row
		for i, o := range []*events.PledgeOffered{first, second} {
			w.say(o)
			base.Known.Take(events.Record{Sequence: uint64(i + 1),
				Signed: events.Signed{Statement: o}})
			base.Filled[o.ID] = true
			rows = append(rows, asSheet(w.Pledge(o.ID), o.PledgeTerms))
		}
		opt := reconcile.Options{Ledger: origin, Changed: choice, Today: today, Name: "form-1",
			Base: base}
		if named {
			opt.Name, opt.Base = "", nil
			for i := range rows {
				rows[i].ID = events.ID{}
			}
		}
		change(&rows[0].Offer.PledgeTerms, &rows[1].Offer.PledgeTerms)
		r := w.Reconcile(rows, opt)
		var told []string
		for _, o := range r.Outcomes {
			told = append(told, fmt.Sprintf("%s %t %d %.30s", o.Kind, o.Asked, len(o.Statements),
				o.Problem.String()))
		}
		return strings.Join(told, "; ")
	}
	swap := func(a, b *events.PledgeTerms) {
		*a, *b = *b, *a
		a.Reference, b.Reference = b.Reference, a.Reference
	}
	exchanged := func(a, b *events.PledgeTerms) {
		*a, *b = *b, *a
		for _, t := range []*events.PledgeTerms{a, b} {
			euros(560)(t)
			t.Note = "as of today"
		}
	}
	edited := func(a, _ *events.PledgeTerms) { a.Area, a.Until = "capital", 2026_12_31 }
	both := func(a, b *events.PledgeTerms) {
		a.Until, b.Until = 2027_06_30, 2027_12_31
		euros(560)(a)
		euros(561)(b)
	}
	const nearer, asked = "the row is nearer to what the ", "the row has the reference of th"
	for name, c := range map[string]struct{ got, want string }{
		"exchanged, and two cells": {fill(reconcile.Ask, false, exchanged),
			"changed true 0 " + nearer + "; changed true 0 " + nearer},
		"which holds": {fill(reconcile.Amended, false, exchanged),
			"changed false 1 " + nearer + "; changed false 1 " + nearer},
		"one is edited": {fill(reconcile.Ask, false, edited),
			"changed false 1 ; unchanged false 0 "},
		"both are edited": {fill(reconcile.Ask, false, both), "changed false 1 ; changed false 1 "},
		"references": {fill(reconcile.Ask, true, swap),
			"changed true 0 " + asked[:30] + "; changed true 0 " + asked[:30]},
		"references that hold": {fill(reconcile.Corrected, true, swap),
			"changed false 1 " + asked[:30] + "; changed false 1 " + asked[:30]},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, c.got, c.want)
		}
	}
}
