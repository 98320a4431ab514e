package main

import (
	"context"
	"fmt"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/sheet"
	"muster/projections/web"
)

func (a *app) printRows(ctx context.Context, in *importer, dryRun bool) error {
	l := listing{map[string]any{"dry_run": dryRun, "rows": in.told(), "counts": in.Counts,
		"hidden": in.Hidden},
		web.Table{Head: []string{"line", "what", "sequence"}}}
	recorded, again, refused, unshown, gone := 0, 0, 0, 0, 0
	for _, r := range in.told() {
		last := ""
		switch {
		case r.Refused != nil:
			refused++
			last = "refused"
		case r.Receipt != nil && r.Receipt.Again:
			again++
			last = fmt.Sprintf("%d (before)", r.Receipt.Sequence)
		case r.Receipt != nil && r.Kind == reconcile.Gone:
			gone++
			last = fmt.Sprint(r.Receipt.Sequence)
		case r.Receipt != nil:
			recorded++
			last = fmt.Sprint(r.Receipt.Sequence)
		case r.Before > 0 && r.Kind == reconcile.Unchanged:
			again++
			last = fmt.Sprintf("%d (before)", r.Before)
		}
		if r.Refused != nil && refused > sheet.Shown && a.format == "table" {
			unshown++
			continue
		}
		l.Add(r, strings.TrimPrefix(r.Place().String(), "line "), r.What.String(), last)
	}
	if unshown > 0 {
		l.Below = []string{fmt.Sprintf("… and %s more that are refused: each cause is told below",
			english.Several(unshown, "row"))}
	}
	if dryRun {
		l.Below = append(l.Below, fmt.Sprintf("%s would be recorded, %d refused. Nothing was done.",
			english.Several(in.saying(), "row"), refused))
		if refused == 0 {
			if err := a.addPreview(ctx, &l, in.statements()); err != nil {
				return err
			}
		}
	} else {
		l.Below = append(l.Below, fmt.Sprintf("%s: %d recorded now, %d recorded before.",
			english.Several(in.InFile(), "row"), recorded, again))
		if gone > 0 {
			l.Below = append(l.Below, fmt.Sprintf("%s taken off that the file does not have.",
				english.Several(gone, "pledge")))
		}
		if refused > 0 {
			l.Below = append(l.Below, fmt.Sprintf("%d refused, and returned.", refused))
		}
	}
	if c := in.Counts; c != nil && c.Changed+c.Unchanged+c.Gone+c.Alike > 0 {
		l.Below = append(l.Below, fmt.Sprintf(
			"Of the rows, %d are new, %d changed, %d unchanged, %d gone, %d refused.", c.New,
			c.Changed+c.Alike, c.Unchanged, c.Gone, refused))
	}
	a.warnOfRows(in.Rows)
	return l.write(a.format, a.stdout)
}

// saying is how many rows there are of which something is said.
func (in *importer) saying() (n int) {
	saying := map[int]bool{}
	for _, c := range in.Chains {
		for _, said := range c.Said {
			if in.Rows[said.Row].Refused == nil {
				saying[said.Row] = true
			}
		}
	}
	return len(saying)
}

// statements are those that would be recorded, in an order in which they could be.
func (in *importer) statements() (all []events.Statement) {
	for _, c := range in.Chains {
		if c.Refused == nil && c.Drafts != nil {
			for _, s := range c.Drafts {
				all = append(all, s.Statement)
			}
		}
	}
	return all
}

// warnOfRows says how many rows name what no requirement has.
func (a *app) warnOfRows(rows []imported.Row) {
	n := 0
	for _, r := range rows {
		if r.Warnings != nil {
			n++
		}
	}
	if n > 0 {
		fmt.Fprintf(a.stderr,
			"muster: warning: rows with an area or a line that no requirement has: %d of %d; "+
				"each says which\n", n, len(rows))
	}
}
