package ledger

import (
	"errors"
	"fmt"
	"sync"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// A follower takes messages into the state, and commits them to the journal in batches.
//
// To read a record and to check its signature needs no state, and is most of the work. So where
// there are many messages, as for a server that begins with an empty folder, some hundred each are
// handed over as a load: loads are checked beside each other, admitted one after the other, and
// meanwhile the log is read ahead. Few messages, as they come while servers write, are taken in
// where they are read.
type follower struct {
	ledger *Ledger
	batch  []events.Record
	ids    map[events.ID]uint64 // of the batch
	undo   []func()             // how to take the batch back from the state

	next   *load
	loads  chan *load // handed over, in order; nil before the first
	beside sync.WaitGroup
	ended  chan struct{} // closed when no load is admitted any more
	failed error         // why; to be read after ended
}

// A load is messages that are handed over together.
type load struct {
	arrivals []arrival
	checked  chan struct{} // closed when they are
}

// An arrival is a message, and what can be said of it without the state.
type arrival struct {
	message    Message
	record     events.Record
	unreadable error // why there is no record
	key        events.Key
	unverified error // why it is not known to be signed with key
}

const (
	followBatch = 1024 // records of other servers that are committed at once
	loadSize    = 256
	loadsAhead  = 16 // how many may wait to be admitted
)

func newFollower(l *Ledger) *follower { return &follower{ledger: l, next: newLoad()} }

func newLoad() *load { return &load{checked: make(chan struct{})} }

// take takes the message that follows. The error may be of one before it.
func (f *follower) take(m Message) error {
	f.next.arrivals = append(f.next.arrivals, arrival{message: m})
	if len(f.next.arrivals) < loadSize {
		return nil
	}
	full := f.next
	f.next = newLoad()
	if f.loads == nil {
		f.loads, f.ended = make(chan *load, loadsAhead), make(chan struct{})
		f.beside.Go(f.admitLoads)
	}
	f.beside.Go(func() { f.check(full) })
	select {
	case f.loads <- full:
		return nil
	case <-f.ended:
		return f.failed
	}
}

// end takes in what is left, and commits all that is good. It must be called, with the error of the
// reading, which it returns with its own; and it returns when nothing is done beside any more.
func (f *follower) end(reading error) error {
	if f.loads != nil {
		close(f.loads)
		f.beside.Wait()
	}
	if f.failed == nil {
		f.check(f.next)
		f.failed = f.admitLoad(f.next)
	}
	err := reading
	if !errors.Is(err, f.failed) {
		err = errors.Join(err, f.failed)
	}
	if lost := f.commit(); lost != nil {
		err = errors.Join(err, lost)
	}
	return err
}

// check does what needs no state.
func (f *follower) check(l *load) {
	defer close(l.checked)
	for i := range l.arrivals {
		a := &l.arrivals[i]
		if a.record, a.unreadable = events.ParseRecord(a.message.Sequence,
			a.message.Data); a.unreadable == nil {
			a.key, a.unverified = f.ledger.verify(a.record.Signed)
		}
	}
}

// admitLoads is the goroutine that admits what is handed over.
func (f *follower) admitLoads() {
	defer close(f.ended)
	for l := range f.loads {
		if f.failed = f.admitLoad(l); f.failed != nil {
			return
		}
	}
}

func (f *follower) admitLoad(l *load) error {
	<-l.checked
	for i := range l.arrivals {
		rec, err := f.admit(&l.arrivals[i])
		if err != nil {
			return err
		}
		f.ledger.underWay.Store(rec.Sequence)
		if f.ids == nil {
			f.ids = map[events.ID]uint64{}
		}
		f.ids[rec.Statement.Head().ID] = rec.Sequence
		if f.batch = append(f.batch, rec); len(f.batch) < followBatch {
			continue
		}
		if err := f.commit(); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) commit() error {
	batch, undo := f.batch, f.undo
	f.batch, f.ids, f.undo = nil, nil, nil
	if err := f.ledger.cfg.Journal.Append(batch); err != nil {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
		return err
	}
	if len(batch) > 0 {
		f.ledger.health.clear(silent)
	}
	return nil
}

// admit checks a message that another server has appended as strictly as a submission: its form,
// its subject, its id, its signature, the rules and its time. What does not pass is no record, and
// stops the ledger.
func (f *follower) admit(a *arrival) (events.Record, error) {
	m, rec := a.message, a.record
	wrong := func(err error) (events.Record, error) {
		return events.Record{},
			&divergence{m.Sequence, "the stream holds what is no record: " + err.Error(),
				remedyRecord}
	}
	if a.unreadable != nil {
		return wrong(a.unreadable)
	}
	if want := events.Subject(rec.Statement); want != m.Subject {
		return wrong(fmt.Errorf("its subject is %s, and should be %s", m.Subject, want))
	}
	before, err := f.find(rec.Statement.Head().ID)
	if err != nil {
		return events.Record{}, err
	}
	if before > 0 {
		return wrong(fmt.Errorf("its statement is record %d already", before))
	}
	if err := f.commitSeen(rec.Statement); err != nil {
		return events.Record{}, err
	}
	key, err := a.key, a.unverified
	if err != nil { // the key may have been admitted meanwhile
		key, err = f.ledger.verify(rec.Signed)
	}
	if err == nil {
		err = f.ledger.checkSeen(rec.Statement)
	}
	if err == nil {
		err = rules.InTime(rec.Statement, rec.Recorded)
	}
	if problem.Is(err, problem.Unverified) { // it is the journal that is damaged
		return events.Record{}, err
	}
	var undo func()
	if err == nil {
		err = f.ledger.attempt(rec.Statement, func() (err error) {
			if err = f.ledger.cfg.decide(f.ledger.state, key, rec.Statement); err == nil {
				undo, err = f.ledger.state.Apply(rec)
			}
			return err
		})
	}
	if errors.Is(err, errFault) { // it may well be a record: a server without the fault takes it
		return events.Record{}, fmt.Errorf("record %d: %w", m.Sequence, err)
	}
	if err != nil {
		return wrong(err)
	}
	f.undo = append(f.undo, undo)
	f.ledger.learn(rec.Statement)
	return rec, nil
}

// commitSeen commits what was taken in so far when the signer of a statement says to have seen it:
// the journal's tree tells whether that is so.
func (f *follower) commitSeen(st events.Statement) error {
	if seen := st.Head().Seen; seen == nil || seen.Size <= int64(f.ledger.cfg.Journal.Last()) {
		return nil
	}
	return f.commit()
}

// find returns the sequence of the record that has the id, 0 when there is none.
func (f *follower) find(id events.ID) (uint64, error) {
	if sequence, ok := f.ids[id]; ok {
		return sequence, nil
	}
	sequence, _, err := f.ledger.cfg.Journal.Find(id)
	return sequence, err
}
