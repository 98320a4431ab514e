package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// What a command says of itself fits a terminal of as many columns as the source has. Examples are
// lines to type, and as long as they are.
func TestHelpFits(t *testing.T) {
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for line := range strings.Lines(c.Long) {
			if line = strings.TrimRight(line, "\n"); width(line) > columns {
				t.Errorf("%s: wrap this at %d columns: %s", c.CommandPath(), columns, line)
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look((&app{}).root())
}
