package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
)

// saidOf says to people what a statement says of a pledge beside its type: what its signer agrees
// to.
func saidOf(p *projections.Pledge, st events.Statement) string {
	switch st := st.(type) {
	case *events.PledgeDeployed:
		return st.Quantity.String() + " in place"
	case *events.PledgeReported:
		return st.Quantity.String() + " in place"
	case *events.ConditionAdded:
		return fmt.Sprintf("%s (%s)", st.Condition, st.Kind)
	case *events.ConditionDischarged:
		return string(st.Condition)
	case *events.ConditionFailed:
		return string(st.Condition)
	case *events.CaveatDeclared:
		return fmt.Sprintf("%s: %s", st.Caveat, st.Restriction)
	case *events.CaveatLifted:
		return string(st.Caveat)
	case *events.AllocationMade:
		return fmt.Sprintf("%s to %s, %s", st.Quantity, st.Line, st.Span())
	case *events.PledgeQueried:
		return "to " + string(st.To) + ": " + st.Text
	case *events.PledgeAnswered:
		return st.Text
	case *events.PledgeDisclosed:
		return "to be read by " + projections.Readers(st.Release, st.ReleasableTo, nil)
	case *events.PledgeAmended:
		return changedTerms(p.Terms(), st.PledgeTerms)
	}
	return ""
}

// changedTerms lists what is other in the terms that a pledge gets.
func changedTerms(was, is events.PledgeTerms) string {
	members := func(t events.PledgeTerms) (m map[string]json.RawMessage) {
		text, err := json.Marshal(t)
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			panic(err) // terms that were read
		}
		return m
	}
	before, after := members(was), members(is)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch now, ok := after[name]; {
		case !ok:
			changes = append(changes, "no "+name)
		case string(now) != string(before[name]):
			changes = append(changes, name+" "+strings.Trim(string(now), `"`))
		}
	}
	return strings.ReplaceAll(strings.Join(changes, ", "), "_", " ")
}
