package events

import (
	_ "embed"
	"strings"
)

// Format is the description of the wire form, enough to write a second implementation from
// (FORMAT.md, in Markdown).
//
//go:embed FORMAT.md
var Format string

// Meaning returns what Format says of a type of statement, in a paragraph; "" when it says nothing.
func Meaning(t Type) string {
	for section := range strings.SplitSeq(Format, "\n### ") {
		heading, body, _ := strings.Cut(section, "\n")
		if strings.Contains(heading, "`"+string(t)+"`") {
			paragraph, _, _ := strings.Cut(strings.TrimSpace(body), "\n\n")
			return strings.Join(strings.Fields(paragraph), " ")
		}
	}
	return ""
}
