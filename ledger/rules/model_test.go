package rules_test

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// The model says of a command which rules it breaks, by looking each time through all that was said
// before. It is slow, keeps nothing, and shares nothing with the code but the numbers of the rules.

type ruleOfModel struct {
	numbers []int
	broken  func(h ruleHistory, c ruleCommand) bool
}

// ruleModel is the rules, each as the question whether a command breaks it after a history.
var ruleModel = []ruleOfModel{
	{[]int{1}, func(h ruleHistory, c ruleCommand) bool {
		founding := c.st.Head().Type == "ledger.founded"
		return founding != (len(h) == 0) || founding && ruleGet[events.Key](c.st,
			"Founder") != c.key
	}},
	{[]int{2}, func(h ruleHistory, c ruleCommand) bool {
		return len(h) > 0 && c.st.Head().Ledger != h[0].st.Head().Ledger
	}},
	{[]int{4, 45, 46}, func(h ruleHistory, c ruleCommand) bool {
		return len(h) > 0 && h.roleOf(c.key) == ""
	}},
	{[]int{5, 6, 7, 8}, ruleHistory.wrongParty},
	{[]int{8}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type == "member.revoked" &&
			h.roleOf(ruleGet[events.Key](c.st, "Key")) == ""
	}},
	{[]int{9}, ruleHistory.admittedBefore},
	{[]int{10}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type == "member.revoked" && !slices.ContainsFunc(ruleKeys,
			func(k events.Key) bool {
				return h.roleOf(k) == events.Coordinator && k != ruleGet[events.Key](c.st, "Key")
			})
	}},
	{[]int{47}, ruleHistory.secondsWrongly},
	{[]int{55}, ruleHistory.retractsWrongly},
	{[]int{50}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type == "meeting.closed" && slices.ContainsFunc(h,
			func(old ruleCommand) bool {
				return old.st.Head().Type == "meeting.closed" &&
					ruleGet[string](old.st, "Name") == ruleGet[string](c.st, "Name")
			})
	}},
	{[]int{16, 51}, ruleHistory.asksWrongly},
	{[]int{5, 7}, ruleHistory.answersForOthers},
	{[]int{11}, func(h ruleHistory, c ruleCommand) bool {
		_, operation := events.About(c.st)
		return operation != "" &&
			(h.catalogue(operation) == nil) != (c.st.Head().Type == "operation.opened")
	}},
	{[]int{12}, ruleHistory.notInCatalogue},
	{[]int{13}, ruleHistory.dropsRoleInUse},
	{[]int{14}, func(h ruleHistory, c ruleCommand) bool {
		life := append(h.ofLine(c), c)
		role := ruleGet[events.Role](c.st, "Role")
		return c.st.Head().Type.Subject() == "requirement" &&
			(!ruleLineLife.MatchString(ruleLetters(life)) || role != "" &&
				role != ruleGet[events.Role](life[0].st, "Role"))
	}},
	{[]int{15}, ruleHistory.outsideScope},
	{[]int{16}, func(h ruleHistory, c ruleCommand) bool {
		before := slices.Concat(h.ofPledge(c), h.ofLine(c), h.ofOperation(c))
		return len(before) > 0 && !ruleCorrects(c) && ruleOn(c) < ruleOn(before[0])
	}},
	{[]int{17}, func(h ruleHistory, c ruleCommand) bool {
		before := h.ofPledge(c)
		return ruleMoves(c.st) &&
			(len(before) == 0 || ruleGet[events.Place](c.st,
				"Place") != ruleGet[events.Place](before[0].st, "Place"))
	}},
	{[]int{18, 19, 23, 26, 31}, func(h ruleHistory, c ruleCommand) bool {
		life := append(h.ofPledge(c), c)
		returned := life.last("R")
		return ruleOfPledge(c.st) && !ruleCorrects(c) &&
			(!ruleLife.MatchString(ruleLetters(life)) ||
				c.st.Head().Type == "pledge.reported" && returned.st != nil &&
					ruleOn(c) >= ruleOn(returned))
	}},
	{[]int{20}, func(h ruleHistory, c ruleCommand) bool {
		before, role, unit := h.ofPledge(c), ruleGet[events.Role](c.st, "Role"),
			ruleGet[events.Unit](c.st, "Unit")
		if terms := ruleGet[*events.PledgeTerms](c.st, "Terms"); terms != nil {
			role, unit = terms.Role, terms.Unit
		}
		if strength := ruleGet[*events.Strength](c.st, "Strength"); strength != nil {
			unit = strength.Unit
		}
		return len(before) > 0 && c.st.Head().Type.Subject() != "allocation" &&
			(role != "" && role != ruleGet[events.Role](before[0].st, "Role") ||
				unit != "" && unit != ruleGet[events.Unit](before[0].st, "Unit"))
	}},
	{[]int{21}, func(h ruleHistory, c ruleCommand) bool {
		before := h.ofPledge(c)
		return c.st.Head().Type == "pledge.confirmed" && slices.ContainsFunc(before,
			func(added ruleCommand) bool {
				kind := ruleGet[events.ConditionKind](added.st, "Kind")
				return strings.Contains("parliament funding other", string(kind)) && kind != "" &&
					!strings.Contains(before.conditionLife(added), "k")
			})
	}},
	{[]int{22}, func(h ruleHistory, c ruleCommand) bool {
		return c.st.Head().Type.Subject() == "condition" &&
			!ruleConditionLife.MatchString(append(h.ofPledge(c), c).conditionLife(c))
	}},
	{[]int{24}, func(h ruleHistory, c ruleCommand) bool {
		again := c.st.Head().Type == "pledge.observed"
		if ruleCorrects(c) { // what had returned is there again
			mended, corrected := h.mended(), c.st.(*events.PledgeCorrected)
			again = corrected.Struck && mended.of(corrected.Corrects).st != nil &&
				mended.of(corrected.Corrects).st.Head().Type == "pledge.returned"
		}
		return again && slices.ContainsFunc(h, func(old ruleCommand) bool {
			if ruleCorrects(c) &&
				(h.begun(c).st == nil || h.begun(c).st.Head().Type != "pledge.observed" ||
					old.st.Head().ID == events.Thing(c.st)) {
				return false
			}
			if ruleCorrects(c) {
				return old.st.Head().Type == "pledge.observed" && !h.struck(old.st) &&
					ruleGet[events.Place](old.st,
						"Place") == ruleGet[events.Place](h.begun(c).st, "Place") &&
					ruleGet[events.Role](old.st, "Role") == ruleGet[events.Role](h.begun(c).st,
						"Role") && !strings.Contains(h.life(events.Thing(old.st)), "R")
			}
			return old.st.Head().Type == "pledge.observed" && !h.struck(old.st) &&
				ruleGet[events.Place](old.st,
					"Place") == ruleGet[events.Place](c.st, "Place") &&
				ruleGet[events.Role](old.st, "Role") == ruleGet[events.Role](c.st, "Role") &&
				!strings.Contains(h.life(events.Thing(old.st)), "R")
		})
	}},
	{[]int{25}, func(h ruleHistory, c ruleCommand) bool {
		return ruleMoves(c.st) && h.roleOf(c.key) == events.Importer &&
			!strings.HasPrefix(h.life(events.Thing(c.st)), "S")
	}},
	{[]int{28}, func(h ruleHistory, c ruleCommand) bool {
		if !ruleMoves(c.st) || ruleCorrects(c) {
			return false
		}
		before := h.ofPledge(c)
		sets := ruleGet[events.Date](c.st, "Expires") != 0
		return before.lapsed(ruleOn(c)) || sets && slices.ContainsFunc(before,
			func(old ruleCommand) bool {
				return append(before[:len(before):len(before)], c).lapsed(ruleOn(old))
			})
	}},
	{[]int{29}, func(h ruleHistory, c ruleCommand) bool {
		before, below := h.ofPledge(c), ""
		switch letter := ruleLetter[c.st.Head().Type]; {
		case letter == "N":
			below = "DS"
		case letter != "" && strings.Contains("OAXCWDR", letter):
			below = "IOACDS"
		default:
			return false
		}
		since := before.last(below)
		return since.st != nil && ruleOn(c) < ruleOn(since)
	}},
	{[]int{30}, func(h ruleHistory, c ruleCommand) bool {
		name := ruleGet[events.Line](c.st, "Caveat")
		life := ruleLetters(append(h.ofPledge(c), c).where(func(st events.Statement) bool {
			return ruleGet[events.Line](st, "Caveat") == name
		}))
		return name != "" && !ruleCaveatLife.MatchString(life)
	}},
	{[]int{14, 16, 31}, ruleHistory.misallocated},
	{[]int{32}, ruleHistory.overAllocated},
	{[]int{33}, func(h ruleHistory, c ruleCommand) bool {
		released := ruleGet[events.ID](c.st, "Allocation")
		made := h.ofPledge(c).where(func(st events.Statement) bool {
			return st.Head().Type == "allocation.made" && st.Head().ID == released
		})
		again := h.ofPledge(c).where(func(st events.Statement) bool {
			return ruleGet[events.ID](st, "Allocation") == released
		})
		return c.st.Head().Type == "allocation.released" &&
			(len(made) == 0 || len(again) > 0 || ruleOn(c) < ruleOn(made[0]))
	}},
	{[]int{34, 48}, func(h ruleHistory, c ruleCommand) bool {
		for member, other := range ruleRelated(c.st) {
			begun, role := h.of(other), ruleGet[events.Role](c.st, "Role")
			if terms := ruleGet[*events.PledgeTerms](c.st, "Terms"); terms != nil {
				role = terms.Role
			}
			_, there := events.About(c.st)
			if other == events.Thing(c.st) || begun.st == nil || ruleMoves(begun.st) ||
				!ruleOfPledge(begun.st) ||
				h.struck(begun.st) && !h.ofPledge(c).names(member, other) ||
				ruleGet[events.Operation](begun.st, "Operation") != there ||
				ruleGet[events.Role](begun.st, "Role") != role {
				return true
			}
		}
		return false
	}},
	{[]int{35}, func(h ruleHistory, c ruleCommand) bool {
		if !ruleCorrects(c) {
			return false
		}
		mends := h.where(func(st events.Statement) bool {
			return ruleOfPledge(st) && events.Thing(st) == events.Thing(c.st)
		}).of(c.st.(*events.PledgeCorrected).Corrects)
		if mends.st == nil || ruleCorrects(mends) {
			return true
		}
		switch h.roleOf(c.key) {
		case events.Liaison:
			return mends.key.Party() != c.key.Party()
		case events.Importer:
			return mends.key.Party() != events.HQ ||
				!strings.Contains(ruleImporters, " "+string(mends.st.Head().Type)+" ")
		}
		return false
	}},
	{[]int{36}, func(h ruleHistory, c ruleCommand) bool {
		corrected, ok := c.st.(*events.PledgeCorrected)
		if !ok {
			return false
		}
		typ := events.Type("")
		if mends := h.of(corrected.Corrects); mends.st != nil {
			typ = mends.st.Head().Type
		}
		return corrected.Terms != nil &&
			!strings.Contains(" pledge.indicated pledge.offered pledge.amended "+
				"pledge.disclosed ", " "+string(typ)+" ") ||
			corrected.Strength != nil &&
				!strings.Contains(" pledge.deployed pledge.reported pledge.observed ",
					" "+string(typ)+" ")
	}},
	{[]int{38}, func(h ruleHistory, c ruleCommand) bool {
		after := ruleGet[events.Upon](c.st, "Upon").After
		return after != 0 && int(after) != h.lastAbout(c.st)
	}},
	{[]int{40}, ruleHistory.tooWide},
	{[]int{42}, ruleHistory.notDisclosed},
	{[]int{43}, ruleHistory.correctsDisclosed},
	{[]int{52}, ruleHistory.undeclared},
	{[]int{48}, func(h ruleHistory, c ruleCommand) bool {
		if ruleMoves(c.st) && h.struck(c.st) {
			return true
		}
		before := h.ofPledge(c)
		return ruleStrikesAll(c.st) && before.last("XWR").st == nil && !before.lapsed(ruleOn(c)) &&
			slices.ContainsFunc(before, func(made ruleCommand) bool {
				return made.st.Head().Type == "allocation.made" &&
					!slices.ContainsFunc(before, func(c ruleCommand) bool {
						return ruleGet[events.ID](c.st, "Allocation") == made.st.Head().ID
					})
			})
	}},
}

