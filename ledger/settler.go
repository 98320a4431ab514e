package ledger

import (
	"errors"

	"muster/events"
	"muster/ledger/journal"
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
	batch  *journal.Batch // of the records that are being settled; nil before the first
	failed []*entry       // once one failed: it and all after it, until the appender's barrier
}

// add settles e together with all that waits behind it and is ready.
func (s *settler) add(e *entry) {
	group, good := []*entry{e}, s.take(e)
	for good && e.barrier == nil && len(group) < maxFlying {
		next, ok := s.ready()
		if !ok {
			break
		}
		group, good = append(group, next), s.take(next)
		e = next
	}
	settled := len(group)
	if !good {
		settled--
	}
	if err := s.commit(group[:settled], good); err != nil {
		settled = 0
	}
	s.answer(group[:settled])
	s.keep(group[settled:])
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

// take readies a record for the commit while the log's answer is on its way, waits for that, and reports whether the entry can be
// settled. What comes after an entry that failed cannot.
func (s *settler) take(e *entry) bool {
	if len(s.failed) > 0 {
		return false
	}
	return !e.isRecord() || s.stage(e.record) == nil && e.ack.Wait() == nil
}

// stage adds a record to the batch. The first, which often stays alone, is sealed at once: there is time until the log has answered.
func (s *settler) stage(rec events.Record) (err error) {
	if s.batch != nil {
		return s.batch.Add(rec)
	}
	if s.batch, err = s.ledger.cfg.Journal.Begin(); err != nil {
		return err
	}
	return errors.Join(s.batch.Add(rec), s.batch.Seal())
}

// commit makes the records of a group safe. The batch has one too many unless the whole group is good: then it is made anew.
func (s *settler) commit(group []*entry, whole bool) (err error) {
	batch := s.batch
	s.batch = nil
	if batch == nil {
		return nil
	}
	if whole {
		err = batch.Commit()
	} else {
		batch.Drop()
		err = s.ledger.cfg.Journal.Append(recordsOf(group))
	}
	if err == nil && len(group) > 0 {
		s.ledger.silent.Store(nil)
	}
	return err
}

func recordsOf(group []*entry) (records []events.Record) {
	for _, e := range group {
		if e.isRecord() {
			records = append(records, e.record)
		}
	}
	return records
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
