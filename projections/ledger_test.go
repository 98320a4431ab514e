package projections

import (
	"muster/events"
	"muster/projections/internal/ledgertest"
)

// tb is what *testing.T, *testing.B and *rapid.T have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// A testLedger is a ledger in memory, with words for what tests say often.
type testLedger struct {
	*ledgertest.Ledger
	t tb
}

// newTestLedger returns a ledger that is founded, and in which the operation op-a was opened.
func newTestLedger(t tb) *testLedger {
	l := &testLedger{ledgertest.New(), t}
	l.say("HQ/founder", &events.LedgerFounded{Header: l.head("ledger.founded"), Title: "A test",
		Founder: l.key("HQ/founder").Key()})
	l.open("op-a")
	return l
}

// upTo returns a ledger of the first n records.
func (l *testLedger) upTo(n uint64) *testLedger { return &testLedger{l.UpTo(n), l.t} }

// key returns the signer of a name.
func (l *testLedger) key(name string) *events.Signer {
	l.t.Helper()
	return must[*events.Signer](l.t)(l.Key(name))
}

// head makes the members that every statement has.
func (l *testLedger) head(t events.Type) events.Header {
	l.t.Helper()
	return must[events.Header](l.t)(l.Head(t))
}

// say signs a statement and appends it. It returns the sequence.
func (l *testLedger) say(signer string, s events.Statement) uint64 {
	l.t.Helper()
	return must[uint64](l.t)(l.Say(signer, s))
}

// picture folds all records.
func (l *testLedger) picture() *Picture {
	l.t.Helper()
	return l.pictureUpTo(l.Last())
}

func (l *testLedger) pictureUpTo(n uint64) *Picture {
	l.t.Helper()
	p := NewPicture()
	for _, rec := range l.All[:n] {
		if err := p.Apply(rec); err != nil {
			l.t.Fatal(err)
		}
	}
	return p
}

// Dates in these tests are days of January 2026, on which the records lie too.
func day(n int) events.Date { return events.Date(20260100 + n) }

func dated(n int) events.Dated { return events.Dated{Effective: day(n)} }

func (l *testLedger) open(op events.Operation) uint64 {
	l.t.Helper()
	roles := []events.RoleDefinition{
		{Role: "ground", Title: "Troops", Units: []events.Unit{"personnel", "team"}},
		{Role: "air", Title: "Aircraft", Units: []events.Unit{"aircraft"}},
		{Role: "fund", Title: "Money", Units: []events.Unit{"EUR"}},
	}
	return l.say("HQ/founder",
		&events.OperationOpened{Header: l.head("operation.opened"), Dated: dated(1),
			OperationTerms: events.OperationTerms{Operation: op, Title: "Operation " + string(op),
				Roles: roles}})
}

// need issues a line of op-a for ground, in personnel, in force from the 1st.
func (l *testLedger) need(name events.Line, quantity int64,
	change ...func(*events.RequirementTerms)) uint64 {
	l.t.Helper()
	t := events.RequirementTerms{Operation: "op-a", Line: name, Role: "ground",
		Quantity: events.Count(quantity), Unit: "personnel",
		Window: events.Window{From: day(1)}, Priority: 1}
	for _, c := range change {
		c(&t)
	}
	return l.say("HQ/founder", &events.RequirementIssued{Header: l.head("requirement.issued"),
		Dated: dated(1), RequirementTerms: t})
}

func (l *testLedger) revise(on int, terms events.RequirementTerms) uint64 {
	l.t.Helper()
	return l.say("HQ/founder", &events.RequirementRevised{Header: l.head("requirement.revised"),
		Dated: dated(on), RequirementTerms: terms})
}

func (l *testLedger) cancel(on int, name events.Line) uint64 {
	l.t.Helper()
	return l.say("HQ/founder", &events.RequirementCancelled{Header: l.head("requirement.cancelled"),
		Dated:     dated(on),
		Operation: "op-a", Line: name, Reason: "not needed"})
}