func init() { // since the rule is about the others
	ruleModel = append(ruleModel, ruleOfModel{[]int{37}, func(h ruleHistory, c ruleCommand) bool {
		if !ruleCorrects(c) {
			return false
		}
		all := append(h[:len(h):len(h)], c).mended()
		for i, x := range all {
			moves := ruleMoves(x.st) && events.Thing(x.st) == events.Thing(c.st)
			numbers := all[:i].broken(x)
			if all[:i].misallocated(x) { // which is no breach then
				at := slices.Index(numbers, 14)
				numbers = slices.Delete(numbers, at, at+3) // 14, 16 and 31: see ruleModel
			}
			if moves && slices.ContainsFunc(numbers, func(n int) bool {
				return strings.Contains(" 16 18 19 21 22 23 26 28 29 30 33 43 ",
					fmt.Sprint(" ", n, " "))
			}) {
				return true
			}
		}
		return false
	}})
}

// ruleOn returns the effective date.
func ruleOn(c ruleCommand) events.Date { return ruleGet[events.Date](c.st, "Effective") }

func ruleCorrects(c ruleCommand) bool { return c.st.Head().Type == "pledge.corrected" }

// ruleStrikesAll reports whether a statement strikes a pledge at its beginning, and struck whether
// the pledge was struck that a statement is about.
func ruleStrikesAll(st events.Statement) bool {
	c, ok := st.(*events.PledgeCorrected)
	return ok && c.Struck && c.Corrects == c.Pledge
}

