package reconcile

import (
	"slices"

	"muster/events"
)

// Known is what is recorded of pledges: as much of it as a file can restate. The zero value is not
// useful: use NewKnown. It is not safe for concurrent use.
type Known struct {
	pledges    map[events.ID]*Pledge
	order      []*Pledge // as they began
	operations map[events.Operation]bool
	statements map[events.ID]uint64 // their records
}

// NewKnown returns what is known before the first record.
func NewKnown() *Known {
	return &Known{pledges: map[events.ID]*Pledge{}, operations: map[events.Operation]bool{},
		statements: map[events.ID]uint64{}}
}

// A Pledge is one that is recorded.
type Pledge struct {
	ID events.ID
	events.Place
	Role events.Role
	Unit events.Unit
	// Observed is set where it was never offered, and Struck where it should never have been.
	Observed, Struck bool
	// Ended is the statement that ended it, "" while it has not ended.
	Ended events.Type
	// First and Last are the first and the last record about it.
	First, Last uint64
	// Import is the name of the import that it came from, "" for none.
	Import string

	source string // with which it began
	said   []said
	base   said // what the import has said of it last, or with which it began
}

// said is what one statement says, as its last correction has it.
type said struct {
	id        events.ID
	typ       events.Type
	effective events.Date
	terms     *events.PledgeTerms
	strength  events.Quantity // absent where it tells none
	struck    bool
	// What it said itself, or what the import has made of it.
	own struct {
		effective events.Date
		strength  events.Quantity
		struck    bool
	}
}

// Take takes in the next record, in the order of the ledger. Records that are about no pledge are
// left aside. Of a pledge whose beginning was not taken in, nothing is.
func (k *Known) Take(rec events.Record) {
	if opened, ok := rec.Statement.(*events.OperationOpened); ok {
		k.operations[opened.Operation] = true
	}
	k.statements[rec.Statement.Head().ID] = rec.Sequence
	id := events.Thing(rec.Statement)
	p := k.pledges[id]
	if p == nil {
		if p = begun(rec.Statement); p == nil {
			return
		}
		p.First = rec.Sequence
		k.pledges[id] = p
		k.order = append(k.order, p)
	}
	p.Last = rec.Sequence
	p.take(rec.Statement)
}

// Pledge returns the pledge of an ID, nil where none is recorded.
func (k *Known) Pledge(id events.ID) *Pledge { return k.pledges[id] }

// HasOperation reports whether an operation was opened.
func (k *Known) HasOperation(o events.Operation) bool { return k.operations[o] }

// RecordOf returns the record of a statement, 0 where it is not recorded.
func (k *Known) RecordOf(id events.ID) uint64 { return k.statements[id] }

// HasStruck reports whether a pledge was struck.
func (k *Known) HasStruck() bool {
	return slices.ContainsFunc(k.order, func(p *Pledge) bool { return p.Struck })
}

// Next returns the ID of the row with a key: of what was never struck.
func (k *Known) Next(ledger events.Origin, name string, key []string) events.ID {
	for generation := 0; ; generation++ {
		id := IDOf(ledger, name, key, generation)
		if p := k.pledges[id]; p == nil || !p.Struck {
			return id
		}
	}
}

// All returns every pledge, in the order in which they began.
func (k *Known) All() []*Pledge { return k.order }

// Of returns the pledges that came from an import, in the order in which they began, those that
// were struck left out.
func (k *Known) Of(name string) (all []*Pledge) {
	for _, p := range k.order {
		if p.Import == name && !p.Struck {
			all = append(all, p)
		}
	}
	return all
}

// begun returns the pledge that a statement begins, nil where it begins none.
func begun(st events.Statement) *Pledge {
	p := &Pledge{ID: st.Head().ID}
	source := ""
	switch st := st.(type) {
	case *events.PledgeOffered:
		if !st.Pledge.IsZero() {
			return nil
		}
		p.Place, p.Role, p.Unit, source = st.Place, st.Role, st.Unit, st.Source
	case *events.PledgeIndicated:
		p.Place, p.Role, p.Unit, source = st.Place, st.Role, st.Unit, st.Source
	case *events.PledgeObserved:
		p.Place, p.Role, p.Unit, source = st.Place, st.Role, st.Unit, st.Source
		p.Observed = true
	default:
		return nil
	}
	p.Import, p.source = events.ImportIn(source), source
	return p
}

