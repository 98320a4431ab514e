package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"muster/events"
	"muster/events/english"
	"muster/projections"
)

// This file has the rows of the answers: the first column says what a row is about, the last what a
// person should know of it besides its numbers.

const timeForm = "2006-01-02 15:04:05"

func number[N int | int64 | uint64](n N) string { return strconv.FormatInt(int64(n), 10) }

// orEmpty writes a sequence, and nothing for none.
func orEmpty(sequence uint64) string {
	if sequence == 0 {
		return ""
	}
	return number(sequence)
}

// does returns a verb as it goes with a quantity: that of many things is given.
func does(q events.Quantity, many string) string { return english.Verb(q.IsOne(), many) }

// text joins the words of a closed or checked set.
func text[S ~string](words []S, between string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return joined(all, between)
}

// noteLines are what stands over an answer about an operation.
func noteLines(o events.Operation, title, note string) []string {
	lines := []string{fmt.Sprintf("%s: %s", o, title)}
	if note != "" {
		lines = append(lines, wrap(note, 100)...)
	}
	return lines
}

// wrap breaks a text into lines of at most so many columns of a terminal.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// A coverageRow is a line of coverage as programs read it: one flat row.
type coverageRow struct {
	projections.LineCoverage
	projections.Basis
}

// notCountedRow is what is not counted, as programs read it beside the lines.
type notCountedRow struct {
	projections.NotCounted
	Basis projections.Basis `json:"basis"`
}

// CoverageTable has a row for each line, and in CSV also one for each pledge that is not counted,
// without a requirement and with the reason in its remarks.
func CoverageTable(c Coverage) Table {
	t := Table{Basis: &c.Basis,
		Head: []string{"operation", "requirement", "role", "area", "required", "supply", "gap",
			"unit", "fill",
			"who", "remarks", "indicated", "offered", "accepted", "confirmed",
			"deployed", "waiting"},
		Wide: []string{"indicated", "offered", "accepted", "confirmed", "deployed", "waiting",
			"operation", "role", "unit", "area", "who"}}
	if c.compares() {
		t.Head = append(t.Head, "supply as it is", "gap as it is", "waiting as it is")
	}
	t.days()
	for _, n := range c.Notes {
		t.Above = append(t.Above, noteLines(n.Operation, n.Title, n.Note)...)
	}
	t.Above = append(t.Above, fmt.Sprintf("Coverage %s.", c.Basis))
	if c.IsRange() {
		t.Above = append(t.Above,
			"Each requirement is shown on the day on which it is met least, of those on which "+
				"it is in force.")
	}
	t.Above = append(t.Above, "")
	for _, line := range c.Lines {
		cells := []string{string(line.Operation), string(line.Line), string(line.Role),
			string(line.Area), line.Required.String(), line.Supply.String(),
			line.Gap.String(), string(line.Unit), fmt.Sprintf("%d%%", line.Fill),
			who(line.Who, line.UnknownBy), remarks(line)}
		for _, r := range line.Rungs {
			cells = append(cells, r.Supply.String())
		}
		cells = append(cells, orNone(line.Waiting))
		if c.compares() {
			cells = append(cells, line.Baseline.Supply.String(), line.Baseline.Gap.String(),
				orNone(line.Baseline.Waiting))
		}
		t.AddOn(line.Day, coverageRow{line, c.Basis}, cells...)
	}
	switch {
	case c.InForce == 0:
		t.Below = []string{noneInForce(c.Basis, c.Next)}
	case len(c.Lines) < c.InForce:
		t.Below = []string{fmt.Sprintf("%s %s. Of %s in force, %s.", differing(len(c.Lines)),
			onDays(c.Basis),
			english.Several(c.InForce, "requirement"), are(c.Met, "met"))}
	}
	t.Below = append(t.Below, totals(&c)...)
	if len(c.NotCounted) == 0 {
		return t
	}
	for _, n := range c.NotCounted {
		t.Also = append(t.Also, Row{notCountedRow{n, c.Basis},
			[]string{string(n.Operation), "", string(n.Role), string(n.Area), "", "", "",
				string(n.Unit), "",
				fmt.Sprintf("%s %s", n.Nation, n.Quantity),
				"not counted (" + string(n.Reason) + "): " +
					n.Sentence}})
	}
	for i := range t.Also { // the columns that only lines have
		if c.IsRange() {
			t.Also[i].Cells = append([]string{c.NotCounted[i].Day.String()}, t.Also[i].Cells...)
		}
		t.Also[i].Cells = append(t.Also[i].Cells,
			make([]string, len(t.Head)-len(t.Also[i].Cells))...)
	}
	t.Beside = []Table{notCountedTable(c.NotCounted)}
	return t
}

