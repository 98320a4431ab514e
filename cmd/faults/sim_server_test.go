package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/projections"
	"muster/projections/projector"
)

// A simServer is a server in a simulated world: a ledger, its journal and its projections, on real
// files. It is killed and started again, each time as another process.
type simServer struct {
	w      *world
	number int

	mu        sync.Mutex // for what follows
	dir       string     // of the process that runs, or ran last
	processes int
	process   *simProcess // nil while none runs
}

func newSimServer(w *world, number int) *simServer {
	s := &simServer{w: w, number: number}
	s.dir = s.folder()
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (s *simServer) folder() string {
	return filepath.Join(s.w.dir, fmt.Sprintf("%d-%d", s.number, s.processes))
}

// A simProcess is one run of a server.
type simProcess struct {
	server    *simServer
	view      *simView
	ctx       context.Context
	kill      context.CancelFunc
	journal   *journal.Journal
	projector *projector.Projector
	peers     *simPeers
	ledger    *ledger.Ledger // to be used after ready
	ready     chan struct{}
	ended     chan struct{}
}

// start starts a process, unless one runs.
func (s *simServer) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return
	}
	p := &simProcess{server: s, ready: make(chan struct{}), ended: make(chan struct{})}
	p.view = s.w.log.view(fmt.Sprintf("%s.%d", s.name(), s.processes))
	p.ctx, p.kill = context.WithCancel(context.Background())
	p.peers = newSimPeers(p)
	s.process = p
	s.w.note("%s starts", p.view.name)
	var err error
	// Nothing that a crash leaves may keep a journal from being opened.
	if p.journal, err = journal.Open(filepath.Join(s.dir, "journal.db")); err != nil {
		s.w.t.Fatalf("%s: %v", p.view.name, err)
	}
	s.hasWhatItAcknowledged(p.journal)
	p.projector, err = projector.Open(p.ctx, filepath.Join(s.dir, "projections.db"), p.journal)
	if err != nil {
		s.w.t.Fatalf("%s: %v", p.view.name, err)
	}
	go p.run()
}

// hasWhatItAcknowledged checks that a journal has what the server gave receipts for.
func (s *simServer) hasWhatItAcknowledged(j *journal.Journal) {
	for _, a := range s.w.receiptsBy(s.name()) {
		rec, err := j.Record(a.sequence)
		if err != nil || string(rec.Note) != string(a.statement.Note) {
			s.w.t.Errorf("%s has acknowledged record %d, and its journal of %d has %q, %v",
				s.name(), a.sequence, j.Last(), rec.Note, err)
		}
	}
}

// run opens the ledger, again and again where that fails as a unit is started again by systemd,
// and lets the process work until it is killed.
func (p *simProcess) run() {
	defer close(p.ended)
	var projecting sync.WaitGroup
	projecting.Go(func() {
		if err := p.projector.Run(p.ctx); err != nil {
			p.server.w.t.Errorf("%s: the projections have stopped: %v", p.view.name, err)
		}
	})
	for p.ledger == nil && p.ctx.Err() == nil {
		l, err := ledger.Open(p.ctx, ledger.Config{Journal: p.journal, Log: p.view, Peers: p.peers,
			Name: p.server.name(), Clock: time.Now, Faults: slog.New(slog.DiscardHandler)})
		if err != nil {
			p.server.w.note("%s cannot start: %v", p.view.name, err)
			p.isNoDivergence(err)
			time.Sleep(time.Second)
			continue
		}
		p.ledger = l
	}
	if p.ledger != nil {
		p.server.w.note("%s is ready with %d", p.view.name, p.journal.Last())
		close(p.ready)
		<-p.ctx.Done()
		_ = p.ledger.Close()
	}
	projecting.Wait()
	if err := errors.Join(p.projector.Close(), p.journal.Close()); err != nil {
		p.server.w.t.Errorf("%s: %v", p.view.name, err)
	}
}

