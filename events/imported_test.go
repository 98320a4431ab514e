package events_test

import (
	"strings"
	"testing"

	"muster/events"
)

// The name of an import stands at the end of the source, and is found in every statement that has
// one.
func TestImportNames(t *testing.T) {
	for _, bad := range []string{"", "Kiel", "a b", "-a", "x]", "a\n", strings.Repeat("a", 65)} {
		if events.IsImportName(bad) {
			t.Errorf("%q is taken as a name", bad)
		}
	}
	tagged := events.WithImport("Kiel, release 22", "kiel-tracker")
	for what, is := range map[string][2]string{
		"tagged":   {tagged, "Kiel, release 22 [import kiel-tracker]"},
		"its name": {events.ImportIn(tagged), "kiel-tracker"},
		"untagged": {events.WithImport(tagged, ""), "Kiel, release 22"},
		"another":  {events.WithImport(tagged, "a.b-2"), "Kiel, release 22 [import a.b-2]"},
		"alone":    {events.WithImport("", "a"), "[import a]"},
		"before":   {events.ImportIn("[import a] of b"), ""},
		"no name":  {events.ImportIn("[import A]"), ""},
	} {
		if is[0] != is[1] {
			t.Errorf("%s: got %q, want %q", what, is[0], is[1])
		}
	}
	for _, st := range []events.Statement{
		&events.PledgeOffered{PledgeTerms: events.PledgeTerms{Source: tagged}},
		&events.PledgeDisclosed{PledgeTerms: events.PledgeTerms{Source: tagged}},
		&events.PledgeObserved{Source: tagged}, &events.PledgeCorrected{Source: tagged},
		&events.PledgeReported{PledgeStep: events.PledgeStep{Step: events.Step{Source: tagged}}},
		&events.ConditionAdded{ConditionStep: events.ConditionStep{PledgeStep: events.PledgeStep{
			Step: events.Step{Source: tagged}}}},
	} {
		if got := events.ImportOf(st); got != "kiel-tracker" {
			t.Errorf("%T is of the import %q", st, got)
		}
	}
	if got := events.ImportOf(&events.MemberRevoked{Reason: tagged}); got != "" {
		t.Errorf("a revocation is of the import %q", got)
	}
}
