package ledger

import (
	"fmt"
	"slices"
	"time"

	"muster/events"
)

// A State is what the rules need to know of the records so far, and no more: the write side's own memory, never shown.
// The zero value is not useful: use NewState. A State is not safe for concurrent use.
//
// What it holds are tables of values that are replaced and never changed, so that Apply can hand out how to undo it: the
// appender decides against what is still in flight, and takes it back when the log refuses.
type State struct {
	origin   events.Origin
	last     uint64
	recorded time.Time

	members    map[events.KeyID]member
	voiced     map[events.Nation]uint64 // nations that speak for themselves, and the record that admitted their first liaison
	operations map[events.Operation]operation
	uses       map[use]bool // for ever: what was cancelled or has ended still counts for the days before
	lines      map[lineKey]line
	scopes     map[scopeKey]scope
	pledges    map[events.ID]pledge
	observed   map[observedKey]events.ID // the last pledge that was observed and never offered; it may have ended

	undo []func() // how to take back what the present Apply has done, in order
}

type member struct {
	key     events.Key
	role    events.MemberRole
	revoked uint64 // sequence, or 0
}

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
}

type line struct {
	role      events.Role
	began     events.Date // the effective date of its issue
	cancelled uint64      // sequence, or 0
}

type scope struct {
	roles    []events.Role // none for unlimited
	sequence uint64
}

// rung is how far a pledge has climbed. The ends are rungs too: nothing moves after them.
type rung uint8

const (
	indicated rung = iota + 1
	offered
	accepted
	confirmed
	deployed
	returned
	withdrawn
	declined
)

var rungNames = [...]string{indicated: "indicated", offered: "offered", accepted: "accepted", confirmed: "confirmed",
	deployed: "deployed", returned: "returned", withdrawn: "withdrawn", declined: "declined"}

func (r rung) String() string { return rungNames[r] }

func (r rung) ended() bool { return r >= returned }

type pledge struct {
	operation  events.Operation
	nation     events.Nation
	role       events.Role
	unit       events.Unit
	rung       rung
	began      events.Date // the effective date of its first statement
	ended      uint64      // the sequence that ended it
	observed   bool        // seen in published figures, never offered
	conditions []condition // replaced as a whole, never changed in place
}

type condition struct {
	name    events.Line
	kind    events.ConditionKind
	settled uint64 // the sequence that discharged it or told its failure, or 0 while it is open
	failed  bool
}

// NewState returns the state before the first record.
func NewState() *State {
	return &State{
		members:    map[events.KeyID]member{},
		voiced:     map[events.Nation]uint64{},
		operations: map[events.Operation]operation{},
		uses:       map[use]bool{},
		lines:      map[lineKey]line{},
		scopes:     map[scopeKey]scope{},
		pledges:    map[events.ID]pledge{},
		observed:   map[observedKey]events.ID{},
	}
}

// Origin returns the ledger's name for ever, or "" before the first record.
func (s *State) Origin() events.Origin { return s.origin }

// Last returns the sequence of the last record applied, 0 before the first.
func (s *State) Last() uint64 { return s.last }

// Recorded returns the time of the last record applied.
func (s *State) Recorded() time.Time { return s.recorded }

// KeyOf returns the member's key that a signature names so, and false when none was ever admitted. Whether it may still
// sign, Decide says.
func (s *State) KeyOf(id events.KeyID) (events.Key, bool) {
	m, ok := s.members[id]
	return m.key, ok
}

// Apply takes a record in. It does not ask whether the record is allowed: Decide has. It returns how to take the record
// back, which must be called in the reverse order of Apply, or an error for a record that does not follow the last one.
func (s *State) Apply(rec events.Record) (undo func(), err error) {
	if rec.Sequence != s.last+1 {
		return nil, fmt.Errorf("record %d does not follow record %d", rec.Sequence, s.last)
	}
	if rec.Recorded.Before(s.recorded) {
		return nil, fmt.Errorf("record %d was recorded at %s, before record %d", rec.Sequence, rec.Recorded.Format(events.RecordedForm), s.last)
	}
	before, beforeRecorded := s.last, s.recorded
	s.last, s.recorded, s.undo = rec.Sequence, rec.Recorded, nil
	s.apply(rec)
	steps := s.undo
	s.undo = nil
	return func() {
		for i := len(steps) - 1; i >= 0; i-- {
			steps[i]()
		}
		s.last, s.recorded = before, beforeRecorded
	}, nil
}

// put sets table[key] and notes how to undo it. It is the only way that a table changes.
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

