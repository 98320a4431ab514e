package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

const (
	simOrigin events.Origin = "muster.example/simulated"
	simDay    events.Date   = 2026_11_23
)

// simKeys are those who sign.
type simKeys struct{ founder, paris *events.Signer }

func newSimKeys(t testing.TB) *simKeys {
	return &simKeys{newSigner(t, "HQ/founder"), newSigner(t, "FRA/paris")}
}

func newSigner(t testing.TB, name string) *events.Signer {
	t.Helper()
	secret, _, err := events.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, st events.Statement, with *events.Signer) events.Signed {
	t.Helper()
	s, err := events.Sign(st, with)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// simID makes an id of the simulated moment and of random numbers that can be had again.
func simID(r *rand.Rand) events.ID {
	var entropy [10]byte
	binary.BigEndian.PutUint64(entropy[:], r.Uint64())
	id, err := events.IDAt(uint64(time.Now().UnixMilli()), entropy)
	if err != nil {
		panic(err)
	}
	return id
}

func simHead(typ events.Type, id events.ID) events.Header {
	return events.Header{Type: typ, ID: id, Ledger: simOrigin}
}

// beginning is what stands before the first pledge.
func (k *simKeys) beginning(t testing.TB) []events.Signed {
	r := rand.New(rand.NewPCG(1, 1))
	return []events.Signed{
		sign(t, &events.LedgerFounded{Header: simHead("ledger.founded", simID(r)), Title: "test",
			Founder: k.founder.Key()}, k.founder),
		sign(t, &events.OperationOpened{Header: simHead("operation.opened", simID(r)),
			Dated: events.Dated{Effective: simDay},
			OperationTerms: events.OperationTerms{Operation: "mnf-u", Title: "test",
				Roles: []events.RoleDefinition{{Role: "ground", Title: "ground",
					Units: []events.Unit{"personnel"}}}}}, k.founder),
		sign(t, &events.MemberAdmitted{Header: simHead("member.admitted", simID(r)),
			Key: k.paris.Key(), Role: events.Liaison}, k.founder),
	}
}

// person does a number of things with pledges, one after the other.
func (w *world) person(n int) {
	r := w.random(n + 1)
	for range simDeeds {
		if w.over.Load() {
			return
		}
		time.Sleep(time.Duration(r.Int64N(int64(5 * time.Second))))
		pledge, chosen := w.anyPledge(r)
		switch {
		case r.IntN(12) == 0:
			w.offerMany(n, r)
		case !chosen || r.IntN(6) == 0:
			w.offer(n, r)
		case r.IntN(4) == 0:
			w.look(n, pledge, r)
		default:
			w.say(n, pledge, r)
		}
	}
}

func (w *world) anyPledge(r *rand.Rand) (events.ID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pledges) == 0 {
		return events.ID{}, false
	}
	return w.pledges[r.IntN(len(w.pledges))], true
}

func (w *world) offer(n int, r *rand.Rand) {
	id := simID(r)
	st := &events.PledgeOffered{Header: simHead("pledge.offered", id),
		Dated: events.Dated{Effective: simDay}, Place: simPlace, PledgeTerms: simTerms(r)}
	if d := w.do(n, id, sign(w.t, st, w.keys.paris), r); d.sequence > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pledges = append(w.pledges, id)
		// In an order that does not depend on which goroutine ran first.
		slices.SortFunc(w.pledges, func(a, b events.ID) int { return bytes.Compare(a[:], b[:]) })
	}
}

// offerMany offers several pledges at once, as a file with many rows does.
func (w *world) offerMany(n int, r *rand.Rand) {
	var all sync.WaitGroup
	for range 2 + r.IntN(40) {
		one := rand.New(rand.NewPCG(r.Uint64(), 0))
		all.Go(func() {
			time.Sleep(time.Duration(one.Int64N(int64(3 * time.Millisecond))))
			w.offer(n, one)
		})
	}
	all.Wait()
}

var simPlace = events.Place{Operation: "mnf-u", Nation: "FRA"}

func simTerms(r *rand.Rand) events.PledgeTerms {
	return events.PledgeTerms{Role: "ground", Quantity: events.Count(1 + r.Int64N(5000)),
		Unit: "personnel", Window: events.Window{From: simDay}}
}

// say amends, accepts, confirms or withdraws a pledge, most often after a look at it.
func (w *world) say(n int, pledge events.ID, r *rand.Rand) {
	var upon events.Upon
	if r.IntN(4) > 0 {
		seen := w.look(n, pledge, r)
		if !seen.known {
			return
		}
		upon.After = int64(seen.last)
	}
	step := func(typ events.Type) events.PledgeStep {
		return events.PledgeStep{Header: simHead(typ, simID(r)),
			Dated: events.Dated{Effective: simDay}, Place: simPlace,
			Step: events.Step{Pledge: pledge, Upon: upon}}
	}
	var st events.Statement
	by := w.keys.paris
	switch n := r.IntN(20); {
	case n < 11:
		st = &events.PledgeAmended{Header: simHead("pledge.amended", simID(r)),
			Dated: events.Dated{Effective: simDay}, Place: simPlace, Pledge: pledge, Upon: upon,
			PledgeTerms: simTerms(r)}
	case n < 15:
		st, by = &events.PledgeAccepted{PledgeStep: step("pledge.accepted")}, w.keys.founder
	case n < 19:
		st = &events.PledgeConfirmed{PledgeStep: step("pledge.confirmed")}
	default:
		st = &events.PledgeWithdrawn{PledgeStep: step("pledge.withdrawn")}
	}
	w.do(n, pledge, sign(w.t, st, by), r)
}

// do submits a statement, until it is known what became of it or its signer gives up; and now and
// then once more.
func (w *world) do(n int, pledge events.ID, s events.Signed, r *rand.Rand) *deed {
	d := &deed{person: n, pledge: pledge, statement: s, call: w.now()}
	for {
		to := w.servers[r.IntN(len(w.servers))]
		receipt, err := w.submit(to, s, r)
		if d.known = err == nil || !problem.Is(err, problem.Unavailable); d.known {
			d.sequence = receipt.Sequence
			if err != nil {
				d.refusal = problem.From(err).Code
				// It rests on records that it does not always name: who looks next wants them all.
				w.learn(to.last())
			}
			break
		}
		if !w.calm.Load() && r.IntN(12) == 0 || w.over.Load() {
			break
		}
		time.Sleep(time.Duration(1 + r.Int64N(int64(2*time.Second))))
	}
	d.answer = w.now()
	w.remember(d)
	if d.sequence > 0 && r.IntN(6) == 0 { // held against the first receipt
		_, _ = w.submit(w.servers[r.IntN(len(w.servers))], s, r)
	}
	return d
}

// look looks at a pledge on any server, which must have at least what anybody was told.
func (w *world) look(n int, pledge events.ID, r *rand.Rand) *deed {
	w.mu.Lock()
	from := w.known
	w.mu.Unlock()
	d := &deed{person: n, pledge: pledge, call: w.now()}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p, err := w.servers[r.IntN(len(w.servers))].pledge(ctx, pledge, from)
	d.answer = w.now()
	if d.known = err == nil; !d.known {
		return d
	}
	count, _ := p.Quantity.Number()
	d.rung, d.quantity, d.last = p.Rung.String(), count, p.Last
	if p.State == projections.Withdrawn {
		d.rung = exit
	}
	w.learn(p.Last)
	w.remember(d)
	return d
}

// learn notes that somebody knows of a record.
func (w *world) learn(sequence uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = max(w.known, sequence)
}

// remember keeps what somebody did for the check of the histories.
func (w *world) remember(d *deed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, d)
}
