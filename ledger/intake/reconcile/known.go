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
	// ByOthers is set where it was struck by somebody else than the import that it came from: what
	// the same file says of it again stays struck.
	ByOthers bool
	// Ended is the statement that ended it, "" while none is recorded, and EndedOn the date from
	// which it does, which may lie ahead.
	Ended   events.Type
	EndedOn events.Date
	// Recalled is set where the import has withdrawn it, since the file did not have it any more.
	Recalled bool
	// First and Last are the first and the last record about it.
	First, Last uint64
	// Import is the name of the import that it came from, "" for none.
	Import string

	source string // with which it began
	isDone bool   // ended as the file has it: all is taken off, or has gone home
	// isTaken is set where a row of the file has ended it, which takes all off that was left.
	isTaken bool
	said    []said
	base    said // what the import has said of it last, or with which it began

	struckBy string // the name of the import that has struck it

	// by is what sheets have changed in it, each by the name of its import: the cells, by field.
	by map[string]map[string]string
}

// said is what one statement says, as its last correction has it.
type said struct {
	id        events.ID
	typ       events.Type
	effective events.Date
	terms     *events.PledgeTerms
	strength  events.Quantity // absent where it tells none
	struck    bool
	name      string      // of a condition or a caveat
	from      string      // the name of the import
	byRow     bool        // it has an ID that was made of the words of a row
	isOurs    bool        // the import has amended the pledge by it
	corrected int         // how often
	at        uint64      // its record
	mended    []mending   // the corrections of it
	noted     []string    // the fields that a sheet has changed by it
	expires   events.Date // of a renewal
	// What it said itself, or what the import has made of it.
	own struct {
		effective events.Date
		terms     *events.PledgeTerms
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

// RecordOf returns the record of a statement, 0 where it is not recorded. Of a ledger that was not
// read, as by an import that needs to know nothing of it, k is nil, and nothing is known.
func (k *Known) RecordOf(id events.ID) uint64 {
	if k == nil {
		return 0
	}
	return k.statements[id]
}

// HasTakenOff reports whether a pledge was taken off: see [Known.Next].
func (k *Known) HasTakenOff() bool { return slices.ContainsFunc(k.order, (*Pledge).isTakenOff) }

// isTakenOff reports whether a row that says the pledge again is another one: it was struck, or
// the import has withdrawn it.
func (p *Pledge) isTakenOff() bool { return p.Struck || p.Recalled }

// Next returns the ID of the row with a key: of what was neither struck, nor withdrawn by the
// import, since the file did not have it.
func (k *Known) Next(ledger events.Origin, name string, key []string) events.ID {
	for generation := 0; ; generation++ {
		id := IDOf(ledger, name, key, generation)
		if p := k.pledges[id]; p == nil || !p.isTakenOff() {
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
	s := said{id: st.Head().ID, typ: st.Head().Type, effective: on.On(), name: nameIn(st),
		at: p.Last, from: events.ImportOf(st), byRow: isOfRow(st.Head().ID, on.On())}
	switch st := st.(type) {
	case *events.PledgeOffered:
		s.terms = &st.PledgeTerms
	case *events.PledgeIndicated:
		s.terms = &st.PledgeTerms
	case *events.PledgeAmended:
		s.terms = &st.PledgeTerms
	case *events.PledgeDisclosed:
		s.terms = &st.PledgeTerms
	case *events.PledgeRenewed:
		s.expires = st.Expires
	case *events.PledgeObserved:
		s.strength = st.Quantity
	case *events.PledgeDeployed:
		s.strength = st.Quantity
	case *events.PledgeReported:
		s.strength = st.Quantity
	}
	s.own.effective, s.own.strength, s.own.terms = s.effective, s.strength, s.terms
	ours := false
	if a, ok := st.(*events.PledgeAmended); ok {
		ours = a.ID == restated(p.ID, s.typ, p.amendments()) &&
			(p.Import == "" || events.ImportIn(a.Source) == p.Import)
		s.byRow, s.isOurs = s.byRow && !ours, ours
	}
	if st.Head().Type == "pledge.amended" {
		was := p.TermsOn(s.effective)
		s.noted = p.note(st.Head(), p.ID, p.amendments(), s.terms.Source, &was, s.terms)
	}
	p.said = append(p.said, s)
	if len(p.said) == 1 || ours {
		p.base = s
	}
	p.conclude()
}

// amendments is how often the pledge was amended.
func (p *Pledge) amendments() (n int) {
	for i := range p.said {
		if p.said[i].typ == "pledge.amended" {
			n++
		}
	}
	return n
}

// isOurs reports whether a correction of what was said is the word of the import from which the
// pledge came; or of any, where the pledge came from none that has a name.
func (p *Pledge) isOurs(c *events.PledgeCorrected, of *said) bool {
	if p.Import != "" {
		return events.ImportIn(c.Source) == p.Import
	}
	return c.Source != "" && c.Source == p.source || c.ID == restated(of.id, c.Type, of.corrected)
}

func (p *Pledge) correct(c *events.PledgeCorrected) {
	if c.Struck && c.Corrects == p.ID {
		p.Struck, p.ByOthers = true, !p.isOurs(c, &p.said[0])
		p.struckBy = events.ImportIn(c.Source)
	}
	at := slices.IndexFunc(p.said, func(s said) bool { return s.id == c.Corrects })
	if at < 0 {
		return
	}
	s := &p.said[at]
	ours := p.isOurs(c, s)
	was := *s
	was.mended = nil
	s.mended = append(s.mended, mending{p.Last, events.ImportIn(c.Source), was})
	if c.Struck {
		p.forget(events.ImportIn(c.Source), s.noted)
	}
	s.effective, s.struck, s.corrected = c.Effective, c.Struck, s.corrected+1
	if c.Terms != nil {
		p.noteCorrection(c, s)
		s.terms = c.Terms
		if ours {
			p.base = *s
		}
	}
	if c.Strength != nil {
		s.strength = c.Strength.Quantity
	}
	if ours {
		s.own.effective, s.own.strength, s.own.struck = s.effective, s.strength, s.struck
		s.own.terms = s.terms
	}
}

// conclude notes how the pledge has ended, if it has.
func (p *Pledge) conclude() {
	p.Ended, p.EndedOn, p.Recalled, p.isDone, p.isTaken = "", 0, false, false, false
	for i := range p.said {
		if s := &p.said[i]; !s.struck && s.isEnd() {
			p.Ended, p.EndedOn, p.isTaken = s.typ, s.effective, s.byRow
			p.isDone = s.byRow || s.typ == "pledge.returned"
			p.Recalled = !s.byRow && s.typ == "pledge.withdrawn" && p.Import != "" &&
				s.from == p.Import
		}
	}
}

func (s *said) isEnd() bool { return slices.Contains(ends, s.typ) }

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
	if p.Struck && !p.ByOthers {
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

// IsLive reports whether the pledge may still change: it was neither struck, nor is it recorded
// that it ends.
func (p *Pledge) IsLive() bool { return !p.Struck && p.Ended == "" }

// HoldsOn reports whether the pledge is there on a date: it was not struck, and has neither ended
// nor lapsed by then. What was deployed lapses no more.
func (p *Pledge) HoldsOn(on events.Date) bool {
	if p.Struck || p.Ended != "" && p.EndedOn <= on {
		return false
	}
	expires := p.TermsOn(on).Expires
	return expires == 0 || expires >= on || slices.ContainsFunc(p.said, func(s said) bool {
		return s.typ == "pledge.deployed" && !s.struck && s.effective <= on
	})
}

// termsOn returns the statement with the terms that hold on a date, or the first with terms; nil
// where there is none.
func (p *Pledge) termsOn(on events.Date) *said {
	return p.saidOn(on, func(*said) bool { return false })
}

// offerOn is termsOn, but for what rows of a file have taken off what another row says, and for
// what is about to be struck.
func (p *Pledge) offerOn(on events.Date, dropped ...*said) *said {
	return p.saidOn(on, func(s *said) bool {
		return s.byRow && s.typ == "pledge.amended" || slices.Contains(dropped, s)
	})
}

func (p *Pledge) saidOn(on events.Date, without func(*said) bool) (best *said) {
	for i := range p.said {
		s := &p.said[i]
		switch {
		case s.struck || s.terms == nil || without(s):
		case best == nil, s.effective <= on && s.effective >= best.effective:
			best = s
		}
	}
	return best
}

// Terms returns the terms of the pledge as they hold last, with the date to which it was renewed;
// none of what was only observed.
func (p *Pledge) Terms() (t events.PledgeTerms) { return p.TermsOn(events.LastDate) }

// TermsOn returns the terms of the pledge as they hold on a date, or first where it begins later.
func (p *Pledge) TermsOn(on events.Date) (t events.PledgeTerms) {
	if last := p.termsOn(on); last != nil {
		t = p.renewedBy(last, on)
	}
	return t
}

// renewed returns the terms that were said, with the date to which the pledge was renewed since.
func (p *Pledge) renewed(last *said) events.PledgeTerms {
	return p.renewedBy(last, events.LastDate)
}

// renewedBy is renewed, as it holds on a date. What renews the pledge from a later date than the
// terms holds after them, also where it was recorded before.
func (p *Pledge) renewedBy(last *said, on events.Date) events.PledgeTerms {
	t, since := *last.terms, last.effective
	isLater := false // recorded later than the terms
	for i := range p.said {
		s := &p.said[i]
		isLater = isLater || s.id == last.id
		after := s.effective > since || s.effective == since && (isLater || since > last.effective)
		if s.expires != 0 && !s.struck && s.effective <= on && after {
			t.Expires, since = s.expires, s.effective
		}
	}
	return t
}

// NextTerms returns the first date after another from which other terms hold, 0 where there is
// none.
func (p *Pledge) NextTerms(after events.Date) (next events.Date) {
	for i := range p.said {
		s := &p.said[i]
		if !s.struck && s.terms != nil && s.effective > after && (next == 0 || s.effective < next) {
			next = s.effective
		}
	}
	return next
}

// Began returns the date from which the pledge holds.
func (p *Pledge) Began() events.Date {
	if len(p.said) == 0 {
		return 0
	}
	return p.said[0].effective
}
