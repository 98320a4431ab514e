package web

import (
	"context"
	"fmt"

	"muster/events/english"
	"muster/events/problem"
	"muster/projections"
)

// DigestQuery asks what has happened since a moment, and what is due within some days.
type DigestQuery struct {
	DiffQuery
	Within int
}

func (q *DigestQuery) read(p *parameters) {
	q.From.AsOf = p.instant("from", "Since when: a sequence, a time as 2026-11-23T12:00:00Z or "+
		"2026-11-23 (its end), or the name of a meeting that was closed, such as FGC 4.", end)
	p.must("from", "write since when: the name of a meeting that was closed, such as FGC 4, a "+
		"sequence, or a time")
	q.To.AsOf = p.asOf()
	q.To.On = p.day("on", "What applies on that date, at both moments. Without it, at each the "+
		"day of its last record, and today (UTC) where as_of is not given; where nothing has "+
		"begun by then, the first day of what begins, at both moments. today is always today.")
	q.To.MinSeq = p.minSeq()
	q.To.WhatIf = p.whatIf()
	q.Rung, q.Filter, q.Within = p.rung(), p.filter(), p.within()
	q.From.On, q.From.WhatIf = q.To.On, q.To.WhatIf
	q.From.opening(q.Filter.Operation)
	q.To.opening(q.Filter.Operation)
}

// Digest answers what has happened since a moment, and what is due.
func (s *Service) Digest(ctx context.Context,
	q *DigestQuery) (a projections.Digest, err error) {
	q.To.MinSeq = max(q.To.MinSeq, s.needed(q.From))
	return a, s.look(ctx, q.To, q.Rung, func(p *projections.Picture, to projections.Moment) error {
		from, _, err := q.moments(s, p)
		if err == nil {
			err = known(ctx, p, to, q.Filter)
		}
		if err != nil {
			return err
		}
		d, err := p.Diff(ctx, from, to, q.Filter)
		if err == nil && d.From.AsOf > d.To.AsOf {
			err = problem.OfFields([]problem.Field{problem.FieldOf("from", "", "lies after record "+
				"%d, up to which the digest tells: write an earlier moment", d.To.AsOf)})
		}
		if err != nil {
			return err
		}
		due, err := p.Due(ctx, to, q.Filter, q.Within)
		a = projections.DigestOf(&d, &due)
		return err
	})
}

// DigestTable has a row for each sentence.
func DigestTable(g projections.Digest) Table {
	t := Table{Basis: &g.To, Since: &g.From, Head: []string{"section", "what", "operation",
		"requirement", "pledge", "sequence"}}
	t.Above = []string{"Since " + clocks(g.From), "until " + clocks(g.To) + ".", ""}
	for _, s := range g.Sections {
		for _, item := range s.Items {
			id, sequence := "", ""
			if !item.Pledge.IsZero() {
				id = item.Pledge.String()
			}
			if item.Sequence != 0 {
				sequence = number(item.Sequence)
			}
			t.Add(item, s.Name, item.Sentence, string(item.Operation), string(item.Line), id,
				sequence)
		}
	}
	if g.PledgesMore > 0 {
		more := fmt.Sprintf("%s count otherwise, and are left out: ask for one operation, one "+
			"role or one nation", english.Several(g.PledgesMore, "more pledge"))
		t.Add(g, "more", more, "", "", "", "")
	}
	if len(t.Rows) == 0 {
		t.Below = []string{"Nothing has changed, and nothing is due."}
	}
	return t
}
