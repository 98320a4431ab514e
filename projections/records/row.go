package records

import (
	"cmp"
	"fmt"

	"muster/events"
)

// A Row is what the read side takes from one record. Every record makes exactly one row, and the
// picture is the fold of the rows and of nothing else, so saving the picture is appending rows, and
// loading it is folding them again: those since the last snapshot of what came of them.
//
// It is also what is saved (segment.go), so that the types of package events may change without any
// saved file noticing.
type Row struct {
	Type     events.Type
	Recorded int64  // Unix microseconds
	Signer   string // name of the key that signed

	Effective int32 // dates are yyyymmdd, as in events.Date
	Operation events.Operation
	Nation    events.Nation
	Text      string // the note, reason or title

	// Of pledges. Thing is the pledge's ID, and New says that the record begins it.
	Thing    events.ID
	New      bool
	Notice   *int
	Presence events.Presence
	Release  events.Release
	Source   string

	// To are the nations that it is releasable to. The release of an operation and of a requirement
	// is in Release, too.
	To []events.Nation

	// Standing is where a pledge stands that is disclosed, beside its terms.
	Standing *Standing

	// Statement is the statement's own ID where Thing is another's, as in all that follows a
	// pledge's beginning.
	Statement events.ID

	Expires     int32
	Predecessor events.ID
	Successor   events.ID
	Elsewhere   []string
	Reference   string
	// Least and Most are what is known of a quantity that is unknown, in whole units or hundredths;
	// 0 where nothing is.
	Least, Most int64

	// Of a correction: the statement that is mended, and whether it never was. What is mended
	// stands with the others below.
	Corrects events.ID
	Struck   bool
	Reason   string

	// Of the release of an allocation, and of an answer, whose question it is. Of a question, To is
	// who is asked, Title the text, and Expires the last day; of an answer, Title is the text.
	Allocation events.ID

	// Of a condition or a caveat within a pledge, and of the line of a requirement or an
	// allocation, or that a pledge is meant for.
	Line events.Line
	Kind events.ConditionKind

	// Of pledges and requirements. Number is in whole units, or hundredths for money.
	Role    events.Role
	Area    events.Area
	Unit    events.Unit
	Number  int64
	Unknown bool // the quantity is unknown, which is not 0
	From    int32
	Until   int32

	Priority  int
	Essential bool

	// Of a catalogue, and of a scope, where Units are empty; the title is a caveat's restriction
	// too.
	Title     string
	Roles     []Role
	Unlimited bool
	// Organisations are those that an operation declares.
	Organisations []Organisation

	// Of the roster and the founding.
	Key    events.Key
	Member events.MemberRole
	// Clearance is what a reader may read.
	Clearance events.Clearance
	Origin    events.Origin
	// Seconds is how many the founding asks for. Proposal is the statement that admits or revokes a
	// key, also that of a second; SignerHash is the hash of the key that signed such a statement.
	Seconds    int
	Proposal   events.ID
	SignerHash uint32
}

// A Role is one of an operation's catalogue, or of a scope.
type Role struct {
	Role   events.Role
	Title  string
	Titles []events.Translation
	Units  []events.Unit
}

// An Organisation is one that an operation declares.
type Organisation struct {
	Code events.Nation
	Name string
	Also []string
}

// A Standing is where a pledge stands that is disclosed. What is in place is in the unit of the
// pledge.
type Standing struct {
	Rung        events.Rung
	InPlace     int64 // 0 where nothing is
	Conditions  []events.StandingCondition
	Caveats     []events.StandingCaveat
	Allocations []Allocation
}

// An Allocation is so much of a pledge, set against a line.
type Allocation struct {
	ID          events.ID
	Line        events.Line
	Number      int64
	From, Until int32
}

// Withheld is the type of a row that keeps the place of a record which may not be read. It has
// nothing else.
const Withheld events.Type = "withheld"

// Quantity returns the amount that the record names, the zero Quantity where it names none.
func (r *Row) Quantity() events.Quantity {
	switch {
	case r.Unknown:
		return events.Unknown
	case r.Number == 0:
		return events.Quantity{}
	}
	return r.Unit.Of(r.Number)
}

// Window returns the days that the record names.
func (r *Row) Window() events.Window {
	return events.Window{From: events.Date(r.From), Until: events.Date(r.Until)}
}

