package reconcile_test

import (
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// What is recorded is known again where the mapping, or a row, has got another key than it had: as
// it is where it says the same, and as something to ask about where it does not.
func TestRowsThatGetAnotherKey(t *testing.T) {
	numbered := func(cents int64) []reconcile.Row {
		return keyless([]*events.PledgeOffered{offer("FRA", 2025_05_01, cents,
			func(o *events.PledgeOffered) { o.Reference = "NV-1" })})
	}
	by := func(key ...string) func(int64) []reconcile.Row {
		return func(cents int64) []reconcile.Row {
			return []reconcile.Row{{Offer: offer("FRA", 2025_05_01, cents), Key: key}}
		}
	}
	plain := by()
	const (
		alike   = "0 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 1 alike, 1 asked"
		isNew   = "1 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked"
		anyGone = "1 new, 0 changed, 0 unchanged, 1 gone, 0 refused, 0 alike, 0 asked"
	)
	for name, one := range map[string]struct {
		before, after     func(int64) []reconcile.Row
		was, is           string // the names of the imports
		same, other, anew string
	}{
		"a reference":      {plain, numbered, "", "", alike, alike, oneAsked},
		"none any more":    {numbered, plain, "", "", alike, alike, isNew},
		"a name and a key": {plain, by("1"), "", tracker, oneAsBefore, alike, isNew},
		"a key":            {plain, by("1"), tracker, tracker, oneAsBefore, alike, anyGone},
		"another key": {by("1"), by("FRA", "1"), tracker, tracker, oneAsBefore, alike,
			anyGone},
		"another name":         {by("1"), by("1"), "other", tracker, oneAsBefore, alike, isNew},
		"another name, no key": {plain, plain, "other", tracker, oneAsBefore, alike, isNew},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run(one.before(500), reconcile.Options{Name: one.was})
			opt := reconcile.Options{Name: one.is}
			w.equal("the same", w.run(one.after(500), opt), one.same)
			w.equal("otherwise", w.run(one.after(563), opt), one.other)
			opt.Changed = reconcile.Corrected
			w.equal("corrected", w.run(one.after(563), opt), oneChanged)
			w.strength(563)
			opt.Changed = reconcile.Ask
			w.equal("and again", w.run(one.after(563), opt), oneAsBefore)
			opt.New = true
			w.equal("another pledge", w.run(one.after(7), opt), one.anew)
		})
	}
}

// A row that has come beside others with a key is new, though one that it resembles has gone; and
// what is new and what is corrected may be said of one file.
func TestNewRowsWithAKey(t *testing.T) {
	w := newWorld(t)
	rows := func(keys string, cents ...int64) (all []reconcile.Row) {
		for i, n := range cents {
			all = append(all, reconcile.Row{Offer: offer("FRA", 2025_05_01, n),
				Key: []string{keys[i : i+1]}})
		}
		return all
	}
	w.run(rows("ab", 1, 2), reconcile.Options{Name: tracker})
	w.equal("one goes and one comes", w.run(rows("ac", 1, 3), reconcile.Options{Name: tracker}),
		"1 new, 0 changed, 1 unchanged, 1 gone, 0 refused, 0 alike, 0 asked")
	w.say(offer("FRA", 2025_05_01, 9))
	var opt reconcile.Options
	if err := opt.ReadChanged("corrected,new"); err != nil {
		t.Fatal(err)
	}
	opt.Name = tracker
	w.equal("corrected and new", w.run(rows("abcd", 1, 20, 3, 4), opt),
		"1 new, 1 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	for _, wrong := range []string{"", "corrected,amended", "new,other"} {
		if err := opt.ReadChanged(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
