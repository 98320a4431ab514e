package events

import (
	"slices"
	"strings"

	"muster/events/phrase"
)

// A Type names a kind of statement: what it is about, a dot, and what happened to it
// ("pledge.offered").
type Type string

// Subject returns what a statement of the type is about: "pledge" of "pledge.offered".
func (t Type) Subject() string { about, _, _ := strings.Cut(string(t), "."); return about }

// Event returns what happened: "offered" of "pledge.offered".
func (t Type) Event() string { _, event, _ := strings.Cut(string(t), "."); return event }

// Happened returns what [Type.Event] says, so that it can be told in other languages.
func (t Type) Happened() phrase.Phrase { return phrase.As(t.Event(), "event."+t.Event()) }

// Words returns the type as people read it: "pledge offered".
func (t Type) Words() string { return strings.ReplaceAll(string(t), ".", " ") }

// Phrase returns what [Type.Words] says, so that it can be told in other languages.
func (t Type) Phrase() phrase.Phrase { return phrase.As(t.Words(), "type."+string(t)) }

// A Statement is something that one party says, signed, to one ledger. The set of statements is
// closed: each is a struct of this package with a row in the table below, and a reader may switch
// over them.
//
// A statement that [Parse] or [Signed] returned has passed its checks and is not changed by
// anybody, so it may be shared.
type Statement interface {
	// Head returns the members that every statement has.
	Head() *Header

	check(c *checker)
}

// A kind is a row of the table of statements.
type kind struct {
	typ Type
	new func() Statement
}

// kinds is the table of statements. Rows are added, never removed or renamed: old ledgers hold
// every one of them.
var kinds = []kind{
	{"ledger.founded", func() Statement { return new(LedgerFounded) }},
	{"member.admitted", func() Statement { return new(MemberAdmitted) }},
	{"member.revoked", func() Statement { return new(MemberRevoked) }},
	{"operation.opened", func() Statement { return new(OperationOpened) }},
	{"operation.revised", func() Statement { return new(OperationRevised) }},
	{"requirement.issued", func() Statement { return new(RequirementIssued) }},
	{"requirement.revised", func() Statement { return new(RequirementRevised) }},
	{"requirement.cancelled", func() Statement { return new(RequirementCancelled) }},
	{"scope.declared", func() Statement { return new(ScopeDeclared) }},
	{"pledge.indicated", func() Statement { return new(PledgeIndicated) }},
	{"pledge.offered", func() Statement { return new(PledgeOffered) }},
	{"pledge.amended", func() Statement { return new(PledgeAmended) }},
	{"pledge.accepted", func() Statement { return new(PledgeAccepted) }},
	{"pledge.declined", func() Statement { return new(PledgeDeclined) }},
	{"pledge.confirmed", func() Statement { return new(PledgeConfirmed) }},
	{"pledge.withdrawn", func() Statement { return new(PledgeWithdrawn) }},
	{"pledge.deployed", func() Statement { return new(PledgeDeployed) }},
	{"pledge.reported", func() Statement { return new(PledgeReported) }},
	{"pledge.returned", func() Statement { return new(PledgeReturned) }},
	{"pledge.observed", func() Statement { return new(PledgeObserved) }},
	{"condition.added", func() Statement { return new(ConditionAdded) }},
	{"condition.discharged", func() Statement { return new(ConditionDischarged) }},
	{"condition.failed", func() Statement { return new(ConditionFailed) }},
	{"pledge.renewed", func() Statement { return new(PledgeRenewed) }},
	{"pledge.corrected", func() Statement { return new(PledgeCorrected) }},
	{"caveat.declared", func() Statement { return new(CaveatDeclared) }},
	{"caveat.lifted", func() Statement { return new(CaveatLifted) }},
	{"allocation.made", func() Statement { return new(AllocationMade) }},
	{"allocation.released", func() Statement { return new(AllocationReleased) }},
	{"pledge.disclosed", func() Statement { return new(PledgeDisclosed) }},
	{"member.seconded", func() Statement { return new(MemberSeconded) }},
	{"meeting.closed", func() Statement { return new(MeetingClosed) }},
	{"pledge.queried", func() Statement { return new(PledgeQueried) }},
	{"pledge.answered", func() Statement { return new(PledgeAnswered) }},
	{"member.retracted", func() Statement { return new(MemberRetracted) }},
}

// Types returns every type of statement that this version knows, in the order of the table.
func Types() []Type {
	all := make([]Type, len(kinds))
	for i, k := range kinds {
		all[i] = k.typ
	}
	return all
}

// NewStatement returns an empty statement of type t with the type filled in, and false when t is
// unknown.
func NewStatement(t Type) (Statement, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.typ == t })
	if i < 0 {
		return nil, false
	}
	s := kinds[i].new()
	s.Head().Type = t
	return s, true
}

// About returns the nation and operation that s is about, for routing and filters. The nation is HQ
// for what coordinators say; the operation is "" for what concerns the whole ledger.
func About(s Statement) (Nation, Operation) {
	if a, ok := s.(interface{ About() (Nation, Operation) }); ok {
		return a.About()
	}
	return HQ, ""
}

// Thing returns the ID of the statement that began what s is about: for a pledge's whole life, the
// statement that made the pledge; for all others the statement's own ID.
func Thing(s Statement) ID {
	if t, ok := s.(interface{ Thing() ID }); ok {
		return t.Thing()
	}
	return s.Head().ID
}

// SetThing makes s a statement about something else, whose ID [Thing] returns then. A statement
// that is about itself has that ID from then on.
func SetThing(s Statement, id ID) {
	if t, ok := s.(interface{ setThing(ID) }); ok {
		t.setThing(id)
		return
	}
	s.Head().ID = id
}

// A Header holds what every statement says of itself.
type Header struct {
	// Type is the kind of statement.
	Type Type `json:"type"`
	// ID is made by the submitter. The same ID with the same bytes is the same statement, however
	// often it is sent.
	ID ID `json:"id"`
	// Ledger is the origin of the ledger that the statement is meant for.
	Ledger Origin `json:"ledger"`
	// Seen is the last checkpoint that the signer verified, when it has verified one.
	Seen *Seen `json:"seen,omitzero"`
	// NotAfter is the last moment at which the statement may be recorded, where its signer has set
	// one: so who keeps it back cannot record it later.
	NotAfter Instant `json:"not_after,omitzero"`
}

// Seen names a checkpoint: the number of records and the root of their Merkle tree (RFC 6962), in
// base 64.
type Seen struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

// Head returns h itself.
func (h *Header) Head() *Header { return h }

func (h *Header) check(c *checker) {
	if h.ID.IsZero() {
		c.field("id", "", "missing: make a new ULID for each statement, such as "+
			"01KAQ7Z0V4T5W9J8M3N2P6R1XC")
	}
	c.origin("ledger", h.Ledger)
	if h.Seen != nil {
		c.root("seen", h.Seen)
	}
	c.instantIfAny("not_after", h.NotAfter)
}

// Dated is the day from which a statement applies: the second of the two clocks. The first is the
// time of recording.
type Dated struct {
	// Effective is the date from which what is said holds.
	Effective Date `json:"effective"`
}

func (d *Dated) check(c *checker) { c.date("effective", d.Effective) }

// On returns the effective date.
func (d *Dated) On() Date { return d.Effective }
