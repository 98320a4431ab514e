package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"muster/ledger"
	"muster/ledger/journal"
)

// simPeers are the other servers of a simulated world, as one process knows them: it has met all.
// It implements [ledger.Peers].
type simPeers struct {
	process *simProcess
	reach   atomic.Pointer[func() uint64]
	news    chan struct{}
	breaks  atomic.Uint64
}

func newSimPeers(p *simProcess) *simPeers {
	return &simPeers{process: p, news: make(chan struct{}, 1)}
}

// Answer implements [ledger.Peers].
func (p *simPeers) Answer(reach func() uint64) { p.reach.Store(&reach) }

// News implements [ledger.Peers].
func (p *simPeers) News() <-chan struct{} { return p.news }

// Trust implements [ledger.Peers]: this log loses what it has not synced.
func (p *simPeers) Trust() bool { return false }

// Breaks implements [ledger.Peers].
func (p *simPeers) Breaks() uint64 { return p.breaks.Load() }

// broke tells that the line was broken.
func (p *simPeers) broke() {
	p.breaks.Add(1)
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// Ask implements [ledger.Peers].
func (p *simPeers) Ask() ledger.Question {
	return &simQuestion{peers: p, heard: map[string]*simWord{}}
}

// A simQuestion is one to all servers of the world.
type simQuestion struct {
	peers *simPeers

	mu    sync.Mutex
	heard map[string]*simWord // by the server's name
}

// A simWord is what a process says of its journal.
type simWord struct {
	process *simProcess
	reach   uint64
}

// Ends implements [ledger.Question].
func (q *simQuestion) Ends(ctx context.Context) (ends []ledger.End, silent []string, err error) {
	own := q.peers.process
	if _, there, back := own.view.blocked(); there || back {
		_ = own.view.sleep(ctx, time.Second)
		return nil, nil, errNoAnswer
	}
	var all sync.WaitGroup
	for _, s := range own.server.w.servers {
		if s != own.server {
			all.Go(func() { q.ask(ctx, s) })
		}
	}
	all.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range own.server.w.servers {
		if s == own.server {
			continue
		}
		word := q.heard[s.name()]
		if word == nil || word.process.view.isKilled() { // it has answered, and then no more
			silent = append(silent, s.name())
			continue
		}
		ends = append(ends, ledger.End{Name: s.name(), Reach: word.reach,
			Parted: parted(own.journal, word.process.journal)})
	}
	return ends, silent, nil
}

// ask asks one server, which answers when it runs and the question reaches it. Of two answers of
// one process, that counts which claims less.
func (q *simQuestion) ask(ctx context.Context, s *simServer) {
	f := q.peers.process.view.draw("peer" + s.name())
	if q.peers.process.view.sleep(ctx, f.there) != nil || f.lost {
		return
	}
	s.mu.Lock()
	p := s.process
	s.mu.Unlock()
	if p == nil || p.view.isKilled() || s.w.log.isSilent() {
		return
	}
	if _, there, back := p.view.blocked(); there || back {
		return
	}
	word := &simWord{process: p}
	if reach := p.peers.reach.Load(); reach != nil {
		word.reach = (*reach)()
	}
	word.reach = max(word.reach, p.journal.Last())
	if q.peers.process.view.sleep(ctx, f.back) != nil || f.unanswered ||
		f.there+f.back > time.Second {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.heard[s.name()]
	if before == nil || before.process != p || word.reach < before.reach {
		q.heard[s.name()] = word
	}
}

// parted returns the first sequence at which two journals differ, 0 for none.
func parted(a, b *journal.Journal) uint64 {
	both := min(a.Last(), b.Last())
	if one, err := a.RootAt(int64(both)); err == nil {
		if other, err := b.RootAt(int64(both)); err == nil && one == other {
			return 0
		}
	}
	for n := uint64(1); n <= both; n++ {
		one, errA := a.Record(n)
		other, errB := b.Record(n)
		if errA != nil || errB != nil || string(one.Stored) != string(other.Stored) {
			return n
		}
	}
	return 0
}

func (l *simLog) isSilent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.silent)
}
