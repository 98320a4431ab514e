package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// sections are the titles under which --help shows flags that belong together, in their order,
// after those without one.
var sections = []string{
	"Where it listens", "TLS", "Who reads what", "Who is told",
	"The embedded NATS server, or a cluster", "The ledger", "What the operator watches",
	"How NATS is reached",
}

const sectionAnnotation = "muster section"

// section puts flags of a command under a title of their own, one of the sections: under another,
// --help would not show them.
func section(c *cobra.Command, title string, names ...string) {
	if !slices.Contains(sections, title) {
		panic("no section of --help is named " + title)
	}
	for _, name := range names {
		c.Flag(name).Annotations = map[string][]string{sectionAnnotation: {title}}
	}
}

// usagesBySection renders flags for --help.
func usagesBySection(title string, flags *pflag.FlagSet) string {
	parts := map[string]*pflag.FlagSet{}
	flags.VisitAll(func(f *pflag.Flag) {
		of := title
		if s := f.Annotations[sectionAnnotation]; len(s) > 0 {
			of = s[0]
		}
		if parts[of] == nil {
			parts[of] = pflag.NewFlagSet(of, pflag.ContinueOnError)
		}
		parts[of].AddFlag(f)
	})
	var text strings.Builder
	for _, s := range append([]string{title}, sections...) {
		if parts[s] != nil && parts[s].HasAvailableFlags() {
			text.WriteString("\n\n" + s + ":\n" + strings.TrimRight(parts[s].FlagUsages(), "\n"))
		}
	}
	return text.String()
}

func init() { cobra.AddTemplateFunc("usagesBySection", usagesBySection) }

// sectionedUsage is cobra's template of --help, with flags under their titles.
func sectionedUsage(template string) string {
	return strings.NewReplacer(
		"\n\nFlags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}",
		`{{usagesBySection "Flags" .LocalFlags}}`,
		"\n\nGlobal Flags:\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}",
		`{{usagesBySection "Global Flags" .InheritedFlags}}`).Replace(template)
}