// are says of how many something is so: "1 is met", "30 are met".
func are(n int, so string) string {
	if n == 1 {
		return "1 is " + so
	}
	return fmt.Sprintf("%d are %s", n, so)
}

// differing says how many lines, which alone are shown, differ.
func differing(n int) string {
	switch n {
	case 0:
		return "Nothing differs in any requirement that is in force"
	case 1:
		return "1 requirement differs"
	}
	return fmt.Sprintf("%d requirements differ", n)
}

func notCountedTable(all []projections.NotCounted) Table {
	t := Table{Above: []string{"Not counted, and why:"},
		Head: []string{"operation", "nation", "role", "quantity", "unit", "reason", "pledge"}}
	isRange := len(all) > 0 && all[0].Day != 0
	if isRange {
		t.Head = append([]string{"from"}, t.Head...)
	}
	for _, n := range all {
		cells := []string{string(n.Operation), string(n.Nation), string(n.Role),
			n.Quantity.String(), string(n.Unit), n.Sentence, n.Pledge.String()}
		if isRange {
			cells = append([]string{n.Day.String()}, cells...)
		}
		t.Add(n, cells...)
	}
	return t
}

// compares reports whether each line has a baseline.
func (c Coverage) compares() bool {
	return c.WhatIf != nil || c.Rung != projections.Offered && !c.Rung.IsZero()
}

// who names those that make a supply, with their parts, and those of which nobody knows how much
// they give.
func who(shares []projections.Share, unknown []events.Nation) string {
	names := make([]string, len(shares))
	for i, s := range shares {
		names[i] = fmt.Sprintf("%s %s", s.Nation, s.Quantity)
	}
	for _, n := range unknown {
		names = append(names, string(n)+" unknown")
	}
	return strings.Join(names, ", ")
}

// tops says what may come on top of a sum, with quantities written by write.
func tops(n events.Quantity, open int, write func(events.Quantity) string) (all []string) {
	if !n.IsZero() {
		all = append(all, write(n)+" more may come on top")
	}
	if open > 0 {
		all = append(all, fmt.Sprintf("%s at the least, with no upper limit",
			english.Several(open, "pledge")))
	}
	return all
}

// remarks are what a coordinator must know of a line besides its numbers.
func remarks(l projections.LineCoverage) string {
	var all []string
	if l.Essential {
		all = append(all, "essential")
	}
	if n, ok := l.Conditional.Number(); ok && n > 0 {
		all = append(all, fmt.Sprintf("%s %s on conditions", l.Conditional,
			does(l.Conditional, "hang")))
	}
	if n, ok := l.Caveated.Number(); ok && n > 0 {
		all = append(all, fmt.Sprintf("%s under caveats", l.Caveated))
	}
	if l.Unknown > 0 {
		all = append(all, fmt.Sprintf("%d of unknown size beside it", l.Unknown))
	}
	all = append(all, tops(l.OnTop, l.OnTopOpen, plain)...)
	all = append(all, waits(l.Waiting, l.WaitingUnknown, plain)...)
	if d := l.Dependence; d != nil {
		all = append(all, holder(*d))
	}
	if b := l.Baseline; b != nil {
		all = append(all, otherwise(l, b)...)
	}
	return joined(all, "; ")
}

// otherwise says what of the remarks would be otherwise in the world as it is: of what is a part of
// the supply only where that is the same, since else it is clear.
func otherwise(l projections.LineCoverage, b *projections.Baseline) (all []string) {
	same := l.Supply == b.Supply
	if same && l.Conditional != b.Conditional {
		all = append(all, fmt.Sprintf("as it is %s %s on conditions", b.Conditional,
			does(b.Conditional, "hang")))
	}
	if same && l.Caveated != b.Caveated {
		all = append(all, fmt.Sprintf("as it is %s under caveats", b.Caveated))
	}
	if l.Unknown != b.Unknown {
		all = append(all, fmt.Sprintf("as it is %d of unknown size beside it", b.Unknown))
	}
	if l.WaitingUnknown != b.WaitingUnknown {
		all = append(all, fmt.Sprintf("as it is %d of unknown size %s for an allocation",
			b.WaitingUnknown,
			english.Verb(b.WaitingUnknown == 1, "wait")))
	}
	return all
}

