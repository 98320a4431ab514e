package rules_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/ledger/rules"
)

// The cast of the rules' tests. Their keys are the same every time, for refusals tell the keys'
// hashes.
var (
	ruleFounder  = ruleSigner("HQ/founder", 1)
	ruleSecond   = ruleSigner("HQ/second", 2)
	ruleUN       = ruleSigner("HQ/un", 3)
	ruleParis    = ruleSigner("FRA/paris", 4)
	ruleBrest    = ruleSigner("FRA/brest", 5)
	ruleBerlin   = ruleSigner("DEU/berlin", 6)
	ruleStranger = ruleSigner("POL/warsaw", 7)
	ruleAuditor  = ruleSigner("HQ/auditor", 8)
	ruleThird    = ruleSigner("HQ/third", 9)

	// Two keys with the same name and, by a search of seconds, the same hash: signatures call both
	// ITA/rome+73aee78d.
	ruleRome, ruleOtherRome = ruleSigner("ITA/rome", 4329), ruleSigner("ITA/rome", 118131)
)

// ruleSigner makes a signer from a seed that is a number.
func ruleSigner(name string, seed uint32) *events.Signer {
	private := ed25519.NewKeyFromSeed(
		binary.BigEndian.AppendUint32(make([]byte, ed25519.SeedSize-4), seed))
	public, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	hash := strings.Split(public, "+")[1]
	s, err := events.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...)))
	if err != nil {
		panic(err)
	}
	return s
}

const (
	ruleOrigin events.Origin = "muster.example/test"
	ruleDay    events.Date   = 2026_11_23
)

// Pledges that refusals name.
var (
	ruleFRA1 = ruleID("01KAQ7Z0V4000000000000FRA1")
	ruleFRA2 = ruleID("01KAQ7Z0V4000000000000FRA2")
)

func ruleID(text string) events.ID {
	id, err := events.ParseID(text)
	if err != nil {
		panic(err)
	}
	return id
}

var ruleCatalogue = []events.RoleDefinition{
	{Role: "ground", Title: "Troops", Units: []events.Unit{"personnel", "battalion"}},
	{Role: "air", Title: "Aircraft", Units: []events.Unit{"aircraft"}},
	{Role: "intelligence", Title: "Sharing", Units: []events.Unit{"cell"}},
}

// A ruleMember is a value for the member of statements that has its name and its type.
type ruleMember struct {
	name  string
	value any
}

// ruleDefaults is what statements say unless a test says otherwise.
var ruleDefaults = []ruleMember{
	{"Ledger", ruleOrigin}, {"Title", "a test"}, {"Reason", "as agreed"},
	{"Source", "a publication"},
	{"Effective", ruleDay}, {"Operation", events.Operation("mnf-u")},
	{"Nation", events.Nation("FRA")},
	{"Role", events.Role("ground")}, {"Role", events.Liaison}, {"Roles", ruleCatalogue},
	{"Roles", []events.Role{"intelligence"}},
	{"Line", events.Line("ground-west")}, {"Quantity", events.Count(1200)},
	{"Unit", events.Unit("personnel")},
	{"From", events.Date(2027_01_01)}, {"Priority", 1}, {"Pledge", ruleFRA1},
	{"Condition", events.Line("vote")}, {"Kind", events.Parliament}, {"Founder", ruleFounder.Key()},
	{"Caveat", events.Line("by-day")}, {"Restriction", "by day only"},
	{"Expires", ruleDay.AddDays(60)}, {"Corrects", ruleFRA1}, {"Allocation", ruleFRA2},
	{"Statement", ruleFRA2}, {"Leaf", zeroRoot}, {"Key", ruleParis.Key()}, {"Name", "FGC 4"},
	{"To", events.Nation("FRA")}, {"Text", "a question"}, {"Query", ruleFRA2},
}

// ruleFill gives st those of the members that it has.
func ruleFill(st events.Statement, members []ruleMember) {
	for _, m := range members {
		if f := ruleField(st, m.name); f.IsValid() && f.Type() == reflect.TypeOf(m.value) {
			f.Set(reflect.ValueOf(m.value))
		}
	}
}

