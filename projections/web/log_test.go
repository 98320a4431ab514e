package web

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"muster/events"
)

const testOrigin = "muster.example/test"

// A testLog is a source in memory, of real signed records, an hour apart.
type testLog struct {
	t       testing.TB
	mu      sync.Mutex
	records []events.Record
	more    chan struct{} // closed, and replaced, when a record is appended
	clock   time.Time
	keys    map[string]*events.Signer
	fail    error // what waiting and reading to the end give, when set
}

func newTestLog(t testing.TB) *testLog {
	l := &testLog{t: t, more: make(chan struct{}),
		clock: time.Date(2026, 1, 1, 11, 0, 0, 0, time.UTC), keys: map[string]*events.Signer{}}
	l.say("HQ/founder", &events.LedgerFounded{Header: head("ledger.founded"), Title: "A test",
		Founder: l.key("HQ/founder").Key()})
	return l
}

func (l *testLog) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.records))
}

func (l *testLog) Records(from uint64) iter.Seq2[events.Record, error] {
	l.mu.Lock()
	records, fail := l.records, l.fail
	l.mu.Unlock()
	return func(yield func(events.Record, error) bool) {
		for i := from - 1; i < uint64(len(records)); i++ {
			if !yield(records[i], nil) {
				return
			}
		}
		if fail != nil {
			yield(events.Record{}, fail)
		}
	}
}

func (l *testLog) Wait(ctx context.Context, after uint64) error {
	for {
		l.mu.Lock()
		last, more, fail := uint64(len(l.records)), l.more, l.fail
		l.mu.Unlock()
		switch {
		case last > after:
			return nil
		case fail != nil:
			return fail
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("waiting: %w", ctx.Err())
		}
	}
}

// close makes the source fail from now on.
func (l *testLog) close(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = why
	close(l.more)
	l.more = make(chan struct{})
}

func (l *testLog) key(name string) *events.Signer {
	if s, ok := l.keys[name]; ok {
		return s
	}
	secret, _, err := events.NewKey(name)
	if err != nil {
		l.t.Fatal(err)
	}
	l.keys[name], err = events.NewSigner(secret)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.keys[name]
}

func head(t events.Type) events.Header {
	return events.Header{Type: t, ID: events.NewID(), Ledger: testOrigin}
}

