package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/ledger/natsd"
	"muster/ledger/rules"
	"muster/ledger/stream"
)

const ledgerTestOrigin events.Origin = "muster.example/test"

// ledgerTestKeys are the signers of these tests.
type ledgerTestKeys struct{ founder, paris *events.Signer }

func newLedgerKeys(t *testing.T) ledgerTestKeys {
	t.Helper()
	signer := func(name string) *events.Signer {
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
	return ledgerTestKeys{signer("HQ/founder"), signer("FRA/paris")}
}

// newLedger opens a ledger on a journal file and a log, and closes it with the test, which then
// ends with the invariant.
func newLedger(t *testing.T, path string, log ledger.Log) (*ledger.Ledger, *journal.Journal) {
	t.Helper()
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(),
		ledger.Config{Journal: j, Log: log, Name: filepath.Base(path)})
	if err != nil {
		t.Fatal(errors.Join(err, j.Close()))
	}
	t.Cleanup(func() {
		l.Close()
		ledgerInvariant(t, j)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, j
}

// ledgerInvariant replays the journal: no gap, no id twice, times never going back, every signature
// and every rule kept.
func ledgerInvariant(t *testing.T, j *journal.Journal) {
	t.Helper()
	state, keys, ids := rules.NewState(), map[events.KeyID]events.Key{}, map[events.ID]uint64{}
	for rec, err := range j.Records(1) {
		if err != nil {
			t.Errorf("replay: %v", err)
			return
		}
		learnKey(keys, rec.Statement)
		id := rec.Statement.Head().ID
		if before, ok := ids[id]; ok {
			t.Errorf("the id of record %d is that of record %d", rec.Sequence, before)
		}
		ids[id] = rec.Sequence
		key := keys[rec.SignedBy()]
		err = errors.Join(rec.VerifiedBy(key), rules.Decide(state, key, rec.Statement))
		if _, applied := state.Apply(rec); err != nil || applied != nil {
			t.Errorf("replay of record %d: %v", rec.Sequence, errors.Join(err, applied))
			return
		}
	}
}

func learnKey(keys map[events.KeyID]events.Key, st events.Statement) {
	var key events.Key
	switch st := st.(type) {
	case *events.LedgerFounded:
		key = st.Founder
	case *events.MemberAdmitted:
		key = st.Key
	}
	if id, ok := key.ID(); ok {
		keys[id] = key
	}
}

func sign(t *testing.T, s events.Statement, with *events.Signer) events.Signed {
	t.Helper()
	signed, err := events.Sign(s, with)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func header(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: ledgerTestOrigin}
}

// beginning is what stands before the first pledge: the founding, an operation and a liaison.
func (k ledgerTestKeys) beginning(t *testing.T) []events.Signed {
	t.Helper()
	dated := events.Dated{Effective: 2026_11_23}
	return []events.Signed{
		sign(t, &events.LedgerFounded{Header: header("ledger.founded"), Title: "test",
			Founder: k.founder.Key()}, k.founder),
		sign(t, &events.OperationOpened{Header: header("operation.opened"), Dated: dated,
			OperationTerms: events.OperationTerms{
				Operation: "mnf-u", Title: "test",
				Roles: []events.RoleDefinition{{Role: "ground", Title: "ground",
					Units: []events.Unit{"personnel"}}}}}, k.founder),
		sign(t, &events.MemberAdmitted{Header: header("member.admitted"), Key: k.paris.Key(),
			Role: events.Liaison}, k.founder),
	}
}

func (k ledgerTestKeys) offer(t *testing.T, quantity int64) events.Signed {
	t.Helper()
	return sign(t, &events.PledgeOffered{Header: header("pledge.offered"),
		Dated: events.Dated{Effective: 2026_11_23},
		Place: events.Place{Operation: "mnf-u", Nation: "FRA"},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(quantity),
			Unit: "personnel", Window: events.Window{From: 2027_01_01}}}, k.paris)
}

func submitAll(t *testing.T, l *ledger.Ledger, all []events.Signed) {
	t.Helper()
	for _, s := range all {
		if _, err := l.Submit(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s.Statement.Head().Type, err)
		}
	}
}

func TestSubmitAndAskAgain(t *testing.T) {
	k, mem := newLedgerKeys(t), logtest.NewMemory(0)
	path := filepath.Join(t.TempDir(), "journal.db")
	offer := k.offer(t, 1200)
	var first ledger.Receipt
	t.Run("first", func(t *testing.T) {
		l, j := newLedger(t, path, mem.View())
		submitAll(t, l, k.beginning(t))
		var err error
		if first, err = l.Submit(t.Context(), offer); err != nil {
			t.Fatal(err)
		}
		if first.Sequence != 4 || first.Again || first.Type != "pledge.offered" ||
			first.ID != offer.Statement.Head().ID {
			t.Fatalf("receipt %+v", first)
		}
		if rec, err := j.Record(4); err != nil || string(rec.Note) != string(offer.Note) {
			t.Fatalf("the journal holds %q, %v", rec.Note, err)
		}
	})
	t.Run("after a restart", func(t *testing.T) {
		l, _ := newLedger(t, path, mem.View())
		again, err := l.Submit(t.Context(), offer)
		first.Again = true
		if err != nil || again != first {
			t.Fatalf("got %+v, %v; want %+v", again, err, first)
		}
		other := *offer.Statement.(*events.PledgeOffered)
		other.Quantity = events.Count(1201)
		_, err = l.Submit(t.Context(), sign(t, &other, k.paris))
		if p := problem.From(err); p == nil || p.Kind != problem.Conflict || p.Code != "id-taken" {
			t.Fatalf("same id, other bytes: %v", err)
		}
	})
}

