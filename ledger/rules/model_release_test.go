package rules_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// Who may read what, as the model has it: an audience is a set of views, and nothing is ordered.

var ruleViews = []events.View{events.PublicView, events.CoalitionView, "FRA", "DEU", "ITA", "POL",
	"x-nato", events.CoordinatorsView}

type ruleAudience map[events.View]bool

// ruleAudienceOf returns who reads what was released so; without an owner it is the coordinators'.
func ruleAudienceOf(r events.Release, owner events.Nation, to ...events.Nation) ruleAudience {
	a := ruleAudience{}
	for _, v := range ruleViews {
		switch {
		case v == events.CoordinatorsView, r == events.Public, r != events.CoordinatorsOnly &&
			v != events.PublicView:
			a[v] = true
		case r == events.CoordinatorsOnly && owner != "":
			if events.Nation(v) == owner || slices.Contains(to, events.Nation(v)) {
				a[v] = true
			}
		}
	}
	return a
}

func (a ruleAudience) and(b ruleAudience) ruleAudience {
	both := ruleAudience{}
	for v := range a {
		if b[v] {
			both[v] = true
		}
	}
	return both
}

func (a ruleAudience) holds(b ruleAudience) bool { return len(a.and(b)) == len(b) }

// ofOperationNamed, ofLineNamed and ofPledgeID return who reads the thing, as of the end of the
// history; nil where it is not there.
func (h ruleHistory) ofOperationNamed(name events.Operation) ruleAudience {
	for _, c := range h {
		if o, ok := c.st.(*events.OperationOpened); ok && o.Operation == name {
			return ruleAudienceOf(o.Release, "")
		}
	}
	return nil
}

func (h ruleHistory) ofLineNamed(o events.Operation, name events.Line) ruleAudience {
	for _, c := range h {
		if i, ok := c.st.(*events.RequirementIssued); ok && i.Operation == o && i.Line == name {
			return ruleAudienceOf(i.Release, "").and(h.ofOperationNamed(o))
		}
	}
	return nil
}

func (h ruleHistory) ofPledgeID(id events.ID) (a ruleAudience) {
	for _, c := range h {
		if !ruleOfPledge(c.st) || events.Thing(c.st) != id {
			continue
		}
		disclosed := c.st.Head().Type == "pledge.disclosed"
		terms := ruleGet[events.PledgeTerms](c.st, "PledgeTerms")
		if a == nil || disclosed {
			nation, operation := events.About(c.st)
			a = ruleAudienceOf(terms.Release, nation,
				terms.ReleasableTo...).and(h.ofOperationNamed(operation))
		}
	}
	return a
}

// audience returns who reads the last record of the history.
func (h ruleHistory) audience() ruleAudience {
	st := h[len(h)-1].st
	nation, operation := events.About(st)
	switch {
	case ruleOfPledge(st):
		return h.ofPledgeID(events.Thing(st))
	case st.Head().Type.Subject() == "requirement":
		return h.ofLineNamed(operation, ruleGet[events.Line](st, "Line"))
	case st.Head().Type.Subject() == "operation":
		return h.ofOperationNamed(operation)
	case st.Head().Type == "scope.declared":
		return ruleAudienceOf("", nation).and(h.ofOperationNamed(operation))
	}
	return ruleAudienceOf(events.Public, "")
}

func (h ruleHistory) tooWide(c ruleCommand) bool {
	switch st := c.st.(type) {
	case *events.AllocationMade:
		line, pledge := h.ofLineNamed(st.Operation, st.Line), h.ofPledgeID(st.Pledge)
		return line != nil && !line.holds(pledge)
	case *events.PledgeDisclosed:
		to := ruleAudienceOf(st.Release, st.Nation, st.ReleasableTo...)
		if operation := h.ofOperationNamed(st.Operation); operation != nil && !operation.holds(to) {
			return true
		}
		return slices.ContainsFunc(h.stands(c).Allocations, func(a events.StandingAllocation) bool {
			return !h.ofLineNamed(st.Operation, a.Line).holds(to)
		})
	}
	return false
}

