package ledger

import (
	"muster/events"
)

// settle is the settler's goroutine: see appender.go. It ends when the queue is closed.
func (l *Ledger) settle() {
	s := &settler{ledger: l}
	for e := range l.queue {
		s.add(e)
	}
}

type settler struct {
	ledger *Ledger
	failed []*entry // once one failed: it and all after it, until the appender's barrier
}

// add settles e together with all that waits behind it and is ready.
func (s *settler) add(e *entry) {
	batch := []*entry{e}
	for len(s.failed) == 0 && e.barrier == nil && len(batch) < maxFlying {
		if e.isRecord() && e.ack.Wait() != nil {
			break
		}
		next, ok := s.ready()
		if !ok {
			break
		}
		batch = append(batch, next)
		e = next
	}
	s.finish(batch)
}

// ready returns the next entry when it is there. It may still have to be waited for: that is shorter than a commit.
func (s *settler) ready() (*entry, bool) {
	select {
	case e, ok := <-s.ledger.queue:
		return e, ok
	default:
		return nil, false
	}
}

// finish commits the records of a batch, as far as the log has taken them, and answers. What comes after an entry that
// failed is kept for the appender.
func (s *settler) finish(batch []*entry) {
	good := len(batch)
	if len(s.failed) > 0 {
		good = 0
	}
	var records []events.Record
	for i, e := range batch[:good] {
		if !e.isRecord() {
			continue
		}
		if e.ack.Wait() != nil {
			good = i
			break
		}
		records = append(records, e.record)
	}
	if err := s.ledger.cfg.Journal.Append(records); err != nil {
		good = 0
	} else if len(records) > 0 {
		s.ledger.silent.Store(nil)
	}
	s.answer(batch[:good])
	s.keep(batch[good:])
}

func (s *settler) answer(settled []*entry) {
	for _, e := range settled {
		switch {
		case e.barrier != nil:
			e.barrier <- nil
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
}

// keep holds back what could not be settled. Only the end of a batch can be a barrier: it hands over what was kept.
func (s *settler) keep(rest []*entry) {
	for _, e := range rest {
		if e.barrier != nil {
			e.barrier <- s.failed
			s.failed = nil
			continue
		}
		if e.isRecord() {
			_ = e.ack.Wait() // its outcome is learned from the log; here it only must be over
		}
		s.failed = append(s.failed, e)
		select {
		case s.ledger.faults <- struct{}{}:
		default:
		}
	}
}