// RowOf takes from a record what the projections need. A kind of statement that is not known here
// is an error: what it means cannot be guessed, and to leave it out would make every number after
// it wrong.
func RowOf(rec events.Record) (Row, error) {
	st := rec.Statement
	if st == nil {
		return Row{Type: Withheld}, nil
	}
	r := Row{Type: st.Head().Type, Recorded: rec.Recorded.UnixMicro(), Signer: rec.KeyName}
	if d, ok := st.(interface{ On() events.Date }); ok {
		r.Effective = int32(d.On())
	}
	if r.Type.Subject() == "member" {
		r.SignerHash = rec.KeyHash
	}
	if r.ofLedger(st) || r.ofPlan(st) || r.ofPledge(st) || r.ofStep(st) || r.ofHold(st) {
		return r, nil
	}
	return r, fmt.Errorf("record %d is a %s, which this program's projections do not know: "+
		"use a newer muster", rec.Sequence, r.Type)
}

func (r *Row) ofLedger(st events.Statement) bool {
	switch s := st.(type) {
	case *events.LedgerFounded:
		r.Key, r.Member, r.Origin, r.Text = s.Founder, events.Coordinator, s.Ledger, s.Title
		r.Seconds = s.Seconds
	case *events.MemberAdmitted:
		r.Key, r.Member, r.Clearance, r.Text = s.Key, s.Role, s.Clearance, s.Note
		r.Proposal = s.ID
	case *events.MemberRevoked:
		r.Key, r.Text, r.Proposal = s.Key, s.Reason, s.ID
	case *events.MemberSeconded:
		r.Key, r.Proposal = s.Key, s.Statement
	case *events.MemberRetracted:
		r.Key, r.Proposal, r.Text = s.Key, s.Statement, s.Reason
	default:
		return false
	}
	return true
}

func (r *Row) ofPlan(st events.Statement) bool {
	switch s := st.(type) {
	case *events.OperationOpened:
		r.catalogue(&s.OperationTerms)
		r.Release = s.Release
	case *events.OperationRevised:
		r.catalogue(&s.OperationTerms)
	case *events.RequirementIssued:
		r.requirement(&s.RequirementTerms)
		r.Release = s.Release
	case *events.RequirementRevised:
		r.requirement(&s.RequirementTerms)
	case *events.RequirementCancelled:
		r.Operation, r.Line, r.Text = s.Operation, s.Line, s.Reason
	case *events.MeetingClosed:
		r.Title, r.Text = s.Name, s.Note
	case *events.ScopeDeclared:
		r.Operation, r.Nation, r.Unlimited, r.Text = s.Operation, s.Nation, s.Unlimited, s.Note
		for _, role := range s.Roles {
			r.Roles = append(r.Roles, Role{Role: role})
		}
	default:
		return false
	}
	return true
}

func (r *Row) catalogue(t *events.OperationTerms) {
	r.Operation, r.Title, r.Text = t.Operation, t.Title, t.Note
	for _, role := range t.Roles {
		r.Roles = append(r.Roles, Role(role))
	}
	for _, o := range t.Organisations {
		r.Organisations = append(r.Organisations, Organisation(o))
	}
}

func (r *Row) requirement(t *events.RequirementTerms) {
	r.Operation, r.Line, r.Role, r.Area, r.Text = t.Operation, t.Line, t.Role, t.Area, t.Note
	r.Priority, r.Essential = t.Priority, t.Essential
	r.amount(t.Quantity, t.Unit)
	r.From, r.Until = int32(t.From), int32(t.Until)
}

func (r *Row) amount(q events.Quantity, u events.Unit) {
	r.Number, _ = q.Number()
	r.Unknown, r.Unit = q.IsUnknown(), u
}

func (r *Row) place(st events.Statement, p events.Place) {
	r.Thing, r.Operation, r.Nation = events.Thing(st), p.Operation, p.Nation
	if id := st.Head().ID; id != r.Thing {
		r.Statement = id
	}
}

// StatementID returns the ID of the statement that made the row.
func (r *Row) StatementID() events.ID {
	if r.Statement.IsZero() {
		return r.Thing
	}
	return r.Statement
}

// ofPledge takes in what tells a pledge's terms.
func (r *Row) ofPledge(st events.Statement) bool {
	switch s := st.(type) {
	case *events.PledgeIndicated:
		r.New = true
		r.terms(st, s.Place, &s.PledgeTerms)
	case *events.PledgeOffered:
		r.New = s.Pledge.IsZero()
		r.terms(st, s.Place, &s.PledgeTerms)
	case *events.PledgeAmended:
		r.terms(st, s.Place, &s.PledgeTerms)
	case *events.PledgeObserved:
		r.New = true
		r.place(st, s.Place)
		r.Role, r.Source, r.From = s.Role, s.Source, int32(s.Effective)
		r.amount(s.Quantity, s.Unit)
	case *events.PledgeDisclosed:
		r.terms(st, s.Place, &s.PledgeTerms)
		r.Standing = standingOf(&s.Standing)
	case *events.PledgeCorrected:
		r.correction(s)
	default:
		return false
	}
	return true
}

