package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
	"muster/events/problem"
)

// A CountedAt is where a pledge counts at one rung: for lines, or nowhere and why.
type CountedAt struct {
	Rung       Rung         `json:"rung"`
	Counted    []CountedFor `json:"counted"`
	NotCounted []NotCounted `json:"not_counted"`
}

// A Counting is what was counted where for one record.
type Counting struct {
	Basis
	// Record is the record that was asked about, and Pledge the pledge that it is about, as it stands.
	Record LifeEvent `json:"record"`
	Pledge Pledge    `json:"pledge"`
	// Then is as of the record itself, on the date from which it holds, and Now as of the moment asked.
	Then []CountedAt `json:"then"`
	Now  []CountedAt `json:"now"`
}

// Counting answers a liaison's question about one record: did you receive it, and what did you count? It tells for each rung where the
// pledge counts, or why it does not: as of the record, and at the moment asked.
func (p *Picture) Counting(ctx context.Context, m Moment, seq uint64) (Counting, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Counting{}, err
	}
	if seq > b.AsOf {
		return Counting{}, problem.New(problem.NotFound, "record %d was not known yet %s", seq, b.Known()).
			WithHint("ask as of that record or a later one, or leave as_of out")
	}
	pl, d := p.deedOf(seq)
	if d == nil {
		return Counting{}, problem.New(problem.NotFound, "record %d is about no pledge", seq).WithHint("muster log tells what each record is")
	}
	c := Counting{Basis: b, Record: p.lifeEvent(pl, d, b.AsOf)}
	last := b.onDay(b.last())
	c.Pledge, _ = pl.show(&last)
	if c.Then, err = p.countedAt(ctx, pl, Moment{AsOf: seq, On: max(d.effective, c.Pledge.From), WhatIf: m.WhatIf}); err != nil {
		return Counting{}, err
	}
	c.Now, err = p.countedAt(ctx, pl, b.Moment())
	return c, cmp.Or(err, p.meter.err())
}

// deedOf finds what a record says, nil when it is about no pledge.
func (p *Picture) deedOf(seq uint64) (*pledge, *deed) {
	if seq == 0 || seq > uint64(len(p.touched)) || p.touched[seq-1] == 0 {
		return nil, nil
	}
	pl := p.pledges[p.touched[seq-1]-1]
	deeds := pl.now().deeds
	at := slices.IndexFunc(deeds, func(d deed) bool { return uint64(d.order) == seq && d.own() })
	return pl, &deeds[at]
}

// RecordOf returns the record that made a statement about a pledge, 0 when there is none.
func (p *Picture) RecordOf(pledge, statement events.ID) uint64 {
	if pl, ok := p.find(pledge); ok {
		deeds := pl.now().deeds
		for i := range deeds {
			if d := &deeds[i]; d.id == statement && d.own() {
				return uint64(d.order)
			}
		}
	}
	return 0
}

// countedAt tells at each rung where a pledge counts.
func (p *Picture) countedAt(ctx context.Context, pl *pledge, m Moment) ([]CountedAt, error) {
	all := []CountedAt{}
	for _, m.Rung = range Rungs() {
		c, err := p.Coverage(ctx, m, CoverageFilter{Operation: pl.operation.name})
		if err != nil {
			return nil, err
		}
		at := CountedAt{Rung: m.Rung, Counted: []CountedFor{}, NotCounted: []NotCounted{}}
		for _, l := range c.Lines {
			for _, one := range l.Counted {
				if one.Pledge == pl.id {
					at.Counted = append(at.Counted, CountedFor{l.Operation, l.Line, l.Unit, l.Day, one})
				}
			}
		}
		for _, n := range c.NotCounted {
			if n.Pledge == pl.id {
				at.NotCounted = append(at.NotCounted, n)
			}
		}
		all = append(all, at)
	}
	return all, nil
}