func (s *State) apply(rec events.Record) {
	switch st := rec.Statement.(type) {
	case *events.LedgerFounded:
		s.origin = st.Ledger
		s.undo = append(s.undo, func() { s.origin = "" })
		s.admit(st.Founder, events.Coordinator)
	case *events.MemberAdmitted:
		s.admit(st.Key, st.Role)
	case *events.MemberRevoked:
		if id, ok := st.Key.ID(); ok {
			m := s.members[id]
			m.revoked = s.last
			put(s, s.members, id, m)
		}
	case *events.OperationOpened:
		put(s, s.operations, st.Operation, operation{st.OperationTerms, st.Effective})
	case *events.OperationRevised:
		put(s, s.operations, st.Operation, operation{st.OperationTerms, s.operations[st.Operation].began})
	case *events.RequirementIssued:
		put(s, s.lines, lineKey{st.Operation, st.Line}, line{role: st.Role, began: st.Effective})
		s.use(st.Operation, st.Role, st.Unit)
	case *events.RequirementRevised:
		s.use(st.Operation, st.Role, st.Unit)
	case *events.RequirementCancelled:
		l := s.lines[lineKey{st.Operation, st.Line}]
		l.cancelled = s.last
		put(s, s.lines, lineKey{st.Operation, st.Line}, l)
	case *events.ScopeDeclared:
		put(s, s.scopes, scopeKey{st.Operation, st.Nation}, scope{st.Roles, s.last})
	default:
		s.applyPledge(rec.Statement)
	}
}

func (s *State) admit(key events.Key, role events.MemberRole) {
	id, ok := key.ID()
	if !ok {
		return // Parse has checked the key
	}
	put(s, s.members, id, member{key: key, role: role})
	if _, voiced := s.voiced[key.Party()]; role == events.Liaison && !voiced {
		put(s, s.voiced, key.Party(), s.last)
	}
}

func (s *State) use(o events.Operation, r events.Role, u events.Unit) {
	if key := (use{o, r, u}); !s.uses[key] {
		put(s, s.uses, key, true)
	}
}

func (s *State) applyPledge(st events.Statement) {
	id := events.Thing(st)
	switch st := st.(type) {
	case *events.PledgeIndicated:
		s.begin(id, pledgeOf(st.Place, st.Role, st.Unit, st.Effective, indicated))
	case *events.PledgeOffered:
		if st.Pledge.IsZero() {
			s.begin(id, pledgeOf(st.Place, st.Role, st.Unit, st.Effective, offered))
		} else {
			s.climb(id, offered)
		}
	case *events.PledgeObserved:
		p := pledgeOf(st.Place, st.Role, st.Unit, st.Effective, deployed)
		p.observed = true
		s.begin(id, p)
		put(s, s.observed, observedKey{st.Operation, st.Nation, st.Role}, id)
	case *events.PledgeAccepted:
		s.climb(id, accepted)
	case *events.PledgeDeclined:
		s.climb(id, declined)
	case *events.PledgeConfirmed:
		s.climb(id, confirmed)
	case *events.PledgeDeployed:
		s.climb(id, deployed)
	case *events.PledgeReturned:
		s.climb(id, returned)
	case *events.PledgeWithdrawn:
		s.climb(id, withdrawn)
	case *events.ConditionAdded:
		s.hang(id, condition{name: st.Condition, kind: st.Kind})
	case *events.ConditionDischarged:
		s.settle(id, st.Condition, false)
	case *events.ConditionFailed:
		s.settle(id, st.Condition, true)
	}
}

func pledgeOf(at events.Place, role events.Role, unit events.Unit, began events.Date, r rung) pledge {
	return pledge{operation: at.Operation, nation: at.Nation, role: role, unit: unit, rung: r, began: began}
}

func (s *State) begin(id events.ID, p pledge) {
	put(s, s.pledges, id, p)
	s.use(p.operation, p.role, p.unit)
}

func (s *State) climb(id events.ID, to rung) {
	p := s.pledges[id]
	p.rung = to
	if to.ended() {
		p.ended = s.last
	}
	put(s, s.pledges, id, p)
}

// hang adds a condition to a pledge.
func (s *State) hang(id events.ID, c condition) {
	p := s.pledges[id]
	p.conditions = append(slices.Clip(p.conditions), c)
	put(s, s.pledges, id, p)
}

// settle says what became of a pledge's condition.
func (s *State) settle(id events.ID, name events.Line, failed bool) {
	p := s.pledges[id]
	p.conditions = slices.Clone(p.conditions)
	for i := range p.conditions {
		if c := &p.conditions[i]; c.name == name {
			c.settled, c.failed = s.last, failed
		}
	}
	put(s, s.pledges, id, p)
}
