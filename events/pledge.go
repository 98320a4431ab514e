package events

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Place is where a pledge belongs: whose it is and to which operation. Every statement about a
// pledge repeats it, so that its subject follows from the statement alone.
type Place struct {
	Operation Operation `json:"operation"`
	Nation    Nation    `json:"nation"`
}

// About returns the nation and the operation.
func (p *Place) About() (Nation, Operation) { return p.Nation, p.Operation }

func (p *Place) check(c *checker) {
	c.slug("operation", string(p.Operation), "mnf-u")
	c.nation("nation", p.Nation)
}

// Presence says where the pledged forces are.
type Presence string

// Forces are new to the operation unless a pledge says otherwise.
const (
	New     Presence = "new"     // come in addition
	Present Presence = "present" // are in the operation already
	Reserve Presence = "reserve" // stand by at home, and are not counted as supply
)

// PledgeTerms is what a nation pledges: one role, one quantity and unit, one window.
type PledgeTerms struct {
	Role     Role     `json:"role"`
	Quantity Quantity `json:"quantity"`
	Unit     Unit     `json:"unit"`
	// Area is where the forces may be used; empty means anywhere in the operation.
	Area Area `json:"area,omitzero"`
	Window
	// NoticeToMove is how many days after the call the forces move; nil when it was not said.
	NoticeToMove *int     `json:"notice_to_move,omitzero"`
	Presence     Presence `json:"presence,omitzero"`
	// Release is who may read the pledge, from its beginning on, and all that is said of it: see
	// [Label].
	Release Release `json:"release,omitzero"`
	// Source is where this was published, when it was taken from a publication.
	Source string `json:"source,omitzero"`
	Note   string `json:"note,omitzero"`
	// Expires is the last day on which the pledge stands unless it is renewed or deployed by then;
	// zero for no such day. On the day after it has lapsed, by itself.
	Expires Date `json:"expires,omitzero"`
	// Predecessor is the pledge whose forces these relieve, and Successor the one whose forces
	// relieve these: a rotation.
	Predecessor ID `json:"predecessor,omitzero"`
	Successor   ID `json:"successor,omitzero"`
	// Elsewhere names what else the same forces are pledged to, outside this ledger or in it.
	Elsewhere []string `json:"elsewhere,omitzero"`
	// Line is the requirement that the forces are meant for; empty when the nation has not said. It
	// need not be there yet.
	Line Line `json:"line,omitzero"`
	// ReleasableTo are nations that read it too, where it is released to the coordinators.
	ReleasableTo []Nation `json:"releasable_to,omitzero"`
	// Reference is the nation's own number of the pledge, such as that of a note verbale.
	Reference string `json:"reference,omitzero"`
	// Least and Most are what is known of a quantity that is unknown: see [Amount].
	Least Quantity `json:"least,omitzero"`
	Most  Quantity `json:"most,omitzero"`
}

// Amount returns how much is pledged.
func (t *PledgeTerms) Amount() Amount { return Amount{t.Quantity, t.Least, t.Most} }

// SetAmount says how much is pledged.
func (t *PledgeTerms) SetAmount(a Amount) {
	t.Quantity, t.Least, t.Most = a.Quantity, a.Least, a.Most
}

// Limits of a pledge's terms.
const (
	// MaxNotice is the longest notice to move, in days.
	MaxNotice = 3650
	// MaxElsewhere is the most other commitments that a pledge may name.
	MaxElsewhere = 16
	// MaxReference is the most characters of a reference.
	MaxReference = 100
)

func (t *PledgeTerms) check(c *checker) {
	c.slug("role", string(t.Role), "ground")
	c.amount(t.Quantity, t.Unit, true)
	c.bounds(t)
	if t.Area != "" {
		c.slug("area", string(t.Area), "west")
	}
	c.window(t.Window)
	if t.NoticeToMove != nil && (*t.NoticeToMove < 0 || *t.NoticeToMove > MaxNotice) {
		c.field("notice_to_move", fmt.Sprint(*t.NoticeToMove),
			"write days, from 0 to %d", MaxNotice)
	}
	if t.Presence != "" {
		c.oneOf("presence", string(t.Presence), string(New), string(Present), string(Reserve))
	}
	c.release("release", t.Release)
	c.releasableTo(t.Release, t.ReleasableTo)
	c.dateIfAny("expires", t.Expires)
	c.rotation(t.Predecessor, t.Successor)
	c.elsewhere(t.Elsewhere)
	if t.Line != "" {
		c.slug("line", string(t.Line), "ground-west")
	}
	c.text("source", t.Source)
	c.text("note", t.Note)
	c.reference(t.Reference)
}

