package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// row makes a row of an offer with a rung, as a file has it: the ids of what it says follow from
// those of the offer, and these from all that it says.
func row(o *events.PledgeOffered, rung string, key ...string) reconcile.Row {
	r := reconcile.Row{Offer: o, Indicated: rung == "indicated", Key: key}
	r.Offer.ID, _ = events.IDAt(uint64(o.Effective.Time().UnixMilli()), [10]byte(o.ID[6:]))
	if key != nil {
		r.Offer.ID = reconcile.IDOf(origin, tracker, key, 0)
	}
	step := func(typ events.Type) events.PledgeStep {
		hash := reconcile.IDOf(origin, "step", []string{o.ID.String(), string(typ)}, 0)
		id, _ := events.IDAt(uint64(o.Effective.Time().UnixMilli()), [10]byte(hash[6:]))
		return events.PledgeStep{Header: events.Header{Type: typ, ID: id, Ledger: origin},
			Dated: o.Dated, Place: o.Place, Step: events.Step{Pledge: o.ID,
				Source: events.WithImport(o.Source, tracker)}}
	}
	if rung == "conditional" {
		r.Then = append(r.Then, &events.ConditionAdded{Kind: "mandate",
			ConditionStep: events.ConditionStep{PledgeStep: step("condition.added"),
				Condition: "mandate"}})
	}
	height := slices.Index([]string{"accepted", "confirmed", "deployed"}, rung)
	if height >= 0 {
		r.Then = append(r.Then, &events.PledgeAccepted{PledgeStep: step("pledge.accepted")})
	}
	if height >= 1 {
		r.Then = append(r.Then, &events.PledgeConfirmed{PledgeStep: step("pledge.confirmed")})
	}
	if height >= 2 {
		r.Then = append(r.Then, &events.PledgeDeployed{PledgeStep: step("pledge.deployed"),
			Strength: events.Strength{Quantity: o.Quantity, Unit: o.Unit}})
	}
	return r
}

// bring reconciles one row with what the book has, and records what is to be said, which the rules
// must allow; and again, when nothing more may be said. It returns what was said.
func (b *book) bring(r func() reconcile.Row, opt reconcile.Options) string {
	b.t.Helper()
	opt.Ledger, opt.Today, opt.Reason = origin, today, "restated"
	var all []string
	for again := range 2 {
		for _, o := range b.known(len(b.records)).Reconcile([]reconcile.Row{r()}, opt).Outcomes {
			if o.Asked || o.Kind == reconcile.Refused {
				return fmt.Sprintf("%s: %s", o.Kind, o.Changes)
			}
			said := o.Statements
			for _, rest := range o.Rest {
				said = append(said, rest.Statements...)
			}
			for _, st := range said {
				b.say(st)
				all = append(all, st.Head().Type.Event())
			}
			if again == 1 && (o.Kind != reconcile.Unchanged || len(said) > 0) {
				b.t.Errorf("brought in again: %s, %s, %d statements", o.Kind, o.Changes,
					len(said))
			}
		}
	}
	return strings.Join(all, " ")
}

// What a row says of its pledge besides the offer is said of the pledge that is found, and known
// again in whatever words; what it says otherwise is mended; and all of it comes along where it
// turns out to be another pledge.
func TestStepsOfRows(t *testing.T) {
	type change = func(*events.PledgeOffered)
	france := func(cents int64, change ...change) *events.PledgeOffered {
		return offer("FRA", 2025_05_01, cents, change...)
	}
	numbered := func(o *events.PledgeOffered) { o.Reference = "NV-1" }
	later := func(o *events.PledgeOffered) { o.Effective = 2025_05_11 }
	sooner := func(o *events.PledgeOffered) { o.Effective = 2025_04_11 }
	german := func(o *events.PledgeOffered) { o.Nation = "DEU" }
	type step struct {
		row  func() reconcile.Row
		as   reconcile.Choice
		want string
	}
	keyed := func(rung string, cents int64, change ...change) func() reconcile.Row {
		return func() reconcile.Row { return row(france(cents, change...), rung, "1") }
	}
	with := func(rung string, cents int64, change ...change) func() reconcile.Row {
		return func() reconcile.Row { return row(france(cents, change...), rung) }
	}
	for name, one := range map[string]struct {
		byHand *events.PledgeOffered
		steps  []step
	}{
		"found by its reference": {france(500, numbered), []step{
			{with("deployed", 500, numbered), "", "accepted confirmed deployed"},
			{with("deployed", 563, numbered), reconcile.Corrected, "corrected corrected"}}},
		"found by likeness": {france(500), []step{
			{with("confirmed", 563), reconcile.Corrected, "corrected accepted confirmed"},
			{with("confirmed", 570), reconcile.Amended, "amended"}}},
		"climbs": {nil, []step{
			{keyed("indicated", 500), "", "indicated"},
			{keyed("offered", 500), "", "offered"},
			{keyed("deployed", 500), "", "accepted confirmed deployed"},
			{keyed("confirmed", 500), "", "changed: [deployed 2025-05-01 -> none]"},
			{keyed("accepted", 500), reconcile.Corrected, "corrected corrected"},
			{keyed("deployed", 500), "", "confirmed deployed"}}},
		"climbs down, restated": {nil, []step{
			{keyed("indicated", 500), "", "indicated"},
			{keyed("offered", 500), "", "offered"},
			{keyed("offered", 563), reconcile.Corrected, "corrected"},
			{keyed("indicated", 563), reconcile.Corrected, "corrected corrected"},
			{keyed("offered", 563), "", "offered"},
			{keyed("accepted", 570), reconcile.Corrected, "corrected accepted"},
			{keyed("indicated", 7), reconcile.Corrected, "corrected corrected corrected"}}},
		"of another day": {nil, []step{
			{keyed("deployed", 500), "", "offered accepted confirmed deployed"},
			{keyed("deployed", 500, later), reconcile.Corrected,
				"corrected corrected corrected corrected"},
			{keyed("deployed", 500, sooner), reconcile.Corrected,
				"corrected corrected corrected corrected"}}},
		"of another nation": {nil, []step{
			{keyed("deployed", 500), "", "offered accepted confirmed deployed"},
			{keyed("deployed", 500, german), reconcile.Corrected,
				"corrected offered accepted confirmed deployed"},
			{keyed("indicated", 500), reconcile.Corrected, "corrected indicated"}}},
		"a condition": {nil, []step{
			{keyed("conditional", 500), "", "offered added"},
			{keyed("offered", 500), "", "changed: [condition mandate -> none]"},
			{keyed("offered", 500), reconcile.Amended, "discharged"},
			{keyed("conditional", 500), "", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			if one.byHand != nil {
				one.byHand.ID = events.NewID()
				b.say(one.byHand)
			}
			for i, step := range one.steps {
				opt := reconcile.Options{Name: tracker, Changed: step.as}
				if got := b.bring(step.row, opt); got != step.want {
					t.Errorf("step %d: got %q, want %q", i+1, got, step.want)
				}
			}
		})
	}
}