// correctsDisclosed reports whether a correction mends what was said before a disclosure, or
// strikes one, or anything is said of the days before one.
func (h ruleHistory) correctsDisclosed(c ruleCommand) bool {
	corrected, ok := c.st.(*events.PledgeCorrected)
	if !ok {
		disclosed := h.ofPledge(c).last("P")
		return ruleMoves(c.st) && disclosed.st != nil && ruleOn(c) < ruleOn(disclosed)
	}
	if ruleStrikesAll(c.st) {
		return false
	}
	mended, behind := h.of(corrected.Corrects).st, false
	for _, old := range h {
		behind = behind || old.st == mended
		if behind && old.st.Head().Type == "pledge.disclosed" &&
			events.Thing(old.st) == corrected.Pledge &&
			(old.st != mended || corrected.Struck) {
			return true
		}
	}
	return false
}

// changesRelease reports whether terms that are said anew say another release than there is.
func (h ruleHistory) changesRelease(c ruleCommand) bool {
	terms := ruleTerms(c.st)
	if corrected, ok := c.st.(*events.PledgeCorrected); ok {
		terms = corrected.Terms
	}
	if terms == nil || !ruleMoves(c.st) || c.st.Head().Type == "pledge.disclosed" {
		return false
	}
	nation, operation := events.About(c.st)
	is, was := ruleAudienceOf(terms.Release, nation,
		terms.ReleasableTo...).and(h.ofOperationNamed(operation)), h.ofPledgeID(events.Thing(c.st))
	return !is.holds(was) || !was.holds(is)
}

// notDisclosed reports whether a disclosure opens nothing, or does not restate the pledge as it
// stands.
func (h ruleHistory) notDisclosed(c ruleCommand) bool {
	st, ok := c.st.(*events.PledgeDisclosed)
	before := h.ofPledge(c)
	if !ok || len(before) == 0 {
		return false
	}
	was, is := h.ofPledgeID(st.Pledge), ruleAudienceOf(st.Release, st.Nation, st.ReleasableTo...)
	if !is.holds(was) || was.holds(is) {
		return true
	}
	if slices.ContainsFunc(before,
		func(old ruleCommand) bool { return ruleOn(old) > st.Effective }) {
		return true
	}
	t := before.terms(st.Effective)
	said := fmt.Sprint(st.Quantity, st.Least, st.Most, st.Window, st.Area,
		st.Presence == events.Reserve, st.Expires)
	return said != fmt.Sprint(t.Quantity, t.Least, t.Most, t.Window, t.Area,
		t.Presence == events.Reserve,
		before.expiry()) ||
		!ruleSameStanding(st.Standing, h.stands(c))
}

// expiry returns the last day of the pledge of this history, as was said for the latest date.
func (h ruleHistory) expiry() (expires events.Date) {
	best := events.Date(0)
	for _, c := range h {
		_, renews := c.st.(*events.PledgeRenewed)
		if terms := ruleGet[events.PledgeTerms](c.st,
			"PledgeTerms"); (renews || terms.Role != "") && ruleOn(c) >= best {
			best, expires = ruleOn(c), ruleGet[events.Date](c.st, "Expires")
		}
	}
	return expires
}

