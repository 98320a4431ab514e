package rules

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"muster/events"
	"muster/events/seconds"
)

// A State is what the rules need to know of the records so far, and no more: the write side's own
// memory, never shown. The zero value is not useful: use NewState. A State is not safe for
// concurrent use.
//
// What it holds are tables of values that are replaced and never changed, so that Apply can hand
// out how to undo it: a server decides against what is still in flight, and takes it back when the
// log refuses.
type State struct {
	origin   events.Origin
	last     uint64
	recorded time.Time

	members map[events.KeyID]member
	// What the founding asks for, and by the id of its statement what waits for it.
	seconds   uint8
	proposals map[events.ID]seconds.Proposal
	// nations that speak for themselves, and the record that admitted their first liaison
	voiced     map[events.Nation]uint64
	operations map[events.Operation]operation
	// For ever: what was cancelled or has ended still counts for the days before.
	uses   map[use]bool
	lines  map[lineKey]line
	scopes map[scopeKey]scope
	// The meetings that were closed, and the record that did.
	meetings map[string]uint64
	// What they point to is never changed; to be asked by pledge, for some are unread.
	pledges map[events.ID]*pledge
	// The organisations that a pledge or a scope of an operation has ever named.
	spoke map[scopeKey]bool
	// The pledges that were observed and never offered; they may have ended.
	observed map[observedKey][]events.ID

	// For whom it is asked, who is not told of what they may not read; "" for all.
	reader events.View

	undo []func() // how to take back what the present Apply has done, in order
}

type member struct {
	key       events.Key
	role      events.MemberRole
	clearance events.Clearance // of a reader
	revoked   uint64           // sequence, or 0
}

// view returns what the member may read.
func (m *member) view() events.View { return events.ViewOf(m.key, m.role, m.clearance) }

type (
	use struct {
		operation events.Operation
		role      events.Role
		unit      events.Unit
	}
	lineKey struct {
		operation events.Operation
		line      events.Line
	}
	scopeKey struct {
		operation events.Operation
		nation    events.Nation
	}
	observedKey struct {
		operation events.Operation
		nation    events.Nation
		role      events.Role
	}
)

type operation struct {
	terms events.OperationTerms
	began events.Date // the effective date of its opening
	label events.Label
	said  uint64 // the record that says the terms
}

type line struct {
	role      events.Role
	unit      events.Unit // as it was last revised
	area      events.Area // likewise
	began     events.Date // the effective date of its issue
	cancelled uint64      // sequence, or 0
	label     events.Label
}

// A scope is all that a nation has declared for an operation, by effective date and then by
// sequence.
type scope []declared

type declared struct {
	roles     []events.Role // none for unlimited
	effective events.Date
	sequence  uint64
}

// on returns what is declared on a date, false when nothing is.
func (s scope) on(d events.Date) (declared, bool) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].effective <= d {
			return s[i], true
		}
	}
	return declared{}, false
}

// with returns the scope with one more declaration in its place.
func (s scope) with(d declared) scope {
	at := len(s)
	for at > 0 && s[at-1].effective > d.effective {
		at--
	}
	return slices.Insert(slices.Clone(s), at, d)
}

// NewState returns the state before the first record.
func NewState() *State {
	return &State{
		members:    map[events.KeyID]member{},
		proposals:  map[events.ID]seconds.Proposal{},
		voiced:     map[events.Nation]uint64{},
		operations: map[events.Operation]operation{},
		uses:       map[use]bool{},
		lines:      map[lineKey]line{},
		scopes:     map[scopeKey]scope{},
		meetings:   map[string]uint64{},
		spoke:      map[scopeKey]bool{},
		pledges:    map[events.ID]*pledge{},
		observed:   map[observedKey][]events.ID{},
	}
}

// Origin returns the ledger's name for ever, or "" before the first record.
func (s *State) Origin() events.Origin { return s.origin }

// Last returns the sequence of the last record applied, 0 before the first.
func (s *State) Last() uint64 { return s.last }

// Recorded returns the time of the last record applied.
func (s *State) Recorded() time.Time { return s.recorded }

// KeyOf returns the member's key that a signature names so, and false when none was ever admitted.
// Whether it may still sign, Decide says.
func (s *State) KeyOf(id events.KeyID) (events.Key, bool) {
	m, ok := s.members[id]
	return m.key, ok
}

// MaySign reports whether the holder of a key may sign now.
func (s *State) MaySign(id events.KeyID) bool {
	m, ok := s.members[id]
	return ok && m.revoked == 0
}

// Keys returns every key that was ever admitted, in any order, also those that may not sign any
// more, and those that wait for a second.
func (s *State) Keys() iter.Seq[events.Key] {
	return func(yield func(events.Key) bool) {
		for _, m := range s.members {
			if !yield(m.key) {
				return
			}
		}
		for _, p := range s.proposals {
			if !p.Revokes && !yield(p.Key) {
				return
			}
		}
	}
}

// Apply takes a record in. It does not ask whether the record is allowed: Decide has. It returns
// how to take the record back, which must be called in the reverse order of Apply, or an error for
// a record that does not follow the last one. When it panics, the state is as it was: the tables
// that were changed up to there are put back first.
func (s *State) Apply(rec events.Record) (undo func(), err error) {
	if err := s.follows(rec.Sequence, rec.Recorded); err != nil {
		return nil, err
	}
	last, recorded := s.last, s.recorded
	var steps []func()
	undo = func() {
		for _, step := range slices.Backward(steps) {
			step()
		}
		s.last, s.recorded = last, recorded
	}
	whole := false
	defer func() {
		steps, s.undo = s.undo, nil
		if !whole {
			undo()
		}
	}()
	s.last, s.recorded, s.undo = rec.Sequence, rec.Recorded, make([]func(), 0, 1)
	s.apply(rec)
	whole = true
	return undo, nil
}

