package web

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/projections"
	"muster/projections/web/tabular"
)

// This file has the questions that compare two moments, that open a number, and that tell a pledge
// on both clocks.

// DiffQuery asks what two moments differ in.
type DiffQuery struct {
	From, To MomentQuery
	Rung     projections.Rung
	Filter   projections.Filter
}

func (q *DiffQuery) read(p *parameters) {
	const place = " A sequence, a time as 2026-11-23T12:00:00Z or 2026-11-23 (its end), or the " +
		"name of a meeting that was closed, such as FGC 4."
	q.From.AsOf = p.instant("from",
		"Compare what was known then."+place+" Without it, what is known at to.", end)
	q.To.AsOf = p.instant("to", "With what was known then."+place+" Without it, all there is.",
		end)
	on := p.day("on", "What applies on that date, at both moments. Without it, today (UTC); "+
		"with from or to, the day of its last record; and where nothing has begun by then, the "+
		"first day of what begins, at both moments. today is always today.")
	q.From.On = p.day("from_on", "Compare what applies on that date.")
	q.To.On = p.day("to_on", "With what applies on that date. Without it, as on.")
	q.To.MinSeq = p.minSeq()
	q.To.WhatIf = p.whatIf()
	q.From.WhatIf = q.To.WhatIf
	q.Rung, q.Filter = p.rung(), p.filter()
	q.From.opening(q.Filter.Operation)
	q.To.opening(q.Filter.Operation)
	if p.given["from"]+p.given["to"] == "" && q.From.On == q.To.On {
		p.invalid("from", "",
			"missing: write what to compare: from and to are places in the record (a sequence "+
				"or a time), from_on and to_on are dates on which it applies")
	}
	if q.From.AsOf.IsZero() {
		q.From.AsOf = q.To.AsOf
	}
	for _, m := range []*MomentQuery{&q.From, &q.To} {
		if m.On == 0 {
			m.On = on
		}
	}
}

// Diff answers what two moments differ in, and what has made it so.
func (s *Service) Diff(ctx context.Context, q *DiffQuery) (a projections.Diff, err error) {
	q.To.MinSeq = max(q.To.MinSeq, s.needed(q.From))
	return a, s.look(ctx, q.To, q.Rung, func(p *projections.Picture, to projections.Moment) error {
		from, _, err := q.moments(s, p)
		if err != nil {
			return err
		}
		if err := known(ctx, p, to, q.Filter); err != nil {
			return err
		}
		a, err = p.Diff(ctx, from, to, q.Filter)
		return err
	})
}

// moments returns the two moments, with their defaults filled in.
func (q *DiffQuery) moments(s *Service,
	p *projections.Picture) (from, to projections.Moment, err error) {
	if to, err = s.moment(p, q.To, q.Rung); err == nil {
		from, err = s.moment(p, q.From, q.Rung)
	}
	if q.From.On == 0 && (q.From.AsOf.IsZero() || to.Beginning != "") {
		from.On, from.Beginning, from.NotBegun = to.On, to.Beginning, to.NotBegun
	}
	return from, to, err
}

// A diffRow is one difference as programs read it.
type diffRow struct {
	What     string                    `json:"what"`
	Line     *projections.LineDiff     `json:"requirement,omitempty"`
	Pledge   *projections.PledgeDiff   `json:"pledge,omitempty"`
	Strength *projections.StrengthDiff `json:"strength,omitempty"`
	Term     *projections.TermChange   `json:"term,omitempty"`
	More     int                       `json:"more,omitzero"` // pledges that are left out
}

var diffHead = []string{"what", "operation", "requirement", "role", "nation", "from", "to", "unit",
	"records", "signed by", "why", "pledge"}

// diffKinds says that what two sides show is not always a number: a line may not be in force.
var diffKinds = map[string]tabular.Kind{"from": tabular.Text}

