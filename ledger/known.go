package ledger

import (
	"bytes"
	"cmp"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// known answers a command whose id is there already: with the first receipt when the statement and
// the key are the same, with a conflict when they are not. The signature was verified, so that
// nobody else is told.
//
// Where whoever asks may not read the record with the id, it is withheld, and the command is not
// answered: the rules refuse it as they would if that record had never been made.
func (l *Ledger) known(c *command) (answered, withheld bool) {
	id := c.signed.Statement.Head().ID
	if e, ok := l.inFlight[id]; ok && e.record.Sequence > l.cfg.Journal.Last() {
		if l.withholds(e.record, c) {
			return false, true
		}
		l.join(&entry{command: c, record: e.record, verdict: sameOrConflict(e.record, c)})
		return true, false
	}
	delete(l.inFlight, id)
	sequence, ok, err := l.cfg.Journal.Find(id)
	if err == nil && !ok {
		return false, false
	}
	var rec events.Record
	if err == nil {
		rec, err = l.cfg.Journal.Record(sequence)
	}
	if err == nil && l.withholds(rec, c) {
		return false, true
	}
	if err == nil {
		err = sameOrConflict(rec, c)
	}
	if err != nil {
		c.answer(Receipt{}, problem.From(err))
		return true, false
	}
	// The log has taken it, and not those behind it in its group.
	if c.asked && rec.By == l.cfg.Name {
		c.answer(receiptOf(rec), nil)
		return true, false
	}
	c.answer(againReceipt(rec), nil)
	return true, false
}

// withholds reports whether a record is not for whoever gives a command to read. What one has
// signed oneself is no secret.
func (l *Ledger) withholds(rec events.Record, c *command) bool {
	if c.unsigned {
		return !l.state.MayRead(cmp.Or(c.view, events.CoordinatorsView), rec)
	}
	return sameOrConflict(rec, c) != nil && !l.state.MayRead(l.state.ViewOf(c.key), rec)
}

func againReceipt(rec events.Record) Receipt {
	r := receiptOf(rec)
	r.Again = true
	return r
}

func sameOrConflict(rec events.Record, c *command) error {
	same := bytes.Equal(rec.Note, c.signed.Note) || rec.SaysTheSame(c.signed)
	if c.unsigned {
		text, err := events.Marshal(c.signed.Statement)
		same = err == nil && bytes.HasPrefix(rec.Note, append(text, '\n'))
	}
	if same {
		return nil
	}
	return rules.IDTaken(rec.Statement.Head().ID, rec.Sequence)
}