func (h ruleHistory) struck(st events.Statement) bool {
	return slices.ContainsFunc(h, func(c ruleCommand) bool {
		return ruleStrikesAll(c.st) && events.Thing(c.st) == events.Thing(st)
	})
}

// ruleRelated returns the pledges that a statement names as before and after its own, by the
// members that name them.
func ruleRelated(st events.Statement) map[string]events.ID {
	terms := ruleGet[*events.PledgeTerms](st, "Terms")
	if own := ruleGet[events.PledgeTerms](st, "PledgeTerms"); own.Role != "" {
		terms = &own
	}
	if terms == nil {
		return nil
	}
	all := map[string]events.ID{"Predecessor": terms.Predecessor, "Successor": terms.Successor}
	maps.DeleteFunc(all, func(_ string, id events.ID) bool { return id.IsZero() })
	return all
}

// names reports whether somebody has said in this member that it is another pledge.
func (h ruleHistory) names(member string, other events.ID) bool {
	return slices.ContainsFunc(h, func(c ruleCommand) bool {
		return ruleGet[events.ID](c.st, member) == other
	})
}

// of returns the command with an id, and begun the one that began the pledge that c is about.
func (h ruleHistory) of(id events.ID) (found ruleCommand) {
	for _, c := range h {
		if c.st.Head().ID == id {
			found = c
		}
	}
	return found
}