// isNoDivergence fails the test where a server has found two histories: nobody has made them.
func (p *simProcess) isNoDivergence(err error) {
	if err == nil || !strings.Contains(err.Error(), "at sequence ") {
		return
	}
	w := p.server.w
	w.note("%s: %v", p.view.name, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.parted { // the others find it too, and whoever submits is told so again and again
		w.t.Errorf("%s: %v", p.view.name, err)
	}
	w.parted = true
	w.over.Store(true)
}

// running returns the process, once it is ready.
func (s *simServer) running(ctx context.Context) (*simProcess, error) {
	s.mu.Lock()
	p := s.process
	s.mu.Unlock()
	if p == nil {
		return nil, errKilled
	}
	select {
	case <-p.ready:
		return p, nil
	case <-p.ctx.Done():
		return nil, errKilled
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// submit submits a statement to the process that runs. What that answers when it was killed, nobody
// hears.
func (s *simServer) submit(ctx context.Context, st events.Signed,
	slowness time.Duration) (ledger.Receipt, error) {
	p, err := s.running(ctx)
	time.Sleep(slowness)
	if err != nil {
		return ledger.Receipt{}, problem.New(problem.Unavailable, "%s: %w", s.name(), err)
	}
	r, err := p.ledger.Submit(ctx, st)
	if p.view.isKilled() {
		return ledger.Receipt{}, problem.New(problem.Unavailable, "%s: %w", s.name(), errKilled)
	}
	if problem.Is(err, problem.Unavailable) || problem.Is(err, problem.Unverified) {
		p.isNoDivergence(err)
	}
	return r, err
}

// pledge reads a pledge from the projections, when they have a record.
func (s *simServer) pledge(ctx context.Context, id events.ID,
	from uint64) (found projections.Pledge, err error) {
	p, err := s.running(ctx)
	if err != nil {
		return found, err
	}
	if err := p.projector.WaitFor(ctx, from); err != nil {
		return found, err
	}
	err = p.projector.View(func(picture *projections.Picture) (err error) {
		found, err = picture.Pledge(ctx, projections.Moment{On: simDay}, id)
		return err
	})
	if p.view.isKilled() {
		return found, errKilled
	}
	return found, err
}

// last is the last record of the process that runs, or 0.
func (s *simServer) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.journal.Last()
}

func (s *simServer) cut(d time.Duration, there, back bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	if p == nil {
		return
	}
	p.view.cut(d, there, back)
	if d > 2*time.Second { // then the client notices, and connects again
		time.AfterFunc(d, p.peers.broke)
	}
}

// broke tells the process that its line to the log was broken.
func (s *simServer) broke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.peers.broke()
	}
}

// kill kills the process, or cuts its power, and leaves the folder as the disk has it then.
func (s *simServer) kill(r *rand.Rand) {
	s.mu.Lock()
	p := s.process
	s.process = nil
	s.mu.Unlock()
	if p == nil {
		return
	}
	synctest.Wait() // then nothing is being written
	s.w.note("%s is killed with %d", p.view.name, p.journal.Last())
	p.view.kill()
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.dir
	s.processes++
	s.dir = s.folder()
	if err := os.CopyFS(s.dir, os.DirFS(before)); err != nil {
		s.w.t.Fatal(err)
	}
	s.tear(r)
	p.kill()
}

// tear leaves behind the tail what a commit that was under way may leave there: a part of it, or
// garbage as long, or zeros.
func (s *simServer) tear(r *rand.Rand) {
	path := filepath.Join(s.dir, "journal.db.tail0")
	for _, other := range []string{path, filepath.Join(s.dir, "journal.db.tail1")} {
		if info, err := os.Stat(other); err == nil && info.Size() > 0 {
			path = other
		}
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return
	}
	torn := append([]byte(nil), data[:r.IntN(min(len(data), 700))]...)
	switch r.IntN(4) {
	case 0:
		return
	case 1:
		clear(torn)
	case 2:
		for i := range torn {
			torn[i] = byte(r.Uint32())
		}
	case 3:
		torn = torn[:min(len(torn), 40)] // less than a frame is
	}
	if err := os.WriteFile(path, append(data, torn...), 0o600); err != nil {
		s.w.t.Fatal(err)
	}
}

// end stops the process as an administrator does.
func (s *simServer) end() {
	s.mu.Lock()
	p := s.process
	s.process = nil
	s.mu.Unlock()
	p.kill()
	<-p.ended
	p.view.kill()
}

// isAt returns nil when the server is well and has all up to a record.
func (s *simServer) isAt(last uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p, err := s.running(ctx)
	if err == nil {
		err = p.ledger.Healthy()
	}
	if err == nil && p.journal.Last() != last {
		err = fmt.Errorf("it has %d of %d records", p.journal.Last(), last)
	}
	if err == nil {
		err = p.projector.WaitFor(ctx, last)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name(), err)
	}
	return nil
}

// checkFolder builds the projections again from the journal that is left, and compares.
func (s *simServer) checkFolder() {
	j, err := journal.Open(filepath.Join(s.dir, "journal.db"))
	if err != nil {
		s.w.t.Fatal(err)
	}
	defer j.Close()
	r, err := projector.Rebuild(context.Background(), filepath.Join(s.dir, "projections.db"), j)
	if err != nil || !r.Identical() {
		s.w.t.Errorf("%s: the projections, built again: %+v, %v", s.name(), r, err)
	}
}
