package intake_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

func (b *bench) admissions(t *testing.T, n int) []events.Signed {
	t.Helper()
	all := make([]events.Signed, n)
	for i := range all {
		all[i] = b.admission(t)
	}
	return all
}

// Each statement of a batch has its own receipt or problem, in its order; and sent again it has the
// first receipt, with those that are new beside it.
func TestBatch(t *testing.T) {
	for name, open := range map[string]func(*testing.T, *bench) intake.Batcher{
		"HTTP": func(t *testing.T, b *bench) intake.Batcher { return b.overHTTP(t) },
		"NATS": func(t *testing.T, b *bench) intake.Batcher { return b.overNATS(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			to := open(t, b)
			all := b.admissions(t, events.MaxBatch)
			all[7].Note = []byte("hello")
			all[9] = signed(t, &events.MemberAdmitted{Header: head("member.admitted"),
				Key: b.founder.Key(), Role: events.Coordinator}, newSigner(t, "HQ/stranger"))
			checked, err := to.CheckBatch(t.Context(), all)
			if err != nil || len(checked) != len(all) || b.journal.Last() != 1 {
				t.Fatalf("%d checked, %d records; %v", len(checked), b.journal.Last(), err)
			}
			first, err := to.SubmitBatch(t.Context(), all)
			if err != nil || len(first) != len(all) {
				t.Fatalf("%d outcomes; %v", len(first), err)
			}
			for i, o := range first {
				kind := map[int]problem.Kind{7: problem.Syntax, 9: problem.NotAllowed}[i]
				switch {
				case kind.Slug != "":
					if o.Answer != nil || o.Problem == nil || o.Problem.Kind != kind ||
						checked[i].Problem == nil || checked[i].Problem.Kind != kind {
						t.Errorf("%d is answered %+v, checked %+v", i, o, checked[i])
					}
				case o.Problem != nil || o.Answer == nil || checked[i].Answer == nil:
					t.Errorf("%d is answered %+v, checked %+v", i, o, checked[i])
				case o.Answer.ID != all[i].Statement.Head().ID || o.Answer.Again:
					t.Errorf("%d is answered with the receipt %+v", i, o.Answer)
				}
			}
			all[7] = b.admission(t)
			again, err := to.SubmitBatch(t.Context(), all)
			if err != nil || b.journal.Last() != uint64(len(all)) { // less one, and the founding
				t.Fatalf("sent again, there are %d records; %v", b.journal.Last(), err)
			}
			for i, o := range again {
				if i != 9 && (o.Answer == nil || o.Answer.Again != (i != 7) ||
					i != 7 && o.Answer.Sequence != first[i].Answer.Sequence) {
					t.Errorf("%d is answered again with %+v", i, o)
				}
			}
			if _, err := to.SubmitBatch(t.Context(), nil); err == nil {
				t.Error("a batch of nothing was taken")
			}
			before := b.journal.Last()
			_, err = to.SubmitBatch(t.Context(), b.admissions(t, events.MaxBatch+1))
			if err == nil || b.journal.Last() != before {
				t.Error("a batch of too many was taken")
			}
		})
	}
}

// holding is a Submitter that says what it works on, and answers when it is told to.
type holding struct {
	arrived chan events.ID
	goOn    chan struct{}
}

func (h holding) Submit(_ context.Context, s events.Signed) (r intake.Receipt, err error) {
	select {
	case h.arrived <- s.Statement.Head().ID:
		<-h.goOn
	case <-h.goOn:
	}
	return r, nil
}

func (h holding) Check(ctx context.Context, s events.Signed) (c intake.Checked, err error) {
	_, err = h.Submit(ctx, s)
	return c, err
}

// Batches count as their statements do, and however many there are over NATS, who sends a single
// statement is let in.
func TestNATSBatchesLeaveRoom(t *testing.T) {
	h := holding{make(chan events.ID), make(chan struct{})}
	b := newBench(t)
	to := serveNATS(t, h)
	many, one, another := b.admissions(t, events.MaxBatch), b.admission(t), b.admission(t)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer close(h.goOn)
	arrives := func(single events.ID) (batched int) {
		t.Helper()
		for {
			select {
			case id := <-h.arrived:
				if id == single {
					return batched
				}
				batched++
			case <-time.After(20 * time.Second):
				t.Fatalf("a single statement waits, after %d of batches", batched)
			}
		}
	}
	for range 8 { // twice as many as there is room for
		clients.Go(func() { _, _ = to.SubmitBatch(t.Context(), many) })
	}
	for range 3 * events.MaxBatch {
		<-h.arrived
	}
	clients.Go(func() { _, _ = to.Check(t.Context(), one) })
	batched := arrives(one.Statement.Head().ID)
	clients.Go(func() { _, _ = to.Submit(t.Context(), another) })
	if batched += arrives(another.Statement.Head().ID); batched > 0 {
		t.Errorf("%d statements of batches more are worked on than there is room for", batched)
	}
}

