package main

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// helpColumns is how wide a line of help is.
const helpColumns = 100

// wrapHelp fills what a command and those below it say of themselves into lines that fit. What
// stands with an indent, as tables and files do, stays as it is.
func wrapHelp(c *cobra.Command) {
	paragraphs := strings.Split(c.Long, "\n\n")
	for i, p := range paragraphs {
		if lines := strings.Split(p, "\n"); !anyIndented(lines) && anyWide(lines) {
			filled := text.WrapSoft(strings.Join(lines, " "), helpColumns)
			paragraphs[i] = withoutEnds(filled)
		}
	}
	c.Long = strings.Join(paragraphs, "\n\n")
	for _, sub := range c.Commands() {
		wrapHelp(sub)
	}
}

func anyIndented(lines []string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, " ") || strings.HasPrefix(l, "\t") {
			return true
		}
	}
	return false
}

func anyWide(lines []string) bool {
	for _, l := range lines {
		if text.StringWidthWithoutEscSequences(l) > helpColumns {
			return true
		}
	}
	return false
}

// withoutEnds takes the spaces off at which lines were broken.
func withoutEnds(filled string) string {
	lines := strings.Split(filled, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
