package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/seeded"
	"muster/projections"
	"muster/projections/web"
)

// Three servers share a cluster of three nodes, and people amend, accept, confirm and withdraw the
// same pledges on all of them, while nodes hang and servers and nodes are killed. What people did
// and were told is what one server could have told, in one order; all three journals are the same
// in the end, and nothing that was acknowledged is lost.
func TestThreeServersAreAsOne(t *testing.T) {
	c, random := startCluster(t), seeded.New(t)
	town := &town{t: t, began: time.Now()}
	flags := []string{"--nats", c.urls(), "--replicas", "3"}
	for i := range 3 {
		dir := filepath.Join(t.TempDir(), fmt.Sprintf("server%d", i))
		p := serve(t, dir, append(flags, "--name", fmt.Sprintf("server%d", i))...)
		town.servers = append(town.servers, p)
	}
	town.trial = begin(t, town.servers[0])
	town.offerSome()
	ctx, cancel := context.WithCancel(t.Context())
	var people sync.WaitGroup
	for n := range 9 {
		r := rand.New(rand.NewPCG(random.Uint64(), uint64(n)))
		people.Go(func() {
			for ctx.Err() == nil {
				town.act(ctx, n, r)
			}
		})
	}
	for range rounds(2, 4, 40) {
		town.letFail(c, flags, random)
	}
	cancel()
	people.Wait()
	town.check()
}

// A town is people and the servers that they use.
type town struct {
	t     testing.TB
	trial *trial
	began time.Time

	mu      sync.Mutex // for what follows
	servers []*process
	pledges []events.ID
	known   uint64 // the highest sequence that anybody was told
	history []*deed
}

func (w *town) server(n int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.servers[n]
}

// letFail has one thing go wrong for a time, and waits until it is over.
func (w *town) letFail(c *cluster, flags []string, r *rand.Rand) {
	w.t.Helper()
	w.trial.await(20)
	n, long := r.IntN(3), time.Duration(r.Int64N(int64(6*time.Second)))
	if often && r.IntN(4) == 0 {
		long = []time.Duration{12 * time.Second, 75 * time.Second}[r.IntN(2)]
	}
	switch r.IntN(4) {
	case 0:
		w.t.Logf("%s: node %d hangs for %s", time.Since(w.began), n, long)
		c.nodes[n].hangs(w.t, long)
	case 3:
		w.t.Logf("%s: server %d hangs for %s", time.Since(w.began), n, long)
		w.server(n).hangs(w.t, long)
	case 1:
		w.t.Logf("%s: node %d is killed", time.Since(w.began), n)
		c.nodes[n].kill()
		w.trial.await(20)
		c.start(c.nodes[n])
	case 2:
		w.t.Logf("%s: server %d is killed", time.Since(w.began), n)
		p := w.server(n)
		p.kill()
		w.trial.await(20)
		again := serve(w.t, p.dir, append(flags, "--name", fmt.Sprintf("server%d", n))...)
		w.mu.Lock()
		w.servers[n] = again
		w.mu.Unlock()
	}
}

// hangs stops the process for a time, which does not notice.
func (p *process) hangs(t testing.TB, d time.Duration) {
	t.Helper()
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGSTOP {
			time.Sleep(d)
		}
	}
}

// offerSome offers the pledges that people deal with.
func (w *town) offerSome() {
	for range 6 {
		st := w.trial.party.offer()
		if d := w.do(w.t.Context(), 0, st.ID, st, w.trial.party.liaison, 0); d.sequence == 0 {
			w.t.Fatalf("an offer: %v", d)
		}
		w.pledges = append(w.pledges, st.ID)
	}
}

// act does one thing with one pledge: amends, accepts, confirms or withdraws it, upon what was seen
// of it or without a look, or offers another in the place of one that has ended.
func (w *town) act(ctx context.Context, n int, r *rand.Rand) {
	p := w.trial.party
	w.mu.Lock()
	at := r.IntN(len(w.pledges))
	pledge := w.pledges[at]
	w.mu.Unlock()
	var upon events.Upon
	if r.IntN(4) > 0 {
		seen := w.look(ctx, n, pledge, r.IntN(3))
		if !seen.known {
			return
		}
		if seen.rung == exit {
			st := p.offer()
			if d := w.do(ctx, n, st.ID, st, p.liaison, r.IntN(3)); d.sequence > 0 {
				w.mu.Lock()
				w.pledges[at] = st.ID
				w.mu.Unlock()
			}
			return
		}
		upon.After = int64(seen.last)
	}
	step := func(typ events.Type) events.PledgeStep {
		return events.PledgeStep{Header: p.head(typ), Dated: events.Dated{Effective: someDay},
			Place: p.place, Step: events.Step{Pledge: pledge, Upon: upon}}
	}
	by, st := p.liaison, events.Statement(nil)
	switch n := r.IntN(20); {
	case n < 11:
		terms := p.offer().PledgeTerms
		terms.Quantity = events.Count(1 + r.Int64N(5000))
		st = &events.PledgeAmended{Header: p.head("pledge.amended"),
			Dated: events.Dated{Effective: someDay}, Place: p.place, Pledge: pledge, Upon: upon,
			PledgeTerms: terms}
	case n < 15:
		by, st = p.founder, &events.PledgeAccepted{PledgeStep: step("pledge.accepted")}
	case n < 19:
		st = &events.PledgeConfirmed{PledgeStep: step("pledge.confirmed")}
	default:
		st = &events.PledgeWithdrawn{PledgeStep: step("pledge.withdrawn")}
	}
	w.do(ctx, n, pledge, st, by, r.IntN(3))
}

