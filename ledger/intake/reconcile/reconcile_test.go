package reconcile_test

import (
	"fmt"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

const (
	origin  = events.Origin("muster.example/test")
	tracker = "tracker"
	today   = events.Date(2026_11_29)
)

// A world is a ledger of what was said so far.
type world struct {
	t    *testing.T
	last uint64
	*reconcile.Known
}

func newWorld(t *testing.T) *world { return &world{t, 0, reconcile.NewKnown()} }

// say records statements. A statement that nobody could sign fails the test.
func (w *world) say(all ...events.Statement) {
	w.t.Helper()
	for _, st := range all {
		if _, err := events.Marshal(st); err != nil {
			w.t.Fatal(err)
		}
		w.last++
		w.Take(events.Record{Sequence: w.last, Signed: events.Signed{Statement: st}})
	}
}

// offer makes a row's offer, with the id of all that it says.
func offer(nation events.Nation, month events.Date, cents int64,
	change ...func(*events.PledgeOffered)) *events.PledgeOffered {
	o := &events.PledgeOffered{Header: events.Header{Type: "pledge.offered", Ledger: origin},
		Dated: events.Dated{Effective: month},
		Place: events.Place{Operation: "op1", Nation: nation},
		PledgeTerms: events.PledgeTerms{Role: "money", Unit: "EUR",
			Quantity: events.Unit("EUR").Of(cents), Window: events.Window{From: month},
			Source: "tracker"}}
	for _, c := range change {
		c(o)
	}
	o.ID = reconcile.IDOf(origin, "digest", []string{fmt.Sprintf("%+v", *o)}, 0)
	return o
}

// v1 and v2 are two versions of one tracker, of which the second restates two cells.
func v1() []*events.PledgeOffered {
	return []*events.PledgeOffered{offer("AUS", 2022_02_01, 264500000),
		offer("AUS", 2022_03_01, 14291100000), offer("DNK", 2025_05_01, 50000000000),
		offer("ITA", 2025_05_01, 32300000000)}
}

func v2() []*events.PledgeOffered {
	return append(v1()[:2:2], offer("DNK", 2025_05_01, 56300300000),
		offer("ITA", 2025_05_01, 162000000000))
}

// keyless makes rows of offers, and keyed makes rows with the key [nation, month].
func keyless(offers []*events.PledgeOffered) (rows []reconcile.Row) {
	for _, o := range offers {
		rows = append(rows, reconcile.Row{Offer: o})
	}
	return rows
}

func keyed(offers []*events.PledgeOffered) (rows []reconcile.Row) {
	for _, o := range offers {
		rows = append(rows, reconcile.Row{Offer: o,
			Key: []string{string(o.Nation), o.Effective.String()}})
	}
	return rows
}

// run reconciles rows, and records what is to be said. It returns what became of the rows.
func (w *world) run(rows []reconcile.Row, opt reconcile.Options) string {
	w.t.Helper()
	opt.Ledger, opt.Today, opt.Reason = origin, today, "restated"
	r := w.Reconcile(rows, opt)
	if len(r.Asked()) == 0 {
		for _, o := range r.Outcomes {
			w.say(o.Statements...)
		}
	}
	c := r.Counts
	return fmt.Sprintf("%d new, %d changed, %d unchanged, %d gone, %d refused, %d alike, %d asked",
		c.New, c.Changed, c.Unchanged, c.Gone, c.Refused, c.Alike, len(r.Asked()))
}

func (w *world) equal(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

const fourNew = "4 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked"
const fourAsBefore = "0 new, 0 changed, 4 unchanged, 0 gone, 0 refused, 0 alike, 0 asked"

// The same key with other values is a change of what is recorded, which is asked about.
func TestRestatedCellsWithAKey(t *testing.T) {
	w := newWorld(t)
	opt := reconcile.Options{Name: tracker}
	w.equal("v1", w.run(keyed(v1()), opt), fourNew)
	w.equal("v1 again", w.run(keyed(v1()), opt), fourAsBefore)
	w.equal("v2", w.run(keyed(v2()), opt),
		"0 new, 2 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 2 asked")
	before := w.last
	opt.Changed = reconcile.Corrected
	w.equal("v2, corrected", w.run(keyed(v2()), opt),
		"0 new, 2 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	if w.last != before+2 {
		t.Errorf("%d statements were made", w.last-before)
	}
	w.equal("v2 again", w.run(keyed(v2()), opt), fourAsBefore)

	// Another source in the mapping, or another note in front, makes no other pledge.
	renamed := v2()
	for _, o := range renamed {
		o.Source = "Another title, release 23"
	}
	w.equal("under another title", w.run(keyed(renamed), opt), fourAsBefore)
	amended := v2()
	amended[0] = offer("AUS", 2022_02_01, 1)
	opt.Changed = reconcile.Amended
	w.equal("amended", w.run(keyed(amended), opt),
		"0 new, 1 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	w.equal("and again", w.run(keyed(amended), opt), fourAsBefore)
}

// Without a key, what resembles a pledge that is recorded is asked about, and is then that pledge,
// or another.
func TestRestatedCellsWithoutAKey(t *testing.T) {
	w := newWorld(t)
	w.equal("v1", w.run(keyless(v1()), reconcile.Options{}), fourNew)
	w.equal("v1 again", w.run(keyless(v1()), reconcile.Options{}), fourAsBefore)
	w.equal("v2", w.run(keyless(v2()), reconcile.Options{}),
		"0 new, 0 changed, 2 unchanged, 0 gone, 0 refused, 2 alike, 2 asked")
	opt := reconcile.Options{Changed: reconcile.Corrected}
	w.equal("v2, corrected", w.run(keyless(v2()), opt),
		"0 new, 2 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	w.equal("v2 again", w.run(keyless(v2()), reconcile.Options{}), fourAsBefore)

	// Two rows alike, and nobody can tell which is which.
	two := []*events.PledgeOffered{offer("DNK", 2025_05_01, 1), offer("DNK", 2025_05_01, 2)}
	w.equal("two for one", w.run(keyless(two), opt),
		"0 new, 0 changed, 0 unchanged, 0 gone, 2 refused, 0 alike, 0 asked")
	opt = reconcile.Options{New: true}
	w.equal("as others", w.run(keyless(two), opt),
		"2 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
}

// A row whose correction is recorded is not offered anew where another row is another pledge.
func TestCorrectedRowsAreNotNew(t *testing.T) {
	w := newWorld(t)
	rows := func(fra, deu int64) []reconcile.Row {
		return keyless([]*events.PledgeOffered{offer("FRA", 2025_05_01, fra),
			offer("DEU", 2025_05_01, deu)})
	}
	for _, opt := range []reconcile.Options{{}, {Name: tracker}} {
		w.run(rows(500, 300), opt)
		opt.Changed = reconcile.Corrected
		w.run(rows(563, 300), opt)
		opt.Changed, opt.New = reconcile.Ask, true
		gone := 0
		if opt.Name != "" {
			gone = 1
		}
		w.equal("the third version", w.run(rows(563, 50), opt), fmt.Sprintf("1 new, 0 changed, "+
			"1 unchanged, %d gone, 0 refused, 0 alike, 0 asked", gone))
		w = newWorld(t)
	}
}

// What is gone is listed; chosen so, it is struck, and what comes back is another pledge.
func TestRowsThatAreGone(t *testing.T) {
	w := newWorld(t)
	opt := reconcile.Options{Name: tracker}
	w.run(keyed(v1()), opt)
	w.equal("left", w.run(keyed(v1()[:3]), opt),
		"0 new, 0 changed, 3 unchanged, 1 gone, 0 refused, 0 alike, 0 asked")
	opt.Gone = reconcile.Strike
	w.equal("struck", w.run(keyed(v1()[:3]), opt),
		"0 new, 0 changed, 3 unchanged, 1 gone, 0 refused, 0 alike, 0 asked")
	w.equal("and once", w.run(keyed(v1()[:3]), opt),
		"0 new, 0 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	w.equal("it comes back", w.run(keyed(v1()), opt),
		"1 new, 0 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	opt.Gone = reconcile.Withdraw
	w.equal("withdrawn", w.run(keyed(v1()[:3]), opt),
		"0 new, 0 changed, 3 unchanged, 1 gone, 0 refused, 0 alike, 0 asked")
	w.equal("another tracker's rows are not gone", w.run(keyed(v1()[:1]),
		reconcile.Options{Name: "other", Gone: reconcile.Strike}),
		"0 new, 0 changed, 1 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
}

// A sheet that Muster wrote names each pledge; what it says nothing of stays as it is.
func TestRowsWithIDs(t *testing.T) {
	w := newWorld(t)
	w.run(keyless(v1()), reconcile.Options{})
	rows := keyless(v1())
	for i := range rows {
		rows[i].ID = rows[i].Offer.ID
		rows[i].Offer = offer(rows[i].Offer.Nation, 2025_05_01, 1, func(o *events.PledgeOffered) {
			o.Source = ""
			o.Quantity = rows[i].Offer.Quantity
		})
		rows[i].Fields = []string{"quantity", "role", "unit"}
	}
	w.equal("given back", w.run(rows, reconcile.Options{}), fourAsBefore)
	rows[1].Offer.Quantity = events.Unit("EUR").Of(7)
	rows[3].ID = events.NewID()
	w.equal("changed, and unknown", w.run(rows, reconcile.Options{Changed: reconcile.Corrected}),
		"0 new, 1 changed, 2 unchanged, 0 gone, 1 refused, 0 alike, 0 asked")
	if terms := w.Pledge(rows[1].ID).Terms(); terms.Source != "tracker" {
		t.Errorf("the source is %q", terms.Source)
	}
}

// A nation's own reference is a key; also of what was offered by hand.
func TestRowsWithReferences(t *testing.T) {
	w := newWorld(t)
	nv := func(o *events.PledgeOffered) { o.Reference = "NV 12/2026" }
	by := offer("FRA", 2025_05_01, 100, nv)
	by.ID = events.NewID()
	w.say(by)
	rows := keyless([]*events.PledgeOffered{offer("FRA", 2025_05_01, 200, nv),
		offer("DEU", 2025_05_01, 300, nv)})
	opt := reconcile.Options{Changed: reconcile.Amended}
	w.equal("amended, and new", w.run(rows, opt),
		"1 new, 1 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	w.equal("again", w.run(rows, opt),
		"0 new, 0 changed, 2 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
}

// Two rows with one key, another nation under one key, and what somebody has mended by hand.
func TestOddRows(t *testing.T) {
	w := newWorld(t)
	opt := reconcile.Options{Name: tracker, Changed: reconcile.Corrected}
	w.run(keyed(v1()), opt)
	twice := keyed(append(v1(), v1()[0]))
	w.equal("twice", w.run(twice, opt),
		"0 new, 0 changed, 4 unchanged, 0 gone, 1 refused, 0 alike, 0 asked")

	rows := keyed(v1())
	rows[0].Offer = offer("AUT", 2022_02_01, 264500000)
	w.equal("another nation", w.run(rows, opt),
		"0 new, 1 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	if p := w.Pledge(reconcile.IDOf(origin, tracker, rows[0].Key, 0)); !p.Struck {
		t.Error("the pledge of the wrong nation was not struck")
	}
	if p := w.Pledge(reconcile.IDOf(origin, tracker, rows[0].Key, 1)); p == nil ||
		p.Nation != "AUT" {
		t.Error("the pledge of the right nation was not offered")
	}
	w.equal("and again", w.run(rows, opt), fourAsBefore)

	mended := rows[1].Offer.PledgeTerms
	mended.Quantity, mended.Source = events.Unit("EUR").Of(5), "as told on the phone"
	id := reconcile.IDOf(origin, tracker, rows[1].Key, 0)
	w.say(&events.PledgeCorrected{Header: events.Header{Type: "pledge.corrected",
		ID: events.NewID(), Ledger: origin}, Dated: rows[1].Offer.Dated, Place: rows[1].Offer.Place,
		Pledge: id, Corrects: id, Terms: &mended, Reason: "a digit"})
	w.equal("a file that has not changed turns nothing back", w.run(rows, opt), fourAsBefore)
}