// ruleField returns the member of a statement that has the name, also of what it embeds; it is not
// valid when there is none. Looking for it takes half of the time of these tests, and so the places
// are kept.
func ruleField(st events.Statement, name string) reflect.Value {
	type member struct {
		of   reflect.Type
		name string
	}
	v := reflect.ValueOf(st).Elem()
	at, known := rulePlaces.Load(member{v.Type(), name})
	if !known {
		f, _ := v.Type().FieldByName(name)
		at = f.Index
		rulePlaces.Store(member{v.Type(), name}, at)
	}
	if len(at.([]int)) == 0 {
		return reflect.Value{}
	}
	return v.FieldByIndex(at.([]int))
}

var rulePlaces sync.Map

// ruleSay makes a statement of a type. What it says besides the defaults is given in pairs of a
// member and its value.
func ruleSay(typ events.Type, pairs ...any) events.Statement {
	st, _ := events.NewStatement(typ)
	ruleFill(st, ruleDefaults)
	switch st := st.(type) {
	case *events.PledgeOffered:
		st.Pledge, st.Expires = events.ID{}, 0 // begins a pledge
	case *events.PledgeIndicated:
		st.Expires = 0
	case *events.PledgeAmended:
		st.Expires = 0
	case *events.PledgeDisclosed:
		st.Expires, st.Release, st.Rung = 0, events.Public, events.Offered
	}
	st.Head().ID = events.NewID()
	for i := 0; i < len(pairs); i += 2 {
		f := ruleField(st, pairs[i].(string))
		f.Set(reflect.ValueOf(pairs[i+1]).Convert(f.Type()))
	}
	return st
}

// A ruleWorld is a ledger's state and the test that goes on in it.
type ruleWorld struct {
	t     *testing.T
	state *rules.State
}

// newRuleWorld returns a ledger with one operation, two liaisons of France and an importer, made by
// the records 1 to 5.
func newRuleWorld(t *testing.T) *ruleWorld {
	t.Helper()
	w := &ruleWorld{t, rules.NewState()}
	w.says(ruleFounder, ruleSay("ledger.founded"))
	w.says(ruleFounder, ruleSay("operation.opened"))
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleParis.Key()))
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBrest.Key()))
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleUN.Key(), "Role", events.Importer))
	return w
}

// record signs a statement, gives it the next place and reads it back, as it comes from a log.
func (w *ruleWorld) record(by *events.Signer, st events.Statement) events.Record {
	w.t.Helper()
	signed, err := events.Sign(st, by)
	if err != nil {
		w.t.Fatalf("%s: %v", st.Head().Type, err)
	}
	at := time.Date(2026, 11, 23, 2, 23, int(w.state.Last()), 0, time.UTC)
	rec, err := events.NewRecord(w.state.Last()+1, at, "test", signed)
	if err == nil {
		rec, err = events.ParseRecord(rec.Sequence, rec.Stored)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", st.Head().Type, err)
	}
	return rec
}

// says makes the statement, which the rules must allow, a part of the world.
func (w *ruleWorld) says(by *events.Signer, st events.Statement) {
	w.t.Helper()
	rec := w.record(by, st)
	w.allowed(by, rec.Statement)
	if _, err := w.state.Apply(rec); err != nil {
		w.t.Fatal(err)
	}
}

// allows checks that the rules allow the statement, and leaves it unsaid.
func (w *ruleWorld) allows(by *events.Signer, st events.Statement) {
	w.t.Helper()
	w.allowed(by, w.record(by, st).Statement)
}

// allowed checks that the statement may be made by its signer, and that it is allowed before
// anybody has signed it too.
func (w *ruleWorld) allowed(by *events.Signer, st events.Statement) {
	w.t.Helper()
	if err := rules.Decide(w.state, by.Key(), st); err != nil {
		w.t.Fatalf("%s may not say %s: %v", by.Name(), st.Head().Type, err)
	}
	if err := rules.DecideNew(w.state, by.Key(), st); err != nil {
		w.t.Errorf("%s is refused as a new one: %v", st.Head().Type, err)
	}
	revoked, ok := st.(*events.MemberRevoked)
	ofItself := ok && revoked.Key == by.Key() // which only this signer may
	if err := rules.DecideUnsigned(w.state, events.CoordinatorsView, st); err != nil &&
		w.state.Last() > 0 && !ofItself {
		w.t.Errorf("unsigned, %s is refused: %v", st.Head().Type, err)
	}
}

