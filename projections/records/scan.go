package records

import (
	"strings"

	"muster/events"
)

// A scan is one pass over a record. Whatever it does not expect makes it fail, and then the row is
// of no use.
type scan struct {
	*Decoder
	row    *Row
	rest   []byte // what is yet to be read
	failed bool

	seen    uint64    // members
	id      events.ID // of the statement itself
	isMoney bool      // as the quantity was written
}

// record reads the envelope, the statement and the signature.
func (s *scan) record() {
	s.expect(`{"v":1,"recorded":"`)
	s.row.Recorded = s.recorded()
	s.expect(`","by":"`)
	s.word(memberBy, '"')
	s.expect("}\n")
	if len(s.rest) > events.MaxBytes {
		s.failed = true
	}
	s.statement()
	s.expect("\n\n— ")
	s.row.Signer = s.word(memberSigner, ' ')
	s.signature()
	if !s.failed {
		s.check()
	}
}

func (s *scan) statement() {
	s.expect("{")
	for !s.failed {
		s.expect(`"`)
		m, ok := memberOf(s.until('"'))
		if !ok || s.seen&m.bit() != 0 {
			s.failed = true
			return
		}
		s.seen |= m.bit()
		s.expect(":")
		s.member(m)
		if len(s.rest) > 0 && s.rest[0] == '}' {
			s.rest = s.rest[1:]
			return
		}
		s.expect(",")
	}
}

func memberOf(name []byte) (member, bool) {
	switch string(name) {
	case "type":
		return memberType, true
	case "id":
		return memberID, true
	case "ledger":
		return memberLedger, true
	case "seen":
		return memberSeen, true
	case "not_after":
		return memberNotAfter, true
	case "effective":
		return memberEffective, true
	case "operation":
		return memberOperation, true
	case "nation":
		return memberNation, true
	case "pledge":
		return memberPledge, true
	case "role":
		return memberRole, true
	case "quantity":
		return memberQuantity, true
	case "unit":
		return memberUnit, true
	case "area":
		return memberArea, true
	case "from":
		return memberFrom, true
	case "until":
		return memberUntil, true
	case "notice_to_move":
		return memberNotice, true
	case "presence":
		return memberPresence, true
	case "release":
		return memberRelease, true
	case "source":
		return memberSource, true
	case "note":
		return memberNote, true
	case "reason":
		return memberReason, true
	case "expires":
		return memberExpires, true
	case "predecessor":
		return memberPredecessor, true
	case "successor":
		return memberSuccessor, true
	case "condition":
		return memberCondition, true
	case "kind":
		return memberKind, true
	case "caveat":
		return memberCaveat, true
	case "restriction":
		return memberRestriction, true
	case "line":
		return memberLine, true
	case "allocation":
		return memberAllocation, true
	case "after":
		return memberAfter, true
	case "reference":
		return memberReference, true
	}
	return 0, false
}

// member reads the value of a member into the row.
func (s *scan) member(m member) {
	r := s.row
	switch m {
	case memberSeen:
		s.checkpoint()
		return
	case memberQuantity:
		s.quantity()
		return
	case memberNotice:
		r.Notice = new(int)
		*r.Notice = int(s.number(events.MaxNotice))
		return
	case memberAfter: // which the rules ask of, and nothing that follows from the records
		s.number(events.MaxCount)
		return
	}
	s.expect(`"`)
	switch m {
	case memberType:
		r.Type = events.Type(s.word(m, '"'))
	case memberLedger:
		s.word(m, '"')
	case memberOperation:
		r.Operation = events.Operation(s.word(m, '"'))
	case memberNation:
		r.Nation = events.Nation(s.word(m, '"'))
	case memberRole:
		r.Role = events.Role(s.word(m, '"'))
	case memberUnit:
		r.Unit = events.Unit(s.word(m, '"'))
	case memberArea:
		r.Area = events.Area(s.word(m, '"'))
	case memberPresence:
		r.Presence = events.Presence(s.word(m, '"'))
	case memberRelease:
		r.Release = events.Release(s.word(m, '"'))
	case memberCondition, memberCaveat, memberLine:
		r.Line = events.Line(s.word(m, '"'))
	case memberKind:
		r.Kind = events.ConditionKind(s.word(m, '"'))
	case memberSource:
		r.Source = s.text()
	case memberReference:
		r.Reference = s.reference()
	case memberNote, memberReason:
		r.Text = s.text()
	case memberRestriction:
		r.Title = s.text()
	case memberNotAfter: // which is asked for when the record is made
		s.instant()
	case memberEffective:
		r.Effective = s.date()
	case memberFrom:
		r.From = s.date()
	case memberUntil:
		r.Until = s.date()
	case memberExpires:
		r.Expires = s.date()
	case memberID:
		s.id = s.ulid()
	case memberPledge:
		r.Thing = s.ulid()
	case memberPredecessor:
		r.Predecessor = s.ulid()
	case memberSuccessor:
		r.Successor = s.ulid()
	case memberAllocation:
		r.Allocation = s.ulid()
	}
}

// reference reads a nation's own number: what ParseRecord would refuse as one is left to it.
func (s *scan) reference() string {
	text := s.text()
	s.failed = s.failed || len(text) > events.MaxReference || strings.TrimSpace(text) != text
	return text
}

// check does what ParseRecord does when all members are read, and fills in what RowOf takes from
// more than one.
func (s *scan) check() {
	r, has := s.row, func(m member) bool { return s.seen&m.bit() != 0 }
	of, ok := shapes[r.Type]
	switch {
	case !ok || s.seen&of.must != of.must || s.seen&^(of.must|of.may) != 0,
		has(memberQuantity) && r.Unknown && !of.unknown,
		has(memberQuantity) && !r.Unknown && s.isMoney != isCurrency(r.Unit),
		has(memberUntil) && r.Until < r.From,
		has(memberAfter) && !has(memberPledge),
		has(memberSuccessor) && r.Successor == r.Predecessor,
		r.Type == "pledge.renewed" && r.Expires < r.Effective,
		of.must&memberSource.bit() != 0 && strings.TrimSpace(r.Source) == "",
		has(memberRestriction) && strings.TrimSpace(r.Title) == "":
		s.failed = true
		return
	}
	switch {
	case !has(memberPledge):
		r.Thing, r.New = s.id, true
	case r.Thing != s.id:
		r.Statement = s.id
	}
	if r.Type == "pledge.observed" {
		r.From = r.Effective
	}
}

// isCurrency tells a currency from another unit, of what is one of both.
func isCurrency(u events.Unit) bool { return 'A' <= u[0] && u[0] <= 'Z' }
