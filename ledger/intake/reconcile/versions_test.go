package reconcile_test

import (
	"fmt"
	"maps"
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

// A version is what a tracker publishes: so much of each nation in each month.
type version map[string]int64

func (v version) rows(withKey bool) (rows []reconcile.Row) {
	for _, nation := range []events.Nation{"AUS", "DNK", "ITA"} {
		for _, month := range []events.Date{2022_02_01, 2022_03_01} {
			cents, there := v[fmt.Sprint(nation, month)]
			if !there {
				continue
			}
			r := reconcile.Row{Offer: offer(nation, month, cents)}
			if withKey {
				r.Key = []string{string(nation), month.String()}
			}
			rows = append(rows, r)
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
		v[key], _ = t.Quantity.Number()
	}
	return v
}

// The published versions of one tracker, imported one after the other, read as published as of each
// import; and none adds anything when it is imported again.
func TestVersionsReadAsPublished(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, withKey := newBook(t), rapid.Bool().Draw(t, "with a key")
		opt := reconcile.Options{Ledger: origin, Name: tracker, Changed: reconcile.Corrected,
			Gone: reconcile.Strike, Today: today, Reason: "restated"}
		ends, all := []int{}, []version{}
		for range rapid.IntRange(1, 4).Draw(t, "versions") {
			v := version{}
			for _, row := range (version{"AUS2022-02-01": 0, "AUS2022-03-01": 0, "DNK2022-02-01": 0,
				"ITA2022-02-01": 0, "ITA2022-03-01": 0}).rows(false) {
				if rapid.IntRange(0, 4).Draw(t, "there") > 0 {
					key := fmt.Sprint(row.Offer.Nation, row.Offer.Effective)
					v[key] = rapid.Int64Range(1, 4).Draw(t, key)
				}
			}
			for range 2 {
				for _, o := range b.known(len(b.records)).Reconcile(v.rows(withKey), opt).Outcomes {
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
