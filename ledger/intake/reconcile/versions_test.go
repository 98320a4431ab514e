package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/ledger/intake/reconcile"
	"muster/ledger/rules"
)

// A book is a ledger that keeps the rules, in which a coordinator enters what a tracker publishes.
type book struct {
	t       rapid.TB
	key     events.Key
	state   *rules.State
	records []events.Record
}

func newBook(t rapid.TB) *book {
	_, key, err := events.NewKey("HQ/desk")
	if err != nil {
		t.Fatal(err)
	}
	b := &book{t: t, key: key, state: rules.NewState()}
	head := func(typ events.Type) events.Header {
		return events.Header{Type: typ, ID: events.NewID(), Ledger: origin}
	}
	b.say(&events.LedgerFounded{Header: head("ledger.founded"), Title: "A test", Founder: key})
	b.say(&events.OperationOpened{Header: head("operation.opened"),
		Dated: events.Dated{Effective: 2020_01_01},
		OperationTerms: events.OperationTerms{Operation: "op1", Title: "A test",
			Roles: []events.RoleDefinition{{Role: "money", Title: "Money",
				Units: []events.Unit{"EUR"}}}}})
	return b
}

func (b *book) say(st events.Statement) {
	b.t.Helper()
	if err := rules.DecideNew(b.state, b.key, st); err != nil {
		b.t.Fatalf("%+v is refused: %v", st, err)
	}
	id, _ := b.key.ID()
	rec := events.Record{Sequence: b.state.Last() + 1, Recorded: time.Unix(1, 0).UTC(),
		Signed: events.Signed{Statement: st, KeyName: id.Name, KeyHash: id.Hash}}
	if _, err := b.state.Apply(rec); err != nil {
		b.t.Fatal(err)
	}
	b.records = append(b.records, rec)
}

func (b *book) known(records int) *reconcile.Known {
	k := reconcile.NewKnown()
	for _, rec := range b.records[:records] {
		k.Take(rec)
	}
	return k
}

// A cell is what a tracker publishes of a nation in a month: how much, and how far it has come.
type cell struct {
	cents int64
	rung  int // a place in heights
}

var heights = []string{"indicated", "offered", "accepted", "confirmed", "deployed"}

// A version is what a tracker publishes: a cell of each nation in each month.
type version map[string]cell

// How the rows of a version are told apart.
var ways = []string{"by a key", "by their words", "by reference"}

func (v version) rows(way string) (rows []reconcile.Row) {
	for _, nation := range []events.Nation{"AUS", "DNK", "ITA"} {
		for _, month := range []events.Date{2022_02_01, 2022_03_01} {
			name := fmt.Sprint(nation, month)
			is, there := v[name]
			if !there {
				continue
			}
			var key []string
			o := offer(nation, month, is.cents)
			switch way {
			case "by a key":
				key = []string{name}
			case "by reference":
				o = offer(nation, month, is.cents, func(o *events.PledgeOffered) {
					o.Reference = name
				})
			}
			rows = append(rows, row(o, heights[is.rung], key...))
		}
	}
	return rows
}

// published reads a version back from what is recorded: it must be there once.
func (b *book) published(records int) version {
	v := version{}
	for _, p := range b.known(records).All() {
		if !p.IsLive() {
			continue
		}
		t := p.Terms()
		key := fmt.Sprint(p.Nation, t.From)
		if _, twice := v[key]; twice {
			b.t.Fatalf("%s is there twice", key)
		}
		n, _ := t.Quantity.Number()
		v[key] = cell{n, b.height(p.ID, records)}
		if told := p.Strengths(); len(told) > 0 && told[len(told)-1].Strength != n {
			b.t.Fatalf("%s is deployed with %d of %d", key, told[len(told)-1].Strength, n)
		}
	}
	return v
}

// height is how far a pledge has come, by all that was said of it and not struck.
func (b *book) height(pledge events.ID, records int) (at int) {
	struck := map[events.ID]bool{}
	for _, rec := range b.records[:records] {
		if c, ok := rec.Statement.(*events.PledgeCorrected); ok && c.Struck {
			struck[c.Corrects] = true
		}
	}
	for _, rec := range b.records[:records] {
		head := rec.Statement.Head()
		if events.Thing(rec.Statement) == pledge && !struck[head.ID] {
			at = max(at, slices.Index(heights, head.Type.Event()))
		}
	}
	return at
}

// The published versions of one tracker, imported one after the other, read as published as of each
// import; and none adds anything when it is imported again. So it is however its rows are told
// apart, and whatever it means that they have changed.
func TestVersionsReadAsPublished(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, way := newBook(t), rapid.SampledFrom(ways).Draw(t, "way")
		opt := reconcile.Options{Ledger: origin, Name: tracker, Today: today, Reason: "restated"}
		ends, all, before := []int{}, []version{}, version{}
		for range rapid.IntRange(1, 5).Draw(t, "versions") {
			opt.Changed = rapid.SampledFrom([]reconcile.Choice{reconcile.Corrected,
				reconcile.Amended}).Draw(t, "changed")
			opt.Gone = rapid.SampledFrom([]reconcile.Choice{reconcile.Strike,
				reconcile.Withdraw}).Draw(t, "gone")
			v := drawVersion(t, before, opt)
			before = v
			for range 2 {
				for _, o := range b.known(len(b.records)).Reconcile(v.rows(way), opt).Outcomes {
					if o.Kind == reconcile.Refused || o.Asked {
						t.Fatalf("%+v", o)
					}
					for _, st := range o.Statements {
						b.say(st)
					}
				}
				ends, all = append(ends, len(b.records)), append(all, v)
			}
			if n := len(ends); ends[n-1] != ends[n-2] {
				t.Fatalf("imported again, it makes %d statements", ends[n-1]-ends[n-2])
			}
		}
		for i, v := range all {
			if got := b.published(ends[i]); !maps.Equal(got, v) {
				t.Fatalf("as of version %d: %v, and published is %v", i, got, v)
			}
		}
	})
}

// drawVersion draws what may come after a version: what is withdrawn is not deployed, and what
// comes down again was wrong.
func drawVersion(t *rapid.T, before version, opt reconcile.Options) version {
	v := version{}
	for _, name := range []string{"AUS2022-02-01", "AUS2022-03-01", "DNK2022-02-01",
		"ITA2022-02-01", "ITA2022-03-01"} {
		was, known := before[name]
		mayGo := opt.Gone == reconcile.Strike || was.rung < len(heights)-1
		if mayGo && rapid.IntRange(0, 4).Draw(t, "there") == 0 {
			continue
		}
		least := 0
		if known && opt.Changed == reconcile.Amended {
			least = was.rung
		}
		v[name] = cell{rapid.Int64Range(1, 4).Draw(t, name),
			rapid.IntRange(least, len(heights)-1).Draw(t, "rung")}
	}
	return v
}