// stands returns where the pledge that c is about stands, the strength aside.
func (h ruleHistory) stands(c ruleCommand) (s events.Standing) {
	before := h.ofPledge(c)
	for _, old := range before {
		switch st := old.st.(type) {
		case *events.PledgeIndicated, *events.PledgeOffered, *events.PledgeAccepted,
			*events.PledgeConfirmed, *events.PledgeDeployed:
			s.Rung = events.Rung(st.Head().Type.Event())
		case *events.ConditionAdded:
			life := before.conditionLife(old)
			if !strings.Contains(life, "k") {
				s.Conditions = append(s.Conditions,
					events.StandingCondition{Condition: st.Condition, Kind: st.Kind,
						Failed: strings.Contains(life, "f")})
			}
		case *events.CaveatDeclared:
			lifted := slices.ContainsFunc(before, func(c ruleCommand) bool {
				l, ok := c.st.(*events.CaveatLifted)
				return ok && l.Caveat == st.Caveat
			})
			if !lifted {
				s.Caveats = append(s.Caveats,
					events.StandingCaveat{Caveat: st.Caveat, Restriction: st.Restriction})
			}
		case *events.AllocationMade:
			released := slices.ContainsFunc(before,
				func(c ruleCommand) bool { return ruleGet[events.ID](c.st, "Allocation") == st.ID })
			if !released {
				s.Allocations = append(s.Allocations,
					events.StandingAllocation{Allocation: st.ID, Line: st.Line,
						Strength: st.Strength, Window: st.Window})
			}
		}
	}
	return s
}

// ruleSameStanding compares what the rules know, in whatever order it is told.
func ruleSameStanding(a, b events.Standing) bool {
	set := func(s events.Standing) map[string]bool {
		all := map[string]bool{string(s.Rung): true}
		for _, c := range s.Conditions {
			all[fmt.Sprint("condition", c)] = true
		}
		for _, c := range s.Caveats {
			all[fmt.Sprint("caveat", c.Caveat)] = true
		}
		for _, a := range s.Allocations {
			all[fmt.Sprint("allocation", a)] = true
		}
		return all
	}
	return reflect.DeepEqual(set(a), set(b))
}

// ruleBlank is what a record is replaced with that was never said: it keeps its place.
func ruleBlank() events.Statement {
	return &events.RequirementCancelled{Header: events.Header{Type: "requirement.cancelled"},
		Operation: "withheld", Line: "withheld"}
}

// A statement is decided as if what its signer may not read had never been said: in the same words.
func TestRefusalsTellNothingThatIsWithheld(t *testing.T) {
	withheld, hidden := 0, 0
	check := func(t *rapid.T) {
		h := ruleBegin(ruleBeginning)
		s := h.state(t)
		for range ruleDie(t, "commands", 64) {
			c := h.draw(t)
			if rules.DecideNew(s, c.key, c.st) == nil {
				ruleApply(t, s, c)
				h = append(h, c)
			}
		}
		for range 8 {
			c := h.draw(t)
			role := h.roleOf(c.key)
			if role == "" {
				continue
			}
			seen, reader := slices.Clone(h), events.ViewOf(c.key, role, events.ForTheCoalition)
			for i := range h {
				if !h[:i+1].audience()[reader] {
					seen[i].st = ruleBlank()
					withheld++
				}
			}
			if c.st.Head().Type == "operation.opened" && role == events.Importer {
				continue // of two operations with one name, one must be refused
			}
			got, want := rules.DecideNew(s, c.key, c.st),
				rules.DecideNew(seen.state(t), c.key, c.st)
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Fatalf("after %d records %v, who reads as %s:\n%+v\nwhere nothing is "+
					"withheld\n%+v", len(h), c, reader, got, want)
			}
			if fixed := problem.From(got) != nil &&
				problem.From(got).Code == "release-fixed"; (got == nil || fixed) &&
				h.changesRelease(c) != fixed {
				t.Fatalf("after %d records %v: decided %+v", len(h), c, got)
			}
			if all := rules.Decide(s, c.key, c.st); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v",
				all) {
				hidden++
			}
		}
	}
	rapid.Check(t, check)
	for range 20 { // what would have been told is drawn rarely
		if hidden > 0 || testing.Short() || t.Failed() {
			break
		}
		rapid.Check(t, check)
	}
	if withheld == 0 || hidden == 0 && !testing.Short() { // it is rare
		t.Errorf("of %d records that were withheld, %d would have been told", withheld, hidden)
	}
}