func (h ruleHistory) begun(c ruleCommand) ruleCommand { return h.of(events.Thing(c.st)) }

// lastAbout returns the last record about a statement's pledge, 0 for none.
func (h ruleHistory) lastAbout(st events.Statement) (record int) {
	for i, c := range h {
		if ruleOfPledge(c.st) && events.Thing(c.st) == events.Thing(st) {
			record = i + 1
		}
	}
	return record
}

// last returns the last of those whose letter is one of these.
func (h ruleHistory) last(letters string) (found ruleCommand) {
	for _, c := range h {
		if letter := ruleLetter[c.st.Head().Type]; letter != "" &&
			strings.Contains(letters, letter) {
			found = c
		}
	}
	return found
}

// mended puts what was corrected in the place of what was said, and leaves out what was struck, and
// the corrections.
func (h ruleHistory) mended() (all ruleHistory) {
	for _, c := range h {
		var mends *events.PledgeCorrected
		terms := (*events.PledgeTerms)(nil)
		for _, later := range h {
			if x, ok := later.st.(*events.PledgeCorrected); ok && x.Corrects == c.st.Head().ID &&
				x.Pledge == events.Thing(c.st) {
				mends = x
				if x.Terms != nil {
					terms = x.Terms
				}
			}
		}
		switch {
		case ruleCorrects(c) || mends != nil && mends.Struck ||
			ruleOfPledge(c.st) && h.struck(c.st):
			continue
		case mends != nil:
			other := reflect.New(reflect.TypeOf(c.st).Elem())
			other.Elem().Set(reflect.ValueOf(c.st).Elem())
			other.Elem().FieldByName("Effective").SetInt(int64(mends.Effective))
			if terms != nil && other.Elem().FieldByName("PledgeTerms").IsValid() {
				other.Elem().FieldByName("PledgeTerms").Set(reflect.ValueOf(*terms))
			}
			c.st = other.Interface().(events.Statement)
		}
		all = append(all, c)
	}
	return all
}

