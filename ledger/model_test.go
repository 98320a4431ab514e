package ledger_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
)

// The model says of a command which rule it breaks, by looking each time through all that was said before. It is slow and
// has no state, and shares nothing with the code but the numbers of the rules.

// ruleModel is the rules, each as "does this command, after this history, break it?". Each may rely on those before it.
var ruleModel = []struct {
	number int
	broken func(h ruleHistory, c ruleCommand) bool
}{
	{1, func(h ruleHistory, c ruleCommand) bool {
		founded, founding := c.st.(*events.LedgerFounded)
		return founding != (len(h) == 0) || founding && founded.Founder != c.key
	}},
	{2, func(h ruleHistory, c ruleCommand) bool {
		return len(h) > 0 && c.st.Head().Ledger != h[0].st.Head().Ledger
	}},
	{4, func(h ruleHistory, c ruleCommand) bool { return len(h) > 0 && h.memberRole(c.key) == "" }},
	{5, ruleHistory.wrongParty},
	{8, func(h ruleHistory, c ruleCommand) bool {
		revoked, ok := c.st.(*events.MemberRevoked)
		return ok && h.memberRole(revoked.Key) == ""
	}},
	{9, func(h ruleHistory, c ruleCommand) bool {
		admitted, ok := c.st.(*events.MemberAdmitted)
		return ok && slices.ContainsFunc(ruleKeys, func(k events.Key) bool { return ruleSameID(k, admitted.Key) && h.admitted(k) != "" })
	}},
	{10, func(h ruleHistory, c ruleCommand) bool {
		revoked, ok := c.st.(*events.MemberRevoked)
		others := slices.ContainsFunc(ruleKeys, func(k events.Key) bool { return h.memberRole(k) == events.Coordinator && (!ok || k != revoked.Key) })
		return ok && !others
	}},
	{11, func(h ruleHistory, c ruleCommand) bool {
		_, operation := events.About(c.st)
		return operation != "" && (h.catalogue(operation) == nil) != (c.st.Head().Type == "operation.opened")
	}},
	{12, ruleHistory.notInCatalogue},
	{13, func(h ruleHistory, c ruleCommand) bool {
		revised, ok := c.st.(*events.OperationRevised)
		return ok && slices.ContainsFunc(h, func(before ruleCommand) bool {
			_, operation := events.About(before.st)
			role, unit := ruleCounted(before.st)
			return operation == revised.Operation && role != "" && !ruleHas(revised.Roles, role, unit)
		})
	}},
	{14, func(h ruleHistory, c ruleCommand) bool {
		before := h.about(c, "requirement")
		role, _ := ruleCounted(c.st)
		return before != nil && (!ruleLine.MatchString(ruleLetters(append(before, c))) || role != "" && role != ruleRole(before[0].st))
	}},
	{15, ruleHistory.outsideScope},
	{16, func(h ruleHistory, c ruleCommand) bool {
		before := append(append(h.about(c, "pledge"), h.about(c, "requirement")...), h.about(c, "operation")...)
		return len(before) > 0 && before[0].st != c.st && ruleOn(c.st) < ruleOn(before[0].st)
	}},
	{17, func(h ruleHistory, c ruleCommand) bool {
		before := h.about(c, "pledge")
		return before != nil && !ruleSamePlace(before[0].st, c.st)
	}},
	{19, func(h ruleHistory, c ruleCommand) bool { // and 18, 23 and 26: all that a life may be
		before := h.about(c, "pledge")
		return before != nil && !ruleLife.MatchString(ruleLetters(append(before, c)))
	}},
	{20, func(h ruleHistory, c ruleCommand) bool {
		before := h.about(c, "pledge")
		if before == nil {
			return false
		}
		role, unit := ruleCounted(before[0].st)
		newRole, newUnit := ruleCounted(c.st)
		return newRole != "" && newRole != role || newUnit != "" && newUnit != unit
	}},
	{21, ruleHistory.hangs},
	{22, func(h ruleHistory, c ruleCommand) bool {
		name := ruleConditionOf(c.st)
		var life ruleHistory
		for _, before := range append(h.about(c, "pledge"), c) {
			if ruleConditionOf(before.st) == name {
				life = append(life, before)
			}
		}
		return name != "" && !regexp.MustCompile(`^K[kf]?$`).MatchString(ruleLetters(life))
	}},
	{24, func(h ruleHistory, c ruleCommand) bool {
		observed, ok := c.st.(*events.PledgeObserved)
		return ok && slices.ContainsFunc(h, func(before ruleCommand) bool {
			old, ok := before.st.(*events.PledgeObserved)
			return ok && old.Place == observed.Place && old.Role == observed.Role && !strings.Contains(h.life(old.ID), "R")
		})
	}},
	{25, func(h ruleHistory, c ruleCommand) bool {
		before := h.about(c, "pledge")
		return before != nil && h.memberRole(c.key) == events.Importer && ruleLetters(before[:1]) != "S"
	}},
}