// say signs a statement and appends it. It returns the sequence.
func (l *testLog) say(signer string, s events.Statement) uint64 {
	l.t.Helper()
	signed, err := events.Sign(s, l.key(signer))
	if err != nil {
		l.t.Fatalf("%s: %v", s.Head().Type, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = l.clock.Add(time.Hour)
	rec, err := events.NewRecord(uint64(len(l.records))+1, l.clock, testOrigin, signed)
	if err != nil {
		l.t.Fatal(err)
	}
	l.records = append(l.records, rec)
	close(l.more)
	l.more = make(chan struct{})
	return rec.Sequence
}

// recorded returns when a record was recorded, as it is asked for.
func (l *testLog) recorded(seq uint64) string {
	return l.records[seq-1].Recorded.Format(time.RFC3339)
}

func dated(on events.Date) events.Dated { return events.Dated{Effective: on} }

func (l *testLog) open(o events.Operation, roles ...events.RoleDefinition) uint64 {
	l.t.Helper()
	return l.say("HQ/founder",
		&events.OperationOpened{Header: head("operation.opened"), Dated: dated(2026_01_01),
			OperationTerms: events.OperationTerms{Operation: o, Title: "Operation " + string(o),
				Note: "illustrative", Roles: roles}})
}

func (l *testLog) need(name events.Line, role events.Role, unit events.Unit,
	quantity int64) uint64 {
	l.t.Helper()
	return l.say("HQ/founder", &events.RequirementIssued{Header: head("requirement.issued"),
		Dated: dated(2026_01_01),
		RequirementTerms: events.RequirementTerms{Operation: "force", Line: name, Role: role,
			Quantity: events.Count(quantity), Unit: unit,
			Window: events.Window{From: 2026_01_01}, Priority: 1}})
}

// A testPledge is a pledge that can be moved along.
type testPledge struct {
	l      *testLog
	id     events.ID
	nation events.Nation
	seq    uint64 // of its offer
}

// offer offers personnel for ground in force, unless it is changed.
func (l *testLog) offer(nation events.Nation, quantity int64,
	change ...func(*events.PledgeOffered)) testPledge {
	l.t.Helper()
	s := &events.PledgeOffered{Header: head("pledge.offered"), Dated: dated(2026_01_01),
		Place: events.Place{Operation: "force", Nation: nation},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(quantity),
			Unit: "personnel", Window: events.Window{From: 2026_01_01}}}
	for _, c := range change {
		c(s)
	}
	return testPledge{l, s.ID, nation, l.say(string(nation)+"/liaison", s)}
}

func (p testPledge) step(t events.Type, on events.Date) events.PledgeStep {
	return events.PledgeStep{Header: head(t), Dated: dated(on),
		Place: events.Place{Operation: "force", Nation: p.nation}, Step: events.Step{Pledge: p.id}}
}

func (p testPledge) accept(on events.Date) uint64 {
	return p.l.say("HQ/founder", &events.PledgeAccepted{PledgeStep: p.step("pledge.accepted", on)})
}

func (p testPledge) withdraw(on events.Date) uint64 {
	return p.l.say(string(p.nation)+"/liaison",
		&events.PledgeWithdrawn{PledgeStep: p.step("pledge.withdrawn", on)})
}

func (p testPledge) deploy(on events.Date, quantity int64, unit events.Unit) uint64 {
	return p.l.say(string(p.nation)+"/liaison",
		&events.PledgeDeployed{PledgeStep: p.step("pledge.deployed", on),
			Strength: events.Strength{Quantity: events.Count(quantity), Unit: unit}})
}

func (p testPledge) hangOn(condition events.Line) uint64 {
	return p.l.say(string(p.nation)+"/liaison", &events.ConditionAdded{Kind: events.Parliament,
		ConditionStep: events.ConditionStep{PledgeStep: p.step("condition.added", 2026_01_01),
			Condition: condition}})
}

// A round is a log in which a bit of everything was said.
type round struct {
	*testLog
	fra, swe, gbr, dnk testPledge
}

func newRound(t testing.TB) round {
	l := newTestLog(t)
	l.open("force",
		events.RoleDefinition{Role: "ground", Title: "Troops",
			Units: []events.Unit{"personnel", "team"}},
		events.RoleDefinition{Role: "air", Title: "Aircraft", Units: []events.Unit{"aircraft"}},
		events.RoleDefinition{Role: "fund", Title: "Money", Units: []events.Unit{"EUR"}})
	l.open("relief", events.RoleDefinition{Role: "medical", Title: "Doctors",
		Units: []events.Unit{"team"}})
	l.say("HQ/founder", &events.MemberAdmitted{Header: head("member.admitted"),
		Key: l.key("FRA/liaison").Key(), Role: events.Liaison})
	l.need("ground-all", "ground", "personnel", 1000)
	l.need("air-all", "air", "aircraft", 10)
	r := round{testLog: l}
	r.fra = l.offer("FRA", 400)
	l.offer("DEU", 300).hangOn("vote")
	l.offer("POL", 1, func(s *events.PledgeOffered) { s.Quantity = events.Unknown })
	l.offer("NOR", 100, func(s *events.PledgeOffered) { s.Presence = events.Reserve })
	l.offer("ESP", 1, func(s *events.PledgeOffered) {
		s.Role, s.Unit, s.Quantity = "fund", "EUR", events.Unit("EUR").Of(250_000_050)
	})
	r.swe = l.offer("SWE", 5, func(s *events.PledgeOffered) {
		s.Role, s.Unit, s.Note = "air", "aircraft", "“<Gripen> & crew”"
	})
	r.swe.accept(2026_01_02)
	r.swe.deploy(2026_01_03, 4, "aircraft")
	r.gbr = l.offer("GBR", 50, func(s *events.PledgeOffered) {
		s.Effective, s.From = 2026_03_01, 2026_03_01
	})
	r.dnk = l.offer("DNK", 20)
	r.dnk.withdraw(2026_01_05)
	l.say("FRA/liaison", &events.ScopeDeclared{Header: head("scope.declared"),
		Dated: dated(2026_01_01),
		Place: events.Place{Operation: "force", Nation: "FRA"}, Roles: []events.Role{"ground"}})
	l.say("HQ/founder", &events.MemberAdmitted{Header: head("member.admitted"),
		Key: l.key("DEU/bonn").Key(), Role: events.Liaison})
	l.say("HQ/founder", &events.MemberRevoked{Header: head("member.revoked"),
		Key: l.key("DEU/bonn").Key(), Reason: "moved"})
	return r
}
