package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
)

// A SaidRecord is a record about a pledge, by a key of the pledge's nation.
type SaidRecord struct {
	LifeEvent
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
}

// Said answers what the keys of a nation have said last of its pledges, the latest record first,
// and at most so many records. It costs as much as a look at all that was said of the nation's
// pledges.
func (p *Picture) Said(ctx context.Context, m Moment, nation events.Nation, most int) ([]SaidRecord,
	error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return nil, err
	}
	chosen, err := p.chosen(b.AsOf, "")
	if err != nil {
		return nil, err
	}
	type told struct {
		pledge *pledge
		fact   *fact
	}
	var all []told
	p.eachFact(&b, chosen, Filter{Nation: nation}, func(pl *pledge, d *fact) {
		if events.Key(d.remark.signer).Party() == nation && p.meter.hold(1, answerRow) {
			all = append(all, told{pl, d})
		}
	})
	slices.SortFunc(all, func(a, b told) int { return cmp.Compare(b.fact.order, a.fact.order) })
	said := []SaidRecord{}
	for _, t := range all[:min(most, len(all))] {
		said = append(said, SaidRecord{p.lifeEvent(t.pledge, t.fact, b.AsOf), t.pledge.id,
			t.pledge.operation.name})
	}
	return said, p.meter.err()
}