// lapsed reports whether the pledge of this history has lapsed by a date.
func (h ruleHistory) lapsed(on events.Date) bool {
	byDate := h.where(func(st events.Statement) bool {
		return ruleGet[events.Date](st, "Effective") <= on
	})
	slices.SortStableFunc(byDate, func(a, b ruleCommand) int {
		return int(ruleOn(a)) - int(ruleOn(b))
	})
	expires, there := events.Date(0), false
	for _, c := range byDate {
		if expires != 0 && !there && ruleOn(c) > expires {
			return true
		}
		switch st := c.st.(type) {
		case *events.PledgeIndicated:
			expires = st.Expires
		case *events.PledgeOffered:
			expires = st.Expires
		case *events.PledgeAmended:
			expires = st.Expires
		case *events.PledgeDisclosed:
			expires = st.Expires
		case *events.PledgeRenewed:
			expires = st.Expires
		case *events.PledgeDeployed, *events.PledgeObserved:
			there = true
		}
	}
	return expires != 0 && !there && on > expires
}

// terms returns the terms of the pledge as they were said last.
func (h ruleHistory) terms(on events.Date) (t events.PledgeTerms) {
	best := events.Date(0)
	for _, c := range h {
		if own := ruleGet[events.PledgeTerms](c.st, "PledgeTerms"); own.Role != "" &&
			ruleOn(c) <= on && ruleOn(c) >= best {
			t, best = own, ruleOn(c)
		}
	}
	return t
}

func (h ruleHistory) misallocated(c ruleCommand) bool {
	a, ok := c.st.(*events.AllocationMade)
	if !ok {
		return false
	}
	before, requirement := h.ofPledge(c), h.where(func(st events.Statement) bool {
		return st.Head().Type.Subject() == "requirement" && ruleGet[events.Line](st,
			"Line") == a.Line && ruleGet[events.Operation](st, "Operation") == a.Operation
	})
	last := requirement.last("IV")
	if len(before) == 0 || last.st == nil || requirement.last("X").st != nil ||
		ruleOn(c) < ruleOn(requirement[0]) {
		return true
	}
	terms := before.terms(max(a.Effective, a.From))
	if terms.Role == "" {
		return true // observed
	}
	line := ruleGet[events.RequirementTerms](last.st, "RequirementTerms")
	return terms.Role != line.Role || a.Unit != terms.Unit || a.Unit != line.Unit ||
		terms.Presence == events.Reserve ||
		terms.Area != "" && line.Area != "" && terms.Area != line.Area ||
		a.Until != 0 && a.Until < terms.From || terms.Until != 0 && a.From > terms.Until
}