// plain writes a quantity as cells do, where programs read it too; sentences have
// [projections.Grouped].
func plain(q events.Quantity) string { return q.String() }

// waits says what fits a line and waits for an allocation, with quantities written by write.
func waits(q events.Quantity, unknown int, write func(events.Quantity) string) (all []string) {
	if n, ok := q.Number(); ok && n > 0 {
		all = append(all, fmt.Sprintf("%s %s for an allocation", write(q), does(q, "wait")))
	}
	if unknown > 0 {
		all = append(all, fmt.Sprintf("%d of unknown size %s for an allocation", unknown,
			english.Verb(unknown == 1, "wait")))
	}
	return all
}

// orNone writes a number that mostly is 0, and nothing for that.
func orNone(q events.Quantity) string {
	if n, ok := q.Number(); ok && n == 0 {
		return ""
	}
	return q.String()
}

// holder says on whom something hangs.
func holder(d projections.Dependence) string {
	switch {
	case d.Level == projections.Alone:
		return fmt.Sprintf("%s alone", d.Nation)
	case len(d.UnknownBy) > 0:
		return fmt.Sprintf("%s %d%% of what is known, beside %s of unknown size", d.Nation,
			d.Percent, text(d.UnknownBy, ", "))
	}
	return fmt.Sprintf("%s %d%%", d.Nation, d.Percent)
}

// A strengthRow is a row of strength with what it rests on.
type strengthRow struct {
	projections.StrengthRow
	projections.Basis
}

// StrengthTable has a row for each group.
func StrengthTable(s projections.Strength) Table {
	by := groupColumns(s.By)
	t := Table{Basis: &s.Basis, Head: append(slices.Clone(by), "quantity", "unit", "pledges",
		"beside it")}
	t.days()
	t.Above = []string{fmt.Sprintf("Strength %s.", s.Basis), ""}
	if s.IsRange() {
		t.Above = []string{t.Above[0],
			"Each row is shown on the day on which it is lowest, and so is the total: it is not " +
				"their sum.", ""}
	}
	for _, r := range s.Rows {
		t.AddOn(r.Day, strengthRow{r, s.Basis},
			append(groupCells(by, r), r.Quantity.String(), string(r.Unit), number(r.Pledges),
				beside(r, plain))...)
	}
	for _, sum := range s.Totals {
		line := fmt.Sprintf("Total: %s %s in %s", projections.Grouped(sum.Quantity),
			projections.UnitOf(sum.Quantity, sum.Unit), english.Several(sum.Pledges, "pledge"))
		if sum.Quantity.IsUnknown() && sum.Unknown > 0 { // they are not beside it
			line = fmt.Sprintf("Total: unknown %s in %s",
				projections.UnitOf(sum.Quantity, sum.Unit),
				english.Several(sum.Unknown, "pledge"))
			sum.Unknown = 0
		}
		if sum.Day != 0 {
			line += " on " + sum.Day.String()
		}
		if besides := beside(sum, projections.Grouped); besides != "" {
			line += "; beside it " + besides
		}
		t.Below = append(t.Below, line+".")
	}
	if len(s.Rows) == 0 {
		t.Below = []string{nothingThere(s.Basis, "", s.Next)}
	}
	return t
}

