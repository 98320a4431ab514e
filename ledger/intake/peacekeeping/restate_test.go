package peacekeeping

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/ledger/rules"
)

const restated events.Origin = "muster.example/restated"

// A kept is a ledger of what an importer has said, by the rules.
type kept struct {
	t     rapid.TB
	key   events.Key
	state *rules.State
	known *reconcile.Known
}

func newKept(t rapid.TB) *kept {
	_, key, err := events.NewKey("HQ/un")
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{t, key, rules.NewState(), reconcile.NewKnown()}
	k.say(&events.LedgerFounded{Header: events.Header{Type: "ledger.founded", ID: events.NewID(),
		Ledger: restated}, Title: "A test", Founder: key})
	return k
}

func (k *kept) say(st events.Statement) {
	k.t.Helper()
	if err := rules.DecideNew(k.state, k.key, st); err != nil {
		k.t.Fatalf("%+v is refused: %v", st, err)
	}
	id, _ := k.key.ID()
	rec := events.Record{Sequence: k.state.Last() + 1, Recorded: time.Unix(1, 0).UTC(),
		Signed: events.Signed{Statement: st, KeyName: id.Name, KeyHash: id.Hash}}
	if _, err := k.state.Apply(rec); err != nil {
		k.t.Fatal(err)
	}
	k.known.Take(rec)
}

// take imports a history, and returns how many statements that took, -1 where it was refused.
func (k *kept) take(h *History) (said int) {
	k.t.Helper()
	r, err := h.Restate(k.known, restated, "")
	if err != nil {
		if problem.From(err).Kind != problem.Invalid {
			k.t.Fatal(err)
		}
		return -1
	}
	for _, st := range r.Alone(k.known) {
		if err := rules.DecideNew(k.state, k.key, st); err != nil {
			k.t.Fatalf("%+v does not stand alone: %v", st, err)
		}
	}
	for i := range r.Steps {
		for _, wave := range r.Steps[i].Waves {
			for _, st := range wave {
				k.say(st)
				said++
			}
		}
	}
	return said
}

// at returns how many are there on a date by what is recorded.
func (k *kept) at(key contribution, on events.Date) (n int64) {
	var all []reconcile.Told
	for _, p := range k.known.All() {
		if p.Observed && !p.Struck && (contribution{p.Operation, p.Nation, p.Role}) == key {
			all = append(all, p.Strengths()...)
		}
	}
	slices.SortStableFunc(all, func(a, b reconcile.Told) int {
		return int(a.Effective - b.Effective)
	})
	for _, t := range all {
		if t.Effective <= on {
			n = t.Strength
		}
	}
	return n
}

var someMonths = []events.Date{2021_01_31, 2021_02_28, 2021_03_31, 2021_04_30, 2021_05_31}

func historyOf(months []events.Date, people map[contribution][]int64) *History {
	return &History{months: months, people: people,
		titles: map[events.Operation]string{"untest": "UNTEST"}}
}

var ghana = contribution{"untest", "GHA", Troops}

// February is restated by one, and April goes on from there; also in a file of its own.
func TestRestatedMonth(t *testing.T) {
	k := newKept(t)
	nepal := contribution{"untest", "NPL", Troops}
	if n := k.take(historyOf(someMonths[:3], map[contribution][]int64{ghana: {100, 110, 120},
		nepal: {50, 50, 50}})); n != 5 {
		t.Errorf("at first %d statements were made", n)
	}
	again := historyOf(someMonths[:3], map[contribution][]int64{ghana: {100, 111, 120},
		nepal: {50, 50, 50}})
	if n := k.take(again); n != 1 || k.at(ghana, 2021_02_28) != 111 {
		t.Errorf("restated by %d statements, to %d", n, k.at(ghana, 2021_02_28))
	}
	if n := k.take(again); n != 0 {
		t.Errorf("the same again makes %d statements", n)
	}
	april := historyOf(someMonths[3:4], map[contribution][]int64{ghana: {130}})
	r, err := april.Restate(k.known, restated, "")
	if err != nil || len(r.Gone) != 1 || r.Gone[0].Nation != "NPL" {
		t.Errorf("gone: %+v, %v", r.Gone, err)
	}
	if n := k.take(april); n != 1 || k.at(ghana, 2021_04_30) != 130 ||
		k.at(nepal, 2021_04_30) != 50 {
		t.Errorf("April alone makes %d statements, to %d", n, k.at(ghana, 2021_04_30))
	}

	// What somebody has mended by hand is not turned back by a file that has not changed.
	pledge := k.known.All()[0]
	k.say(&events.PledgeCorrected{Header: events.Header{Type: "pledge.corrected",
		ID: events.NewID(), Ledger: restated}, Dated: events.Dated{Effective: 2021_01_31},
		Place: pledge.Place, Pledge: pledge.ID, Corrects: pledge.ID, Reason: "counted again",
		Strength: &events.Strength{Quantity: events.Count(99), Unit: Personnel}})
	if n := k.take(again); n != 0 {
		t.Errorf("what was mended by hand is turned back by %d statements", n)
	}
	if n := k.take(historyOf(someMonths[1:3], map[contribution][]int64{ghana: {0, 120}})); n != -1 {
		t.Errorf("nobody in February makes %d statements", n)
	}

	// Nor is what was struck; what the file says of it otherwise was seen anew.
	k.say(&events.PledgeCorrected{Header: events.Header{Type: "pledge.corrected",
		ID: events.NewID(), Ledger: restated}, Dated: events.Dated{Effective: 2021_01_31},
		Place: pledge.Place, Pledge: pledge.ID, Corrects: pledge.ID, Reason: "others",
		Struck: true})
	if n := k.take(again); n != 0 {
		t.Errorf("what was struck by hand is turned back by %d statements", n)
	}
	april.people[ghana] = []int64{140}
	if n := k.take(april); n != 1 || k.at(ghana, 2021_04_30) != 140 || k.take(april) != 0 {
		t.Errorf("April after a strike makes %d statements, to %d", n, k.at(ghana, 2021_04_30))
	}
}

