package ledger_test

import (
	"fmt"
	"slices"
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

// draw draws something that somebody might want to say after h: often what fits, and often not.
func (h ruleHistory) draw(t *rapid.T) ruleCommand {
	typ := rapid.SampledFrom(events.Types()).Draw(t, "type")
	members := ruleDraw(t)
	if pledges := h.pledges(); len(pledges) > 0 && rapid.IntRange(0, 4).Draw(t, "follow a pledge") > 0 {
		typ, members = h.follow(t, rapid.SampledFrom(pledges).Draw(t, "pledge"), members)
	}
	st := ruleSay(typ)
	ruleFill(st, members)
	if offer, ok := st.(*events.PledgeOffered); ok && rapid.Bool().Draw(t, "a new pledge") {
		offer.Pledge = events.ID{}
	}
	if scope, ok := st.(*events.ScopeDeclared); ok {
		scope.Unlimited = len(scope.Roles) == 0
	}
	st.Head().ID, _ = events.IDAt(uint64(len(h)), [10]byte{1})
	return ruleCommand{rapid.SampledFrom(ruleSigners(t, st)).Draw(t, "key"), st}
}

// ruleDraw draws a value for everything that statements say.
func ruleDraw(t *rapid.T) []ruleMember {
	key := rapid.SampledFrom(ruleKeys).Draw(t, "member")
	counted := rapid.SampledFrom([][2]string{{"ground", "personnel"}, {"ground", "personnel"}, {"ground", "personnel"}, {"ground", "battalion"},
		{"air", "aircraft"}, {"intelligence", "cell"}, {"sea", "ship"}, {"ground", "ship"}}).Draw(t, "role and unit")
	sea := events.RoleDefinition{Role: "sea", Title: "Ships", Units: []events.Unit{"ship"}}
	return []ruleMember{
		{"Key", key}, {"Role", ruleRoleOf(key)}, {"Founder", rapid.SampledFrom([]events.Key{ruleFounder.Key(), ruleSecond.Key()}).Draw(t, "founder")},
		{"Ledger", ruleFew(t, "ledger", 20, ruleOrigin, "muster.example/other")},
		{"Effective", ruleFew(t, "effective", 4, ruleDay, ruleDay.AddDays(1), ruleDay.AddDays(-1))},
		{"Operation", ruleFew(t, "operation", 8, events.Operation("mnf-u"), "unmil", "mnf-x")},
		{"Nation", ruleFew(t, "nation", 2, events.Nation("FRA"), "DEU", "ITA", "POL")},
		{"Role", events.Role(counted[0])}, {"Unit", events.Unit(counted[1])},
		{"Roles", rapid.SampledFrom([][]events.RoleDefinition{ruleCatalogue, append(ruleCatalogue[:2:2], sea), ruleCatalogue[:1], {sea}}).Draw(t, "catalogue")},
		{"Roles", rapid.SampledFrom([][]events.Role{{"ground"}, {"ground", "air"}, {}, {"sea", "ground"}}).Draw(t, "scope")},
		{"Line", ruleFew(t, "line", 2, events.Line("ground-west"), "ground-east")},
		{"Condition", ruleFew(t, "condition", 2, events.Line("vote"), "truce")},
		{"Kind", ruleFew(t, "kind", 2, events.Parliament, events.CeaseFire)},
	}
}

// ruleFew draws usually the first, and one time in n one of all.
func ruleFew[T any](t *rapid.T, label string, n int, usual T, others ...T) T {
	if rapid.IntRange(1, n).Draw(t, label+"?") < n {
		return usual
	}
	return rapid.SampledFrom(append(others, usual)).Draw(t, label)
}

// pledges returns the ids of all pledges that were begun, those that have ended included.
func (h ruleHistory) pledges() (all []events.ID) {
	for _, c := range h {
		if id := events.Thing(c.st); c.st.Head().Type.Subject() == "pledge" && id == c.st.Head().ID {
			all = append(all, id)
		}
	}
	return all
}

// follow makes of what was drawn something about a pledge that is there, as a rule where it is and with its role and unit.
func (h ruleHistory) follow(t *rapid.T, id events.ID, members []ruleMember) (events.Type, []ruleMember) {
	members = append(members, ruleMember{"Pledge", id})
	if rapid.IntRange(0, 9).Draw(t, "with its terms") > 0 {
		members = append(members, h.openingOf(id)...)
	}
	var next []events.Type
	for _, typ := range events.Types() {
		if s := typ.Subject(); s == "pledge" && typ != "pledge.observed" && typ != "pledge.indicated" || s == "condition" {
			next = append(next, typ)
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "climb") > 0 {
		switch life := h.life(id); life[len(life)-1] {
		case 'I':
			next = []events.Type{"pledge.offered"}
		case 'O':
			next = []events.Type{"pledge.accepted"}
		case 'A':
			next = []events.Type{"pledge.confirmed"}
		case 'C':
			next = []events.Type{"pledge.deployed"}
		}
	}
	return rapid.SampledFrom(next).Draw(t, "about the pledge"), members
}

// ruleSigners returns who might sign st: as a rule those who speak for whom it is about.
func ruleSigners(t *rapid.T, st events.Statement) []events.Key {
	if rapid.IntRange(0, 4).Draw(t, "any key") == 0 {
		return ruleKeys
	}
	nation, _ := events.About(st)
	return slices.DeleteFunc(slices.Clone(ruleKeys), func(k events.Key) bool { return k.Party() != nation && k != ruleFounder.Key() && k != ruleUN.Key() })
}