// overAllocated looks at every day of the two months after an allocation may begin.
func (h ruleHistory) overAllocated(c ruleCommand) bool {
	a, ok := c.st.(*events.AllocationMade)
	if !ok {
		return false
	}
	before := h.ofPledge(c)
	live := func(c ruleCommand, day events.Date) (n int64) {
		made := c.st.(*events.AllocationMade)
		ended := before.where(func(st events.Statement) bool {
			return ruleGet[events.ID](st, "Allocation") == made.ID && ruleGet[events.Date](st,
				"Effective") <= day
		})
		if made.Effective <= day && made.From <= day && (made.Until == 0 || day <= made.Until) &&
			len(ended) == 0 {
			n, _ = made.Quantity.Number()
		}
		return n
	}
	for day := max(a.Effective, a.From); day <= 2027_03_01 &&
		(a.Until == 0 || day <= a.Until); day = day.AddDays(1) {
		sum, _ := a.Quantity.Number()
		for _, other := range before {
			if other.st.Head().Type == "allocation.made" {
				sum += live(other, day)
			}
		}
		pledged := before.terms(day)
		n, known := pledged.Quantity.Number()
		if !known {
			n, known = pledged.Least.Number()
		}
		if !known || sum > n {
			return true
		}
	}
	return false
}

// A life is written as letters, one for each thing that was said, so that what it may be is a
// pattern.
var (
	ruleLetter = map[events.Type]string{
		"pledge.indicated": "I", "pledge.offered": "O", "pledge.amended": "M",
		"pledge.accepted": "A", "pledge.declined": "X",
		"pledge.confirmed": "C", "pledge.withdrawn": "W", "pledge.deployed": "D",
		"pledge.reported": "N", "pledge.returned": "R",
		"pledge.observed": "S", "condition.added": "K", "condition.discharged": "k",
		"condition.failed": "f",
		"pledge.renewed":   "E", "caveat.declared": "H", "caveat.lifted": "h",
		"allocation.made": "L", "allocation.released": "l",
		"pledge.disclosed": "P", "pledge.queried": "Q", "pledge.answered": "q",
		"requirement.issued": "I", "requirement.revised": "V",
		"requirement.cancelled": "X",
	}
	ruleLineLife      = regexp.MustCompile(`^IV*X?$`)
	ruleConditionLife = regexp.MustCompile(`^K[kf]?$`)
	ruleCaveatLife    = regexp.MustCompile(`^Hh?$`)
	// ~ is what may be said on every rung, - from the offer on
	ruleLife = regexp.MustCompile(strings.NewReplacer("~", `[MKkfEHhPQq]*`, "-",
		`[MKkfEHhPLlQq]*`).Replace(
		`^(S[NQq]*(RN*)?|I~[XW]?|(I~)?O-[XW]?|(I~)?O-A-W?|(I~)?O-A-C-W?|(I~)?O-A-C-D(N|-)*(RN*)?)$`))
)

func ruleLetters(h ruleHistory) (life string) {
	for _, c := range h {
		life += ruleLetter[c.st.Head().Type]
	}
	return life
}

// ruleGet returns the member of a statement that has the name and the type, or the zero value.
func ruleGet[T any](st events.Statement, name string) (value T) {
	if f := ruleField(st, name); f.IsValid() {
		value, _ = f.Interface().(T)
	}
	return value
}

func ruleOfPledge(st events.Statement) bool {
	return strings.Contains(" pledge condition caveat allocation ",
		" "+st.Head().Type.Subject()+" ")
}

// ruleMoves reports whether st is about a pledge that must be there already.
func ruleMoves(st events.Statement) bool {
	return ruleOfPledge(st) && events.Thing(st) != st.Head().ID
}

func (h ruleHistory) where(keep func(st events.Statement) bool) (kept ruleHistory) {
	for _, c := range h {
		if keep(c.st) {
			kept = append(kept, c)
		}
	}
	return kept
}

// ofPledge returns what was said about the pledge that c is about, as it was corrected; ofLine and
// ofOperation do so for theirs.
func (h ruleHistory) ofPledge(c ruleCommand) ruleHistory {
	return h.mended().where(func(st events.Statement) bool {
		return ruleMoves(c.st) && ruleOfPledge(st) && events.Thing(st) == events.Thing(c.st)
	})
}