// What a file does not have at all is left, or struck, or has returned by its last month, once; and
// comes again with the file that has it.
func TestGoneContributions(t *testing.T) {
	nepal := contribution{"untest", "NPL", Troops}
	both := func() *History {
		return historyOf(someMonths[:3], map[contribution][]int64{ghana: {100, 110, 120},
			nepal: {50, 50, 60}})
	}
	for _, c := range []struct {
		choice       reconcile.Choice
		said         int
		march, april int64
		again        int
	}{{"", 1, 60, 60, 0}, {reconcile.Strike, 2, 0, 0, 2}, {reconcile.Return, 2, 60, 0, 0}} {
		k := newKept(t)
		k.take(both())
		april := historyOf(someMonths[3:4], map[contribution][]int64{ghana: {130}})
		april.Gone = c.choice
		if n := k.take(april); n != c.said || k.take(april) != 0 {
			t.Errorf("%s: %d statements", c.choice, n)
		}
		if march, now := k.at(nepal, 2021_03_31), k.at(nepal, 2021_04_30); march != c.march ||
			now != c.april {
			t.Errorf("%s: %d in March, %d in April", c.choice, march, now)
		}
		if n := k.take(both()); n != c.again || k.at(nepal, 2021_03_31) != 60 {
			t.Errorf("%s: the first file again makes %d statements, to %d", c.choice, n,
				k.at(nepal, 2021_03_31))
		}
		early := historyOf(someMonths[1:2], map[contribution][]int64{ghana: {110}})
		early.Gone = reconcile.Return
		if isThere := c.choice != reconcile.Return; isThere && k.take(early) != -1 {
			t.Errorf("%s: a return before what is told is taken", c.choice)
		}
	}
}

// Whatever is published, and published again: what is recorded then is what the file says, by
// statements that the rules allow; or nothing is said, and why.
func TestRestatedHistories(t *testing.T) {
	refused, taken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		k := newKept(t)
		for range rapid.IntRange(2, 5).Draw(t, "versions") {
			from := rapid.IntRange(0, 2).Draw(t, "from")
			months := someMonths[from:rapid.IntRange(from+1, len(someMonths)).Draw(t, "until")]
			people := map[contribution][]int64{}
			for _, nation := range []events.Nation{"GHA", "NPL"} {
				all := rapid.SliceOfN(rapid.Int64Range(0, 3), len(months), len(months)).
					Draw(t, string(nation))
				if slices.Max(all) > 0 {
					people[contribution{"untest", nation, Troops}] = all
				}
			}
			people[contribution{"untest", "IND", Troops}] = make([]int64, len(months))
			people[contribution{"untest", "IND", Troops}][0] = 1 // so that the mission is there
			h := historyOf(months, people)
			if k.take(h) < 0 {
				refused++
				continue
			}
			taken++
			for key, all := range people {
				for i, on := range months {
					if got := k.at(key, on); got != all[i] {
						t.Fatalf("%v on %s: %d is recorded, and published is %d", key, on, got,
							all[i])
					}
				}
			}
			if n := k.take(h); n != 0 {
				t.Fatalf("the same again makes %d statements", n)
			}
		}
	})
	if taken == 0 || refused == 0 {
		t.Errorf("%d versions were taken, %d refused: this shows little", taken, refused)
	}
}
