package ledger_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
)

// The model says of a command which rules it breaks, by looking each time through all that was said before. It is slow,
// keeps nothing, and shares nothing with the code but the numbers of the rules.

// ruleModel is the rules, each as the question whether a command breaks it after a history.
var ruleModel = []struct {
	numbers []int
	broken  func(h ruleHistory, c ruleCommand) bool
}{
	{[]int{1}, func(h ruleHistory, c ruleCommand) bool {
		founding := c.st.Head().Type == "ledger.founded"
		return founding != (len(h) == 0) || founding && ruleGet[events.Key](c.st, "Founder") != c.key
	}},
	{[]int{2}, func(h ruleHistory, c ruleCommand) bool {
		return len(h) > 0 && c.st.Head().Ledger != h[0].st.Head().Ledger
	}},
	{[]int{4}, func(h ruleHistory, c ruleCommand) bool { return len(h) > 0 && h.roleOf(c.key) == "" }},
	{[]int{5, 6, 7, 8}, ruleHistory.wrongParty},
	{[]int{8}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type == "member.revoked" && h.roleOf(ruleGet[events.Key](c.st, "Key")) == ""
	}},
	{[]int{9}, ruleHistory.admittedBefore},
	{[]int{10}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type == "member.revoked" && !slices.ContainsFunc(ruleKeys, func(k events.Key) bool {
			return h.roleOf(k) == events.Coordinator && k != ruleGet[events.Key](c.st, "Key")
		})
	}},
	{[]int{11}, func(h ruleHistory, c ruleCommand) bool {
		_, operation := events.About(c.st)
		return operation != "" && (h.catalogue(operation) == nil) != (c.st.Head().Type == "operation.opened")
	}},
	{[]int{12}, ruleHistory.notInCatalogue},
	{[]int{13}, ruleHistory.dropsRoleInUse},
	{[]int{14}, func(h ruleHistory, c ruleCommand) bool {
		life := append(h.ofLine(c), c)
		role := ruleGet[events.Role](c.st, "Role")
		return c.st.Head().Type.Subject() == "requirement" &&
			(!ruleLineLife.MatchString(ruleLetters(life)) || role != "" && role != ruleGet[events.Role](life[0].st, "Role"))
	}},
	{[]int{15}, ruleHistory.outsideScope},
	{[]int{16}, func(h ruleHistory, c ruleCommand) bool {
		before := slices.Concat(h.ofPledge(c), h.ofLine(c), h.ofOperation(c))
		return len(before) > 0 && ruleGet[events.Date](c.st, "Effective") < ruleGet[events.Date](before[0].st, "Effective")
	}},
	{[]int{17}, func(h ruleHistory, c ruleCommand) bool {
		before := h.ofPledge(c)
		return ruleMoves(c.st) && (len(before) == 0 || ruleGet[events.Place](c.st, "Place") != ruleGet[events.Place](before[0].st, "Place"))
	}},
	{[]int{18, 19, 23, 26}, func(h ruleHistory, c ruleCommand) bool {
		return ruleOfPledge(c.st) && !ruleLife.MatchString(ruleLetters(append(h.ofPledge(c), c)))
	}},
	{[]int{20}, func(h ruleHistory, c ruleCommand) bool {
		before, role, unit := h.ofPledge(c), ruleGet[events.Role](c.st, "Role"), ruleGet[events.Unit](c.st, "Unit")
		return len(before) > 0 && (role != "" && role != ruleGet[events.Role](before[0].st, "Role") ||
			unit != "" && unit != ruleGet[events.Unit](before[0].st, "Unit"))
	}},
	{[]int{21}, func(h ruleHistory, c ruleCommand) bool {
		before := h.ofPledge(c)
		return c.st.Head().Type == "pledge.confirmed" && slices.ContainsFunc(before, func(added ruleCommand) bool {
			kind := ruleGet[events.ConditionKind](added.st, "Kind")
			return strings.Contains("parliament funding other", string(kind)) && kind != "" && !strings.Contains(before.conditionLife(added), "k")
		})
	}},
	{[]int{22}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type.Subject() == "condition" && !ruleConditionLife.MatchString(append(h.ofPledge(c), c).conditionLife(c))
	}},
	{[]int{24}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type == "pledge.observed" && slices.ContainsFunc(h, func(old ruleCommand) bool {
			return old.st.Head().Type == "pledge.observed" && ruleGet[events.Place](old.st, "Place") == ruleGet[events.Place](c.st, "Place") &&
				ruleGet[events.Role](old.st, "Role") == ruleGet[events.Role](c.st, "Role") && !strings.Contains(h.life(events.Thing(old.st)), "R")
		})
	}},
	{[]int{25}, func(h ruleHistory, c ruleCommand) bool {
		return ruleMoves(c.st) && h.roleOf(c.key) == events.Importer && !strings.HasPrefix(h.life(events.Thing(c.st)), "S")
	}},
}

