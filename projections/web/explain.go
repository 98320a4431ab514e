package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections"
)

// ExplainQuery asks what is behind a number.
type ExplainQuery struct {
	FilterQuery
	Line events.Line
}

func (q *ExplainQuery) read(p *parameters) {
	q.FilterQuery.read(p)
	what := p.value("what", "The number: coverage of a requirement, or strength.",
		&huma.Schema{Type: huma.TypeString, Enum: []any{"coverage", "strength"}})
	q.Line = p.line("line", "The requirement whose coverage it is, such as ground-west.")
	q.openingOf(q.Filter.Operation, q.Line)
	switch {
	case what != "coverage" && what != "strength":
		p.invalid("what", what, "write one of: coverage, strength")
	case what == "coverage" && q.Line == "":
		p.must("line", "write the requirement's name, such as ground-west")
	case what == "coverage" && (q.Filter.Nation != "" || q.Filter.Role != ""):
		p.refuse(problem.Usage, "line", string(q.Line),
			phrase.Of("a requirement's coverage is explained as a whole: leave nation and role "+
				"out"))
	case what == "strength" && q.Line != "":
		p.refuse(problem.Usage, "line", string(q.Line),
			phrase.Of("strength is of nations and roles, not of a requirement: leave line out"))
	}
}

// Explain answers what is behind a number.
func (s *Service) Explain(ctx context.Context, q *ExplainQuery) (projections.Explanation, error) {
	return filtered(ctx, s, &q.FilterQuery,
		func(p *projections.Picture, m projections.Moment) (projections.Explanation, error) {
			if q.Line != "" {
				return p.ExplainCoverage(ctx, m, q.Filter.Operation, q.Line)
			}
			return p.ExplainStrength(ctx, m, q.Filter)
		})
}

// An explainedRow is a part of a number, or what is none, as programs read it.
type explainedRow struct {
	Counted bool `json:"counted"`
	projections.Part
}

// ExplainTable has a row for each part of the number, and for each pledge that is none with the
// reason; the records behind it stand beside.
func ExplainTable(e projections.Explanation) Table {
	t := Table{Basis: &e.Basis, Head: []string{"counted", "nation", "role", "quantity", "unit",
		"stands at", "why", "records", "pledge"}}
	t.Above = explained(e)
	add := func(to *Table, counted string, part *projections.Part) {
		to.Add(explainedRow{counted == "yes", *part}, counted, string(part.Nation),
			string(part.Role), orNothing(part.Quantity), string(part.Unit), part.Rung.String(),
			part.Sentence, numbers(part.Sequences), part.Pledge.String())
	}
	for i := range e.Parts {
		add(&t, "yes", &e.Parts[i])
	}
	if len(e.Parts) == 0 {
		t.Below = []string{"No pledge is counted."}
	}
	left := Table{Head: t.Head, Above: []string{"Considered, and not counted:"}}
	for i := range e.NotCounted {
		add(&left, "no", &e.NotCounted[i])
	}
	records := Table{Head: []string{"record", "recorded", "effective", "signed by", "what"},
		Above: []string{"The records behind it, in order:"}}
	for _, r := range e.Records {
		records.Add(r, number(r.Sequence), r.Recorded.UTC().Format(timeForm), r.Effective.String(),
			r.Signer, r.Sentence)
	}
	t.Also = left.Rows
	for _, beside := range []Table{left, records} {
		if len(beside.Rows) > 0 {
			t.Beside = append(t.Beside, beside)
		}
	}
	return t
}

// explained says which number it is: "ground-west: 6,000 of 10,000 personnel, a gap of 4,000".
func explained(e projections.Explanation) []string {
	var sums []string
	for _, s := range e.Sums {
		sum := projections.Grouped(s.Quantity) + " " + projections.UnitOf(s.Quantity, s.Unit)
		if s.Day != 0 {
			sum += " on " + s.Day.String()
		}
		sums = append(sums, sum)
	}
	if len(sums) == 0 {
		sums = []string{"nothing"}
	}
	what := strings.Join(sums, " and ")
	if q := e.Requirement; q != nil {
		what = fmt.Sprintf("%s: %s of %s %s, a gap of %s", q.Line, projections.Grouped(q.Supply),
			projections.Grouped(q.Required), projections.UnitOf(q.Required, q.Unit),
			projections.Grouped(q.Gap))
		if q.Unknown > 0 {
			what += fmt.Sprintf(", %d of unknown size beside it", q.Unknown)
		}
		if more := waits(q.Waiting, q.WaitingUnknown, projections.Grouped); more != nil {
			what += ", " + strings.Join(more, ", ")
		}
		if q.Day != 0 {
			what += " on " + q.Day.String() + ", the day on which it is met least"
		}
		if q.State != projections.InForce {
			what = fmt.Sprintf("%s is not in force (%s)", q.Line, q.State)
			if q.State == projections.Upcoming {
				what = fmt.Sprintf("%s is in force from %s on only", q.Line, q.From)
			}
		}
	}
	return []string{fmt.Sprintf("%s, %s.", what, e.Basis), ""}
}

func numbers(sequences []uint64) string {
	all := make([]string, len(sequences))
	for i, n := range sequences {
		all[i] = number(n)
	}
	return joined(all, " ")
}

// Versions answers what was known of one pledge, and from when to when.
func (s *Service) Versions(ctx context.Context,
	q *PledgeQuery) (a projections.PledgeVersions, err error) {
	return a, s.look(ctx, q.MomentQuery, 0,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Versions(ctx, m, q.ID)
			return err
		})
}

// VersionsTable has a row for each version: what was known of the pledge between two records, for
// which days, and what made it known.
func VersionsTable(a projections.PledgeVersions) Table {
	t := Table{Basis: &a.Basis, Head: []string{"known from", "recorded", "until record", "replaced",
		"holds from", "until", "what", "signed by", "because"}}
	t.Above = []string{fmt.Sprintf("Pledge %s of %s (%s) in %s, as it was known", a.Pledge.ID,
		a.Pledge.Whose(), a.Pledge.Nation, a.Pledge.Operation), ""}
	for _, v := range a.Versions {
		replaced, until := "", v.Until.String()
		if v.KnownTo != 0 {
			replaced = v.Replaced.UTC().Format(timeForm)
		}
		t.Add(v, number(v.KnownFrom), v.Recorded.UTC().Format(timeForm), orEmpty(v.KnownTo),
			replaced, v.From.String(), until, v.Sentence, v.By.Signer, v.By.Sentence)
	}
	t.Below = []string{"A version without an until record is what is known now; one without an " +
		"until holds for all days after."}
	life := Table{Head: []string{"record", "recorded", "effective", "signed by", "what",
		"corrected by"}, Above: []string{"Its life:"}}
	for _, e := range a.Life {
		life.Add(e, number(e.Sequence), e.Recorded.UTC().Format(timeForm), e.Effective.String(),
			e.Signer, e.Sentence, orEmpty(e.CorrectedBy))
	}
	t.Beside = []Table{life}
	return t
}
