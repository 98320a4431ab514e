package ledger_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	return fmt.Sprintf("%s: %s %v", c.key.Name(), text, err)
}

// ruleHistory is what was said so far, in order: record n is at n-1.
type ruleHistory []ruleCommand

var (
	ruleKeys = []events.Key{ruleFounder.Key(), ruleSecond.Key(), ruleUN.Key(), ruleParis.Key(), ruleBrest.Key(), ruleBerlin.Key(),
		ruleRome.Key(), ruleOtherRome.Key(), ruleStranger.Key()}
	ruleMemberRoles = map[events.Key]events.MemberRole{ruleFounder.Key(): events.Coordinator, ruleSecond.Key(): events.Coordinator, ruleUN.Key(): events.Importer}
	ruleNations     = []events.Nation{"FRA", "DEU", "ITA", "POL"}
	ruleDates       = []events.Date{ruleDay, ruleDay.AddDays(1), ruleDay.AddDays(2), ruleDay.AddDays(-1)}
	ruleEach        = func(*testing.T) {}
)

// ruleBeginnings is how many histories begin, so that most commands meet a ledger in which something is going on.
func ruleBeginning() ruleHistory {
	founder := ruleFounder.Key()
	h := ruleHistory{{founder, ruleSay("ledger.founded")}, {founder, ruleSay("operation.opened")}}
	for _, key := range []events.Key{ruleUN.Key(), ruleSecond.Key(), ruleParis.Key(), ruleBerlin.Key()} {
		h = append(h, ruleCommand{founder, ruleSay("member.admitted", "Key", key, "Role", ruleRoleOf(key))})
	}
	return append(h, ruleCommand{ruleUN.Key(), ruleSay("operation.opened", "Operation", "unmil")})
}

func ruleRoleOf(key events.Key) events.MemberRole {
	if role, ok := ruleMemberRoles[key]; ok {
		return role
	}
	return events.Liaison
}

// drawCommand draws something that somebody might want to say: often what fits, and often not.
func (h ruleHistory) drawCommand(t *rapid.T) ruleCommand {
	typ := rapid.SampledFrom(events.Types()).Draw(t, "type")
	pairs := []any{"Effective", rapid.SampledFrom(ruleDates).Draw(t, "effective")}
	add := func(name string, value any) { pairs = append(pairs, name, value) }
	typ, about := h.drawPledge(t, typ)
	st := ruleSay(typ)
	v := reflect.ValueOf(st).Elem()
	for i := range v.NumField() {
		_ = i
	}
	_ = about
	add("x", 1)
	return ruleCommand{ruleKeys[0], st}
}

func (h ruleHistory) drawPledge(t *rapid.T, typ events.Type) (events.Type, events.ID) {
	return typ, events.ID{}
}

// ruleState replays a history.
func ruleState(t rapid.TB, h ruleHistory) *ledger.State {
	s := ledger.NewState()
	for _, c := range h {
		if _, err := s.Apply(ruleRecord(s, c.st)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func ruleRecord(s *ledger.State, st events.Statement) events.Record {
	n := s.Last() + 1
	return events.Record{Sequence: n, Recorded: time.Unix(int64(n), 0).UTC(), Signed: events.Signed{Statement: st}}
}

var ruleUnexported = cmp.Exporter(func(reflect.Type) bool { return true })