func (h ruleHistory) ofLine(c ruleCommand) ruleHistory {
	_, operation := events.About(c.st)
	return h.where(func(st events.Statement) bool {
		_, other := events.About(st)
		line := ruleGet[events.Line](c.st, "Line")
		return line != "" && c.st.Head().Type.Subject() == "requirement" &&
			st.Head().Type.Subject() == "requirement" &&
			other == operation && ruleGet[events.Line](st, "Line") == line
	})
}

func (h ruleHistory) ofOperation(c ruleCommand) ruleHistory {
	_, operation := events.About(c.st)
	return h.where(func(st events.Statement) bool {
		_, other := events.About(st)
		return c.st.Head().Type == "operation.revised" && st.Head().Type.Subject() == "operation" &&
			other == operation
	})
}

// life returns the letters of a pledge's life.
func (h ruleHistory) life(id events.ID) string {
	return ruleLetters(h.mended().where(func(st events.Statement) bool {
		return ruleOfPledge(st) && events.Thing(st) == id
	}))
}

// conditionLife returns, of what was said about one pledge, the letters for the condition that c is
// about.
func (h ruleHistory) conditionLife(c ruleCommand) string {
	return ruleLetters(h.where(func(st events.Statement) bool {
		return ruleGet[events.Line](st, "Condition") == ruleGet[events.Line](c.st, "Condition")
	}))
}

const (
	ruleCoordinators = " member.admitted member.revoked member.seconded member.retracted " +
		"meeting.closed operation.opened " +
		"operation.revised requirement.issued requirement.revised requirement.cancelled " +
		"pledge.accepted " +
		"pledge.declined pledge.deployed pledge.reported pledge.returned pledge.observed " +
		"pledge.corrected allocation.made allocation.released pledge.queried pledge.answered "
	ruleLiaisons = " scope.declared pledge.indicated pledge.offered pledge.amended " +
		"pledge.confirmed pledge.withdrawn pledge.deployed pledge.reported pledge.returned " +
		"pledge.disclosed condition.added condition.discharged condition.failed pledge.renewed " +
		"pledge.corrected caveat.declared caveat.lifted pledge.queried pledge.answered "
	ruleImporters = " operation.opened pledge.observed pledge.reported pledge.returned " +
		"pledge.corrected "
)

// asksWrongly reports whether a question is put to somebody else than the other side, or an answer
// is none.
func (h ruleHistory) asksWrongly(c ruleCommand) bool {
	to, ofHQ := ruleGet[events.Nation](c.st, "To"), c.key.Party() == events.HQ
	switch c.st.Head().Type {
	case "pledge.queried":
		return ofHQ == (to == events.HQ) || ofHQ && to != ruleGet[events.Nation](c.st, "Nation")
	case "pledge.answered":
		asked := h.askedBy(c)
		again := h.ofPledge(c).where(func(st events.Statement) bool {
			return ruleGet[events.ID](st, "Query") == ruleGet[events.ID](c.st, "Query")
		})
		return asked.st == nil || len(again) > 0 || ruleOn(c) < ruleOn(asked)
	}
	return false
}

// askedBy returns what has asked the question that is answered.
func (h ruleHistory) askedBy(c ruleCommand) (asked ruleCommand) {
	for _, old := range h.ofPledge(c) {
		if old.st.Head().Type == "pledge.queried" &&
			old.st.Head().ID == ruleGet[events.ID](c.st, "Query") {
			asked = old
		}
	}
	return asked
}

// answersForOthers reports whether an answer is of somebody who was not asked.
func (h ruleHistory) answersForOthers(c ruleCommand) bool {
	asked, ofHQ := h.askedBy(c), c.key.Party() == events.HQ
	if c.st.Head().Type != "pledge.answered" || asked.st == nil {
		return false
	}
	to := ruleGet[events.Nation](asked.st, "To")
	return ofHQ != (to == events.HQ) && (!ofHQ || slices.ContainsFunc(ruleKeys,
		func(k events.Key) bool {
			return k.Party() == to && h.roll().admitted[k] == events.Liaison
		}))
}