// A life is written as letters, one for each thing that was said, so that what it may be is a pattern.
var (
	ruleLetter = map[events.Type]string{
		"pledge.indicated": "I", "pledge.offered": "O", "pledge.amended": "M", "pledge.accepted": "A", "pledge.declined": "X",
		"pledge.confirmed": "C", "pledge.withdrawn": "W", "pledge.deployed": "D", "pledge.reported": "N", "pledge.returned": "R",
		"pledge.observed": "S", "condition.added": "K", "condition.discharged": "k", "condition.failed": "f",
		"requirement.issued": "I", "requirement.revised": "V", "requirement.cancelled": "X",
	}
	ruleLineLife      = regexp.MustCompile(`^IV*X?$`)
	ruleConditionLife = regexp.MustCompile(`^K[kf]?$`)
	ruleLife          = regexp.MustCompile(strings.ReplaceAll(
		`^(SN*R?|I-[XW]?|(I-)?O-[XW]?|(I-)?O-A-W?|(I-)?O-A-C-W?|(I-)?O-A-C-D(N|-)*R?)$`, "-", `[MKkf]*`)) // - is what may be said on every rung
)

func ruleLetters(h ruleHistory) (life string) {
	for _, c := range h {
		life += ruleLetter[c.st.Head().Type]
	}
	return life
}

// ruleGet returns the member of a statement that has the name and the type, or the zero value.
func ruleGet[T any](st events.Statement, name string) (value T) {
	if f := reflect.ValueOf(st).Elem().FieldByName(name); f.IsValid() {
		value, _ = f.Interface().(T)
	}
	return value
}

func ruleOfPledge(st events.Statement) bool {
	subject := st.Head().Type.Subject()
	return subject == "pledge" || subject == "condition"
}

// ruleMoves reports whether st is about a pledge that must be there already.
func ruleMoves(st events.Statement) bool { return ruleOfPledge(st) && events.Thing(st) != st.Head().ID }

func (h ruleHistory) where(keep func(st events.Statement) bool) (kept ruleHistory) {
	for _, c := range h {
		if keep(c.st) {
			kept = append(kept, c)
		}
	}
	return kept
}

// ofPledge returns what was said about the pledge that c is about; ofLine and ofOperation do so for theirs.
func (h ruleHistory) ofPledge(c ruleCommand) ruleHistory {
	return h.where(func(st events.Statement) bool {
		return ruleMoves(c.st) && ruleOfPledge(st) && events.Thing(st) == events.Thing(c.st)
	})
}

func (h ruleHistory) ofLine(c ruleCommand) ruleHistory {
	_, operation := events.About(c.st)
	return h.where(func(st events.Statement) bool {
		_, other := events.About(st)
		line := ruleGet[events.Line](c.st, "Line")
		return line != "" && other == operation && ruleGet[events.Line](st, "Line") == line
	})
}

