package rules_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/ledger/rules"
)

// A ruleCommand is a statement and the key that wants to say it.
type ruleCommand struct {
	key events.Key
	st  events.Statement
}

func (c ruleCommand) String() string {
	text, err := events.Marshal(c.st)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s says %s", c.key.Name(), text)
}

// A ruleHistory is what was said so far, in order: record n is at n-1.
type ruleHistory []ruleCommand

// ruleBegin returns the first n records of a ledger in which something goes on.
func ruleBegin(n int) ruleHistory {
	founder := ruleFounder.Key()
	h := ruleHistory{{founder, ruleSay("ledger.founded")}, {founder, ruleSay("operation.opened")}}
	for _, key := range []events.Key{ruleUN.Key(), ruleParis.Key(), ruleBerlin.Key(),
		ruleSecond.Key()} {
		h = append(h, ruleCommand{founder,
			ruleSay("member.admitted", "Key", key, "Role", ruleRoleOf(key))})
	}
	return h[:n]
}

const ruleBeginning = 6 // the most that ruleBegin has

// state replays the history.
func (h ruleHistory) state(t rapid.TB) *rules.State {
	s := rules.NewState()
	for _, c := range h {
		ruleApply(t, s, c)
	}
	return s
}

func ruleApply(t rapid.TB, s *rules.State, c ruleCommand) (undo func()) {
	n := s.Last() + 1
	id, _ := c.key.ID()
	undo, err := s.Apply(events.Record{Sequence: n, Recorded: time.Unix(int64(n), 0).UTC(),
		Signed: events.Signed{Statement: c.st, KeyName: id.Name, KeyHash: id.Hash},
		Stored: []byte(c.String())})
	if err != nil {
		t.Fatal(err)
	}
	return undo
}

var ruleKeys = []events.Key{ruleFounder.Key(), ruleSecond.Key(), ruleThird.Key(), ruleUN.Key(),
	ruleParis.Key(),
	ruleBrest.Key(), ruleBerlin.Key(),
	ruleRome.Key(), ruleOtherRome.Key(), ruleStranger.Key(), ruleAuditor.Key(),
	ruleShape.Key()}

// ruleRoleOf returns the role that a key is admitted in.
func ruleRoleOf(key events.Key) events.MemberRole {
	switch {
	case key == ruleUN.Key():
		return events.Importer
	case key == ruleAuditor.Key():
		return events.Reader
	case key.Party() == events.HQ:
		return events.Coordinator
	}
	return events.Liaison
}

// ruleMoving are the types that as a rule are about a pledge that is there, and ruleFree the
// others, and two for a pledge that is not there.
var ruleMoving, ruleFree = func() (moving, free []events.Type) {
	for _, typ := range events.Types() {
		switch st := ruleSay(typ); {
		case typ == "pledge.offered":
			moving, free = append(moving, typ), append(free, typ, typ)
		case ruleMoves(st):
			moving = append(moving, typ)
		default:
			free = append(free, typ)
		}
	}
	return moving, append(free, "pledge.amended", "condition.failed", "member.seconded",
		"member.seconded")
}()

// draw draws something that somebody might want to say after h: often what fits, and often not.
func (h ruleHistory) draw(t *rapid.T) ruleCommand {
	typ, members := rulePick(t, "type", ruleFree), ruleDraw(t)
	if pledges := h.pledges(t); len(pledges) > 0 && ruleDie(t, "not about a pledge", 5) < 3 {
		typ, members = h.follow(t, rulePick(t, "pledge", pledges), members)
	}
	st := ruleSay(typ)
	ruleFill(st, members)
	if offer, ok := st.(*events.PledgeOffered); ok && ruleDie(t, "a new pledge", 4) == 3 {
		offer.Pledge = events.ID{}
	}
	h.suit(t, st)
	st.Head().ID, _ = events.IDAt(uint64(len(h)), [10]byte{1})
	if _, err := events.Marshal(st); err != nil {
		t.Fatalf("nobody could sign this: %v", err)
	}
	return ruleCommand{rulePick(t, "key", h.signers(t, st)), st}
}