func (h ruleHistory) wrongParty(c ruleCommand) bool {
	nation, _ := events.About(c.st)
	says := func(list string) bool {
		return strings.Contains(list, " "+string(c.st.Head().Type)+" ")
	}
	if c.st.Head().Type == "member.revoked" && ruleGet[events.Key](c.st, "Key") == c.key {
		return false
	}
	roll := h.roll()
	switch roll.role(c.key) {
	case events.Coordinator:
		voiced := slices.ContainsFunc(ruleKeys, func(k events.Key) bool {
			return k.Party() == nation && roll.admitted[k] == events.Liaison
		})
		return !says(ruleCoordinators) && !(says(ruleLiaisons) && !voiced)
	case events.Liaison:
		return c.st.Head().Type != "member.seconded" && // of which rule 47 says more
			(!says(ruleLiaisons) || nation != c.key.Party())
	case events.Importer:
		return !says(ruleImporters)
	case events.Reader:
		return true
	}
	return false // rule 4 says more
}

func (h ruleHistory) admittedBefore(c ruleCommand) bool {
	key := ruleGet[events.Key](c.st, "Key")
	id, _ := key.ID()
	return c.st.Head().Type == "member.admitted" && slices.ContainsFunc(ruleKeys,
		func(k events.Key) bool {
			known, _ := k.ID()
			return known == id && (h.admittedAs(k) != "" || k != key && h.isProposed(k))
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
	return c.st.Head().Type == "operation.revised" &&
		slices.ContainsFunc(h, func(old ruleCommand) bool {
			_, operation := events.About(old.st)
			role := ruleGet[events.Role](old.st, "Role")
			return operation == ruleGet[events.Operation](c.st, "Operation") && role != "" &&
				!ruleHas(ruleGet[[]events.RoleDefinition](c.st, "Roles"), role,
					ruleGet[events.Unit](old.st, "Unit"))
		})
}

func (h ruleHistory) outsideScope(c ruleCommand) bool {
	declared := h.where(func(st events.Statement) bool {
		return st.Head().Type == "scope.declared" && ruleGet[events.Place](st,
			"Place") == ruleGet[events.Place](c.st, "Place") &&
			ruleGet[events.Date](st, "Effective") <= ruleOn(c)
	})
	slices.SortStableFunc(declared, func(a, b ruleCommand) int {
		return int(ruleOn(a)) - int(ruleOn(b))
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

// Whatever is said, by whoever, after whatever history: Decide refuses it exactly when the model
// does, with a code that the package comment gives to a rule that the model finds broken.
func TestDecideAgreesWithTheModel(t *testing.T) {
	if testing.Short() {
		t.Skip("it calculates for long, in one goroutine")
	}
	codes := map[int][]string{}
	for _, rule := range ruleDoc(t) {
		codes[rule.number] = rule.codes
	}
	// Which Decide leaves to others.
	met := map[string]bool{"id-taken": true, "other-history": true, "release-fixed": true,
		"too-late": true, "no-currency": true, "organisation-ambiguous": true}
	for round := 0; round == 0 || round < 20 && len(met) < len(events.Types())+
		len(ruleCodes(t)); round++ {
		rapid.Check(t, func(t *rapid.T) {
			h := ruleBegin(ruleBeginning - rapid.IntRange(0, ruleBeginning).Draw(t, "left out")).
				asking(ruleDie(t, "seconds", 3))
			s := h.state(t)
			for range 2 * ruleDie(t, "commands", 64) {
				c := h.draw(t)
				err, numbers := rules.Decide(s, c.key, c.st), h.broken(c)
				switch known := func(n int) bool {
					return slices.Contains(codes[n], problem.From(err).Code)
				}; {
				case err == nil && numbers == nil:
					met[string(c.st.Head().Type)] = true
					ruleApply(t, s, c)
					h = append(h, c)
				case err != nil && slices.ContainsFunc(numbers, known):
					met[problem.From(err).Code] = true
				default:
					t.Fatalf("after %d records %v: decided %+v; the model says that the rules "+
						"%v are broken", len(h), c, err, numbers)
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