func (h ruleHistory) ofOperation(c ruleCommand) ruleHistory {
	_, operation := events.About(c.st)
	return h.where(func(st events.Statement) bool {
		_, other := events.About(st)
		return c.st.Head().Type == "operation.revised" && st.Head().Type.Subject() == "operation" && other == operation
	})
}

// life returns the letters of a pledge's life.
func (h ruleHistory) life(id events.ID) string {
	return ruleLetters(h.where(func(st events.Statement) bool { return ruleOfPledge(st) && events.Thing(st) == id }))
}

// conditionLife returns, of what was said about one pledge, the letters for the condition that c is about.
func (h ruleHistory) conditionLife(c ruleCommand) string {
	return ruleLetters(h.where(func(st events.Statement) bool {
		return ruleGet[events.Line](st, "Condition") == ruleGet[events.Line](c.st, "Condition")
	}))
}

// admittedAs returns the role in which a key was ever admitted, and roleOf the one that it has now; "" for none.
func (h ruleHistory) admittedAs(key events.Key) (role events.MemberRole) {
	for _, c := range h {
		switch c.st.Head().Type {
		case "ledger.founded":
			if ruleGet[events.Key](c.st, "Founder") == key {
				role = events.Coordinator
			}
		case "member.admitted":
			if ruleGet[events.Key](c.st, "Key") == key {
				role = ruleGet[events.MemberRole](c.st, "Role")
			}
		}
	}
	return role
}

func (h ruleHistory) roleOf(key events.Key) events.MemberRole {
	for _, c := range h {
		if c.st.Head().Type == "member.revoked" && ruleGet[events.Key](c.st, "Key") == key {
			return ""
		}
	}
	return h.admittedAs(key)
}

const (
	ruleCoordinators = " member.admitted member.revoked operation.opened operation.revised requirement.issued requirement.revised requirement.cancelled " +
		"pledge.accepted pledge.declined pledge.deployed pledge.reported pledge.returned pledge.observed "
	ruleLiaisons = " scope.declared pledge.indicated pledge.offered pledge.amended pledge.confirmed pledge.withdrawn pledge.deployed pledge.reported pledge.returned " +
		"condition.added condition.discharged condition.failed "
	ruleImporters = " operation.opened pledge.observed pledge.reported pledge.returned "
)

func (h ruleHistory) wrongParty(c ruleCommand) bool {
	nation, _ := events.About(c.st)
	says := func(list string) bool { return strings.Contains(list, " "+string(c.st.Head().Type)+" ") }
	if c.st.Head().Type == "member.revoked" && ruleGet[events.Key](c.st, "Key") == c.key {
		return false
	}
	switch h.roleOf(c.key) {
	case events.Coordinator:
		voiced := slices.ContainsFunc(ruleKeys, func(k events.Key) bool { return k.Party() == nation && h.admittedAs(k) == events.Liaison })
		return !says(ruleCoordinators) && !(says(ruleLiaisons) && !voiced)
	case events.Liaison:
		return !says(ruleLiaisons) || nation != c.key.Party()
	case events.Importer:
		return !says(ruleImporters)
	}
	return false // rule 4 says more
}

func (h ruleHistory) admittedBefore(c ruleCommand) bool {
	key := ruleGet[events.Key](c.st, "Key")
	id, _ := key.ID()
	return c.st.Head().Type == "member.admitted" && slices.ContainsFunc(ruleKeys, func(k events.Key) bool {
		known, _ := k.ID()
		return known == id && h.admittedAs(k) != ""
	})
}

// catalogue returns the last catalogue of an operation, or nil.
func (h ruleHistory) catalogue(o events.Operation) (roles []events.RoleDefinition) {
	for _, c := range h {
		if _, other := events.About(c.st); c.st.Head().Type.Subject() == "operation" && other == o {
			roles = ruleGet[[]events.RoleDefinition](c.st, "Roles")
		}
	}
	return roles
}