// do submits a statement, to one server after the other until it is known what became of it.
func (w *town) do(ctx context.Context, n int, pledge events.ID, st events.Statement,
	by *events.Signer, at int) *deed {
	s, err := events.Sign(st, by)
	if err == nil {
		err = w.trial.book.send(s)
	}
	if err != nil {
		w.t.Error(err)
		return &deed{}
	}
	d := &deed{person: n, pledge: pledge, statement: s, call: time.Since(w.began)}
	for ; !d.known && ctx.Err() == nil; at++ {
		limited, cancel := context.WithTimeout(ctx, 15*time.Second)
		url := w.server(at % 3).url
		receipt, err := w.trial.party.send(limited, intake.HTTPClient{URL: url, HTTP: many()}, s)
		seen := int(receipt.Sequence)
		d.refusal = ""
		if err != nil && !isUnknown(err) {
			d.refusal = problem.From(err).Code
			// It rests on records that it does not always name: who looks next wants them all.
			seen, _, err = readCheckpoint(limited, url)
		}
		cancel()
		if d.known = err == nil; d.known {
			d.sequence = receipt.Sequence
			w.learn(uint64(seen))
		}
	}
	d.answer = time.Since(w.began)
	w.remember(d)
	return d
}

// learn notes that somebody knows of a record.
func (w *town) learn(sequence uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = max(w.known, sequence)
}

func (w *town) remember(d *deed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, d)
}

// isUnknown reports whether an error tells nothing about what became of a statement.
func isUnknown(err error) bool {
	return problem.Is(err, problem.Unavailable) || problem.Is(err, problem.Internal)
}

// look looks at a pledge on a server, which must have at least what anybody was told.
func (w *town) look(ctx context.Context, n int, pledge events.ID, at int) *deed {
	w.mu.Lock()
	from := w.known
	w.mu.Unlock()
	d := &deed{person: n, pledge: pledge, call: time.Since(w.began)}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var life web.PledgeLife
	err := (web.Client{URL: w.server(at).url, HTTP: many()}).Ask(ctx, "pledge",
		map[string]string{"id": pledge.String(), "min_seq": fmt.Sprint(from),
			"on": someDay.String()}, &life)
	if d.known = err == nil; !d.known {
		if !isUnknown(err) {
			w.t.Errorf("a look at %s: %v", pledge, err)
		}
		return d
	}
	w.learn(life.Pledge.Last)
	d.answer = time.Since(w.began)
	p := life.Pledge
	d.rung, d.last = p.Rung.String(), p.Last
	d.quantity, _ = p.Quantity.Number()
	if p.State == projections.Withdrawn {
		d.rung = exit
	}
	w.remember(d)
	return d
}

// check looks at what all has come to.
func (w *town) check() {
	w.t.Helper()
	w.settle()
	var first heldLedger
	for i, p := range w.servers {
		l, err := readLedger(w.t.Context(), p.url)
		if err != nil {
			w.t.Fatal(err)
		}
		if i == 0 {
			first = l
		}
		if l.size != first.size || l.root != first.root {
			w.t.Errorf("server %d has %d records with the root %x, and server 0 %d with %x", i,
				l.size, l.root, first.size, first.root)
		}
		w.trial.check(p)
	}
	recorded := map[events.ID]uint64{}
	for _, rec := range first.records {
		recorded[rec.ID] = rec.Sequence
	}
	isLinear(w.t, w.history, recorded)
	for _, p := range w.servers {
		p.stop(w.t)
		verify(w.t, p.dir, "--journal-only")
	}
	w.t.Logf("%d deeds, and %d records", len(w.history), len(first.records))
}

// settle waits until all servers have the same records, and no more come: what somebody has given
// up may still be on its way.
func (w *town) settle() {
	w.t.Helper()
	late := time.Now().Add(3 * patience)
	for still, before := 0, ""; still < 5; time.Sleep(300 * time.Millisecond) {
		var all []string
		for _, p := range w.servers {
			last, err := lastRecord(w.t.Context(), web.Client{URL: p.url})
			all = append(all, fmt.Sprint(last, err))
		}
		still++
		if now := fmt.Sprint(all); now != before || all[0] != all[1] || all[1] != all[2] {
			still, before = 0, now
		}
		if time.Now().After(late) {
			w.t.Fatalf("the servers do not come to the same record: %v", all)
		}
	}
}
