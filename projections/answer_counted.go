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
	// Record is the record that was asked about, and Pledge the pledge that it is about, as it
	// stands.
	Record LifeEvent `json:"record"`
	Pledge Pledge    `json:"pledge"`
	// Then is as of the record itself, on ThenOn: the date from which it holds or, while the pledge
	// is not there yet, its first day, as known then. Now is as of the moment asked, on NowOn: the
	// date asked or, likewise, the first day.
	Then   []CountedAt `json:"then"`
	ThenOn events.Date `json:"then_on"`
	Now    []CountedAt `json:"now"`
	NowOn  events.Date `json:"now_on"`
	// Later tells the days after NowOn on which the pledge counts otherwise than on the day before,
	// from the rung offered up: as when a requirement comes into force. LaterMore says that there
	// are more days than these.
	Later     []FirstDay `json:"later"`
	LaterMore bool       `json:"later_more,omitzero"`
}

// Counting answers a liaison's question about one record: did you receive it, and what did you
// count? It tells for each rung where the pledge counts, or why it does not: as of the record, and
// at the moment asked.
func (p *Picture) Counting(ctx context.Context, m Moment, seq uint64) (Counting, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Counting{}, err
	}
	if seq > b.AsOf {
		return Counting{}, problem.New(problem.NotFound, "record %d was not known yet %s",
			seq, b.Known()).
			WithHint("ask as of that record or a later one, or leave as_of out")
	}
	pl, d := p.factOf(seq)
	if d == nil {
		return Counting{}, problem.New(problem.NotFound, "record %d is about no pledge", seq).
			WithHint("see what each record is: muster log")
	}
	c := Counting{Basis: b, Record: p.lifeEvent(pl, d, b.AsOf)}
	last := b.onDay(b.last())
	c.Pledge, _ = pl.show(&last)
	then, now := Basis{AsOf: seq, On: d.effective, WhatIf: b.WhatIf}, b
	then.On, now.On = pl.thereFrom(&then), pl.thereFrom(&now)
	if now.Until != 0 && now.On > now.Until {
		now.Until = 0
	}
	c.ThenOn, c.NowOn = then.On, now.On
	if c.Then, err = p.countedAt(ctx, pl, then); err != nil {
		return Counting{}, err
	}
	if c.Now, err = p.countedAt(ctx, pl, now); err != nil {
		return Counting{}, err
	}
	now.Rung = Offered
	if c.Later, c.LaterMore = p.later(now, pl, now.last(), sidesOn{}); c.Later == nil {
		c.Later = []FirstDay{}
	}
	return c, cmp.Or(err, p.meter.err())
}

// thereFrom returns the first day asked or, while the pledge is not there yet, the first on which
// it is, as known then.
func (pl *pledge) thereFrom(b *Basis) events.Date { return max(b.On, pl.daysThere(b).from) }

// factOf finds what a record says, nil when it is about no pledge.
func (p *Picture) factOf(seq uint64) (*pledge, *fact) {
	if seq == 0 || seq > uint64(len(p.touched)) || p.touched[seq-1] == 0 {
		return nil, nil
	}
	pl := p.pledges[p.touched[seq-1]-1]
	facts := pl.now().facts
	at := slices.IndexFunc(facts, func(d fact) bool { return uint64(d.order) == seq && d.own() })
	return pl, &facts[at]
}

// RecordOf returns the record that made a statement about a pledge, 0 when there is none.
func (p *Picture) RecordOf(pledge, statement events.ID) uint64 {
	if pl, ok := p.find(pledge); ok {
		facts := pl.now().facts
		for i := range facts {
			if d := &facts[i]; d.id == statement && d.own() {
				return uint64(d.order)
			}
		}
	}
	return 0
}

// countedAt tells at each rung where a pledge counts, or why it does not, also where it is not
// there at all.
func (p *Picture) countedAt(ctx context.Context, pl *pledge, b Basis) ([]CountedAt, error) {
	all := []CountedAt{}
	for _, rung := range Rungs() {
		b.Rung = rung
		before := p.meter.bytes
		c, err := p.Coverage(ctx, b.Moment(), CoverageFilter{Operation: pl.operation.name})
		if err != nil {
			return nil, err
		}
		at := CountedAt{Rung: b.Rung, Counted: []CountedFor{}, NotCounted: []NotCounted{}}
		for _, l := range c.Lines {
			for _, one := range l.Counted {
				if one.Pledge == pl.id {
					at.Counted = append(at.Counted,
						CountedFor{l.Operation, l.Line, l.Unit, l.Day, one})
				}
			}
		}
		for _, n := range c.NotCounted {
			if n.Pledge == pl.id {
				at.NotCounted = append(at.NotCounted, n)
			}
		}
		if len(at.Counted)+len(at.NotCounted) == 0 {
			at.NotCounted = append(at.NotCounted, p.away(pl, b.onDay(b.last())))
		}
		all = append(all, at)
		p.meter.letGo(before)
	}
	return all, nil
}

// away tells why a pledge is not there.
func (p *Picture) away(pl *pledge, b Basis) NotCounted {
	at := side{p: p}
	at.aim(b, Filter{Operation: pl.operation.name})
	place := at.view.places(pl)[0] // a pledge has one at least
	s := at.view.now
	if !s.begun {
		s = pl.beginning(b.AsOf)
	}
	return NotCounted{Pledge: pl.id, Operation: pl.operation.name, Nation: pl.nation,
		Role: s.terms.role, Area: s.terms.area, Quantity: place.Quantity,
		Unit: place.Unit, Rung: s.rung, Reason: place.Reason, Sentence: place.Sentence,
		Sequences: place.Sequences}
}
