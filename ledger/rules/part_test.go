package rules_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// ruleRecord is the record with a sequence that a command makes.
func ruleRecord(n int, c ruleCommand) events.Record {
	return events.Record{Sequence: uint64(n), Recorded: time.Unix(int64(n), 0).UTC(),
		Signed: events.Signed{Statement: c.st, KeyName: c.key.Name()}}
}

// Whatever is withheld for its label, those who read the rest find no fault with it; and they judge
// nearly all of it whole. Where nothing is withheld, they judge as everybody does.
func TestPartCriesNoFalseFault(t *testing.T) {
	withheld, whole, inPart := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning)
		s := h.state(t)
		for range ruleDie(t, "commands", 64) {
			c := h.draw(t)
			if rules.DecideNew(s, c.key, c.st) == nil {
				ruleApply(t, s, c)
				h = append(h, c)
			}
		}
		for _, view := range ruleViews {
			p := rules.NewPart()
			for i, c := range h {
				if !h[:i+1].audience()[view] {
					withheld++
					if err := p.Withhold(uint64(i) + 1); err != nil {
						t.Fatal(err)
					}
					continue
				}
				judged, err := p.Decide(c.key, c.st)
				if err != nil {
					t.Fatalf("who reads as %s finds a fault with record %d, %v: %v",
						view, i+1, c, err)
				}
				if judged {
					whole++
				} else {
					inPart++
				}
				if err := p.Apply(ruleRecord(i+1, c)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	if withheld == 0 || whole < 10*inPart {
		t.Errorf("%d records were withheld, %d judged whole and %d in part", withheld,
			whole, inPart)
	}
}

// What is wrong with what can be read is found, also where something is withheld; and who withholds
// what its label opens is found out by what rests on it.
func TestPartFindsFaults(t *testing.T) {
	said := []ruleCommand{
		{ruleFounder.Key(), ruleSay("ledger.founded")},
		{ruleFounder.Key(), ruleSay("operation.opened")},
		{ruleFounder.Key(), ruleSay("member.admitted", "Key", ruleParis.Key())},
		{ruleFounder.Key(), ruleSay("member.admitted", "Key", ruleBerlin.Key())},
		{ruleParis.Key(), ruleSay("pledge.offered", "ID", ruleFRA1)},
		{ruleFounder.Key(), ruleSay("pledge.accepted", "Pledge", ruleFRA1)},
		{ruleParis.Key(), ruleSay("pledge.confirmed", "Pledge", ruleFRA1)},
		{ruleBerlin.Key(), ruleSay("pledge.confirmed", "Pledge", ruleFRA1)},
		{ruleParis.Key(), ruleSay("pledge.confirmed", "Pledge", ruleFRA1)},
		{ruleParis.Key(), ruleSay("pledge.deployed", "Pledge", ruleFRA2)},
		{ruleBerlin.Key(), ruleSay("pledge.disclosed", "Pledge", ruleFRA2)},
	}
	for _, c := range []struct {
		withheld int // a record, counted from 1
		at       int // where the fault is found
		code     string
	}{
		{3, 5, "not-admitted"},
		{5, 6, "pledge-unknown"},
		{6, 7, "wrong-rung"},
		{2, 5, "operation-unknown"},
		{4, 8, "not-admitted"},
	} {
		p := rules.NewPart()
		for i, rec := range said {
			n := i + 1
			if n == c.withheld {
				if err := p.Withhold(uint64(n)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			_, err := p.Decide(rec.key, rec.st)
			if err != nil {
				if got := problem.From(err).Code; n != c.at || got != c.code {
					t.Errorf("without record %d, record %d is refused as %s", c.withheld, n, got)
				}
				break
			}
			if n == c.at {
				t.Errorf("without record %d, nothing is wrong with record %d", c.withheld, n)
			}
			if err := p.Apply(ruleRecord(n, rec)); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := rules.NewPart()
	for i, rec := range said[:4] {
		if err := p.Apply(ruleRecord(i+1, rec)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Withhold(5); err != nil || p.Withheld() != 1 {
		t.Error(err)
	}
	for code, rec := range map[string]ruleCommand{"speaks-for-itself": said[10],
		"pledge-unknown": said[9],
		"not-admitted":   {ruleStranger.Key(), said[10].st}} {
		if _, err := p.Decide(rec.key, rec.st); err == nil || problem.From(err).Code != code {
			t.Errorf("%v: %v, and not %s", rec, err, code)
		}
	}
	if err := p.Withhold(7); err == nil {
		t.Error("a record is left out, and nobody says so")
	}
}