// suit draws what depends on the kind of statement or on what was said before.
func (h ruleHistory) suit(t *rapid.T, st events.Statement) {
	said := h.where(func(old events.Statement) bool {
		return ruleOfPledge(old) && events.Thing(old) == events.Thing(st)
	})
	about := func(label string, typ events.Type) events.ID {
		var ids []events.ID
		for _, c := range said {
			if typ == "" || c.st.Head().Type == typ {
				ids = append(ids, c.st.Head().ID)
			}
		}
		if len(ids) == 0 || ruleDie(t, label+" of none", 12) == 11 {
			return ruleFRA2
		}
		return rulePick(t, label, ids)
	}
	if w := ruleField(st, "Window"); w.IsValid() {
		if window := w.Addr().Interface().(*events.Window); window.Until < window.From {
			window.Until = 0
		}
	}
	if u := ruleField(st, "Upon"); u.IsValid() && ruleMoves(st) {
		switch ruleDie(t, "builds on", 8) {
		case 0, 1:
			u.Set(reflect.ValueOf(events.Upon{After: int64(h.lastAbout(st))}))
		case 2:
			u.Set(reflect.ValueOf(
				events.Upon{After: int64(1 + ruleDie(t, "older", min(len(h)+1, 64)))}))
		}
	}
	terms := ruleTerms(st)
	switch st := st.(type) {
	case *events.MemberAdmitted:
		st.Clearance = ""
		if st.Role == events.Reader {
			st.Clearance = events.ForTheCoalition
		}
	case *events.MemberSeconded:
		h.drawSecond(t, st)
	case *events.MemberRetracted:
		h.drawRetraction(t, st)
	case *events.PledgeDisclosed:
		h.drawDisclosure(t, st)
		return
	case *events.ScopeDeclared:
		st.Unlimited = len(st.Roles) == 0
	case *events.AllocationReleased:
		st.Allocation = about("allocation", "allocation.made")
	case *events.PledgeQueried:
		if ruleDie(t, "asked by the nation", 3) == 2 {
			st.To = events.HQ
		}
	case *events.PledgeAnswered:
		st.Query = about("query", "pledge.queried")
	case *events.PledgeRenewed:
		st.Expires = max(st.Expires, st.Effective)
	case *events.PledgeCorrected:
		st.Corrects = about("corrected", "")
		terms = h.drawCorrection(t, st)
		// What is allocated may not be struck at its beginning, and what another pledge names may,
		// which chance seldom tries.
		if (about("allocated", "allocation.made") != ruleFRA2 || h.names("Predecessor",
			st.Pledge)) && ruleDie(t, "all", 2) == 1 {
			st.Corrects, st.Struck, st.Terms, st.Strength, terms = st.Pledge, true, nil, nil, nil
		}
	}
	if terms == nil {
		return
	}
	terms.ReleasableTo = nil
	if terms.Release == events.CoordinatorsOnly {
		terms.ReleasableTo = ruleFew(t, "releasable to", 2, []events.Nation(nil),
			[]events.Nation{"DEU"}, []events.Nation{"FRA", "ITA"},
			[]events.Nation{"x-nato"})
	}
	terms.SetAmount(events.Amount{Quantity: terms.Quantity})
	switch ruleDie(t, "how much", 16) {
	case 14:
		terms.SetAmount(events.Amount{Quantity: events.Unknown, Least: events.Count(700)})
	case 15:
		terms.SetAmount(events.Amount{Quantity: events.Unknown, Most: events.Count(700)})
	}
	terms.Expires = 0
	if ruleDie(t, "expires", 4) == 3 {
		terms.Expires = ruleFew(t, "expiry", 2, ruleDay.AddDays(60), ruleDay, ruleDay.AddDays(1))
	}
	if others := h.pledges(t); len(others) > 0 && ruleDie(t, "relieves", 6) == 5 {
		terms.Predecessor = rulePick(t, "predecessor", append(others, ruleFRA2))
	}
	// What is named stays named as a rule, also when it is struck.
	for _, c := range h.ofPledge(ruleCommand{st: st}) {
		if was := ruleGet[events.ID](c.st, "Predecessor"); !was.IsZero() &&
			ruleDie(t, "relieves as before", 4) > 0 {
			terms.Predecessor = was
		}
	}
}

// ruleTerms returns the terms that a statement restates, nil when it has none.
func ruleTerms(st events.Statement) *events.PledgeTerms {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return &st.PledgeTerms
	case *events.PledgeOffered:
		return &st.PledgeTerms
	case *events.PledgeAmended:
		return &st.PledgeTerms
	}
	return nil
}

// drawCorrection draws what a correction mends, and returns its terms.
func (h ruleHistory) drawCorrection(t *rapid.T, st *events.PledgeCorrected) *events.PledgeTerms {
	opening := h.of(st.Pledge).st
	st.Terms, st.Strength = nil, nil
	role, unit := events.Role("ground"), events.Unit("personnel")
	if opening != nil {
		role, unit = ruleGet[events.Role](opening, "Role"), ruleGet[events.Unit](opening, "Unit")
	}
	switch ruleDie(t, "correction", 5) {
	case 0, 1:
		st.Struck = true
	case 2:
		st.Terms = &events.PledgeTerms{Role: role, Unit: unit, Quantity: events.Count(900),
			Window: events.Window{From: 2027_01_01}}
		return st.Terms
	case 3:
		st.Strength = &events.Strength{Quantity: events.Count(900),
			Unit: ruleFew(t, "unit", 8, unit, "ship")}
	}
	return nil
}

