package reconcile_test

import (
	"testing"

	"golang.org/x/text/unicode/norm"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// A file that is sent again with its keys in capitals, or with accents composed otherwise, has the
// same rows, and a correction in it is one; but where the file has both spellings, they are two.
func TestKeysInAnotherSpelling(t *testing.T) {
	rows := func(cents int64, keys ...string) (all []reconcile.Row) {
		for i, key := range keys {
			all = append(all, reconcile.Row{Offer: offer("CIV", 2022_02_01, cents+int64(i)),
				Key: []string{"CIV", key, "Lot 2"}})
		}
		return all
	}
	const first, capitals = "Éa-1", "ÉA-1"
	for name, key := range map[string]string{"capitals": capitals, "small": "éa-1",
		"spaces": " Éa-1\u00a0", "decomposed": norm.NFD.String(first),
		"both": norm.NFD.String(capitals)} {
		w := newWorld(t)
		opt := reconcile.Options{Name: tracker}
		w.equal("first", w.run(rows(500, first, "b-2"), opt),
			"2 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
		w.equal(name, w.run(rows(500, key, "b-2"), opt),
			"0 new, 0 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
		w.equal(name+", restated", w.run(rows(700, key, "b-2"), opt),
			"0 new, 2 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 2 asked")
		opt.Changed = reconcile.Corrected
		w.equal(name+", corrected", w.run(rows(700, key, "b-2"), opt),
			"0 new, 2 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
		w.equal(name+", again", w.run(rows(700, key, "b-2"), opt),
			"0 new, 0 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
		w.equal(name+", as it was first", w.run(rows(700, first, "B-2"), opt),
			"0 new, 0 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
		w.equal(name+", and both", w.run(rows(700, key, "b-2", first), opt),
			"1 new, 1 changed, 1 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	}
}

// A spreadsheet takes zeros off a key, and other programs write a number with a point.
func TestKeysThatBecameNumbers(t *testing.T) {
	rows := func(cents int64, keys ...string) (all []reconcile.Row) {
		for _, key := range keys {
			all = append(all, reconcile.Row{Offer: offer("CIV", 2022_02_01, cents),
				Key: []string{key}})
		}
		return all
	}
	for from, to := range map[string]string{"007": "7", "7": "007", "0120": "120.0", "12.0": "12"} {
		w := newWorld(t)
		w.equal("first", w.run(rows(500, from, "900"), reconcile.Options{Name: tracker}),
			"2 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
		w.equal(from+" as "+to, w.run(rows(600, to, "900"), reconcile.Options{Name: tracker}),
			"0 new, 2 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 2 asked")
		w.equal(from+" and "+to, w.run(rows(500, from, to, "900"),
			reconcile.Options{Name: tracker}),
			"1 new, 0 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	}
}

// The nation's own number is found in another spelling, too, where one pledge alone has it so.
func TestReferencesInAnotherSpelling(t *testing.T) {
	numbered := func(reference string, cents int64) []reconcile.Row {
		return []reconcile.Row{{Offer: offer("CIV", 2022_02_01, cents,
			func(o *events.PledgeOffered) { o.Reference = reference })}}
	}
	w := newWorld(t)
	w.equal("first", w.run(numbered("Réf 3/a", 500), reconcile.Options{}),
		"1 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	w.equal("in capitals", w.run(numbered(norm.NFD.String("RÉF 3/A"), 600), reconcile.Options{}),
		"0 new, 1 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 1 asked")
	w.equal("in capitals, as another", w.run(numbered("Réf 3/b", 600), reconcile.Options{}),
		"1 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
}
