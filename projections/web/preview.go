package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/projections"
)

// PreviewQuery asks what statements would change.
type PreviewQuery struct {
	MomentQuery
	Rung       projections.Rung
	Statements []events.Statement
}

func (q *PreviewQuery) read(p *parameters) {
	q.Statements = p.statements()
	q.On = p.day("on", "The date on which to show the effect, beside the first on which there "+
		"is any. Without it, today (UTC).")
	q.MinSeq = p.minSeq()
	q.WhatIf = p.whatIf()
	q.Rung = p.rung()
}

// statements reads one statement, or a list of them in order, as JSON. They are not signed.
func (p *parameters) statements() (all []events.Statement) {
	v := p.value("statements",
		"The statements, in order: a JSON list of them, or one by itself, as they would be signed.",
		&huma.Schema{Type: huma.TypeString})
	p.must("statements", `write a list of statements as JSON, such as [{"type":"pledge.withdrawn",…}]`)
	if v == "" {
		return nil
	}
	texts := []json.RawMessage{json.RawMessage(v)}
	if v[0] == '[' {
		if err := json.Unmarshal([]byte(v), &texts); err != nil {
			p.invalid("statements", v, "is no list in JSON: write it such as [{…},{…}]")
			return nil
		}
	}
	for i, text := range texts {
		st, err := events.Parse(text)
		if err != nil {
			p.badStatement(fmt.Sprintf("statements.%d", i), err)
			continue
		}
		all = append(all, st)
	}
	return all
}

// badStatement tells what is wrong with a statement, field by field.
func (p *parameters) badStatement(where string, err error) {
	found := problem.From(err)
	for _, f := range found.Fields {
		p.invalid(where+"."+f.Location, f.Value, "%s", f.Message)
	}
	if len(found.Fields) == 0 {
		p.invalid(where, "", "%s", found.Detail)
	}
}

// Preview answers what statements would change if they were recorded now. Nothing is kept of them.
func (s *Service) Preview(ctx context.Context, q *PreviewQuery) (a projections.Preview, err error) {
	return a, s.look(ctx, q.MomentQuery, q.Rung,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Preview(ctx, m, q.Statements)
			return err
		})
}

// A previewRow is one difference on a date as programs read it, or a warning.
type previewRow struct {
	On events.Date `json:"on,omitzero"`
	diffRow
	Warning *projections.Warning `json:"warning,omitempty"`
}

// addTerms adds the terms of pledges that would be others, before and after.
func addTerms(t *Table, changes []projections.TermChange) {
	if len(changes) == 0 {
		return
	}
	terms := Table{Head: []string{"term", "now", "then", "pledge"},
		Above: []string{"The terms that would be others:"}}
	for i := range changes {
		c := &changes[i]
		from, to := orDash(c.From), orDash(c.To)
		value := previewRow{diffRow: diffRow{What: "term", Term: c}}
		terms.Add(value, c.Term, from, to, c.Pledge.String())
		t.Also = append(t.Also,
			Row{value, []string{"", "term " + c.Term, "", "", "", "", c.From, c.To, "", "this one",
				"", "", c.Pledge.String()}})
	}
	t.Beside = append(t.Beside, terms)
}

// orDash writes a term, which may have several lines, in a cell for people.
func orDash(value string) string {
	if value == "" {
		return "–"
	}
	return strings.ReplaceAll(value, "\n", "; ")
}

// firstDays says of which pledges nothing would count on their first day, and why.
func firstDays(all []projections.FirstDay) (lines []string) {
	for _, one := range all {
		if one.Counts {
			continue
		}
		for _, at := range one.Places {
			lines = append(lines,
				fmt.Sprintf("On its first day, %s, %s pledge counts for nothing: %s", one.On,
					english.Possessive(one.Whose()), at.Sentence))
		}
	}
	return lines
}

// laterDays says from which later days on pledges would count otherwise, and how.
func laterDays(all []projections.FirstDay, more bool) (lines []string) {
	for _, one := range all {
		for _, at := range one.Places {
			lines = append(lines, fmt.Sprintf("From %s on, %s pledge counts otherwise: %s", one.On,
				english.Possessive(one.Whose()), at.Sentence))
		}
	}
	if more {
		lines = append(lines,
			"There are more days on which it changes: once it is recorded, they are told by: "+
				"muster counted RECORD")
	}
	return lines
}

// PreviewTable tells for each date what would change on it: see [DiffTable].
func PreviewTable(p projections.Preview) (t Table) {
	t = Table{Basis: &p.Basis, Head: append([]string{"date"}, diffHead...), Kinds: diffKinds}
	defer func() { t.Also = append(t.Also, warningRows(p.Warnings)...) }()
	addTerms(&t, p.Terms)
	if p.IsZero() {
		t.Below = []string{fmt.Sprintf("No effect on coverage, as of record %d.", p.AsOf)}
		return t
	}
	defer func() {
		t.Below = slices.Concat(firstDays(p.FirstDays), laterDays(p.Later, p.LaterMore), t.Below)
	}()
	today := false
	for _, e := range p.Effects {
		d := DiffTable(e)
		for _, r := range d.all() {
			t.Also = append(t.Also,
				Row{previewRow{On: e.To.On, diffRow: r.Value.(diffRow)},
					append([]string{e.To.On.String()}, r.Cells...)})
		}
		d.Above = []string{fmt.Sprintf("The effect on %s, from the rung %q up:",
			e.To.On, e.To.Rung)}
		if len(e.Lines) == 0 {
			d.Below = []string{"No effect on coverage."}
		}
		today = today || e.To.On == p.On
		t.Beside = append(t.Beside, d)
	}
	switch {
	case !today:
		t.Below = []string{fmt.Sprintf("No effect on %s. It first shows on %s:", p.On, p.First)}
	case p.First < p.On && len(p.Effects) == 1:
		t.Below = []string{fmt.Sprintf("It first shows on %s, and on %s is the same:",
			p.First, p.On)}
	}
	return t
}

// warningRows are the rows of what is odd about statements, with what it is as the reason.
func warningRows(all []projections.Warning) (rows []Row) {
	for i := range all {
		const what = "warning"
		cells := make([]string, 1+len(diffHead))
		cells[1+slices.Index(diffHead, "what")] = what
		cells[1+slices.Index(diffHead, "why")] = all[i].Field.String()
		rows = append(rows, Row{previewRow{diffRow: diffRow{What: what}, Warning: &all[i]}, cells})
	}
	return rows
}
