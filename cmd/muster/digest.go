package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"muster/events/english"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// digestNames are the sections of a digest, as people read them.
var digestNames = map[string]string{"new": "New", "gone": "Gone", "further": "Further on",
	"changed": "Changed", "back": "Back", "better": "Better", "worse": "Worse",
	"asked": "Asked for otherwise", "lapsing": "Soon due", "overdue": "Waits"}

// digestItems is how many sentences of a section stand on the one page.
const digestItems = 6

func (a *app) digestCmd() *cobra.Command {
	q := map[string]*string{}
	var markdown, whole bool
	c := &cobra.Command{
		Use:   "digest --from MEETING",
		Short: "One page of what is new, gone, better, worse, and due, since a meeting",
		Long: `Say on one page what has happened since a meeting that was closed, a record
or a time: which pledges are new, gone, further on or changed, which requirements are met better
or worse, what is due within so many days, and what waits for whom; each with the record that made
it so. Of each section there are the first, and how many more; --all has all of them.`,
		Example: `  muster digest --from "FGC 4"
  muster digest --from "FGC 4" --markdown > since-fgc4.md`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if *q["from"] == "" {
				return usage("--from is missing: say since when, such as --from \"FGC 4\"")
			}
			asked := values(q)
			var g projections.Digest
			if err := a.ask(cmd.Context(), "digest", asked, &g); err != nil {
				return err
			}
			return a.writeDigest(g, asked["from"], markdown, whole)
		},
	}
	stringFlags(c, q, "from", "within", "operation", "nation", "role", "rung", "view")
	q["on"] = c.Flags().String("on", "", "what applies on this date, at both moments, such as "+
		"2027-03-01 or today (default: as for diff)")
	c.Flags().Lookup("from").Usage = "since when: the name of a meeting, such as \"FGC 4\", a " +
		"sequence, a time or a date (required)"
	c.Flags().BoolVar(&markdown, "markdown", false, "as Markdown, with links to the pages")
	c.Flags().BoolVar(&whole, "all", false, "all sentences of each section")
	return c
}

// writeDigest prints a digest: as text or Markdown, or its rows.
func (a *app) writeDigest(g projections.Digest, since string, markdown, whole bool) error {
	if a.format != "table" {
		return a.write(listing{g, web.DigestTable(g)})
	}
	w := a.stdout
	head, bullet := "%s\n", "  "
	if markdown {
		head, bullet = "## %s\n\n", "- "
	}
	title := fmt.Sprintf("Since %s: record %d to %d, %s", since, g.From.AsOf, g.To.AsOf, g.To)
	if markdown {
		title = "# " + title
	}
	fmt.Fprintln(w, problem.Line(title))
	base, err := a.pages()
	if err != nil {
		return err
	}
	for _, s := range g.Sections {
		name := cmp.Or(digestNames[s.Name], problem.Line(s.Name))
		fmt.Fprintf(w, "\n"+head, fmt.Sprintf("%s (%d)", name, len(s.Items)))
		for i, item := range s.Items {
			if i == digestItems && !whole {
				fmt.Fprintf(w, "%sand %d more: --all\n", bullet, len(s.Items)-i)
				break
			}
			writeItem(w, bullet, base, markdown, &item)
		}
	}
	if g.PledgesMore > 0 {
		fmt.Fprintf(w, "\n%s count otherwise, and are left out: ask for one operation, one role "+
			"or one nation.\n", english.Several(g.PledgesMore, "more pledge"))
	}
	if len(g.Sections) == 0 {
		fmt.Fprintln(w, "\nNothing has changed, and nothing is due.")
	}
	_, err = fmt.Fprintf(w, "\n%s\n", a.whoseWord())
	return err
}

// pages returns the address of the server's pages, "" where it is asked over NATS.
func (a *app) pages() (string, error) {
	if a.nats.Given() {
		return "", nil
	}
	return a.serverURL()
}

// writeItem prints one sentence, and where to look.
func writeItem(w io.Writer, bullet, base string, markdown bool, item *projections.DigestItem) {
	said, line, where := problem.Line(item.Sentence), problem.Line(string(item.Line)), ""
	switch {
	case item.Sequence != 0:
		where = fmt.Sprintf("record %d", item.Sequence)
	case item.Line != "":
		where = "muster explain coverage " + line
	}
	switch {
	case markdown && base != "" && !item.Pledge.IsZero():
		where = fmt.Sprintf("[%s](%s/pledges/%s)", where, base, item.Pledge)
	case markdown && base != "" && !item.ToSecond.IsZero():
		where = fmt.Sprintf("[%s](%s/second?statement=%s)", where, base, item.ToSecond)
	case !item.ToSecond.IsZero():
		where += ": muster member second " + item.ToSecond.String()
	case markdown && base != "":
		where = fmt.Sprintf("[%s](%s/?operation=%s)", inMarkdown.Replace(line), base,
			url.QueryEscape(string(item.Operation)))
	case !item.Pledge.IsZero():
		where += ", " + item.Pledge.String()
	}
	if markdown {
		said = inMarkdown.Replace(said)
	}
	fmt.Fprintf(w, "%s%s (%s)\n", bullet, said, where)
}

// inMarkdown writes text that means nothing to who reads Markdown.
var inMarkdown = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "<", `\<`, "*", `\*`,
	"_", `\_`, "`", "\\`")