// DiffTable has a row for each number of a requirement that differs; in CSV, and beside for people,
// one for each pledge that counts otherwise and for each sum. Every row tells the records that have
// made the difference, who signed them and why.
func DiffTable(d projections.Diff) Table {
	t := Table{Basis: &d.To, Since: &d.From, Head: diffHead, Kinds: diffKinds,
		Wide: []string{"pledge", "records", "operation", "why", "role", "unit",
			"signed by"}}
	t.Above = []string{"From " + clocks(d.From), "to   " + clocks(d.To) + ".", ""}
	for i := range d.Lines {
		addLineDiff(&t, &d.Lines[i])
	}
	pledges := Table{Head: t.Head, Above: []string{"Pledges that count otherwise:"},
		Wide: []string{"what", "operation", "records", "why", "unit", "role", "signed by"}}
	for i := range d.Pledges {
		pd := &d.Pledges[i]
		role, unit := roleOf(pd)
		pledges.Add(diffRow{What: "pledge", Pledge: pd}, "pledge", string(pd.Operation), "", role,
			string(pd.Nation), standing(pd.From), standing(pd.To), unit,
			sequencesOf(pd.Records), projections.Who(pd.Records), because(pd.Records, pd.Calendar),
			pd.Pledge.String())
	}
	sums := Table{Head: t.Head, Wide: t.Wide,
		Above: []string{"Sums that differ, whether a requirement asks for them or not:"}}
	for i := range d.Strength {
		r := &d.Strength[i]
		why := because(r.Records, r.Calendar)
		if len(r.Records) > 1 { // they stand with the pledges
			why = ""
		}
		why = andOfMore(why, r.PledgesMore)
		sums.Add(diffRow{What: "strength", Strength: r}, "strength", string(r.Operation), "",
			string(r.Role), string(r.Nation), r.From.String(), r.To.String(), string(r.Unit),
			sequencesOf(r.Records), projections.Who(r.Records), why, "")
	}
	left := Table{Head: t.Head, Above: []string{"Left out:"}}
	if d.PledgesMore > 0 {
		left.Add(diffRow{What: morePledges, More: d.PledgesMore}, morePledges, "", "", "", "", "",
			number(d.PledgesMore), "pledges", "", "",
			"count otherwise, and are left out: ask for one operation, one role or one nation", "")
	}
	for _, beside := range []Table{pledges, sums, left} {
		if len(beside.Rows) > 0 {
			t.Beside, t.Also = append(t.Beside, beside), append(t.Also, beside.Rows...)
		}
	}
	switch {
	case d.IsZero():
		t.Below = []string{"Nothing differs."}
	case len(d.Lines) == 0:
		t.Below = []string{"No requirement is met otherwise."}
	}
	return t
}

// clocks tells a basis, with the record first.
func clocks(b projections.Basis) string {
	s := "before the first record"
	if b.AsOf > 0 {
		s = fmt.Sprintf("record %d (%s UTC)", b.AsOf, b.Recorded.UTC().Format(timeForm))
	}
	s += fmt.Sprintf(", on %s, from the rung %q up", b.On, b.Rung)
	if b.WhatIf != nil {
		s += "; supposing " + b.WhatIf.String()
	}
	return s
}

// addLineDiff adds what differs of a requirement: what is required, each nation's part of the
// supply, the whole, and the gap; each number with the records without which it would differ
// otherwise.
func addLineDiff(t *Table, l *projections.LineDiff) {
	was, is := l.From, l.To
	either := is
	if either == nil {
		either = was
	}
	value := diffRow{What: "requirement", Line: l}
	row := func(what string, nation events.Nation, from, to string, c projections.Cause) {
		t.Add(value, what, string(l.Operation), string(l.Line), string(either.Role), string(nation),
			from, to, string(either.Unit),
			sequencesOf(c.Records), projections.Who(c.Records), whyOf(c, l), "")
	}
	number := func(s *projections.LineStand,
		of func(*projections.LineStand) events.Quantity) string {
		if s == nil {
			return "not in force"
		}
		return of(s).String()
	}
	for _, one := range []struct {
		what, cause string
		of          func(*projections.LineStand) events.Quantity
		always      bool
	}{
		{"required", "required", func(s *projections.LineStand) events.Quantity {
			return s.Required
		}, true},
		{"supply", "supply", func(s *projections.LineStand) events.Quantity { return s.Supply },
			true},
		{"gap", "gap", func(s *projections.LineStand) events.Quantity { return s.Gap }, true},
		{"conditional", "conditional", func(s *projections.LineStand) events.Quantity {
			return s.Conditional
		}, false},
		{"under caveat", "caveated", func(s *projections.LineStand) events.Quantity {
			return s.Caveated
		}, false},
		{"waiting", "waiting", func(s *projections.LineStand) events.Quantity { return s.Waiting },
			isAny(was, is, waitingOf)},
	} {
		if from, to := number(was, one.of),
			number(is, one.of); from != to && (was != nil && is != nil || one.always) {
			row(one.what, "", from, to, l.CauseOf(one.cause, ""))
		}
		if one.what == "supply" {
			addRungs(was, is, func(rung, from, to string) {
				what := "supply from " + rung + " up"
				row(what, "", from, to, l.CauseOf(what, ""))
			})
			for _, n := range l.Nations {
				row("of which", n.Nation, orNothing(n.From), orNothing(n.To),
					l.CauseOf("of which", n.Nation))
			}
		}
	}
	addUnknown(t, l, value)
	if from, to := terms(was, is), terms(is, was); was != nil && is != nil && from != to {
		row("terms", "", from, to, l.CauseOf("terms", ""))
	}
}

func waitingOf(s *projections.LineStand) int64 {
	n, _ := s.Waiting.Number()
	return n
}

// isAny reports whether a number of a requirement is more than 0 at either moment.
func isAny(was, is *projections.LineStand, of func(*projections.LineStand) int64) bool {
	return was != nil && of(was) > 0 || is != nil && of(is) > 0
}

