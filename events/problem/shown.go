package problem

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// What others have written is not shown as it is: it may be long, move the cursor of a terminal, or
// turn a line around.

// MaxShown is the most characters that a message tells of a value.
const MaxShown = 80

// Shorten keeps a value that was refused from filling the refusal.
func Shorten(s string) string {
	if utf8.RuneCountInString(s) <= MaxShown {
		return s
	}
	return string([]rune(s)[:MaxShown]) + "…"
}

// Name keeps what should be a name from writing anything but a name, into a terminal or a header.
func Name(s string) string {
	s = Shorten(s)
	if quoted := strconv.QuoteToGraphic(s); quoted != `"`+s+`"` || s == "" {
		return quoted
	}
	return s
}

// Line makes control and bidirectional characters in somebody's text visible, and keeps the text on
// one line.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e,
			r >= 0x2066 && r <= 0x2069,
			r == 0x200e, r == 0x200f, r == 0x061c:
			return utf8.RuneError
		}
		return r
	}, s)
}