// pledgeTerms are for ground, in personnel, from the 1st on.
func pledgeTerms(quantity int64, change ...func(*events.PledgeTerms)) events.PledgeTerms {
	t := events.PledgeTerms{Role: "ground", Quantity: events.Count(quantity), Unit: "personnel",
		Window: events.Window{From: day(1)}}
	for _, c := range change {
		c(&t)
	}
	return t
}

func place(nation events.Nation) events.Place {
	return events.Place{Operation: "op-a", Nation: nation}
}

func liaison(nation events.Nation) string { return string(nation) + "/liaison" }

// offer offers, effective on the 1st.
func (l *testLedger) offer(nation events.Nation, quantity int64,
	change ...func(*events.PledgeTerms)) testPledge {
	l.t.Helper()
	s := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(1),
		Place: place(nation), PledgeTerms: pledgeTerms(quantity, change...)}
	return testPledge{l, s.ID, nation, l.say(liaison(nation), s)}
}

func (l *testLedger) indicate(nation events.Nation, on int, quantity int64) testPledge {
	l.t.Helper()
	s := &events.PledgeIndicated{Header: l.head("pledge.indicated"), Dated: dated(on),
		Place: place(nation), PledgeTerms: pledgeTerms(quantity)}
	return testPledge{l, s.ID, nation, l.say(liaison(nation), s)}
}

func (l *testLedger) observe(nation events.Nation, on int, quantity int64) testPledge {
	l.t.Helper()
	s := &events.PledgeObserved{Header: l.head("pledge.observed"), Dated: dated(on),
		Place: place(nation), Role: "ground",
		Strength: events.Strength{Quantity: events.Count(quantity), Unit: "personnel"},
		Source:   "a report"}
	return testPledge{l, s.ID, nation, l.say("HQ/importer", s)}
}

// A testPledge is a pledge that can be moved along. Each move returns its sequence.
type testPledge struct {
	l      *testLedger
	id     events.ID
	nation events.Nation
	seq    uint64 // of the record that began it
}

func (p testPledge) offerNow(on int, terms events.PledgeTerms) uint64 {
	p.l.t.Helper()
	return p.l.say(liaison(p.nation),
		&events.PledgeOffered{Header: p.l.head("pledge.offered"), Dated: dated(on),
			Place:  place(p.nation),
			Pledge: p.id, PledgeTerms: terms})
}

// disclose opens the pledge, as it stands.
func (p testPledge) disclose(on int, terms events.PledgeTerms, as events.Standing) uint64 {
	return p.l.say(liaison(p.nation), &events.PledgeDisclosed{Header: p.l.head("pledge.disclosed"),
		Dated: dated(on),
		Place: place(p.nation), Pledge: p.id, PledgeTerms: terms, Standing: as})
}

func (p testPledge) amend(on int, terms events.PledgeTerms) uint64 {
	p.l.t.Helper()
	return p.l.say(liaison(p.nation),
		&events.PledgeAmended{Header: p.l.head("pledge.amended"), Dated: dated(on),
			Place:  place(p.nation),
			Pledge: p.id, PledgeTerms: terms})
}

func (p testPledge) step(t events.Type, on int) events.PledgeStep {
	return events.PledgeStep{Header: p.l.head(t), Dated: dated(on), Place: place(p.nation),
		Step: events.Step{Pledge: p.id}}
}

// move makes a statement that says no more than its type.
func (p testPledge) move(t events.Type, on int) uint64 {
	p.l.t.Helper()
	step := p.step(t, on)
	var s events.Statement
	switch t {
	case "pledge.accepted":
		s = &events.PledgeAccepted{PledgeStep: step}
	case "pledge.declined":
		s = &events.PledgeDeclined{PledgeStep: step}
	case "pledge.confirmed":
		s = &events.PledgeConfirmed{PledgeStep: step}
	case "pledge.withdrawn":
		s = &events.PledgeWithdrawn{PledgeStep: step}
	case "pledge.returned":
		s = &events.PledgeReturned{PledgeStep: step}
	default:
		p.l.t.Fatalf("%s says more than its type", t)
	}
	return p.l.say(liaison(p.nation), s)
}