// addUnknown adds how many pledges have not said of how much they are, and how many of such wait
// for an allocation.
func addUnknown(t *Table, l *projections.LineDiff, value diffRow) {
	either := cmp.Or(l.To, l.From)
	for _, one := range []struct {
		what, cause string
		of          func(*projections.LineStand) int64
	}{
		{"of unknown size", "unknown", func(s *projections.LineStand) int64 {
			return int64(s.Unknown)
		}},
		{"waiting, of unknown size", "waiting unknown", func(s *projections.LineStand) int64 {
			return int64(s.WaitingUnknown)
		}},
	} {
		of := func(s *projections.LineStand) string {
			if s == nil {
				return "not in force"
			}
			return number(one.of(s))
		}
		if from, to := of(l.From), of(l.To); from != to && isAny(l.From, l.To, one.of) {
			c := l.CauseOf(one.cause, "")
			t.Add(value, one.what, string(l.Operation), string(l.Line), string(either.Role), "",
				from, to, "pledges",
				sequencesOf(c.Records), projections.Who(c.Records), whyOf(c, l), "")
		}
	}
}

// addRungs adds the supply from the other rungs up, where it does not differ by the same numbers.
func addRungs(was, is *projections.LineStand, add func(rung, from, to string)) {
	if was == nil || is == nil {
		return
	}
	for i, r := range projections.Rungs() {
		if was.Rungs[i] != is.Rungs[i] && (was.Rungs[i] != was.Supply || is.Rungs[i] != is.Supply) {
			add(r.String(), was.Rungs[i].String(), is.Rungs[i].String())
		}
	}
}

// terms tells what a requirement is besides its numbers, and for which role in which unit where the
// other moment has another.
func terms(s, other *projections.LineStand) string {
	if s == nil {
		return "not in force"
	}
	all := []string{"priority " + number(s.Priority)}
	if other != nil && (s.Role != other.Role || s.Unit != other.Unit) {
		all = append(all, fmt.Sprintf("%s in %s", s.Role, s.Unit))
	}
	if s.Area != "" {
		all = append(all, "in "+string(s.Area))
	}
	if s.Essential {
		all = append(all, "essential")
	}
	return joined(all, ", ")
}

func orNothing(q events.Quantity) string {
	if q.IsZero() {
		return "0"
	}
	return q.String()
}

func roleOf(pd *projections.PledgeDiff) (role, unit string) {
	for _, s := range []*projections.PledgeStand{pd.To, pd.From} {
		if s != nil {
			return string(s.Role), string(s.Unit)
		}
	}
	return "", ""
}

// standing tells where a pledge stands in few words: "offered 600, 500 for ground-west, not
// counted: not-allocated".
func standing(s *projections.PledgeStand) string {
	if s == nil {
		return "not known"
	}
	text := string(s.State)
	if s.State == projections.Live {
		text = s.Rung.String()
	}
	if !s.Quantity.IsZero() {
		text += " " + s.Amount().String()
	}
	if !s.Strength.IsZero() {
		text += fmt.Sprintf(" (%s there)", s.Strength)
	}
	var at []string
	for _, one := range s.Places {
		switch {
		case one.Line != "" && one.Quantity == s.Quantity:
			at = append(at, "for "+string(one.Line))
		case one.Line != "":
			at = append(at, fmt.Sprintf("%s for %s", one.Quantity, one.Line))
		case string(one.Reason) != string(s.State):
			at = append(at, "not counted: "+string(one.Reason)+fitting(one))
		}
	}
	if len(at) > 0 {
		text += ", " + strings.Join(at, ", ")
	}
	if len(s.Conditions) > 0 {
		text += ", hangs on " + named(s.Conditions)
	}
	if len(s.Caveats) > 0 {
		text += ", restricted by " + named(s.Caveats)
	}
	return text
}

// fitting names the requirements at which a part of a pledge waits.
func fitting(at projections.Place) string {
	if at.Reason != projections.SeveralLines &&
		(at.Reason != projections.UnknownQuantity || len(at.Lines) < 2) {
		return ""
	}
	return " (" + named(at.Lines) + ")"
}

func named(names []events.Line) string { return text(names, ", ") }

func sequencesOf(records []projections.Told) string {
	var all []string
	for _, r := range records {
		if r.Sequence == 0 {
			all = append(all, "this one")
			continue
		}
		all = append(all, number(r.Sequence))
	}
	return joined(all, " ")
}

// morePledges is what stands in the last row where not all pledges are told.
const morePledges = "more pledges"

// whyOf tells the cause of a number of a requirement.
func whyOf(c projections.Cause, l *projections.LineDiff) string {
	why := because(c.Records, c.Calendar)
	if c.What == "required" || c.What == "terms" { // which no pledge causes
		return why
	}
	return andOfMore(why, l.PledgesMore)
}

// andOfMore adds to reasons that there are those of more pledges.
func andOfMore(why string, pledges int) string {
	if pledges == 0 {
		return why
	}
	more := "and what is said of " + english.Several(pledges, "more pledge")
	if why == "" {
		return more
	}
	return why + "; " + more
}

// because tells records and days as reasons.
func because(records []projections.Told, calendar []projections.Passing) string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprintf("%s: %s", r.Effective, r.Sentence))
	}
	for _, c := range calendar {
		all = append(all, fmt.Sprintf("%s: %s", c.On, c.Sentence))
	}
	return joined(all, "; ")
}
