package records

import (
	"strings"

	"muster/events"
)

// A Decoder makes rows of records as they are stored: the rows that events.ParseRecord and [RowOf]
// make. It reads what nearly all records are in one pass, and leaves all else to them: kinds of
// which there are few, white space, escapes, what is said twice or not at all. Words (nations,
// roles, units, …) it takes only after ParseRecord has once accepted the same word for the same
// member, so that it never has to know what a word may be. It is for one goroutine at a time.
//
// So the wire has a second parser, and this is what it buys: over all kinds that it reads, a record
// takes 0.5 µs of a processor and no memory, and strictly 4.6 µs and nine allocations
// (BenchmarkDecode of package projections), which is four seconds of a processor for each million
// records of a replay. Its tables are shapes below, which say what members a kind has, and memberOf
// and member in scan.go. What holds it to the strict parser is in projections/decode_test.go:
// TestDecodingIsStrict finds the same row for every kind and for random ledgers, and fails when a
// new kind is in neither table; TestDecodingOfSpoiltRecords and FuzzDecode spoil records, and
// whatever it still reads, the strict parser reads as the same.
type Decoder struct {
	known  [members]map[string]string // the words of each member
	day    [len("2006-01-02")]byte    // the day of which midnight is known
	since  int64                      // midnight, in Unix microseconds
	buffer Buffer                     // see one
}

// maxKnown is how many words of one member are kept.
const maxKnown = 4096

// NewDecoder returns a decoder that has learned no words.
func NewDecoder() *Decoder {
	d := &Decoder{}
	for m := range d.known {
		d.known[m] = map[string]string{}
	}
	return d
}

// Quick makes the row of a record in one pass, and reports whether that was possible. When it was
// not, the row is of no use.
func (d *Decoder) Quick(r *Row, stored []byte) bool {
	s := scan{Decoder: d, row: r, rest: stored}
	s.record()
	return !s.failed
}

// Decode makes the row of a record. The error is that of ParseRecord or RowOf.
func (d *Decoder) Decode(r *Row, seq uint64, stored []byte) error {
	if len(stored) == 0 {
		*r = Row{Type: Withheld}
		return nil
	}
	if d.Quick(r, stored) {
		return nil
	}
	rec, err := events.ParseRecord(seq, stored)
	if err != nil {
		return err
	}
	if *r, err = RowOf(rec); err == nil {
		d.learn(&rec, r)
	}
	return err
}

// learn takes note of words that were accepted.
func (d *Decoder) learn(rec *events.Record, r *Row) {
	line := memberLine
	switch r.Type.Subject() {
	case "condition":
		line = memberCondition
	case "caveat":
		line = memberCaveat
	}
	for m, word := range map[member]string{
		memberBy: rec.By, memberSigner: rec.KeyName,
		memberLedger: string(rec.Statement.Head().Ledger), memberType: string(r.Type),
		memberOperation: string(r.Operation), memberNation: string(r.Nation),
		memberRole: string(r.Role), memberArea: string(r.Area), memberUnit: string(r.Unit),
		memberPresence: string(r.Presence), memberRelease: string(r.Release),
		line: string(r.Line), memberKind: string(r.Kind),
	} {
		if word != "" && len(d.known[m]) < maxKnown && isPlain([]byte(word)) {
			word = strings.Clone(word)
			d.known[m][word] = word
		}
	}
}

// A member is one of a statement's, or of what stands around it.
type member uint8

const (
	memberBy member = iota
	memberSigner
	memberType
	memberID
	memberLedger
	memberSeen
	memberEffective
	memberOperation
	memberNation
	memberPledge
	memberRole
	memberQuantity
	memberUnit
	memberArea
	memberFrom
	memberUntil
	memberNotice
	memberPresence
	memberRelease
	memberSource
	memberNote
	memberReason
	memberExpires
	memberPredecessor
	memberSuccessor
	memberCondition
	memberKind
	memberCaveat
	memberRestriction
	memberLine
	memberAllocation
	memberAfter
	memberNotAfter
	memberReference
	members
)

func (m member) bit() uint64 { return 1 << m }

func bits(all ...member) (set uint64) {
	for _, m := range all {
		set |= m.bit()
	}
	return set
}

// A shape is which members the statements of a kind have.
type shape struct {
	must, may uint64
	begins    bool // a pledge, where no member names one
	unknown   bool // the quantity may be
}

// shapes are those of the kinds that are read here. Of others, there are few in any ledger.
var shapes = func() map[events.Type]shape {
	head := bits(memberType, memberID, memberLedger, memberEffective, memberOperation, memberNation)
	terms := head | bits(memberRole, memberQuantity, memberUnit, memberFrom)
	mayHead := bits(memberSeen, memberNotAfter)
	mayTerms := mayHead | bits(memberArea, memberUntil, memberNotice, memberPresence,
		memberRelease, memberSource, memberNote, memberExpires, memberPredecessor,
		memberSuccessor, memberLine, memberReference)
	step := head | bits(memberPledge)
	mayStep := mayHead | bits(memberAfter, memberReason, memberSource)
	amount := bits(memberQuantity, memberUnit)
	mayOffer, mayAmend := mayTerms|bits(memberPledge, memberAfter), mayTerms|bits(memberAfter)
	observed := head | amount | bits(memberRole, memberSource)
	allocated := step | amount | bits(memberLine, memberFrom)
	of := func(must uint64) shape { return shape{must: step | must, may: mayStep} }
	return map[events.Type]shape{
		"pledge.indicated":     {must: terms, may: mayTerms, begins: true, unknown: true},
		"pledge.offered":       {must: terms, may: mayOffer, begins: true, unknown: true},
		"pledge.amended":       {must: terms | bits(memberPledge), may: mayAmend, unknown: true},
		"pledge.observed":      {must: observed, may: mayHead, begins: true},
		"pledge.accepted":      of(0),
		"pledge.declined":      of(0),
		"pledge.confirmed":     of(0),
		"pledge.withdrawn":     of(0),
		"pledge.returned":      of(0),
		"pledge.deployed":      of(amount),
		"pledge.reported":      of(amount),
		"pledge.renewed":       of(bits(memberExpires)),
		"condition.added":      of(bits(memberCondition, memberKind)),
		"condition.discharged": of(bits(memberCondition)),
		"condition.failed":     of(bits(memberCondition)),
		"caveat.declared":      of(bits(memberCaveat, memberRestriction)),
		"caveat.lifted":        of(bits(memberCaveat)),
		"allocation.made":      {must: allocated, may: mayStep | bits(memberUntil)},
		"allocation.released":  of(bits(memberAllocation)),
	}
}()