// before serves a ledger, with somebody before it who may keep back what it answers.
func (b *bench) before(t *testing.T, door func(http.Handler) http.Handler) intake.HTTPClient {
	t.Helper()
	mux := http.NewServeMux()
	intake.Register(humago.New(mux, huma.DefaultConfig("test", "1")), intake.Of(b.ledger))
	srv := httptest.NewServer(door(mux))
	t.Cleanup(srv.Close)
	return intake.HTTPClient{URL: srv.URL}
}

// submitAll submits statements at a time, each again until it is known what became of it, and
// returns how many were recorded by then and told so later.
func submitAll(t *testing.T, to intake.Submitter, all []events.Signed) (again int) {
	t.Helper()
	var working sync.WaitGroup
	var before atomic.Int64
	for _, s := range all {
		working.Go(func() {
			for {
				r, err := to.Submit(t.Context(), s)
				if problem.Is(err, problem.Unavailable) {
					continue
				}
				if err != nil || r.ID != s.Statement.Head().ID {
					t.Errorf("%+v, %v", r, err)
				}
				if r.Again {
					before.Add(1)
				}
				return
			}
		})
	}
	working.Wait()
	return int(before.Load())
}

// Answers to batches that break off in their middle, or never come, lose nothing, and nothing is
// recorded twice.
func TestBatchesThatBreakOff(t *testing.T) {
	b := newBench(t)
	var batches, cut atomic.Int64
	to := b.before(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != intake.BatchPath || batches.Add(1)%2 == 0 {
				next.ServeHTTP(w, r)
				return
			}
			cut.Add(1)
			inside := httptest.NewRecorder()
			next.ServeHTTP(inside, r)
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(inside.Body.Bytes()[:inside.Body.Len()/2])
			panic(http.ErrAbortHandler)
		})
	})
	const many = 500
	again := submitAll(t, intake.Gather(to), b.admissions(t, many))
	if got := b.journal.Last() - 1; got != many || cut.Load() == 0 || again == 0 {
		t.Errorf("%d of %d are recorded; %d answers were cut, and %d statements told later", got,
			many, cut.Load(), again)
	}
}

// A server that is older and knows nothing of batches is asked for one each time a kind is sent
// first, and then one by one.
func TestServerWithoutBatches(t *testing.T) {
	b := newBench(t)
	var refused, most, now atomic.Int64
	to := b.before(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/batch") {
				refused.Add(1)
				http.NotFound(w, r)
				return
			}
			for n := now.Add(1); n > most.Load(); {
				most.Store(n)
			}
			defer now.Add(-1)
			next.ServeHTTP(w, r)
		})
	})
	const many = 300
	submitAll(t, intake.Gather(to), b.admissions(t, many))
	if got := b.journal.Last() - 1; got != many || refused.Load() == 0 || refused.Load() > 4 ||
		most.Load() > 64 {
		t.Errorf("%d of %d are recorded, with %d batches refused, and %d under way at a time", got,
			many, refused.Load(), most.Load())
	}
}

// A request that nobody waits for any more ends, and who gives up does not know what became of it.
func TestGivingUpOnABatch(t *testing.T) {
	b := newBench(t)
	goOn, arrived := make(chan struct{}), make(chan struct{}, 10)
	to := b.before(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != intake.BatchPath {
				<-goOn
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.ReadAll(r.Body) // so that the end of the connection is noticed
			arrived <- struct{}{}
			<-r.Context().Done() // or closing the server would never end
		})
	})
	g := intake.Gather(to)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var working sync.WaitGroup
	var givenUp atomic.Int64
	for _, s := range b.admissions(t, 40) {
		working.Go(func() {
			if _, err := g.Submit(ctx, s); problem.Is(err, problem.Unavailable) {
				givenUp.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	close(goOn)
	<-arrived
	cancel()
	working.Wait()
	if givenUp.Load() < 2 {
		t.Errorf("%d have given up, and a batch has two at least", givenUp.Load())
	}
}

// refusing is a Submitter that takes nothing, as a mirror does.
type refusing struct{}

func (refusing) Submit(context.Context, events.Signed) (r intake.Receipt, err error) {
	return r, problem.New(problem.Misdirected, "this is a mirror")
}

func (refusing) Check(context.Context, events.Signed) (c intake.Checked, err error) {
	return c, problem.New(problem.Misdirected, "this is a mirror")
}

// What takes no statements at all says so to the request.
func TestBatchToAMirror(t *testing.T) {
	b := newBench(t)
	mux := http.NewServeMux()
	intake.Register(humago.New(mux, huma.DefaultConfig("test", "1")), refusing{})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	_, err := intake.HTTPClient{URL: srv.URL}.SubmitBatch(t.Context(), b.admissions(t, 3))
	if !problem.Is(err, problem.Misdirected) {
		t.Errorf("a mirror says %v", err)
	}
}