// groupColumns returns what rows are grouped by, each once; the unit has a column anyway.
func groupColumns(by []string) (columns []string) {
	for _, name := range by {
		if name != "unit" && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return columns
}

func groupCells(by []string, r projections.StrengthRow) []string {
	cells := make([]string, len(by))
	for i, name := range by {
		cells[i] = map[string]string{"operation": string(r.Operation), "nation": string(r.Nation),
			"role": string(r.Role)}[name]
	}
	return cells
}

// beside says what is not in the sum, with quantities written by write.
func beside(r projections.StrengthRow, write func(events.Quantity) string) string {
	var all []string
	for _, q := range []struct {
		n    events.Quantity
		what string
	}{{r.Reserve, "in reserve"}, {r.Conditional, "of it hangs on conditions"},
		{r.Caveated, "of it under caveats"}} {
		if n, ok := q.n.Number(); ok && n > 0 {
			all = append(all, write(q.n)+" "+q.what)
		}
	}
	all = append(all, tops(r.OnTop, r.OnTopOpen, write)...)
	for _, c := range []struct {
		n    int
		what string
	}{{r.Unknown, map[bool]string{true: "of unknown size, and no other",
		false: "of unknown size"}[r.Quantity.IsUnknown()]},
		{r.ReserveUnknown, "in reserve of unknown size"},
		{r.Failed - r.FailedUnknown, "whose condition has failed"},
		{r.FailedUnknown, "of unknown size whose condition has failed"}} {
		if c.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return joined(all, ", ")
}

// PlanTable has a row for each requirement; its roles stand beside.
func PlanTable(p Plan) Table {
	t := Table{Basis: &p.Basis, Head: []string{"requirement", "role", "area", "quantity", "unit",
		"from", "until", "priority", "essential", "state"}}
	t.days()
	t.Above = append(noteLines(p.Catalogue.Operation, p.Catalogue.Title, p.Catalogue.Note), "")
	for _, r := range p.Requirements {
		essential := ""
		if r.Essential {
			essential = "yes"
		}
		t.AddOn(r.Day, r, string(r.Line), string(r.Role), string(r.Area), r.Required.String(),
			string(r.Unit), r.From.String(), r.Until.String(),
			number(r.Priority), essential, string(r.State))
	}
	roles := Table{Head: []string{"role", "unit", "title"}}
	for _, r := range p.Catalogue.Roles {
		title, _ := r.TitleIn(inEnglish)
		roles.Add(r, string(r.Role), text(r.Units, " or "), title)
	}
	t.Beside = []Table{roles}
	if len(p.Catalogue.Organisations) > 0 {
		t.Beside = append(t.Beside, organisationsTable(p.Catalogue.Organisations))
	}
	return t
}

func organisationsTable(all events.Organisations) Table {
	t := Table{Head: []string{"organisation", "name", "also"}}
	for _, o := range all {
		t.Add(o, string(o.Code), o.Name, strings.Join(o.Also, ", "))
	}
	return t
}

// ScopesTable has a row for each nation that has declared one.
func ScopesTable(all projections.Scopes) Table {
	t := Table{Basis: &all.Basis,
		Head: []string{"operation", "nation", "scope", "effective", "sequence", "note"}}
	for _, s := range all.Scopes {
		t.Add(s, string(s.Operation), string(s.Nation), s.String(), s.Effective.String(),
			number(s.Sequence), s.Note)
	}
	return t
}

// RecordsTable has a row for each record.
func RecordsTable(all Records) Table {
	t := Table{View: all.View, Head: []string{"sequence", "recorded", "type", "nation", "operation",
		"signed by", "statement"}}
	for _, r := range all.Records {
		t.Add(r, number(r.Sequence), r.Recorded, string(r.Type), string(r.Nation),
			string(r.Operation), r.Signer, r.Statement())
	}
	return t
}

// Statement returns the signed line of the record: the second.
func (r Record) Statement() string {
	_, rest, _ := strings.Cut(r.Stored, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// FingerprintTable has a row for each projection.
func FingerprintTable(f projections.Fingerprints) Table {
	t := Table{View: f.View, Head: []string{"projection", "entries", "fingerprint"}}
	for _, one := range f.Each {
		t.Add(one, one.Name, number(one.Entries), one.SHA256)
	}
	t.Below = []string{fmt.Sprintf("As of record %d the fingerprint of the whole is %s.", f.AsOf,
		f.Whole)}
	return t
}

// RebuildTable has a row for each projection.
func RebuildTable(r Rebuilding) Table {
	t := Table{View: r.View, Head: []string{"projection", "entries", "identical", "fingerprint"}}
	for _, p := range r.Each {
		identical := "NO"
		if p.Identical {
			identical = "yes"
		}
		t.Add(p, p.Name, number(p.Entries), identical, p.Rebuilt)
	}
	switch {
	case r.Discarded != "":
		t.Below = []string{"What was kept could not be compared: " + r.Discarded}
	case r.Identical():
		t.Below = []string{fmt.Sprintf("Rebuilt from %s: identical.",
			english.Several(r.AsOf, "record"))}
	default:
		t.Below = []string{fmt.Sprintf("Rebuilt from %s: NOT identical.",
			english.Several(r.AsOf, "record"))}
	}
	return t
}
