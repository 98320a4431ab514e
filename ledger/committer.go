package ledger

import (
	"time"

	"muster/events"
	"muster/ledger/journal"
)

// runCommitter is the committer's goroutine: see appender.go. It ends when the queue is closed.
func (l *Ledger) runCommitter() {
	c := &committer{ledger: l}
	for g := range l.queue {
		c.add(g)
	}
}

type committer struct {
	ledger *Ledger
	batch  *journal.Batch // of the records that are being committed; nil before the first
	failed []*group       // once one failed: it and all after it, until the appender's barrier
}

// add commits g together with all that waits behind it.
func (c *committer) add(g *group) {
	groups, good, n := []*group{g}, c.take(g), len(g.entries)
	for good && g.barrier == nil && n < maxInFlight {
		next, ok := c.ready()
		if !ok {
			break
		}
		groups, good, n = append(groups, next), c.take(next), n+len(next.entries)
		g = next
	}
	done := len(groups)
	if !good {
		done--
	}
	if err := c.commit(groups[:done], good); err != nil {
		done = 0
	}
	c.answer(groups[:done])
	c.keep(groups[done:])
}

// ready returns the next group when it is there. It may still have to be waited for: that is
// shorter than a commit.
func (c *committer) ready() (*group, bool) {
	select {
	case g, ok := <-c.ledger.queue:
		return g, ok
	default:
		return nil, false
	}
}

// take readies the records of a group for the commit while the log's answer is on its way, waits
// for that, and reports whether the group can be committed. What comes after one that failed
// cannot.
func (c *committer) take(g *group) bool {
	if len(c.failed) > 0 {
		return false
	}
	if g.ack == nil {
		return true
	}
	if c.stage(g.records) != nil || g.ack.Wait() != nil {
		return false
	}
	c.ledger.took(StepLog, g.asked)
	return true
}

// stage adds records to the batch. A record that is the first, and often stays alone, is sealed at
// once: there is time until the log has answered.
func (c *committer) stage(records []events.Record) (err error) {
	alone := c.batch == nil && len(records) == 1
	if c.batch == nil {
		if c.batch, err = c.ledger.cfg.Journal.Begin(); err != nil {
			return err
		}
	}
	for _, rec := range records {
		if err := c.batch.Add(rec); err != nil {
			return err
		}
	}
	if alone {
		return c.batch.Seal()
	}
	return nil
}

// commit makes the records of groups safe. The batch has those of one too many unless all of it is
// good: then it is made anew.
func (c *committer) commit(groups []*group, whole bool) (err error) {
	batch := c.batch
	c.batch = nil
	if batch == nil {
		return nil
	}
	begun := time.Now()
	if whole {
		err = batch.Commit()
	} else {
		batch.Drop()
		err = c.ledger.cfg.Journal.Append(recordsOf(groups))
	}
	if err == nil && len(groups) > 0 {
		c.ledger.took(StepCommit, begun)
		c.ledger.health.clear(silent)
	}
	return err
}

func recordsOf(groups []*group) (records []events.Record) {
	for _, g := range groups {
		records = append(records, g.records...)
	}
	return records
}

func (c *committer) answer(done []*group) {
	for _, g := range done {
		if g.barrier != nil {
			g.barrier <- nil
		}
		for _, e := range g.entries {
			e.answer()
		}
	}
}

// answer tells the submitter what became of the command.
func (e *entry) answer() {
	switch {
	case e.verdict != nil:
		e.command.answer(Receipt{}, e.verdict)
	case e.command.check:
		e.command.answer(Receipt{}, nil)
	case e.isRecord():
		e.command.answer(receiptOf(e.record), nil)
	default:
		e.command.answer(againReceipt(e.record), nil)
	}
}

// keep holds back what could not be committed. Only the end of a batch can be a barrier: it hands
// over what was kept.
func (c *committer) keep(rest []*group) {
	for _, g := range rest {
		if g.barrier != nil {
			g.barrier <- c.failed
			c.failed = nil
			continue
		}
		if g.ack != nil {
			_ = g.ack.Wait() // its outcome is learned from the log; here it only must be over
		}
		c.failed = append(c.failed, g)
		select {
		case c.ledger.faults <- struct{}{}:
		default:
		}
	}
}
