package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/ledger"
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
	for _, key := range []events.Key{ruleUN.Key(), ruleParis.Key(), ruleBerlin.Key(), ruleSecond.Key()} {
		h = append(h, ruleCommand{founder, ruleSay("member.admitted", "Key", key, "Role", ruleRoleOf(key))})
	}
	return h[:n]
}

const ruleBeginning = 6 // the most that ruleBegin has

// state replays the history.
func (h ruleHistory) state(t rapid.TB) *ledger.State {
	s := ledger.NewState()
	for _, c := range h {
		ruleApply(t, s, c.st)
	}
	return s
}

func ruleApply(t rapid.TB, s *ledger.State, st events.Statement) (undo func()) {
	n := s.Last() + 1
	undo, err := s.Apply(events.Record{Sequence: n, Recorded: time.Unix(int64(n), 0).UTC(), Signed: events.Signed{Statement: st}})
	if err != nil {
		t.Fatal(err)
	}
	return undo
}

var ruleKeys = []events.Key{ruleFounder.Key(), ruleSecond.Key(), ruleUN.Key(), ruleParis.Key(), ruleBrest.Key(), ruleBerlin.Key(),
	ruleRome.Key(), ruleOtherRome.Key(), ruleStranger.Key()}

// ruleRoleOf returns the role that a key is admitted in.
func ruleRoleOf(key events.Key) events.MemberRole {
	switch {
	case key == ruleUN.Key():
		return events.Importer
	case key.Party() == events.HQ:
		return events.Coordinator
	}
	return events.Liaison
}

// ruleMoving are the types that as a rule are about a pledge that is there, and ruleFree the others, and two for a pledge
// that is not there.
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
	return moving, append(free, "pledge.amended", "condition.failed")
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
	if scope, ok := st.(*events.ScopeDeclared); ok {
		scope.Unlimited = len(scope.Roles) == 0
	}
	st.Head().ID, _ = events.IDAt(uint64(len(h)), [10]byte{1})
	if _, err := events.Marshal(st); err != nil {
		t.Fatalf("nobody could sign this: %v", err)
	}
	return ruleCommand{rulePick(t, "key", h.signers(t, st)), st}
}

// ruleDraw draws a value for everything that statements say.
func ruleDraw(t *rapid.T) []ruleMember {
	key := rulePick(t, "member", ruleKeys)
	counted := ruleFew(t, "role and unit", 2, [2]string{"ground", "personnel"}, [2]string{"ground", "battalion"},
		[2]string{"air", "aircraft"}, [2]string{"intelligence", "cell"}, [2]string{"sea", "ship"}, [2]string{"ground", "ship"})
	sea := events.RoleDefinition{Role: "sea", Title: "Ships", Units: []events.Unit{"ship"}}
	return []ruleMember{
		{"Key", key}, {"Role", ruleRoleOf(key)}, {"Founder", ruleFew(t, "founder", 4, ruleFounder.Key(), ruleSecond.Key())},
		{"Ledger", ruleFew(t, "ledger", 20, ruleOrigin, "muster.example/other")},
		{"Effective", ruleFew(t, "effective", 4, ruleDay, ruleDay.AddDays(1), ruleDay.AddDays(-1))},
		{"Operation", ruleFew(t, "operation", 8, events.Operation("mnf-u"), "unmil", "mnf-x")},
		{"Nation", ruleFew(t, "nation", 2, events.Nation("FRA"), "DEU", "ITA", "POL")},
		{"Role", events.Role(counted[0])}, {"Unit", events.Unit(counted[1])},
		{"Roles", ruleFew(t, "catalogue", 2, ruleCatalogue, append(ruleCatalogue[:2:2], sea), ruleCatalogue[:1], []events.RoleDefinition{sea})},
		{"Roles", rulePick(t, "scope", [][]events.Role{{"air"}, {"air", "intelligence"}, {"ground"}, {}, {"sea", "ground"}})},
		{"Line", ruleFew(t, "line", 2, events.Line("ground-west"), "ground-east")},
		{"Condition", ruleFew(t, "condition", 2, events.Line("vote"), "truce")},
		{"Kind", ruleFew(t, "kind", 2, events.Parliament, events.Funding, events.OtherThing, events.CeaseFire, events.Mandate)},
	}
}

// ruleFew draws usually the first, and one time in n one of the others.
func ruleFew[T any](t *rapid.T, label string, n int, usual T, others ...T) T {
	if ruleDie(t, label+"?", n) < n-1 {
		return usual
	}
	return rulePick(t, label, others)
}

func rulePick[T any](t *rapid.T, label string, all []T) T { return all[ruleDie(t, label, len(all))] }

// ruleDie draws a number below n, at most 64, each about as likely as the others: rapid's own draws prefer small ones.
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
		if ruleOfPledge(c.st) && id == c.st.Head().ID && (ended || !strings.ContainsAny(h.life(id), "XWR")) {
			all = append(all, id)
		}
	}
	return all
}

// follow makes of what was drawn something about a pledge that is there, as a rule where it is and with its role and unit.
func (h ruleHistory) follow(t *rapid.T, id events.ID, members []ruleMember) (events.Type, []ruleMember) {
	members = append(members, ruleMember{"Pledge", id})
	if ruleDie(t, "other terms", 10) < 9 {
		opening := h[slices.IndexFunc(h, func(c ruleCommand) bool { return c.st.Head().ID == id })].st
		members = append(members, ruleMember{"Operation", ruleGet[events.Operation](opening, "Operation")}, ruleMember{"Nation", ruleGet[events.Nation](opening, "Nation")},
			ruleMember{"Role", ruleGet[events.Role](opening, "Role")}, ruleMember{"Unit", ruleGet[events.Unit](opening, "Unit")})
	}
	life := h.life(id)
	rung := strings.TrimRight(life, "MKkfN")
	up, ok := map[byte]events.Type{'I': "pledge.offered", 'O': "pledge.accepted", 'A': "pledge.confirmed", 'C': "pledge.deployed"}[rung[len(rung)-1]]
	switch next := ruleDie(t, "next", 4); {
	case next > 0 && strings.HasSuffix(life, "K"):
		return rulePick(t, "settle", []events.Type{"condition.discharged", "condition.failed", "condition.discharged", "pledge.confirmed"}), members
	case next > 1 && ok:
		return up, members
	}
	return rulePick(t, "about the pledge", ruleMoving), members
}

// signers returns who might sign st: as a rule those who may.
func (h ruleHistory) signers(t *rapid.T, st events.Statement) []events.Key {
	if ruleDie(t, "any key", 8) == 7 {
		return ruleKeys
	}
	may := slices.DeleteFunc(slices.Clone(ruleKeys), func(k events.Key) bool { return h.roleOf(k) == "" || h.wrongParty(ruleCommand{k, st}) })
	return append(may, ruleFounder.Key())
}
