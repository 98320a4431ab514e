package problem

import (
	"fmt"
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

// Line shows somebody's text on one line: as [Text], with a space for each new line and tab.
func Line(s string) string { return Text(oneLine.Replace(s)) }

var oneLine = strings.NewReplacer("\n", " ", "\t", " ")

// Text shows somebody's text as what it is: each character that moves a cursor or turns a line
// around as its number, such as ⟨U+202E⟩, and each byte that is no UTF-8 as U+FFFD. New lines
// and tabs stay.
func Text(s string) string {
	if strings.IndexFunc(s, acts) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if acts(r) {
			b.WriteString(Shown(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func acts(r rune) bool { return Acts(r) && r != '\n' && r != '\t' }

// Acts reports whether a character does something to the text around it, or to what shows it: it is
// a control character, or one of those that turn the direction of writing.
func Acts(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e ||
		r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c
}

// InJSON escapes the characters of a JSON text that act as JSON does it, such as \u202e: the text
// means the same. It must have no white space but spaces outside its strings.
func InJSON(text string) string {
	if strings.IndexFunc(text, Acts) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if Acts(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Shown is how a character that acts is shown to people. Data that is JSON has it as [InJSON] does.
func Shown(r rune) string { return fmt.Sprintf("⟨U+%04X⟩", r) }
