package events

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MeetingClosed gives a place in the record a name: "what has changed since FGC 4?" asks about all
// that was recorded up to this statement, and with it. It changes nothing else.
type MeetingClosed struct {
	Header
	// Dated is the day on which the meeting ended, for people.
	Dated
	// Name is what the meeting is called, once in a ledger. It begins with a letter, so that it is
	// no sequence and no time.
	Name string `json:"name"`
	Note string `json:"note,omitzero"`
}

// MaxMeetingName is the most characters that the name of a meeting may have.
const MaxMeetingName = 60

func (s *MeetingClosed) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated)
	first, _ := utf8.DecodeRuneInString(s.Name)
	switch {
	case s.Name == "":
		c.field("name", "", "missing: write what the meeting is called, such as FGC 4")
	case !unicode.IsLetter(first) || s.Name != strings.Join(strings.Fields(s.Name), " "):
		c.field("name", s.Name, "write a name that begins with a letter, its words with one "+
			"space between them, such as FGC 4")
	case s.Name == "today":
		c.field("name", s.Name, "stands for the day that it is: write another name")
	case utf8.RuneCountInString(s.Name) > MaxMeetingName:
		c.field("name", s.Name, "has %d characters: write at most %d",
			utf8.RuneCountInString(s.Name), MaxMeetingName)
	}
	c.text("name", s.Name)
	c.text("note", s.Note)
}