func ruleHas(catalogue []events.RoleDefinition, role events.Role, unit events.Unit) bool {
	return slices.ContainsFunc(catalogue, func(d events.RoleDefinition) bool {
		return d.Role == role && (unit == "" || slices.Contains(d.Units, unit))
	})
}

func (h ruleHistory) notInCatalogue(c ruleCommand) bool {
	_, operation := events.About(c.st)
	catalogue := h.catalogue(operation)
	for _, r := range ruleGet[[]events.Role](c.st, "Roles") {
		if !ruleHas(catalogue, r, "") {
			return true
		}
	}
	role, unit := ruleGet[events.Role](c.st, "Role"), ruleGet[events.Unit](c.st, "Unit")
	return role != "" && !ruleMoves(c.st) && !ruleHas(catalogue, role, unit)
}

func (h ruleHistory) dropsRoleInUse(c ruleCommand) bool {
	return c.st.Head().Type == "operation.revised" && slices.ContainsFunc(h, func(old ruleCommand) bool {
		_, operation := events.About(old.st)
		role := ruleGet[events.Role](old.st, "Role")
		return operation == ruleGet[events.Operation](c.st, "Operation") && role != "" &&
			!ruleHas(ruleGet[[]events.RoleDefinition](c.st, "Roles"), role, ruleGet[events.Unit](old.st, "Unit"))
	})
}

func (h ruleHistory) outsideScope(c ruleCommand) bool {
	declared := h.where(func(st events.Statement) bool {
		return st.Head().Type == "scope.declared" && ruleGet[events.Place](st, "Place") == ruleGet[events.Place](c.st, "Place")
	})
	if t := c.st.Head().Type; t != "pledge.offered" && t != "pledge.indicated" || declared == nil {
		return false
	}
	scope := declared[len(declared)-1].st.(*events.ScopeDeclared)
	return !scope.Unlimited && !slices.Contains(scope.Roles, ruleGet[events.Role](c.st, "Role"))
}

// broken returns the numbers of the rules that the command may break.
func (h ruleHistory) broken(c ruleCommand) (numbers []int) {
	for _, r := range ruleModel {
		if r.broken(h, c) {
			numbers = append(numbers, r.numbers...)
		}
	}
	return numbers
}

// Whatever is said, by whoever, after whatever history: Decide refuses it exactly when the model does, with a code that the
// package comment gives to a rule that the model finds broken.
func TestDecideAgreesWithTheModel(t *testing.T) {
	codes := map[int][]string{}
	for _, rule := range ruleDoc(t) {
		codes[rule.number] = rule.codes
	}
	met := map[string]bool{"id-taken": true} // which Decide leaves to others
	for round := 0; round == 0 || round < 10 && len(met) < len(events.Types())+len(ruleCodes(t)); round++ {
		rapid.Check(t, func(t *rapid.T) {
			h := ruleBegin(ruleBeginning - rapid.IntRange(0, ruleBeginning).Draw(t, "left out"))
			s := h.state(t)
			for range 2 * ruleDie(t, "commands", 64) {
				c := h.draw(t)
				err, numbers := ledger.Decide(s, c.key, c.st), h.broken(c)
				switch known := func(n int) bool { return slices.Contains(codes[n], problem.From(err).Code) }; {
				case err == nil && numbers == nil:
					met[string(c.st.Head().Type)] = true
					ruleApply(t, s, c.st)
					h = append(h, c)
				case err != nil && slices.ContainsFunc(numbers, known):
					met[problem.From(err).Code] = true
				default:
					t.Fatalf("after %d records %v: decided %+v; the model says that the rules %v are broken", len(h), c, err, numbers)
				}
			}
		})
	}
	for _, c := range ruleCodes(t) {
		if slug, _, _ := strings.Cut(c, " "); !met[slug] {
			t.Errorf("in all these commands none was refused as %s", slug)
		}
	}
	for _, typ := range events.Types() {
		if !met[string(typ)] {
			t.Errorf("in all these commands no %s was allowed", typ)
		}
	}
}