func (p *Pledge) take(st events.Statement) {
	if c, ok := st.(*events.PledgeCorrected); ok {
		p.correct(c)
		p.conclude()
		return
	}
	on, ok := st.(interface{ On() events.Date })
	if !ok {
		return
	}
	s := said{id: st.Head().ID, typ: st.Head().Type, effective: on.On()}
	switch st := st.(type) {
	case *events.PledgeOffered:
		s.terms = &st.PledgeTerms
	case *events.PledgeIndicated:
		s.terms = &st.PledgeTerms
	case *events.PledgeAmended:
		s.terms = &st.PledgeTerms
	case *events.PledgeDisclosed:
		s.terms = &st.PledgeTerms
	case *events.PledgeObserved:
		s.strength = st.Quantity
	case *events.PledgeDeployed:
		s.strength = st.Quantity
	case *events.PledgeReported:
		s.strength = st.Quantity
	}
	s.own.effective, s.own.strength = s.effective, s.strength
	p.said = append(p.said, s)
	if len(p.said) == 1 || s.terms != nil && p.isImported(s.terms.Source) {
		p.base = s
	}
	p.conclude()
}

// isImported reports whether a source is that of the import from which the pledge came.
func (p *Pledge) isImported(source string) bool {
	return source != "" && source == p.source ||
		p.Import != "" && events.ImportIn(source) == p.Import
}

func (p *Pledge) correct(c *events.PledgeCorrected) {
	p.Struck = p.Struck || c.Struck && c.Corrects == p.ID
	at := slices.IndexFunc(p.said, func(s said) bool { return s.id == c.Corrects })
	if at < 0 {
		return
	}
	s := &p.said[at]
	s.effective, s.struck = c.Effective, c.Struck
	if c.Terms != nil {
		s.terms = c.Terms
		if p.isImported(c.Source) {
			p.base = *s
		}
	}
	if c.Strength != nil {
		s.strength = c.Strength.Quantity
	}
	if p.isImported(c.Source) {
		s.own.effective, s.own.strength, s.own.struck = s.effective, s.strength, s.struck
	}
}

// conclude notes how the pledge has ended, if it has.
func (p *Pledge) conclude() {
	p.Ended = ""
	for i := range p.said {
		if s := &p.said[i]; !s.struck && slices.Contains(ends, s.typ) {
			p.Ended = s.typ
		}
	}
}

var ends = []events.Type{"pledge.withdrawn", "pledge.declined", "pledge.returned"}

// Statements returns the ids of all that was said of the pledge, but for corrections.
func (p *Pledge) Statements() (all []events.ID) {
	for i := range p.said {
		all = append(all, p.said[i].id)
	}
	return all
}

// A Told is a strength that was told of a pledge, as the import has said it last, whatever somebody
// else has mended since: 0 for its return.
type Told struct {
	Statement events.ID
	Type      events.Type
	Effective events.Date
	Strength  int64
}

// Strengths returns what was told of the strength of a pledge, in the order in which it applies.
func (p *Pledge) Strengths() (all []Told) {
	if p.Struck {
		return nil
	}
	for i := range p.said {
		s := &p.said[i]
		n, tells := s.own.strength.Number()
		if !s.own.struck && (tells || s.typ == "pledge.returned") {
			all = append(all, Told{s.id, s.typ, s.own.effective, n})
		}
	}
	slices.SortStableFunc(all, func(a, b Told) int { return int(a.Effective - b.Effective) })
	return all
}

// IsLive reports whether the pledge is there: neither struck nor ended.
func (p *Pledge) IsLive() bool { return !p.Struck && p.Ended == "" }

// termsOn returns the statement with the terms that hold on a date, or the first with terms; nil
// where there is none.
func (p *Pledge) termsOn(on events.Date) (best *said) {
	for i := range p.said {
		s := &p.said[i]
		switch {
		case s.struck || s.terms == nil:
		case best == nil, s.effective <= on && s.effective >= best.effective:
			best = s
		}
	}
	return best
}

// Terms returns the terms of the pledge as they hold last, none of what was only observed.
func (p *Pledge) Terms() (t events.PledgeTerms) {
	if s := p.termsOn(events.LastDate); s != nil {
		t = *s.terms
	}
	return t
}

// Began returns the date from which the pledge holds.
func (p *Pledge) Began() events.Date {
	if len(p.said) == 0 {
		return 0
	}
	return p.said[0].effective
}