func standingOf(s *events.Standing) *Standing {
	r := &Standing{Rung: s.Rung, Conditions: s.Conditions, Caveats: s.Caveats}
	if s.InPlace != nil {
		r.InPlace, _ = s.InPlace.Quantity.Number()
	}
	for _, a := range s.Allocations {
		n, _ := a.Quantity.Number()
		one := Allocation{a.Allocation, a.Line, n, int32(a.From), int32(a.Until)}
		r.Allocations = append(r.Allocations, one)
	}
	return r
}

// correction takes in what a correction mends.
func (r *Row) correction(s *events.PledgeCorrected) {
	r.place(s, s.Place)
	switch {
	case s.Terms != nil:
		r.terms(s, s.Place, s.Terms)
	case s.Strength != nil:
		r.amount(s.Strength.Quantity, s.Strength.Unit)
	}
	r.Corrects, r.Struck, r.Reason = s.Corrects, s.Struck, s.Reason
	r.Source = cmp.Or(s.Source, r.Source)
}

func (r *Row) terms(st events.Statement, p events.Place, t *events.PledgeTerms) {
	r.place(st, p)
	r.Expires = int32(t.Expires)
	r.Predecessor, r.Successor, r.Elsewhere = t.Predecessor, t.Successor, t.Elsewhere
	r.Role, r.Area, r.Line, r.Notice = t.Role, t.Area, t.Line, t.NoticeToMove
	r.Presence, r.Release = t.Presence, t.Release
	r.amount(t.Quantity, t.Unit)
	r.From, r.Until = int32(t.From), int32(t.Until)
	r.Source, r.Text, r.To = t.Source, t.Note, t.ReleasableTo
	r.Reference = t.Reference
	r.Least, _ = t.Least.Number()
	r.Most, _ = t.Most.Number()
}

// ofStep takes in what moves a pledge along.
func (r *Row) ofStep(st events.Statement) bool {
	switch s := st.(type) {
	case *events.PledgeAccepted:
		r.step(&s.PledgeStep, st)
	case *events.PledgeDeclined:
		r.step(&s.PledgeStep, st)
	case *events.PledgeConfirmed:
		r.step(&s.PledgeStep, st)
	case *events.PledgeWithdrawn:
		r.step(&s.PledgeStep, st)
	case *events.PledgeReturned:
		r.step(&s.PledgeStep, st)
	case *events.PledgeDeployed:
		r.step(&s.PledgeStep, st)
		r.amount(s.Quantity, s.Unit)
	case *events.PledgeReported:
		r.step(&s.PledgeStep, st)
		r.amount(s.Quantity, s.Unit)
	case *events.PledgeRenewed:
		r.step(&s.PledgeStep, st)
		r.Expires = int32(s.Expires)
	default:
		return false
	}
	return true
}

// ofHold takes in what hangs over a pledge, and what it is set against.
func (r *Row) ofHold(st events.Statement) bool {
	switch s := st.(type) {
	case *events.ConditionAdded:
		r.named(&s.PledgeStep, st, s.Condition)
		r.Kind = s.Kind
	case *events.ConditionDischarged:
		r.named(&s.PledgeStep, st, s.Condition)
	case *events.ConditionFailed:
		r.named(&s.PledgeStep, st, s.Condition)
	case *events.CaveatDeclared:
		r.named(&s.PledgeStep, st, s.Caveat)
		r.Title = s.Restriction
	case *events.CaveatLifted:
		r.named(&s.PledgeStep, st, s.Caveat)
	case *events.AllocationMade:
		r.named(&s.PledgeStep, st, s.Line)
		r.amount(s.Quantity, s.Unit)
		r.From, r.Until = int32(s.From), int32(s.Until)
	case *events.AllocationReleased:
		r.step(&s.PledgeStep, st)
		r.Allocation = s.Allocation
	case *events.PledgeQueried:
		r.step(&s.PledgeStep, st)
		r.To, r.Title, r.Expires = []events.Nation{s.To}, s.Text, int32(s.Due)
	case *events.PledgeAnswered:
		r.step(&s.PledgeStep, st)
		r.Allocation, r.Title = s.Query, s.Text
	default:
		return false
	}
	return true
}

func (r *Row) step(s *events.PledgeStep, st events.Statement) {
	r.place(st, s.Place)
	r.Source, r.Text = s.Source, s.Reason
}

// named takes in a step about something that has a name.
func (r *Row) named(s *events.PledgeStep, st events.Statement, name events.Line) {
	r.step(s, st)
	r.Line = name
}
