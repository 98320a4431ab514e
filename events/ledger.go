package events

import "strconv"

// LedgerFounded is the first record of every ledger, and only that. It names the founder's key;
// everything about who may sign follows from the records after it. It is signed with the key that
// it names.
type LedgerFounded struct {
	Header
	// Title says for people what the ledger is for.
	Title string `json:"title"`
	// Founder is the public key of the first coordinator.
	Founder Key `json:"founder"`
	// Seconds is how many coordinators beside the signer it takes to admit and to revoke a key, or
	// all others where there are fewer; 0 for none. Where it is not 0, a nation that has a liaison
	// seconds its further keys itself: see package seconds.
	Seconds int `json:"seconds,omitzero"`
}

// MaxSeconds is the most seconds that a founding may ask for.
const MaxSeconds = 9

func (s *LedgerFounded) check(c *checker) {
	s.Header.check(c)
	c.title("title", s.Title)
	c.key("founder", s.Founder)
	if s.Founder.Party() != HQ {
		c.field("founder", string(s.Founder),
			"the founder is a coordinator: its key's name begins with HQ/")
	}
	if s.Seconds < 0 || s.Seconds > MaxSeconds {
		c.field("seconds", strconv.Itoa(s.Seconds), "write how many coordinators beside the "+
			"signer it takes to admit and to revoke a key, from 0 to %d", MaxSeconds)
	}
}

// A MemberRole says what the holder of a key may sign.
type MemberRole string

// The roles of members.
const (
	// Coordinator issues requirements, accepts pledges and admits members. Its key's name begins
	// with HQ/.
	Coordinator MemberRole = "coordinator"
	// Liaison speaks for the nation that its key's name begins with, as in FRA/paris.
	Liaison MemberRole = "liaison"
	// Importer records published figures and nothing else. Its key's name begins with HQ/.
	Importer MemberRole = "importer"
	// Reader signs in and reads what it is cleared for, and signs no statement.
	Reader MemberRole = "reader"
)

// MemberAdmitted lets the holder of a key sign, from this record on.
type MemberAdmitted struct {
	Header
	// Key is the public key, whose name says for whom it speaks: FRA/paris for France, HQ/staff for
	// the coordinators.
	Key Key `json:"key"`
	// Role says what the key may sign.
	Role MemberRole `json:"role"`
	Note string     `json:"note,omitzero"`
	// Clearance is what a reader may read; "" for every other role.
	Clearance Clearance `json:"clearance,omitzero"`
}

func (s *MemberAdmitted) check(c *checker) {
	s.Header.check(c)
	c.key("key", s.Key)
	c.oneOf("role", string(s.Role), string(Coordinator), string(Liaison), string(Importer),
		string(Reader))
	s.checkClearance(c)
	c.text("note", s.Note)
	party := s.Key.Party()
	if party == "" || s.Role == Reader { // a reader's key may be named after either
		return
	}
	if (s.Role == Liaison) == (party == HQ) {
		c.field("role", string(s.Role),
			"does not fit the key's name %q: a liaison's key is named after its nation "+
				"(FRA/paris), a coordinator's or importer's begins with HQ/", s.Key.Name())
	}
}

func (s *MemberAdmitted) checkClearance(c *checker) {
	switch {
	case s.Role != Reader && s.Clearance != "":
		c.field("clearance", string(s.Clearance),
			"is for readers: leave it out, or admit the key as a reader")
	case s.Role == Reader:
		c.oneOf("clearance", string(s.Clearance), string(ForThePublic), string(ForTheCoalition),
			string(ForTheNation), string(ForTheCoordinators))
	}
	switch hq := s.Key.Party() == HQ; {
	case s.Clearance == ForTheNation && hq:
		c.field("clearance", string(s.Clearance),
			"the key's name %q names no nation: write another clearance", s.Key.Name())
	case s.Clearance == ForTheCoordinators && !hq:
		c.field("clearance", string(s.Clearance),
			"is for keys whose name begins with HQ/: write %s for what the nation may read",
			ForTheNation)
	}
}

// MemberRevoked ends what a key may sign, from this record on. What it signed before stays.
type MemberRevoked struct {
	Header
	Key    Key    `json:"key"`
	Reason string `json:"reason"`
}

func (s *MemberRevoked) check(c *checker) {
	s.Header.check(c)
	c.key("key", s.Key)
	c.title("reason", s.Reason)
}

// MemberSeconded is a second word for an admission or a revocation that waits for one.
type MemberSeconded struct {
	Header
	// Statement is the id of the statement that is seconded.
	Statement ID `json:"statement"`
	// Leaf is the leaf hash of its record, in base 64: what is seconded is these bytes, and nothing
	// else that somebody might show under the same id.
	Leaf string `json:"leaf"`
	// Key is the key that it admits or revokes.
	Key Key `json:"key"`
}

func (s *MemberSeconded) check(c *checker) {
	s.Header.check(c)
	c.id("statement", s.Statement, "that is seconded")
	if !isHash(s.Leaf) {
		c.field("leaf", s.Leaf, "write the leaf hash of the record that is seconded, 32 bytes in "+
			"base 64")
	}
	c.key("key", s.Key)
}

// MemberRetracted takes back an admission or a revocation that waits for a second: whoever signed
// it does not want it any more. It cannot be seconded from this record on.
type MemberRetracted struct {
	Header
	// Statement is the id of the statement that is retracted.
	Statement ID `json:"statement"`
	// Key is the key that it would admit or revoke.
	Key    Key    `json:"key"`
	Reason string `json:"reason"`
}

func (s *MemberRetracted) check(c *checker) {
	s.Header.check(c)
	c.id("statement", s.Statement, "that is retracted")
	c.key("key", s.Key)
	c.title("reason", s.Reason)
}
