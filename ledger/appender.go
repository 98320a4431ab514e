package ledger

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// The appender is one goroutine. It takes commands from a channel, those that wait as a group. It
// decides each against the state that includes what is in flight, gives it the next sequence, and
// asks the log for the group, without waiting. Behind it the committer, another goroutine, waits
// for the log's answers in order, commits what they accept to the journal, all that waits at once,
// and only then answers the submitters.
//
// A refusal, too, waits for what was in flight when it was decided, for it may rest on it.
//
// When the log says no, or nothing, the committer stops at that group and the appender takes back
// from the state that one and all after it, learns from the log what really happened, and decides
// them again. The first record after that goes alone, so that the log's answer is about that one.

const (
	maxInFlight = 4096 // entries between the appender and the committer
	groupMost   = 64   // entries of a group
	maxAttempts = 1000 // how often a command may lose the race against other servers
	maxSilence  = 2    // how often the log may give no answer to a command
)

type command struct {
	signed   events.Signed
	unsigned bool        // then signed has the statement alone: it is to be checked
	view     events.View // of who asks that, "" for all
	key      events.Key  // the signature was verified with it
	check    bool        // only say whether it would be recorded
	turn     bool        // it is nothing, and wants to know that its turn comes
	refused  error       // why it cannot be recorded, by what this server has had at the time
	done     chan result
	begun    time.Time // when it began to wait for its turn
	attempts int
	silence  int  // how often the log gave no answer
	asked    bool // the log was asked to append it
}

type result struct {
	receipt Receipt
	err     error
}

func (c *command) answer(r Receipt, err error) { c.done <- result{r, err} }

// An entry is a command in flight: a record that the log is asked to append, or an answer that
// waits for those before it.
type entry struct {
	command *command
	record  events.Record
	message Message
	undo    func() // for a record: takes it back from the state
	// For an answer: the refusal, or nil for the first receipt of a record, and for a check that
	// found nothing.
	verdict error
}

func (e *entry) isRecord() bool { return e.undo != nil }

// A group is entries that go from the appender to the committer at once, in order.
type group struct {
	entries []*entry
	records []events.Record // those of the entries that are records
	ack     Ack             // the log's answer for them; nil where there are none
	asked   time.Time       // when the log was asked
	// For none: tells the appender that all before is committed, and what could not be.
	barrier chan<- []*group
}

func (l *Ledger) run(ctx context.Context) {
	defer close(l.stopped)
	defer close(l.queue)
	rest := time.NewTicker(saveEvery)
	defer rest.Stop()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for turn := 0; ; turn++ {
		select { // what comes by the clock comes first
		case <-beat.C:
			l.hear()
			l.reach()
			continue
		default:
		}
		next := l.inTurn(turn)
		select {
		case <-ctx.Done():
			l.drain()
			return
		case <-next.faults:
			l.recover(l.flush())
		case last := <-next.changed:
			l.told = max(l.told, last)
			if last > l.state.Last() {
				l.follow()
			}
		case <-next.nudges:
			l.follow()
		case c := <-next.commands:
			l.take(c)
		case <-next.news:
			l.suspectIfBroken()
			l.hear()
		case <-beat.C:
			l.hear()
			l.reach()
		case <-rest.C:
			l.heal()
			l.saveSome()
		}
	}
}

// sources are what the appender listens to; nil to what it does not.
type sources struct {
	faults, nudges, news <-chan struct{}
	changed              <-chan uint64
	commands             <-chan *command
}

// inTurn returns what to listen to: to everything where nothing has come yet, and where several
// have, to one of them, which is another one each time. The select of Go would choose by chance; so
// none waits longer than its turn, and what a simulated server does can be had again.
func (l *Ledger) inTurn(turn int) sources {
	all := sources{l.faults, l.nudges, nil, l.cfg.Log.Changed(), l.commands}
	if l.cfg.Peers != nil {
		all.news = l.cfg.Peers.News()
	}
	const kinds = 5
	for n := range kinds {
		switch next := (turn + n) % kinds; {
		case next == 0 && len(all.faults) > 0:
			return sources{faults: all.faults}
		case next == 1 && len(all.nudges) > 0:
			return sources{nudges: all.nudges}
		case next == 2 && len(all.changed) > 0:
			return sources{changed: all.changed}
		case next == 3 && len(all.commands) > 0:
			return sources{commands: all.commands}
		case next == 4 && len(all.news) > 0:
			return sources{news: all.news}
		}
	}
	return all
}

// drain waits for what is in flight, and tells those who wait that they came too late.
func (l *Ledger) drain() {
	for _, e := range entriesOf(l.flush()) {
		e.command.answer(Receipt{}, errStopping)
	}
	for {
		select {
		case c := <-l.commands:
			c.answer(Receipt{}, errStopping)
		default:
			return
		}
	}
}

// take decides a command, and those that wait behind it, and asks the log to append what may be
// said.
func (l *Ledger) take(c *command) {
	l.suspectIfBroken()
	// Where others are waited for, nobody asks again because of a command.
	if l.behind && !l.waiting && time.Now().After(l.retryAt) {
		l.recover(l.flush())
	}
	defer l.send()
	for n := 1; ; n++ {
		l.took(StepQueue, c.begun)
		l.decide(c, false)
		if n == groupMost {
			return
		}
		select {
		case c = <-l.commands:
		default:
			return
		}
	}
}