// bounds checks what is known of a quantity that is unknown.
func (c *checker) bounds(t *PledgeTerms) {
	for _, one := range []struct {
		name string
		q    Quantity
	}{{"least", t.Least}, {"most", t.Most}} {
		switch n, known := one.q.Number(); {
		case one.q.IsZero():
		case !t.Quantity.IsZero() && !t.Quantity.IsUnknown():
			c.field(one.name, one.q.String(),
				`leave it out of a quantity that is known, or write "unknown" as the quantity`)
		case !known:
			c.field(one.name, "unknown", "write a number, or leave it out")
		case n < 1 || n > MaxCount:
			c.field(one.name, one.q.String(), "write a number from 1 to %s",
				Quantity{MaxCount, one.q.form})
		case t.Unit.Valid() && t.Unit.IsMoney() != (one.q.form == money):
			c.field(one.name, one.q.String(), "does not fit the unit %s: %s", t.Unit,
				numberRemedy(t.Unit))
		}
	}
	least, isLeast := t.Least.Number()
	if most, isMost := t.Most.Number(); isLeast && isMost && most < least {
		c.field("most", t.Most.String(), "is less than the least: write %s or more", t.Least)
	}
}

// reference checks the nation's own number of a pledge: one line, which can be a key.
func (c *checker) reference(s string) {
	c.text("reference", s)
	switch n := utf8.RuneCountInString(s); {
	case n > MaxReference:
		c.field("reference", s, "has %d characters: write at most %d", n, MaxReference)
	case strings.ContainsAny(s, "\n\t"):
		c.field("reference", s, "is of several lines: write one, without tabs")
	case strings.TrimSpace(s) != s:
		c.field("reference", s, "leave out the space around it")
	}
}

func (c *checker) rotation(predecessor, successor ID) {
	if !successor.IsZero() && successor == predecessor {
		c.field("successor", successor.String(),
			"is the predecessor too: one of them is another pledge, or leave it out")
	}
}

func (c *checker) elsewhere(names []string) {
	if len(names) > MaxElsewhere {
		c.field("elsewhere", "", "names %d commitments: write at most %d", len(names), MaxElsewhere)
		return
	}
	for i, name := range names {
		c.title(fmt.Sprintf("elsewhere[%d]", i), name)
		if slices.Contains(names[:i], name) {
			c.field(fmt.Sprintf("elsewhere[%d]", i), name, "is there twice: leave one out")
		}
	}
}

// PledgeIndicated says that a nation is likely to offer something. The pledge's ID is this
// statement's.
type PledgeIndicated struct {
	Header
	Dated
	Place
	PledgeTerms
}

func (s *PledgeIndicated) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place, &s.PledgeTerms)
}

// PledgeOffered offers forces or means. It begins a pledge, whose ID is this statement's; or, when
// Pledge is given, it turns what was indicated under that ID into an offer.
type PledgeOffered struct {
	Header
	Dated
	Place
	// Pledge is the indicated pledge that becomes an offer; zero for a new one.
	Pledge ID `json:"pledge,omitzero"`
	Upon
	PledgeTerms
}

// Thing returns the pledge's ID.
func (s *PledgeOffered) Thing() ID {
	if s.Pledge.IsZero() {
		return s.ID
	}
	return s.Pledge
}

func (s *PledgeOffered) setThing(id ID) {
	if s.Pledge.IsZero() {
		s.ID = id
	} else {
		s.Pledge = id
	}
}

func (s *PledgeOffered) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place, &s.Upon, &s.PledgeTerms)
	if s.Pledge.IsZero() && s.After != 0 {
		c.field("after", fmt.Sprint(s.After),
			"the offer begins a pledge, of which nothing was said before: leave it out")
	}
}

// PledgeAmended replaces a pledge's terms, from its effective date on: the world changed. Role and
// unit stay.
type PledgeAmended struct {
	Header
	Dated
	Place
	Pledge ID `json:"pledge"`
	Upon
	PledgeTerms
}

// Thing returns the pledge's ID.
func (s *PledgeAmended) Thing() ID { return s.Pledge }

