package plan

import (
	"fmt"
	"strconv"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/plan/strictyaml"
)

// A Base is what a plan file was written from: an operation on a day, as of a record of a ledger.
type Base struct {
	Ledger events.Origin
	AsOf   uint64
	On     events.Date
	// View is who could read what was written, "" for all.
	View events.View
}

// readBase reads the base of a file; nil where it has none.
func readBase(v strictyaml.Value) *Base {
	if !v.Given() {
		return nil
	}
	m := v.Members("ledger", "as_of", "on", "view")
	b := &Base{Ledger: events.Origin(m["ledger"].Text()),
		AsOf: strictyaml.Parsed(m["as_of"], parseRecord),
		On:   strictyaml.Parsed(m["on"], events.ParseDate),
		View: events.View(m["view"].Text())}
	for _, name := range []string{"ledger", "as_of", "on"} {
		if v.IsText() || m[name].Given() {
			continue
		}
		v.Fault("%s is missing: leave the base as it was written, or leave it out", name)
	}
	return b
}

func parseRecord(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n == 0 {
		return 0, phrase.Errorf("write the number of a record, from 1 on")
	}
	return n, nil
}

// Fits returns why a plan cannot be compared with what a ledger holds as of its last record, for
// who reads in a view; nil where it can. A plan without a base fits.
func (p Plan) Fits(ledger events.Origin, last uint64, view events.View) error {
	b := p.Base
	switch {
	case b == nil:
		return nil
	case b.Ledger != ledger:
		p.file.FaultAt("base.ledger", string(b.Ledger),
			"the file is that of another ledger than %s: leave the base out, and every line that "+
				"it does not have is cancelled", ledger)
	case b.AsOf > last:
		p.file.FaultAt("base.as_of", fmt.Sprint(b.AsOf),
			"the ledger has %d records: leave the base as it was written", last)
	case b.View != view:
		p.file.FaultAt("base.view", string(b.View),
			"the file was written for who may read something else than you (%s): write it again "+
				"as you, or what it does not have would be cancelled", orAll(view))
	}
	return p.conflict()
}

func orAll(v events.View) string {
	if v == "" {
		return "all"
	}
	return string(v)
}

// Kept is something that others have changed since a file was written, and that the file leaves as
// it was: so it stays as they said it.
type Kept struct {
	// Line is the requirement, "" for the operation itself.
	Line events.Line
	// Stays is what others have done.
	Stays Stays
	// Sentence tells for people what stays.
	Sentence string
	// Differs are the terms that stay: Was is what the file was written from and has, and Is what
	// the ledger has.
	Differs []Difference
}

// Stays is what others have done to a line, or to the operation.
type Stays int

// What others have done: changed terms, added a line, or cancelled one.
const (
	Changed Stays = iota
	Added
	Cancelled
)

// Since returns the plan that is meant by a file that was written from an older state of the
// ledger, its base: what the file has as it was there stays as it is now, and only what was changed
// in the file is changed. What was changed in the file and by others, each otherwise, is for a
// person to settle: the error, of kind [problem.Conflict], has all of it. The plan that comes back
// has no base.
func (p Plan) Since(base, now Current) (Plan, []Kept, error) {
	m := merge{file: p.file, base: base, now: now}
	q := p
	q.Base = nil
	q.Operation = m.operation(p.Operation)
	q.Requirements = m.requirements(p.Requirements)
	if err := p.conflict(); err != nil {
		conflict := problem.From(err)
		return p, nil, conflict.WithHint("write in the file what is to hold of these, and "+
			"as_of: %s under its base", fmt.Sprint(now.AsOf))
	}
	return q, m.kept, nil
}