// decide puts a command into the group, as a record or as an answer. Anchored says that the log has
// just been seen to end where the journal ends.
func (l *Ledger) decide(c *command, anchored bool) {
	if c.turn {
		c.answer(Receipt{}, nil)
		return
	}
	if l.behind {
		c.answer(Receipt{}, l.Healthy())
		return
	}
	if c.refused != nil { // by all that there is, since nothing is missing
		l.join(&entry{command: c, verdict: c.refused})
		return
	}
	answered, withheld, err := l.found(c)
	if answered {
		return
	}
	if err == nil {
		err = l.judge(c)
	}
	if err == nil && withheld && !c.check { // to ask is free, and a record names who has guessed
		err = rules.IDWithheld(c.signed.Statement.Head().ID)
	}
	if err != nil {
		l.join(&entry{command: c, verdict: err})
		return
	}
	for _, stays := range [...]cause{held, unwritable} {
		if why := l.health.of(stays); why != nil {
			c.answer(Receipt{}, why)
			return
		}
	}
	if why := l.tellClock(); why != nil {
		c.answer(Receipt{}, why)
		return
	}
	now := l.now()
	if late := rules.InTime(c.signed.Statement, now); late != nil || c.check {
		l.join(&entry{command: c, verdict: late})
		return
	}
	if l.before == nil && l.state.Last() > 0 && !anchored {
		// The sequence alone would say where the record goes. That is not enough for a log that has
		// lost its end since, and to which somebody else has given another.
		l.recover(l.flush())
		l.decide(c, true)
		return
	}
	l.append(c, now)
}

// judge asks the rules.
func (l *Ledger) judge(c *command) error {
	st := c.signed.Statement
	return l.attempt(st, func() error {
		if c.unsigned {
			return rules.DecideUnsigned(l.state, cmp.Or(c.view, events.CoordinatorsView), st)
		}
		return l.cfg.decide(l.state, c.key, st)
	})
}

// found is known, with the error where that panics.
func (l *Ledger) found(c *command) (answered, withheld bool, err error) {
	err = l.attempt(c.signed.Statement, func() error {
		answered, withheld = l.known(c)
		return nil
	})
	return answered, withheld, err
}

// attempt does something for one statement. Where that panics, the statement is refused, the log
// has the stack, and the server goes on for all others: so what is done must have changed nothing
// then. To look something up and to decide change nothing, and [rules.State.Apply] takes back what
// it has changed.
func (l *Ledger) attempt(st events.Statement, do func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			l.cfg.Faults.Error("a statement has met a fault of this program", "type",
				st.Head().Type,
				"id", st.Head().ID, "panic", broken, "stack", string(debug.Stack()))
			err = errFault
		}
	}()
	return do()
}

var errFault = problem.New(problem.Internal, "the statement has met a fault of this program").
	WithHint("nothing was recorded, and the server's log has more about it: tell whoever runs it")

// append gives the command the next sequence, and the time.
func (l *Ledger) append(c *command, now time.Time) {
	e := &entry{command: c}
	err := l.attempt(c.signed.Statement, func() (err error) {
		e.record, err = events.NewRecord(l.state.Last()+1, now, l.cfg.Name, c.signed)
		if err != nil {
			return err
		}
		e.message = message(e.record)
		e.undo, err = l.state.Apply(e.record)
		return err
	})
	if err != nil {
		c.answer(Receipt{}, problem.From(err))
		return
	}
	rec := e.record
	l.learn(rec.Statement)
	c.asked = true
	l.inFlight[rec.Statement.Head().ID] = e
	if len(l.inFlight) > 2*maxInFlight {
		l.forget()
	}
	l.join(e)
	if l.before == nil {
		l.send()
	}
}

func (l *Ledger) join(e *entry) { l.group = append(l.group, e) }

// send asks the log for the records of the group, and gives it to the committer.
func (l *Ledger) send() {
	if len(l.group) == 0 {
		return
	}
	g := &group{entries: l.group, records: make([]events.Record, 0, len(l.group))}
	messages := make([]Message, 0, len(l.group))
	l.group = nil
	for _, e := range g.entries {
		if e.isRecord() {
			g.records, messages = append(g.records, e.record), append(messages, e.message)
		}
	}
	switch {
	case len(messages) == 0:
	case l.isBroken():
		g.ack = unasked{}
	default:
		g.asked = time.Now()
		l.underWay.Store(messages[len(messages)-1].Sequence)
		l.before = l.cfg.Log.Append(messages, l.before)
		g.ack = l.before
	}
	l.queue <- g
}

// forget drops from those in flight what the journal has by now.
func (l *Ledger) forget() {
	last := l.cfg.Journal.Last()
	for id, e := range l.inFlight {
		if e.record.Sequence <= last {
			delete(l.inFlight, id)
		}
	}
}

// apply takes into the state a record that is safe already.
func (l *Ledger) apply(rec events.Record) error {
	err := l.attempt(rec.Statement, func() error {
		_, err := l.state.Apply(rec)
		return err
	})
	if err != nil {
		return fmt.Errorf("record %d: %w", rec.Sequence, err)
	}
	l.learn(rec.Statement)
	return nil
}
