package rules_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

func TestRule38BuildsOnWhatIs(t *testing.T) {
	w := newRuleWorld(t) // the records 1 to 5
	upon := func(after int64) events.Upon { return events.Upon{After: after} }
	const is = "01KAQ7Z0V4000000000000FRA1"
	look := "look at it as it stands now, and say it again: muster pledge show " + is
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "Quantity", events.Count(11)))
	w.allows(ruleParis, ruleSay("pledge.amended", "Upon", upon(6)))
	w.says(ruleParis, ruleSay("pledge.amended", "Upon", upon(6), "Quantity", events.Count(25),
		"Until", events.Date(2027_06_30)))
	w.refuses(ruleParis, ruleSay("pledge.amended", "Upon", upon(6), "Quantity", events.Count(11)),
		"changed-since",
		"the pledge "+is+" has changed since record 6, the last about it that the signer has "+
			"seen: record 7, pledge amended: quantity 11 -> 25, until open -> 2027-06-30", look)
	// Which says nothing of what was seen.
	w.allows(ruleParis, ruleSay("pledge.amended", "Quantity", events.Count(11)))
	w.says(ruleFounder, ruleSay("pledge.accepted", "Upon", upon(7)))
	w.says(ruleParis, ruleSay("pledge.renewed", "Upon", upon(8)))

	// Every kind of statement about a pledge is asked, before all else that is wrong with it.
	since := "the pledge " + is +
		" has changed since record 7, the last about it that the signer has seen: " +
		"record 8, pledge accepted; record 9, pledge renewed: expires never -> " +
		ruleDay.AddDays(60).String()
	coordinators := []events.Type{"pledge.accepted", "pledge.declined", "allocation.made",
		"allocation.released"}
	for _, typ := range events.Types() {
		st := ruleSay(typ)
		f := reflect.ValueOf(st).Elem().FieldByName("Upon")
		if !f.IsValid() {
			continue
		}
		f.Set(reflect.ValueOf(upon(7)))
		by := ruleParis
		if slices.Contains(coordinators, typ) {
			by = ruleFounder
		}
		if offered, ok := st.(*events.PledgeOffered); ok {
			offered.Pledge = ruleFRA1
		}
		w.refuses(by, st, "changed-since", since, look)
	}

	// The one is of another thing, and the other is yet to come.
	for _, after := range []int64{5, 99} {
		w.refuses(ruleParis, ruleSay("pledge.withdrawn", "Upon", upon(after)), "after-unknown",
			fmt.Sprintf(`after "%d": that record says nothing of the pledge %s: write the last one about it that was seen, or leave it out`, after, is),
			"see them: muster pledge show "+is)
	}
	for range 8 {
		w.says(ruleParis, ruleSay("pledge.renewed"))
	}
	p := problem.From(rules.Decide(w.state, ruleParis.Key(),
		ruleSay("pledge.withdrawn", "Upon", upon(8))))
	if !strings.HasSuffix(p.Error(), "record 13, pledge renewed; and 4 more") {
		t.Errorf("many records are told as: %v", p)
	}
	w.says(ruleParis, ruleSay("pledge.withdrawn", "Upon", upon(17)))
	w.refuses(ruleParis, ruleSay("pledge.withdrawn", "Upon", upon(17)), "changed-since",
		"the pledge "+is+" has changed since record 17, the last about it that the signer has "+
			"seen: record 18, pledge withdrawn", look)
}