func (s *PledgeAmended) setThing(id ID) { s.Pledge = id }
func (s *PledgeAmended) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place, &s.Upon, &s.PledgeTerms)
	c.id("pledge", s.Pledge, "that began the pledge")
}

// Upon says which state of a pledge a statement builds on, where its signer says so. The ledger
// refuses a statement that builds on an older state than there is, so that of two people who change
// one pledge the second is told, and the first one's change stays.
type Upon struct {
	// After is the sequence of the last record about the pledge that the signer has seen; 0 where
	// that is not said.
	After int64 `json:"after,omitzero"`
}

func (u *Upon) upon() int64 { return u.After }

func (u *Upon) check(c *checker) {
	if u.After < 0 || u.After > MaxCount {
		c.field("after", fmt.Sprint(u.After),
			"write the sequence of the last record about the pledge that was seen, from 1 on, "+
				"or leave it out")
	}
}

// After returns the sequence of the last record about a pledge that the signer of s says to have
// seen, 0 where s does not say.
func After(s Statement) uint64 {
	if u, ok := s.(interface{ upon() int64 }); ok {
		return uint64(u.upon())
	}
	return 0
}

// A Step names the pledge that a statement moves along, and may say why.
type Step struct {
	Pledge ID `json:"pledge"`
	Upon
	// Reason says why, for people.
	Reason string `json:"reason,omitzero"`
	// Source is where this was published, when it was taken from a publication.
	Source string `json:"source,omitzero"`
}

// Thing returns the pledge's ID.
func (s *Step) Thing() ID { return s.Pledge }

func (s *Step) setThing(id ID) { s.Pledge = id }

func (s *Step) check(c *checker) {
	c.id("pledge", s.Pledge, "that began the pledge")
	s.Upon.check(c)
	c.text("reason", s.Reason)
	c.text("source", s.Source)
}

// A PledgeStep is what the statements have in common that move a pledge along without changing its
// terms.
type PledgeStep struct {
	Header
	Dated
	Place
	Step
}

func (s *PledgeStep) check(c *checker) { checkAll(c, &s.Header, &s.Dated, &s.Place, &s.Step) }

// PledgeAccepted says that the coordinators take up an offer.
type PledgeAccepted struct{ PledgeStep }

// PledgeDeclined says that the coordinators do not take up an offer. The pledge ends.
type PledgeDeclined struct{ PledgeStep }

// PledgeConfirmed says that the nation is bound: nothing national stands in the way any more.
type PledgeConfirmed struct{ PledgeStep }

// PledgeWithdrawn takes a pledge back. The pledge ends.
type PledgeWithdrawn struct{ PledgeStep }

// PledgeReturned says that the forces have gone home. The pledge ends.
type PledgeReturned struct{ PledgeStep }

// A Strength is how much is there, as counted and not as pledged.
type Strength struct {
	Quantity Quantity `json:"quantity"`
	Unit     Unit     `json:"unit"`
}

func (s *Strength) check(c *checker) { c.amount(s.Quantity, s.Unit, false) }

// PledgeDeployed says that the forces are in place, and how many.
type PledgeDeployed struct {
	PledgeStep
	Strength
}

func (s *PledgeDeployed) check(c *checker) { checkAll(c, &s.PledgeStep, &s.Strength) }

// PledgeReported says how many are in place now.
type PledgeReported struct {
	PledgeStep
	Strength
}

func (s *PledgeReported) check(c *checker) { checkAll(c, &s.PledgeStep, &s.Strength) }

// PledgeRenewed sets another day until which a pledge stands: see Expires in [PledgeTerms].
type PledgeRenewed struct {
	PledgeStep
	Expires Date `json:"expires"`
}

func (s *PledgeRenewed) check(c *checker) {
	s.PledgeStep.check(c)
	c.date("expires", s.Expires)
	if s.Expires != 0 && s.Expires < s.Effective {
		c.field("expires", s.Expires.String(), "lies before the renewal holds: write %s or later",
			s.Effective)
	}
}

// PledgeObserved records strength seen in published figures where no offer was ever seen. It begins
// a pledge that is deployed from the start, whose ID is this statement's.
type PledgeObserved struct {
	Header
	Dated
	Place
	Role Role `json:"role"`
	Strength
	// Source is the publication.
	Source string `json:"source"`
}

func (s *PledgeObserved) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place, &s.Strength)
	c.slug("role", string(s.Role), "troops")
	c.title("source", s.Source)
}
