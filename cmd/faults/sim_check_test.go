package main

import (
	"fmt"

	"muster/events"
	"muster/ledger/journal"
)

// check looks at what a world has come to, when all is well again.
func (w *world) check() {
	w.log.mu.Lock()
	log := w.log.messages
	w.log.mu.Unlock()
	sent := map[events.ID]events.Signed{}
	for _, d := range w.history {
		if !d.isLook() {
			sent[d.statement.Statement.Head().ID] = d.statement
		}
	}
	w.recorded = map[events.ID]uint64{}
	var stored [][]byte
	for i, m := range log {
		rec, err := events.ParseRecord(uint64(i)+1, m.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		id := rec.Statement.Head().ID
		if first, twice := w.recorded[id]; twice || m.Sequence != uint64(i)+1 {
			w.t.Errorf("record %d has the sequence %d, and its id is that of record %d", i+1,
				m.Sequence, first)
		}
		if s, ok := sent[id]; i >= simBeginning && (!ok || string(s.Note) != string(rec.Note)) {
			w.t.Errorf("record %d is not what somebody has sent: %s", i+1, m.Data)
		}
		w.recorded[id] = rec.Sequence
		stored = append(stored, m.Data)
	}
	for _, a := range w.receiptsBy("") {
		if at := w.recorded[a.statement.Statement.Head().ID]; at != a.sequence {
			w.t.Errorf("%s was acknowledged as record %d, and the log of %d has it at %d",
				a.statement.Statement.Head().ID, a.sequence, len(log), at)
		}
	}
	for _, s := range w.servers {
		if err := sameStored(s.process.journal, stored); err != nil {
			w.t.Errorf("%s: %v", s.name(), err)
		}
	}
	w.note("%d records, %d receipts", len(log), len(w.receipts))
}

const simBeginning = 3 // records before the first of the people's

// sameStored compares a journal with the log, and its tree with one that is computed here.
func sameStored(j *journal.Journal, stored [][]byte) error {
	if j.Last() != uint64(len(stored)) {
		return fmt.Errorf("there are %d records of %d", j.Last(), len(stored))
	}
	for i, want := range stored {
		if rec, err := j.Record(uint64(i) + 1); err != nil || string(rec.Stored) != string(want) {
			return fmt.Errorf("record %d differs from the log's: %v", i+1, err)
		}
	}
	if root := rootOf(stored); j.Tree().Hash != root {
		return fmt.Errorf("the root is %x, and should be %x", j.Tree().Hash, root)
	}
	return nil
}

// String tells what somebody did.
func (d *deed) String() string {
	what, outcome := "looks", fmt.Sprintf("%s %d at record %d", d.rung, d.quantity, d.last)
	if !d.isLook() {
		head := d.statement.Statement.Head()
		what = fmt.Sprintf("says %s after %d (%s)", head.Type, events.After(d.statement.Statement),
			head.ID)
		outcome = fmt.Sprintf("record %d", d.sequence)
		if d.refusal != "" {
			outcome = d.refusal
		} else if !d.known {
			outcome = "nobody knows"
		}
	}
	return fmt.Sprintf("%14s to %14s  person %d %s: %s\n", d.call, d.answer, d.person, what,
		outcome)
}
