package projector

import (
	"context"
	"errors"

	"muster/events"
	"muster/projections"
	"muster/projections/internal/ledgertest"
	"muster/projections/records"
)

// tb is what *testing.T and *testing.B have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// A testLedger is a ledger in memory in which nations offer troops.
type testLedger struct {
	*ledgertest.Ledger
	t tb
}

const on = events.Date(2026_01_01)

// newTestLedger returns a ledger of two records: its founding, and the opening of an operation.
func newTestLedger(t tb) *testLedger {
	l := &testLedger{ledgertest.New(), t}
	founder := must[*events.Signer](t)(l.Key("HQ/founder")).Key()
	l.say("HQ/founder", &events.LedgerFounded{Header: l.head("ledger.founded"), Title: "A test",
		Founder: founder})
	l.say("HQ/founder", &events.OperationOpened{Header: l.head("operation.opened"),
		Dated: events.Dated{Effective: on}, OperationTerms: events.OperationTerms{
			Operation: "op-a", Title: "Operation op-a", Roles: []events.RoleDefinition{
				{Role: "ground", Title: "Troops", Units: []events.Unit{"personnel"}}}}})
	return l
}

// allKinds returns a ledger in which every kind of statement was made.
func allKinds(t tb) *testLedger {
	return &testLedger{must[*ledgertest.Ledger](t)(ledgertest.AllKinds()), t}
}

func (l *testLedger) upTo(n uint64) *testLedger { return &testLedger{l.UpTo(n), l.t} }

func (l *testLedger) head(t events.Type) events.Header {
	l.t.Helper()
	return must[events.Header](l.t)(l.Head(t))
}

func (l *testLedger) say(by string, s events.Statement) uint64 {
	l.t.Helper()
	return must[uint64](l.t)(l.Say(by, s))
}

// An offer is a pledge that was offered.
type offer struct {
	id    events.ID
	place events.Place
	seq   uint64
}

func terms(quantity int64) events.PledgeTerms {
	return events.PledgeTerms{Role: "ground", Quantity: events.Count(quantity), Unit: "personnel",
		Window: events.Window{From: on}}
}

// offer offers troops.
func (l *testLedger) offer(nation events.Nation, quantity int64) offer {
	l.t.Helper()
	o := offer{place: events.Place{Operation: "op-a", Nation: nation}}
	s := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: events.Dated{Effective: on},
		Place: o.place, PledgeTerms: terms(quantity)}
	o.id, o.seq = s.ID, l.say(string(nation)+"/liaison", s)
	return o
}

// amend changes what is offered from a day of January on.
func (l *testLedger) amend(o offer, day int, quantity int64) {
	l.t.Helper()
	l.say(string(o.place.Nation)+"/liaison", &events.PledgeAmended{
		Header: l.head("pledge.amended"), Dated: events.Dated{Effective: on.AddDays(day - 1)},
		Place: o.place, Pledge: o.id, PledgeTerms: terms(quantity)})
}

// reportNothing reports of a pledge that nobody has begun, which no ledger would take.
func (l *testLedger) reportNothing() {
	l.t.Helper()
	l.say("FRA/liaison", &events.PledgeReported{PledgeStep: events.PledgeStep{
		Header: l.head("pledge.reported"), Dated: events.Dated{Effective: on},
		Place: events.Place{Operation: "op-a", Nation: "FRA"},
		Step:  events.Step{Pledge: l.head("pledge.offered").ID}},
		Strength: events.Strength{Quantity: events.Count(5), Unit: "personnel"}})
}

// need issues a requirement.
func (l *testLedger) need(line events.Line, quantity int64) {
	l.t.Helper()
	l.say("HQ/founder", &events.RequirementIssued{Header: l.head("requirement.issued"),
		Dated: events.Dated{Effective: on}, RequirementTerms: events.RequirementTerms{
			Operation: "op-a", Line: line, Role: "ground", Quantity: events.Count(quantity),
			Unit: "personnel", Window: events.Window{From: on}, Priority: 1}})
}

// picture folds all records, one by one.
func (l *testLedger) picture() *projections.Picture { return l.pictureUpTo(l.Last()) }

func (l *testLedger) pictureUpTo(n uint64) *projections.Picture {
	l.t.Helper()
	p := projections.NewPicture()
	for _, rec := range l.All[:n] {
		if err := p.Apply(rec); err != nil {
			l.t.Fatal(err)
		}
	}
	return p
}

// plainSource hides what a source can do besides being one.
type plainSource struct{ records.Source }

var errClosed = errors.New("the source was closed")

// whole is the fingerprint of a picture.
func whole(t tb, p *projections.Picture) string {
	t.Helper()
	return must[projections.Fingerprints](t)(p.Fingerprint(context.Background(), 0)).Whole
}

// equal fails the test when got is not want.
func equal[T comparable](t tb, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// must returns the answer to a question that cannot fail.
func must[T any](t tb) func(T, error) T {
	return func(answer T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}
