package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"muster/ledger"
)

// A simLog is the log of a simulated world: messages in memory, behind a network. What is sent to
// it arrives late, in part, or never, and so do its answers. A power cut takes from it what it has
// not synced.
type simLog struct {
	w  *world
	mu sync.Mutex // for what follows

	messages []ledger.Message
	synced   int       // how many messages a power cut leaves
	silent   time.Time // until when it answers nobody and takes nothing
	full     time.Time // until when it is read and takes nothing
	cuts     int       // how often its power was cut: what was under way then is gone
	views    []*simView
}

// What the network and the log do to one request.
type fate struct {
	*rand.Rand
	there, back time.Duration // on the way
	lost        bool          // on the way there
	unanswered  bool          // lost on the way back
}

// draw decides what becomes of a request. It depends on the seed, on who asks for what, and on the
// simulated time alone: so it is the same again, in whatever order goroutines come to run.
func (v *simView) draw(what string) fate {
	h := fnv.New64a()
	fmt.Fprint(h, v.name, what, v.log.w.now())
	r := rand.New(rand.NewPCG(v.log.w.seed, h.Sum64()))
	f := fate{Rand: r, there: travel(r), back: travel(r)}
	if v.log.w.calm.Load() {
		f.there, f.back = time.Duration(r.Int64N(1e6)), time.Duration(r.Int64N(1e6))
		return f
	}
	f.lost, f.unanswered = r.IntN(40) == 0, r.IntN(40) == 0
	return f
}

// travel draws how long a message is under way: most are fast, and a few very slow.
func travel(r *rand.Rand) time.Duration {
	most := 2 * time.Millisecond
	switch n := r.IntN(100); {
	case n == 0:
		most = 8 * time.Second
	case n < 5:
		most = 300 * time.Millisecond
	}
	return time.Duration(1 + r.Int64N(int64(most)))
}

// A simView is the log as one process sees it, over a connection of its own. It implements
// [ledger.Log].
type simView struct {
	log     *simLog
	name    string // of the server and its process
	changed chan uint64
	ended   chan struct{} // closed when the process was killed

	mu      sync.Mutex // for what follows
	arrives time.Time  // when the last group arrives that was sent: none overtakes another
	cutOff  time.Time  // until when nothing comes through…
	there   bool       // …to the log
	back    bool       // …from the log
}

// view connects a process to the log, until it is killed.
func (l *simLog) view(name string) *simView {
	v := &simView{log: l, name: name, changed: make(chan uint64, 1), ended: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.views = append(l.views, v)
	go v.poll()
	return v
}

// poll looks every two seconds where the log ends, as a [stream.Stream] does.
func (v *simView) poll() {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-v.ended:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if last, err := v.Last(ctx); err == nil {
			v.offer(last)
		}
		cancel()
	}
}

func (v *simView) offer(last uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case old := <-v.changed:
		last = max(last, old)
	default:
	}
	v.changed <- last
}

// kill ends the connection with its process: nothing is sent over it any more, and what was sent
// may still arrive.
func (v *simView) kill() { close(v.ended) }

func (v *simView) isKilled() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}

// cut cuts the connection for a time, in one direction or in both.
func (v *simView) cut(d time.Duration, there, back bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cutOff, v.there, v.back = time.Now().Add(d), there, back
}

// blocked returns until when nothing comes through, and in which directions.
func (v *simView) blocked() (until time.Time, there, back bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !time.Now().Before(v.cutOff) {
		return time.Time{}, false, false
	}
	return v.cutOff, v.there, v.back
}

var (
	errNoAnswer = errors.New("no answer in time")
	errKilled   = errors.New("the process was killed")
)

const simTimeout = 5 * time.Second // of a request

// A simAck is the answer to a group that is under way.
type simAck struct {
	last   ledger.Message
	landed bool          // the last message of the group is in the log; under the log's lock
	done   chan struct{} // closed when the answer comes
	answer error         // to be read after done
	limit  time.Time     // of waiting for it

	ended bool // Wait has returned err
	err   error
}

// Wait implements [ledger.Ack].
func (a *simAck) Wait() error {
	if a.ended {
		return a.err
	}
	limit := time.NewTimer(time.Until(a.limit))
	defer limit.Stop()
	select {
	case <-a.done:
		a.err = a.answer
	case <-limit.C:
		a.err = errNoAnswer
	}
	a.ended = true
	return a.err
}

// Append implements [ledger.Log]. Groups arrive in the order in which they are sent, and what comes
// too late to be answered may still be carried out.
func (v *simView) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	a := &simAck{last: group[len(group)-1], done: make(chan struct{}),
		limit: time.Now().Add(simTimeout + time.Second)}
	if v.isKilled() {
		return a
	}
	f := v.draw("append")
	at := time.Now().Add(f.there)
	if until, there, _ := v.blocked(); there {
		f.lost = f.lost || f.IntN(2) == 0 // or the client sends it when it can
		at = until.Add(f.there)
	}
	v.mu.Lock()
	if !at.After(v.arrives) {
		at = v.arrives.Add(1)
	}
	v.arrives = at
	v.mu.Unlock()
	before, _ := after.(*simAck)
	cuts := v.log.cutsNow()
	go func() {
		time.Sleep(time.Until(at))
		err, answered := v.log.take(v, group, before, a, f, cuts)
		if !answered || f.unanswered {
			return
		}
		if v.comesBack(f) {
			a.answer = err
			close(a.done)
		}
	}()
	return a
}