// drawDisclosure restates the pledge as it stands, as a rule.
func (h ruleHistory) drawDisclosure(t *rapid.T, st *events.PledgeDisclosed) {
	stands := h.stands(ruleCommand{st: st})
	if begun := h.of(st.Pledge).st; stands.Rung == "" || begun == nil ||
		ruleDie(t, "restated", 8) == 7 {
		st.Rung = events.Offered
		if ruleDie(t, "deployed", 8) == 7 {
			st.Rung, st.InPlace = events.Deployed,
				&events.Strength{Quantity: events.Count(1), Unit: st.Unit}
		}
	} else {
		st.PledgeTerms, st.Standing = h.ofPledge(ruleCommand{st: st}).
			terms(max(st.Effective, 2027_03_01)), stands
		st.Effective = ruleFew(t, "disclosed on", 3, events.Date(2027_01_02), st.Effective)
		st.Expires = h.ofPledge(ruleCommand{st: st}).expiry()
		if stands.Rung == events.Deployed {
			st.InPlace = &events.Strength{Quantity: events.Count(1), Unit: st.Unit}
		}
	}
	st.Release, st.ReleasableTo = ruleFew(t, "disclosed to", 2, events.CoalitionOnly, events.Public,
		events.CoordinatorsOnly), nil
	if st.Release == events.CoordinatorsOnly {
		st.ReleasableTo = []events.Nation{"DEU", "FRA", "ITA"}
	}
}

// ruleDraw draws a value for everything that statements say.
func ruleDraw(t *rapid.T) []ruleMember {
	key := rulePick(t, "member", ruleKeys)
	counted := ruleFew(t, "role and unit", 2, [2]string{"ground", "personnel"},
		[2]string{"ground", "battalion"},
		[2]string{"air", "aircraft"}, [2]string{"intelligence", "cell"}, [2]string{"sea", "ship"},
		[2]string{"ground", "ship"})
	sea := events.RoleDefinition{Role: "sea", Title: "Ships", Units: []events.Unit{"ship"}}
	return []ruleMember{
		{"Key", key}, {"Role", ruleRoleOf(key)},
		{"Founder", ruleFew(t, "founder", 4, ruleFounder.Key(), ruleSecond.Key())},
		{"Name", ruleFew(t, "meeting", 2, "FGC 4", "FGC 5", "FGC 6")},
		{"Seconds", ruleDie(t, "seconds", 3)}, {"Statement", ruleFRA2}, {"Leaf", zeroRoot},
		{"Ledger", ruleFew(t, "ledger", 20, ruleOrigin, "muster.example/other")},
		{"Effective", ruleFew(t, "effective", 4, ruleDay, ruleDay.AddDays(1),
			ruleDay.AddDays(-1), 2027_01_02)},
		{"Operation", ruleFew(t, "operation", 8, events.Operation("mnf-u"), "unmil", "mnf-x")},
		{"Nation", ruleFew(t, "nation", 2, events.Nation("FRA"), "DEU", "ITA", "POL", "x-nato")},
		{"Organisations", ruleFew(t, "organisations", 2, events.Organisations{ruleNATO}, nil,
			events.Organisations{ruleNATO, ruleOSCE}, events.Organisations{ruleOSCE})},
		{"Role", events.Role(counted[0])}, {"Unit", events.Unit(counted[1])},
		{"Roles", ruleFew(t, "catalogue", 2, ruleCatalogue, append(ruleCatalogue[:2:2], sea),
			ruleCatalogue[:1], []events.RoleDefinition{sea})},
		{"Roles", rulePick(t, "scope", [][]events.Role{{"air"}, {"air", "intelligence"}, {"ground"},
			{}, {"sea", "ground"}})},
		{"Line", ruleFew(t, "line", 2, events.Line("ground-west"), "ground-east")},
		{"Condition", ruleFew(t, "condition", 2, events.Line("vote"), "truce")},
		{"Caveat", ruleFew(t, "caveat", 2, events.Line("by-day"), "by-night")},
		{"Expires", ruleFew(t, "expires", 3, ruleDay.AddDays(60), ruleDay.AddDays(1), 2027_01_01)},
		{"Area", ruleFew(t, "area", 3, events.Area(""), "west", "east")},
		{"Until", ruleFew(t, "until", 3, events.Date(0), 2027_01_03)},
		{"From", ruleFew(t, "from", 3, events.Date(2027_01_01), 2027_01_02, 2027_01_09)},
		{"Presence", ruleFew(t, "presence", 6, events.New, events.Reserve)},
		{"Quantity", ruleFew(t, "quantity", 2, events.Count(1200), events.Count(500),
			events.Count(700))},
		{"Release", ruleFew(t, "release", 2, events.Release(""), events.Public,
			events.CoalitionOnly, events.CoordinatorsOnly, events.CoordinatorsOnly)},
		{"Kind", ruleFew(t, "kind", 2, events.Parliament, events.Funding, events.OtherThing,
			events.CeaseFire, events.Mandate)},
	}
}

