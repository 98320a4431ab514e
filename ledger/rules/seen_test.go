package rules_test

import (
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
)

// zeroRoot is the root of no tree.
const zeroRoot = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func TestRule27SeenIsThisHistory(t *testing.T) {
	l, j := ruleUnfounded(t, time.Now)
	submit := func(st events.Statement) error {
		_, err := l.Submit(t.Context(), ruleSigned(t, ruleFounder, st))
		return err
	}
	const hint = "keep the checkpoint that was seen: this server, or the one that showed it, " +
		"tells another history, so compare both with what other servers and members hold"
	nobody := &events.Seen{Size: 1, Root: zeroRoot}
	ruleRefused(t, submit(ruleSay("ledger.founded", "Seen", nobody)), "other-history",
		"the signer has seen 1 records with the root "+zeroRoot+
			", and that is not the history of this ledger, which has 0", hint)
	if err := submit(ruleSay("ledger.founded")); err != nil {
		t.Fatal(err)
	}
	first := j.Tree()
	seen := &events.Seen{Size: 1, Root: first.Hash.String()}
	// A tree that was seen stays true as the ledger grows.
	for _, name := range []string{"one", "two", "three"} {
		if err := submit(ruleSay("operation.opened", "ID", events.NewID(), "Operation",
			events.Operation(name), "Seen", seen)); err != nil {
			t.Fatal(err)
		}
	}
	opened := ruleSay("operation.opened", "ID", events.NewID(), "Operation",
		events.Operation("four"), "Seen", nobody)
	ruleRefused(t, submit(opened), "other-history",
		"the signer has seen 1 records with the root "+zeroRoot+
			", and that is not the history of this ledger, whose first 1 have the root "+seen.Root,
		hint)
	opened = ruleSay("operation.opened", "ID", events.NewID(), "Operation",
		events.Operation("four"), "Seen", &events.Seen{Size: 5, Root: seen.Root})
	ruleRefused(t, submit(opened), "other-history",
		"the signer has seen 5 records with the root "+seen.Root+
			", and that is not the history of this ledger, which has 4", hint)
	if p := problem.From(
		submit(ruleSay("operation.opened", "ID", events.NewID(), "Ledger", "muster.example/other",
			"Seen", nobody))); p == nil || p.Code != "other-ledger" {
		t.Errorf("what is for another ledger: %v", p)
	}
	if j.Last() != 4 {
		t.Errorf("%d records were made", j.Last())
	}
}
