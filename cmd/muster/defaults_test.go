package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"muster/projections/web"
)

// What --help says of the flag of a question is true of its parameter: where the API's document
// tells a default, so does the help, and the same one.
func TestDefaultsOfFlags(t *testing.T) {
	root, questions := (&app{}).root(), map[string]web.Description{}
	for _, d := range web.Descriptions() {
		questions[d.Name] = d
	}
	for typed, name := range map[string]string{
		"coverage": "coverage", "gaps": "gaps", "timeline": "timeline", "strength": "strength",
		"dependence": "dependence", "hanging": "hanging", "readiness": "readiness",
		"review": "review",
		"due":    "due", "nation": "nation", "nations": "nations", "log": "records", "diff": "diff",
		"explain coverage": "explain", "explain strength": "explain", "counted": "counted",
		"late": "late", "corrections": "corrections", "delivery": "delivery",
		"member list": "members",
		"plan show":   "plan", "scope list": "scopes", "pledge list": "pledges",
		"pledge show":    "pledge",
		"pledge history": "versions",
	} {
		c, _, err := root.Find(strings.Fields(typed))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := questions[name]; !ok {
			t.Fatalf("there is no question %s", name)
		}
		sameDefaults(t, c, questions[name])
	}
}

var (
	without  = regexp.MustCompile(`[Ww]ithout it, (\w+)|(\w+) without it`)
	differ   = []string{"what", "that", "at"} // words of defaults that the help puts otherwise
	firstDay = regexp.MustCompile("first day")
)

func sameDefaults(t *testing.T, c *cobra.Command, d web.Description) {
	t.Helper()
	var takes struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(d.Request, &takes); err != nil {
		t.Fatal(err)
	}
	for name, p := range takes.Properties {
		f := c.Flags().Lookup(strings.ReplaceAll(name, "_", "-"))
		found := without.FindStringSubmatch(p.Description)
		if f == nil || found == nil {
			continue
		}
		_, told, ok := strings.Cut(f.Usage, "(default: ")
		word := found[1] + found[2]
		if c.CommandPath() == "muster pledge list" && name == "rung" {
			word = "all" // where pledges are listed
		}
		switch {
		case !ok:
			t.Errorf("%s --%s: no default in %q, where the API says %q",
				c.CommandPath(), f.Name, f.Usage, p.Description)
		case !strings.Contains(strings.Join(differ, " "), word) && !strings.Contains(told, word):
			t.Errorf("%s --%s: the default %q, where the API says %q",
				c.CommandPath(), f.Name, told, p.Description)
		case name == "on" && firstDay.MatchString(told) != firstDay.MatchString(p.Description):
			t.Errorf("%s --on: the default %q, where the API says %q",
				c.CommandPath(), told, p.Description)
		}
	}
}