// follows refuses what does not follow the last record.
func (s *State) follows(sequence uint64, recorded time.Time) error {
	if sequence != s.last+1 {
		return fmt.Errorf("record %d does not follow record %d", sequence, s.last)
	}
	if recorded.Before(s.recorded) {
		return fmt.Errorf("record %d was recorded at %s, before record %d", sequence,
			recorded.Format(events.RecordedForm), s.last)
	}
	return nil
}

// put sets table[key] and notes how to undo it. Beside drop, it is the only way that a table
// changes.
func put[K comparable, V any](s *State, table map[K]V, key K, value V) {
	old, had := table[key]
	table[key] = value
	s.undo = append(s.undo, func() {
		if had {
			table[key] = old
		} else {
			delete(table, key)
		}
	})
}

// drop deletes table[key], which is there, and notes how to undo it.
func drop[K comparable, V any](s *State, table map[K]V, key K) {
	old := table[key]
	delete(table, key)
	s.undo = append(s.undo, func() { table[key] = old })
}

func (s *State) apply(rec events.Record) {
	switch st := rec.Statement.(type) {
	case *events.LedgerFounded:
		s.origin, s.seconds = st.Ledger, uint8(st.Seconds)
		s.undo = append(s.undo, func() { s.origin, s.seconds = "", 0 })
		s.admit(st.Founder, events.Coordinator, "")
	case *events.MemberAdmitted, *events.MemberRevoked:
		s.propose(rec)
	case *events.MemberSeconded:
		s.second(rec)
	case *events.MemberRetracted:
		drop(s, s.proposals, st.Statement)
	case *events.OperationOpened:
		put(s, s.operations, st.Operation,
			operation{st.OperationTerms, st.Effective, events.Label{Release: st.Release}, s.last})
	case *events.OperationRevised:
		o := s.operations[st.Operation]
		o.terms, o.said = st.OperationTerms, s.last
		put(s, s.operations, st.Operation, o)
	case *events.RequirementIssued:
		label, _ := s.labelOf(st)
		put(s, s.lines, lineKey{st.Operation, st.Line},
			line{role: st.Role, unit: st.Unit, area: st.Area,
				began: st.Effective, label: label})
		s.use(st.Operation, st.Role, st.Unit)
	case *events.RequirementRevised:
		l := s.lines[lineKey{st.Operation, st.Line}]
		l.unit, l.area = st.Unit, st.Area
		put(s, s.lines, lineKey{st.Operation, st.Line}, l)
		s.use(st.Operation, st.Role, st.Unit)
	case *events.RequirementCancelled:
		l := s.lines[lineKey{st.Operation, st.Line}]
		l.cancelled = s.last
		put(s, s.lines, lineKey{st.Operation, st.Line}, l)
	case *events.MeetingClosed:
		put(s, s.meetings, st.Name, s.last)
	case *events.ScopeDeclared:
		key := scopeKey{st.Operation, st.Nation}
		put(s, s.scopes, key, s.scopes[key].with(declared{st.Roles, st.Effective, s.last}))
		s.noteOrganisations(st)
	default:
		s.applyPledge(events.Key(rec.KeyName).Party(), rec.Statement)
	}
}

func (s *State) admit(key events.Key, role events.MemberRole, clearance events.Clearance) {
	id, ok := key.ID()
	if !ok {
		return // Parse has checked the key
	}
	put(s, s.members, id, member{key: key, role: role, clearance: clearance})
	if _, voiced := s.voiced[key.Party()]; role == events.Liaison && !voiced {
		put(s, s.voiced, key.Party(), s.last)
	}
}

func (s *State) use(o events.Operation, r events.Role, u events.Unit) {
	if key := (use{o, r, u}); !s.uses[key] {
		put(s, s.uses, key, true)
	}
}

// pledge returns a pledge, and false where there is none, or none that may be read.
func (s *State) pledge(id events.ID) (*pledge, bool) {
	p, ok := s.pledges[id]
	if ok && p.unread != nil {
		p = p.read()
		s.pledges[id] = p
	}
	return p, ok && s.mayRead(p.released())
}

// applyPledge takes in what is said about a pledge. An array of what was said is appended to, also
// when a part of it was taken back before: since Apply is undone in reverse, nobody else holds what
// lies behind the end.
func (s *State) applyPledge(party events.Nation, st events.Statement) {
	id := events.Thing(st)
	var p pledge
	before, known := s.pledge(id)
	if known {
		p = *before
	} else {
		p = begun(st)
		s.use(p.operation, p.role, p.unit)
	}
	if c, ok := st.(*events.PledgeCorrected); ok {
		p = p.corrected(c)
	}
	p.saying(s.saying(st, s.last, party))
	put(s, s.pledges, id, &p)
	s.noteOrganisations(st)
	if p.observed && !known {
		key := observedKey{p.operation, p.nation, p.role}
		put(s, s.observed, key, append(slices.Clip(s.observed[key]), id))
	}
}