// comesBack waits until an answer has come back, and reports whether it has.
func (v *simView) comesBack(f fate) bool {
	time.Sleep(f.back)
	until, _, back := v.blocked()
	if !back {
		return true
	}
	if f.IntN(2) == 0 {
		return false
	}
	time.Sleep(time.Until(until) + f.back)
	return true
}

func (l *simLog) cutsNow() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cuts
}

// take appends what has arrived of a group, and returns the answer, if there is any.
func (l *simLog) take(v *simView, group []ledger.Message, before, a *simAck, f fate,
	cuts int) (answer error, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if f.lost || l.cuts != cuts || now.Before(l.silent) || now.Before(l.full) {
		l.w.note("the log does not take %d from %s", group[0].Sequence, v.name)
		return nil, false
	}
	if before != nil && !(before.landed && l.endsWith(before.last)) {
		return ledger.ErrLostRace, true
	}
	whole := len(group)
	if whole > 1 && !l.w.calm.Load() && f.IntN(20) == 0 { // the connection breaks
		whole = f.IntN(whole)
	}
	for _, m := range group[:whole] {
		if m.Sequence != uint64(len(l.messages))+1 {
			return ledger.ErrLostRace, true
		}
		l.messages = append(l.messages, m)
		l.w.note("the log takes %d from %s", m.Sequence, v.name)
	}
	l.tell()
	if whole < len(group) {
		return nil, false
	}
	a.landed = true
	return nil, true
}

func (l *simLog) endsWith(m ledger.Message) bool {
	n := len(l.messages)
	return uint64(n) == m.Sequence && bytes.Equal(l.messages[n-1].Data, m.Data)
}

// tell gives most of the servers notice of what is new, a little later. The others look by
// themselves.
func (l *simLog) tell() {
	last := uint64(len(l.messages))
	for _, v := range l.views {
		f := v.draw("notice")
		if _, _, back := v.blocked(); f.IntN(5) == 0 || back || v.isKilled() {
			continue
		}
		time.AfterFunc(f.back, func() { v.offer(last) })
	}
}

// ask is what is common to the requests that only read.
func (v *simView) ask(ctx context.Context, what string) (all []ledger.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, simTimeout)
	defer cancel()
	f := v.draw(what)
	if err := v.sleep(ctx, f.there); err != nil {
		return nil, err
	}
	_, there, back := v.blocked()
	v.log.mu.Lock()
	all = v.log.messages[:len(v.log.messages):len(v.log.messages)]
	silent := time.Now().Before(v.log.silent)
	v.log.mu.Unlock()
	if there || back || silent || f.lost || f.unanswered {
		<-ctx.Done()
		return nil, errNoAnswer
	}
	return all, v.sleep(ctx, f.back)
}

func (v *simView) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return errNoAnswer
	case <-v.ended:
		return errKilled
	}
}

// Last implements [ledger.Log].
func (v *simView) Last(ctx context.Context) (uint64, error) {
	all, err := v.ask(ctx, "last")
	return uint64(len(all)), err
}

// Read implements [ledger.Log]. It asks for some messages at a time, and may fail between two
// requests.
func (v *simView) Read(ctx context.Context, from uint64, yield func(ledger.Message) error) error {
	last, err := v.Last(ctx)
	if err != nil {
		return err
	}
	const batch = 32
	for next := from; next <= last; {
		all, err := v.ask(ctx, "read")
		if err != nil {
			return err
		}
		if uint64(len(all)) < last {
			return fmt.Errorf("message %d of %d cannot be read", next, last)
		}
		for _, m := range all[next-1 : min(next-1+batch, last)] {
			if err := yield(m); err != nil {
				return err
			}
			next++
		}
	}
	return nil
}

// Changed implements [ledger.Log].
func (v *simView) Changed() <-chan uint64 { return v.changed }

// stopTaking has the log answer nobody for a time, or take nothing and be read.
func (l *simLog) stopTaking(d time.Duration, full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full {
		l.full = time.Now().Add(d)
	} else {
		l.silent = time.Now().Add(d)
	}
}

// sync makes safe against a power cut what the log has now.
func (l *simLog) sync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.synced = len(l.messages)
}

// powerCut takes from the log some or all of what is not synced, and what is under way to it.
func (l *simLog) powerCut(r *rand.Rand, down time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.synced + r.IntN(len(l.messages)-l.synced+1)
	l.w.note("the log loses what it has behind %d", left)
	l.messages = l.messages[:left:left]
	l.synced, l.cuts, l.silent = left, l.cuts+1, time.Now().Add(down)
}
