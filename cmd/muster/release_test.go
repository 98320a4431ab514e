package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Whoever is asked who may read a pledge is told that everybody can where a server restricts
// nothing: in the help of every command that has the flag, in the import's, and beside the field of
// the form of such a server in each language.
func TestReleaseSaysWhatItDoes(t *testing.T) {
	flags := 0
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		if f := c.Flags().Lookup("release"); f != nil {
			flags++
			if !strings.HasSuffix(f.Usage, releaseHelp) {
				t.Errorf("%s --release is %q", c.CommandPath(), f.Usage)
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(new(app).root())
	if flags != 3 {
		t.Errorf("%d commands have --release, and not indicate, offer and disclose", flags)
	}
	if long := new(app).importCSVCmd().Long; !strings.Contains(long, whereOpen) {
		t.Errorf("the import says nothing of it: %s", long)
	}
	for lang, said := range map[string]string{
		"en": "everybody who reaches the server can read it",
		"fr": "quiconque atteint le serveur peut le lire"} {
		if _, page := get(t, demoServer(t)+"/submit?lang="+lang); !strings.Contains(page, said) {
			t.Errorf("the form in %s does not say: %s", lang, said)
		}
	}
}