func (p testPledge) deploy(on int, quantity int64) uint64 {
	p.l.t.Helper()
	return p.l.say(liaison(p.nation),
		&events.PledgeDeployed{PledgeStep: p.step("pledge.deployed", on),
			Strength: events.Strength{Quantity: events.Count(quantity), Unit: "personnel"}})
}

func (p testPledge) report(on int, quantity int64) uint64 {
	p.l.t.Helper()
	return p.l.say(liaison(p.nation),
		&events.PledgeReported{PledgeStep: p.step("pledge.reported", on),
			Strength: events.Strength{Quantity: events.Count(quantity), Unit: "personnel"}})
}

func (p testPledge) condition(t events.Type, on int, name events.Line) uint64 {
	p.l.t.Helper()
	step := events.ConditionStep{PledgeStep: p.step(t, on), Condition: name}
	switch t {
	case "condition.added":
		return p.l.say(liaison(p.nation),
			&events.ConditionAdded{ConditionStep: step, Kind: events.Parliament})
	case "condition.discharged":
		return p.l.say(liaison(p.nation), &events.ConditionDischarged{ConditionStep: step})
	}
	return p.l.say(liaison(p.nation), &events.ConditionFailed{ConditionStep: step})
}

// caveat declares or lifts a caveat.
func (p testPledge) caveat(t events.Type, on int, name events.Line) uint64 {
	p.l.t.Helper()
	step := events.CaveatStep{PledgeStep: p.step(t, on), Caveat: name}
	if t == "caveat.declared" {
		return p.l.say(liaison(p.nation),
			&events.CaveatDeclared{CaveatStep: step, Restriction: "by day only"})
	}
	return p.l.say(liaison(p.nation), &events.CaveatLifted{CaveatStep: step})
}

// asks puts a question to somebody, or answers one, and returns the statement.
func (p testPledge) asks(by string, on int, to events.Nation, text string,
	due events.Date) events.ID {
	p.l.t.Helper()
	s := &events.PledgeQueried{PledgeStep: p.step("pledge.queried", on), To: to, Text: text,
		Due: due}
	p.l.say(by, s)
	return s.ID
}

func (p testPledge) answers(by string, on int, query events.ID, text string) uint64 {
	p.l.t.Helper()
	return p.l.say(by, &events.PledgeAnswered{PledgeStep: p.step("pledge.answered", on),
		Query: query, Text: text})
}

func (p testPledge) renew(on, expires int) uint64 {
	p.l.t.Helper()
	return p.l.say(liaison(p.nation),
		&events.PledgeRenewed{PledgeStep: p.step("pledge.renewed", on), Expires: day(expires)})
}

// allocate sets some of the pledge against a line, and returns the allocation.
func (p testPledge) allocate(on int, name events.Line, quantity int64, w events.Window) events.ID {
	p.l.t.Helper()
	s := &events.AllocationMade{PledgeStep: p.step("allocation.made", on), Line: name,
		Strength: events.Strength{Quantity: events.Count(quantity), Unit: "personnel"}, Window: w}
	p.l.say("HQ/founder", s)
	return s.ID
}

func (p testPledge) release(on int, allocation events.ID) uint64 {
	p.l.t.Helper()
	return p.l.say("HQ/founder",
		&events.AllocationReleased{PledgeStep: p.step("allocation.released", on),
			Allocation: allocation})
}

// correct mends the record of a sequence.
func (p testPledge) correct(seq uint64, on int, change func(*events.PledgeCorrected)) uint64 {
	p.l.t.Helper()
	s := &events.PledgeCorrected{Header: p.l.head("pledge.corrected"), Dated: dated(on),
		Place: place(p.nation), Pledge: p.id,
		Corrects: p.l.All[seq-1].Statement.Head().ID, Reason: "a slip"}
	change(s)
	return p.l.say("HQ/founder", s)
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
