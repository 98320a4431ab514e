package projections

import (
	"cmp"
	"context"
	"slices"
	"time"

	"muster/events"
)

// A LateRecord is a record about a pledge that was made long after the date from which it holds.
type LateRecord struct {
	LifeEvent
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	// Days are how many lie between the effective date and the day of recording.
	Days int `json:"days"`
}

// LateRecords is what was recorded late, as known at a moment, by record.
type LateRecords struct {
	Basis
	MoreThan int          `json:"more_than"` // days
	Records  []LateRecord `json:"records"`
}

// Late answers which records about pledges were made more than so many days after the date from
// which they hold: they have changed what is known of days that had passed.
func (p *Picture) Late(ctx context.Context, m Moment, f Filter, moreThan int) (LateRecords, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return LateRecords{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return LateRecords{}, err
	}
	answer := LateRecords{Basis: b, MoreThan: moreThan, Records: []LateRecord{}}
	p.eachFact(&b, chosen, f, func(pl *pledge, d *fact) {
		recorded := events.DateOf(time.UnixMicro(p.times[d.order-1]).UTC())
		if days := daysBetween(d.effective, recorded); days > moreThan && d.corrects == 0 &&
			p.meter.hold(1, answerRow) {
			answer.Records = append(answer.Records,
				LateRecord{p.lifeEvent(pl, d, b.AsOf), pl.id, pl.operation.name, pl.nation, days})
		}
	})
	slices.SortFunc(answer.Records, func(a, b LateRecord) int {
		return cmp.Compare(a.Sequence, b.Sequence)
	})
	return answer, p.meter.err()
}

// eachFact calls do for what each record says of the pledges that pass a filter, as far as is
// known.
func (p *Picture) eachFact(b *Basis, chosen []*operation, f Filter, do func(*pledge, *fact)) {
	for _, o := range chosen {
		for pl := range o.now().pledges.all() {
			if !p.meter.spend(foldCost) {
				return
			}
			if !f.nation(pl.nation) || f.Role != "" && !pl.isFor(f.Role, b) {
				continue
			}
			facts := pl.now().facts
			for i := range facts {
				if d := &facts[i]; d.own() && uint64(d.order) <= b.AsOf {
					do(pl, d)
				}
			}
		}
	}
}

// isFor reports whether a pledge is for a role, as it is known, on the last date of which anything
// is said.
func (pl *pledge) isFor(role events.Role, b *Basis) bool {
	if uint64(pl.first) > b.AsOf {
		return false
	}
	last := b.onDay(events.LastDate)
	s := pl.at(&last, new(standing))
	if pl.struckBy(b.AsOf) != 0 {
		s = pl.beginning(b.AsOf)
	}
	return s.terms != nil && s.terms.role == role
}

// A Correction is one record that mends another.
type Correction struct {
	LifeEvent
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	// Mends is the record that was wrong, as it was said.
	Mends LifeEvent `json:"mends"`
}

// Corrections is what was corrected, as known at a moment, by record.
type Corrections struct {
	Basis
	Corrections []Correction `json:"corrections"`
}

// Corrections answers what was corrected, by whom and why.
func (p *Picture) Corrections(ctx context.Context, m Moment, f Filter) (Corrections, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Corrections{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Corrections{}, err
	}
	answer := Corrections{Basis: b, Corrections: []Correction{}}
	p.eachFact(&b, chosen, f, func(pl *pledge, d *fact) {
		if d.corrects == 0 {
			return
		}
		c := Correction{LifeEvent: p.lifeEvent(pl, d, b.AsOf), Pledge: pl.id,
			Operation: pl.operation.name, Nation: pl.nation}
		facts := pl.now().facts
		for i := range facts {
			if wrong := &facts[i]; wrong.own() && wrong.order == d.corrects {
				c.Mends = p.lifeEvent(pl, wrong, b.AsOf)
			}
		}
		answer.Corrections = append(answer.Corrections, c)
	})
	slices.SortFunc(answer.Corrections, func(a, b Correction) int {
		return cmp.Compare(a.Sequence, b.Sequence)
	})
	return answer, p.meter.err()
}