// One statement submitted by many at once is recorded once, and everybody gets the receipt.
func TestSameStatementAtOnce(t *testing.T) {
	k := newLedgerKeys(t)
	l, j := newLedger(t, filepath.Join(t.TempDir(), "journal.db"), logtest.NewMemory(0).View())
	submitAll(t, l, k.beginning(t))
	offer := k.offer(t, 7)
	const many = 32
	receipts, errs := make([]ledger.Receipt, many), make([]error, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() { receipts[i], errs[i] = l.Submit(t.Context(), offer) })
	}
	wg.Wait()
	first := 0
	for i := range many {
		if errs[i] != nil || receipts[i].Sequence != 4 {
			t.Fatalf("%+v, %v", receipts[i], errs[i])
		}
		if !receipts[i].Again {
			first++
		}
	}
	if first != 1 || j.Last() != 4 {
		t.Fatalf("%d were told that they were first, and the journal has %d records",
			first, j.Last())
	}
}

// Two servers share a log that loses answers, sixteen writers each. Every acknowledged statement is
// there, once, in both journals, which are the same byte for byte.
func TestTwoServersOnARudeLog(t *testing.T) {
	seeds := uint64(5)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) { twoServers(t, logtest.NewMemory(seed+1)) })
	}
}

func twoServers(t *testing.T, mem *logtest.Memory) {
	k, dir := newLedgerKeys(t), t.TempDir()
	a, ja := newLedger(t, filepath.Join(dir, "a"), mem.View())
	b, jb := newLedger(t, filepath.Join(dir, "b"), mem.View())
	for _, s := range k.beginning(t) {
		submitUntil(t, a, s)
	}
	const writers, each = 16, 25
	var mu sync.Mutex
	acknowledged := map[uint64]events.Signed{}
	var wg sync.WaitGroup
	for _, l := range []*ledger.Ledger{a, b} {
		for range writers {
			wg.Go(func() {
				for range each {
					s := k.offer(t, 1)
					r := submitUntil(t, l, s)
					mu.Lock()
					if _, ok := acknowledged[r.Sequence]; ok {
						t.Errorf("two statements were given the sequence %d", r.Sequence)
					}
					acknowledged[r.Sequence] = s
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	last, _ := mem.View().Last(t.Context())
	if len(acknowledged) != 2*writers*each || last != uint64(len(acknowledged))+3 {
		t.Fatalf("%d acknowledged, %d in the log", len(acknowledged), last)
	}
	waitFor(t, ja, last)
	waitFor(t, jb, last)
	for n := uint64(1); n <= last; n++ {
		ra, errA := ja.Record(n)
		rb, errB := jb.Record(n)
		if errA != nil || errB != nil || string(ra.Stored) != string(rb.Stored) {
			t.Fatalf("the journals differ at %d: %v, %v", n, errA, errB)
		}
		if s, ok := acknowledged[n]; ok && string(s.Note) != string(ra.Note) {
			t.Fatalf("record %d is not what was acknowledged", n)
		}
	}
}

// submitUntil submits as a client does that asks again after an unknown outcome.
func submitUntil(t *testing.T, l *ledger.Ledger, s events.Signed) ledger.Receipt {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		r, err := l.Submit(t.Context(), s)
		if err != nil {
			<-pause.C
		}
		if err == nil || !problem.Is(err, problem.Unavailable) {
			if err != nil {
				t.Error(err)
			}
			return r
		}
	}
}

func waitFor(t *testing.T, j *journal.Journal, last uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := j.Wait(ctx, last-1); err != nil {
		t.Fatalf("the journal is at %d and never came to %d", j.Last(), last)
	}
}

func openStream(t *testing.T, nc *nats.Conn) *stream.Stream {
	t.Helper()
	s, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// On real JetStream, too, and then a new server that has nothing follows the whole stream.
func TestTwoServersOnJetStream(t *testing.T) {
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Shutdown() }) // what it holds goes with the test's folder
	open := func() ledger.Log {
		nc, err := srv.Connect()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return openStream(t, nc)
	}
	k, dir := newLedgerKeys(t), t.TempDir()
	a, _ := newLedger(t, filepath.Join(dir, "a"), open())
	b, _ := newLedger(t, filepath.Join(dir, "b"), open())
	submitAll(t, a, k.beginning(t))
	var wg sync.WaitGroup
	for _, l := range []*ledger.Ledger{a, b} {
		for range 16 {
			wg.Go(func() {
				for range 20 {
					submitUntil(t, l, k.offer(t, 1))
				}
			})
		}
	}
	wg.Wait()
	_, late := newLedger(t, filepath.Join(dir, "late"), open())
	if late.Last() != 3+2*16*20 {
		t.Fatalf("a new server has %d records, want %d", late.Last(), 3+2*16*20)
	}
}
