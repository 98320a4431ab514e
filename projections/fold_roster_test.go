package projections

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/projections/internal/ledgertest"
)

// newSeconding returns a ledger that asks for one second, in which
//
//	1 HQ/founder founds    2 admits HQ/second     3 admits HQ/third    4 HQ/second seconds that
//	5 admits FRA/paris     6 HQ/third seconds it  7 admits FRA/brest   8 HQ/second seconds it
//	9 FRA/paris seconds it 10 revokes FRA/brest   11 revokes it again  12 HQ/second seconds 10
//	13 FRA/paris revokes itself                   14 admits FRA/nice   15 HQ/third seconds it
//	16 admits HQ/un, an importer
func newSeconding(t tb) *testLedger {
	l := &testLedger{ledgertest.New(), t}
	l.say("HQ/founder", &events.LedgerFounded{Header: l.head("ledger.founded"), Title: "A test",
		Founder: l.key("HQ/founder").Key(), Seconds: 1})
	l.admit("HQ/second", events.Coordinator)
	l.admit("HQ/third", events.Coordinator, "HQ/second")
	l.admit("FRA/paris", events.Liaison, "HQ/third")
	l.admit("FRA/brest", events.Liaison, "HQ/second", "FRA/paris")
	first := l.revokes("HQ/founder", "FRA/brest")
	l.revokes("HQ/founder", "FRA/brest")
	l.second("HQ/second", first)
	l.revokes("FRA/paris", "FRA/paris")
	l.admit("FRA/nice", events.Liaison, "HQ/third")
	l.admit("HQ/un", events.Importer)
	return l
}

// newRetracting is that ledger, in which then
//
//	17 HQ/founder retracts 16    18 admits HQ/un again    19 HQ/second seconds that
func newRetracting(t tb) *testLedger {
	l := newSeconding(t)
	un := l.All[15].Statement.(*events.MemberAdmitted)
	l.say("HQ/founder", &events.MemberRetracted{Header: l.head("member.retracted"),
		Statement: un.ID, Key: un.Key, Reason: "it was the wrong key"})
	l.admit("HQ/un", events.Importer, "HQ/second")
	return l
}

func (l *testLedger) admit(key string, role events.MemberRole, seconders ...string) {
	l.t.Helper()
	seq := l.say("HQ/founder", &events.MemberAdmitted{Header: l.head("member.admitted"),
		Key: l.key(key).Key(), Role: role, Note: "for " + key})
	for _, by := range seconders {
		l.second(by, seq)
	}
}

func (l *testLedger) revokes(by, key string) uint64 {
	l.t.Helper()
	return l.say(by, &events.MemberRevoked{Header: l.head("member.revoked"),
		Key: l.key(key).Key(), Reason: "it was lost"})
}

func (l *testLedger) second(by string, seq uint64) {
	l.t.Helper()
	rec := l.All[seq-1]
	leaf := rec.Leaf()
	var key events.Key
	switch st := rec.Statement.(type) {
	case *events.MemberAdmitted:
		key = st.Key
	case *events.MemberRevoked:
		key = st.Key
	}
	l.say(by, &events.MemberSeconded{Header: l.head("member.seconded"), Key: key,
		Statement: rec.Statement.Head().ID, Leaf: base64.StdEncoding.EncodeToString(leaf[:])})
}

// Who may sign, and what waits, as of each record: an admission counts from its last second on.
func TestSeconds(t *testing.T) {
	l := newRetracting(t)
	p := l.picture()
	for asOf, want := range map[uint64]struct{ members, waiting string }{
		1:  {"founder@1", ""},
		2:  {"founder@1 second@2", ""},
		3:  {"founder@1 second@2", "3 admits third lacks 1"},
		4:  {"founder@1 second@2 third@4", ""},
		5:  {"founder@1 second@2 third@4", "5 admits paris lacks 1"},
		6:  {"founder@1 second@2 third@4 paris@6", ""},
		7:  {"founder@1 second@2 third@4 paris@6", "7 admits brest lacks 1 FRA"},
		8:  {"founder@1 second@2 third@4 paris@6", "7 admits brest lacks 0 FRA"},
		9:  {"founder@1 second@2 third@4 paris@6 brest@9", ""},
		10: {"founder@1 second@2 third@4 paris@6 brest@9", "10 revokes brest lacks 1"},
		11: {"founder@1 second@2 third@4 paris@6 brest@9",
			"10 revokes brest lacks 1, 11 revokes brest lacks 1"},
		12: {"founder@1 second@2 third@4 paris@6 brest@9-12", ""},
		13: {"founder@1 second@2 third@4 paris@6-13 brest@9-12", ""},
		14: {"founder@1 second@2 third@4 paris@6-13 brest@9-12", "14 admits nice lacks 1"},
		15: {"founder@1 second@2 third@4 paris@6-13 brest@9-12 nice@15 unheard", ""},
		16: {"founder@1 second@2 third@4 paris@6-13 brest@9-12 nice@15 unheard",
			"16 admits un lacks 1"},
		17: {"founder@1 second@2 third@4 paris@6-13 brest@9-12 nice@15 unheard", ""},
		18: {"founder@1 second@2 third@4 paris@6-13 brest@9-12 nice@15 unheard",
			"18 admits un lacks 1"},
		19: {"founder@1 second@2 third@4 paris@6-13 brest@9-12 nice@15 unheard un@19", ""},
	} {
		for whose, p := range map[string]*Picture{"the last": p,
			"the one then": l.pictureUpTo(asOf)} {
			r := must[Roster](t)(p.Members(t.Context(), Moment{AsOf: asOf}))
			equal(t, whose+" picture's members", shortMembers(r), want.members)
			equal(t, whose+" picture's waiting", shortWaiting(r), want.waiting)
		}
	}
	r := must[Roster](t)(p.Members(t.Context(), Moment{}))
	equal(t, "asked", r.Seconds, 1)
	brest := r.Members[4]
	equal(t, "proposed", brest.Proposed, 7)
	equal(t, "seconded", len(brest.Seconded), 2)
	equal(t, "by France", brest.Seconded[1].Sequence, 9)
	equal(t, "note", brest.Note, "for FRA/brest")
	equal(t, "reason", brest.Reason, "it was lost")
}

func shortMembers(r Roster) string {
	var all []string
	for _, m := range r.Members {
		_, name, _ := strings.Cut(m.Name, "/")
		text := fmt.Sprintf("%s@%d", name, m.Admitted)
		if m.Revoked > 0 {
			text += fmt.Sprintf("-%d", m.Revoked)
		}
		if m.Unheard {
			text += " unheard"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func shortWaiting(r Roster) string {
	var all []string
	for _, w := range r.Waiting {
		does := "admits"
		if w.Revokes {
			does = "revokes"
		}
		_, name, _ := strings.Cut(w.Name, "/")
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s %s lacks %d %s", w.Sequence, does,
			name, w.Coordinators, w.Liaison)))
	}
	return strings.Join(all, ", ")
}