// climb says steps of the pledge ruleFRA1, one after the other, each by who may.
func (w *ruleWorld) climb(steps ...string) {
	w.t.Helper()
	for _, event := range steps {
		w.says(ruleStep(event))
	}
}

// ruleStep returns a step of the pledge ruleFRA1, and who may say it.
func ruleStep(event string) (*events.Signer, events.Statement) {
	st := ruleSay(events.Type("pledge."+event), "Pledge", ruleFRA1)
	if event == "accepted" || event == "declined" {
		return ruleFounder, st
	}
	return ruleParis, st
}

// Before anybody has signed it, a statement is refused as it would be from the party that it
// concerns; only when no party may make it is the party what is wrong.
func TestDecideUnsigned(t *testing.T) {
	w := newRuleWorld(t)
	refused := func(st events.Statement, code string) {
		t.Helper()
		if p := problem.From(rules.DecideUnsigned(w.state, events.CoordinatorsView, st)); p ==
			nil || p.Code != code {
			t.Errorf("%s is refused as %+v, want %s", st.Head().Type, p, code)
		}
	}
	refused(ruleSay("pledge.confirmed"), "pledge-unknown")
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleParis, ruleSay("condition.added"))
	refused(ruleSay("pledge.confirmed"), "wrong-rung")
	w.climb("accepted")
	refused(ruleSay("pledge.confirmed"), "condition-open")
	refused(ruleSay("pledge.offered", "Ledger", "muster.example/other"), "other-ledger")
	refused(ruleSay("pledge.offered", "Role", "sea"), "role-unknown")
	refused(ruleSay("ledger.founded"), "already-founded")
	// Which has no liaison: a coordinator may.
	w.says(ruleFounder, ruleSay("pledge.offered", "Nation", "DEU"))
	for _, key := range []*events.Signer{ruleParis, ruleBrest} {
		w.says(ruleFounder, ruleSay("member.revoked", "Key", key.Key()))
	}
	refused(ruleSay("pledge.offered"), "speaks-for-itself")
}

// refusesNew checks that the rules refuse the statement as one that is about to be made.
func (w *ruleWorld) refusesNew(by *events.Signer, st events.Statement, code, message, hint string) {
	w.t.Helper()
	ruleRefused(w.t, rules.DecideNew(w.state, by.Key(), w.record(by, st).Statement), code,
		message, hint)
}

// refuses checks that the rules refuse the statement with this code, in these words.
func (w *ruleWorld) refuses(by *events.Signer, st events.Statement, code, message, hint string) {
	w.t.Helper()
	ruleRefused(w.t, rules.Decide(w.state, by.Key(), w.record(by, st).Statement), code,
		message, hint)
}

func ruleRefused(t *testing.T, err error, code, message, hint string) {
	t.Helper()
	p := problem.From(err)
	if p == nil {
		t.Fatalf("allowed, and should be refused as %s", code)
	}
	if diff := cmp.Diff([]string{code, message, hint},
		[]string{p.Code, p.Error(), p.Hint}); diff != "" {
		t.Errorf("refusal (-want +got):\n%s", diff)
	}
}

// ruleLedger opens a whole ledger, on a log in memory and a journal of its own, and founds it.
func ruleLedger(t *testing.T) *ledger.Ledger { return ruleLedgerAt(t, time.Now) }

// ruleLedgerAt opens such a ledger that tells the time by a clock.
func ruleLedgerAt(t *testing.T, clock func() time.Time) *ledger.Ledger {
	t.Helper()
	l, _ := ruleUnfounded(t, clock)
	if _, err := l.Submit(t.Context(),
		ruleSigned(t, ruleFounder, ruleSay("ledger.founded"))); err != nil {
		t.Fatal(err)
	}
	return l
}

// ruleUnfounded opens a ledger before its first record.
func ruleUnfounded(t *testing.T, clock func() time.Time) (*ledger.Ledger, *journal.Journal) {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(),
		ledger.Config{Journal: j, Log: logtest.NewMemory(0).View(), Name: "test", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, j
}

func ruleSigned(t *testing.T, by *events.Signer, st events.Statement) events.Signed {
	t.Helper()
	signed, err := events.Sign(st, by)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
