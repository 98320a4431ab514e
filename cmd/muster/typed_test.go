package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/events/schema"
)

// commandsOf are the commands that make each kind of statement; what is made of a file has none.
var commandsOf = map[events.Type]string{
	"pledge.indicated": "pledge indicate", "pledge.offered": "pledge offer",
	"pledge.accepted": "pledge accept", "pledge.declined": "pledge decline",
	"pledge.amended": "pledge amend", "pledge.renewed": "pledge renew",
	"pledge.confirmed": "pledge confirm", "pledge.deployed": "pledge deploy",
	"pledge.reported": "pledge report", "pledge.returned": "pledge return",
	"pledge.withdrawn": "pledge withdraw", "pledge.disclosed": "pledge disclose",
	"meeting.closed":   "meeting close",
	"pledge.corrected": "pledge correct",
	"pledge.queried":   "pledge query", "pledge.answered": "pledge answer",
	"condition.added": "condition add", "condition.discharged": "condition discharge",
	"condition.failed": "condition fail",
	"caveat.declared":  "caveat declare", "caveat.lifted": "caveat lift",
	"allocation.made": "allocation make", "allocation.released": "allocation release",
	"member.admitted": "member admit", "member.revoked": "member revoke",
	"member.seconded": "member second", "member.retracted": "member retract",
	"scope.declared": "scope declare",
}

// notTyped are the fields that the program fills in, or that are no flag but a word of the command:
// of all, and of some.
var (
	notTyped = strings.Fields(
		"type id ledger seen not_after after pledge operation nation allocation condition caveat " +
			"key record corrects")
	notTypedSome = map[events.Type]string{
		"scope.declared": "roles", "allocation.made": "line unit", "pledge.deployed": "unit",
		"pledge.reported": "unit", "pledge.corrected": "terms",
		"pledge.amended": "role unit release releasable_to", "member.seconded": "statement leaf",
		"member.retracted": "statement",
		"meeting.closed":   "name", // which is the argument
		"pledge.disclosed": "allocations area caveats conditions elsewhere expires from " +
			"in_place least line most note notice_to_move predecessor presence quantity " +
			"reference role rung source successor unit until",
	}
	ofFiles = strings.Fields(
		"ledger.founded operation.opened requirement.issued requirement.revised " +
			"requirement.cancelled operation.revised pledge.observed")
)

// Who typed a flag is told of the flag, and not of the field that it fills in. So every field of a
// statement is a flag of its command by the same name, with hyphens.
func TestFieldsAreToldAsFlags(t *testing.T) {
	root := (&app{}).root()
	for _, typ := range events.Types() {
		name, ok := commandsOf[typ]
		if !ok {
			if !slices.Contains(ofFiles, string(typ)) {
				t.Errorf("which command makes %s?", typ)
			}
			continue
		}
		c, _, err := root.Find(strings.Fields(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range fieldsOf(t, typ) {
			program := append(strings.Fields(notTypedSome[typ]), notTyped...)
			if told := typedField(c, field); !strings.HasPrefix(told, "--") &&
				!slices.Contains(program, field) {
				t.Errorf("muster %s: %s is told as %s", name, field, told)
			}
		}
	}
}

// fieldsOf lists the fields of a kind of statement, as its schema has them.
func fieldsOf(t *testing.T, typ events.Type) []string {
	t.Helper()
	text, err := schema.Of(typ)
	if err != nil {
		t.Fatal(err)
	}
	var of struct{ Properties map[string]any }
	if err := json.Unmarshal(text, &of); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(of.Properties))
}