// ruleFew draws usually the first, and one time in n one of the others.
func ruleFew[T any](t *rapid.T, label string, n int, usual T, others ...T) T {
	if ruleDie(t, label+"?", n) < n-1 {
		return usual
	}
	return rulePick(t, label, others)
}

func rulePick[T any](t *rapid.T, label string, all []T) T {
	return all[ruleDie(t, label, len(all))]
}

// ruleDie draws a number below n, at most 64, each about as likely as the others: rapid's own draws
// prefer small ones.
func ruleDie(t *rapid.T, label string, n int) int {
	drawn := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 6, 6).Draw(t, label) {
		drawn *= 2
		if bit {
			drawn++
		}
	}
	return drawn * n / 64
}

// pledges returns the ids of the pledges that were begun, as a rule without those that have ended.
func (h ruleHistory) pledges(t *rapid.T) (all []events.ID) {
	ended := ruleDie(t, "one that has ended", 6) == 5
	for _, c := range h {
		id := events.Thing(c.st)
		if ruleOfPledge(c.st) && id == c.st.Head().ID &&
			(ended || !strings.ContainsAny(h.life(id), "XWR") && !h.struck(c.st)) {
			all = append(all, id)
		}
	}
	return all
}

// follow makes of what was drawn something about a pledge that is there, as a rule where it is and
// with its role and unit.
func (h ruleHistory) follow(t *rapid.T, id events.ID,
	members []ruleMember) (events.Type, []ruleMember) {
	members = append(members, ruleMember{"Pledge", id})
	if ruleDie(t, "other terms", 10) < 9 {
		opening := h[slices.IndexFunc(h,
			func(c ruleCommand) bool { return c.st.Head().ID == id })].st
		members = append(members,
			ruleMember{"Operation", ruleGet[events.Operation](opening, "Operation")},
			ruleMember{"Nation", ruleGet[events.Nation](opening, "Nation")},
			ruleMember{"Role", ruleGet[events.Role](opening, "Role")},
			ruleMember{"Unit", ruleGet[events.Unit](opening, "Unit")})
	}
	life := h.life(id)
	rung := strings.TrimRight(life, "MKkfNEHhLlP")
	if rung == "" { // it was struck
		return rulePick(t, "about what was struck", ruleMoving), members
	}
	up, ok := map[byte]events.Type{'I': "pledge.offered", 'O': "pledge.accepted",
		'A': "pledge.confirmed", 'C': "pledge.deployed"}[rung[len(rung)-1]]
	switch next := ruleDie(t, "next", 4); {
	case h.names("Predecessor", id) && ruleDie(t, "strike what is named", 3) == 2:
		return "pledge.corrected", members
	case h.namesStruck(id) && ruleDie(t, "restate what names it", 3) == 2:
		return "pledge.amended", members
	case strings.ContainsAny(life, "Ll") && ruleDie(t, "correct", 4) == 3:
		return "pledge.corrected", members
	case next > 0 && strings.ContainsAny(life, "Ll") && ruleDie(t, "release", 3) == 2:
		return "allocation.released", members
	case next > 0 && strings.ContainsAny(life, "OAC") && ruleDie(t, "allocate", 12) == 11:
		return "allocation.made", members
	case next > 0 && strings.HasSuffix(life, "K"):
		return rulePick(t, "settle",
			[]events.Type{"condition.discharged", "condition.failed", "condition.discharged",
				"pledge.confirmed"}), members
	case next > 1 && ok:
		return up, members
	}
	return rulePick(t, "about the pledge", ruleMoving), members
}

// namesStruck reports whether a pledge was said to relieve one that is struck.
func (h ruleHistory) namesStruck(id events.ID) bool {
	return slices.ContainsFunc(h, func(c ruleCommand) bool {
		named := h.of(ruleGet[events.ID](c.st, "Predecessor")).st
		return ruleOfPledge(c.st) && events.Thing(c.st) == id && named != nil && h.struck(named)
	})
}

// signers returns who might sign st: as a rule those who may.
func (h ruleHistory) signers(t *rapid.T, st events.Statement) []events.Key {
	if ruleDie(t, "any key", 8) == 7 {
		return ruleKeys
	}
	roll := h.roll()
	may := slices.DeleteFunc(slices.Clone(ruleKeys), func(k events.Key) bool {
		return roll.role(k) == "" || h.wrongParty(ruleCommand{k, st})
	})
	return append(may, ruleFounder.Key())
}
