package round

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
)

// A Series is the strength of one nation's forces in one role of an operation, which was seen, as
// the file has it: see [reconcile.Series], by which it is compared with what is recorded.
type Series struct {
	reconcile.SeenAt
	Unit   events.Unit
	Points []Point
}

// A Point is a row of a series: how many there were on a day, 0 for none.
type Point struct {
	Line     int
	Of       string
	On       events.Date
	Strength int64

	offer *events.PledgeOffered
}

// Make makes the statement that a point makes of a pledge, or of none where forces were seen. Its
// ID is the one that [Row.Statements] has, where the pledge is the row's.
func (p *Point) Make(typ events.Type, pledge events.ID, now int64) events.Statement {
	offer := *p.offer
	offer.Quantity = offer.Unit.Of(now)
	if typ == "pledge.observed" {
		return begins(&offer, observed)
	}
	offer.ID = pledge
	step := (&follower{offer: &offer, on: p.On}).step(typ, "")
	if typ == "pledge.returned" {
		return &events.PledgeReturned{PledgeStep: step}
	}
	return &events.PledgeReported{PledgeStep: step,
		Strength: events.Strength{Quantity: offer.Quantity, Unit: offer.Unit}}
}

// series makes of rows whose rung is observed, and which follow each other, what they are: the
// first was seen, later ones report its strength, and one with 0 its return.
//
//	2021-01-31 Ghana 100        observed 100
//	2021-02-28 Ghana 110   →    reported 110
//	2021-03-31 Ghana 0          returned
//
// It returns the rows without those that say nothing of anything, which are left out, and the
// series.
func series(rows []Row, left *lefts) (kept []Row, all []Series) {
	groups := map[reconcile.SeenAt][]*Row{}
	var order []reconcile.SeenAt
	for i := range rows {
		row := &rows[i]
		if row.Offer == nil || row.Rung != observed {
			continue
		}
		at := reconcile.SeenAt{Place: row.Offer.Place, Role: row.Offer.Role}
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], row)
	}
	for _, at := range order {
		all = append(all, Series{at, groups[at][0].Offer.Unit, points(groups[at])})
		follow(groups[at])
	}
	kept = slices.DeleteFunc(rows, func(row Row) bool {
		idle := row.gone && row.Offer == nil && row.Then == nil && row.Problems == nil
		if idle {
			left.add(phrase.Of("rows with the quantity 0, of strength that was not there"),
				row.Line)
		}
		return idle
	})
	return kept, all
}

// points are rows as they were read, in the order of their dates; nil where one is of no number.
func points(rows []*Row) (all []Point) {
	for _, row := range rows {
		n, ok := row.Offer.Quantity.Number()
		if !ok || row.taken.number != nil {
			return nil
		}
		if row.gone {
			n = 0
		}
		all = append(all, Point{row.Line, row.Of, row.Offer.Effective, n, row.Offer})
	}
	slices.SortStableFunc(all, func(a, b Point) int { return cmp.Compare(a.On, b.On) })
	return all
}

// follow goes through the rows of one series in the order of their dates.
func follow(rows []*Row) {
	slices.SortStableFunc(rows, func(a, b *Row) int {
		return cmp.Compare(a.Offer.Effective, b.Offer.Effective)
	})
	var alive, before *Row
	var last events.Quantity
	var day events.Date
	for _, row := range rows {
		on, offer := row.Offer.Effective, row.Offer
		switch {
		case before != nil && on == day:
			row.refuse([]problem.Field{problem.FieldOf("effective", on.String(),
				"the strength of the same nation, operation and role on the same day "+
					"stands in another row, too: name both columns for the quantity, so that "+
					"they are added up, or leave one row out")})
			continue
		case alive == nil && row.gone:
			row.Offer = nil
		case alive == nil:
			alive = row
		case row.gone:
			row.reports(alive, offer, "pledge.returned")
			alive = nil
		case offer.Unit != alive.unit:
			row.refuse([]problem.Field{problem.FieldOf("unit", string(offer.Unit),
				"earlier rows of the same nation, operation and role are counted in another unit")})
			continue
		case offer.Quantity == last:
			row.Offer = nil
			row.Sentence = phrase.Of("%s (%s) is as strong on %s as before: %s for %s to %s",
				row.whose, offer.Nation, on, amountOf(last, offer.Unit), offer.Role,
				offer.Operation).Capital()
		default:
			row.reports(alive, offer, "pledge.reported")
		}
		before, last, day = row, offer.Quantity, on
	}
}

// reports makes the row a report of strength, or of a return, of what another row has seen.
func (r *Row) reports(seen *Row, offer *events.PledgeOffered, typ events.Type) {
	f := &follower{offer: seen.Offer, on: offer.Effective}
	step := f.step(typ, "")
	step.Source = offer.Source
	says := phrase.Of("%s (%s) has returned by %s, for %s to %s, reported of what %s has seen",
		r.whose, offer.Nation, offer.Effective, offer.Role, offer.Operation, seen.Place())
	if typ == "pledge.returned" {
		f.say(&events.PledgeReturned{PledgeStep: step})
	} else {
		f.say(&events.PledgeReported{PledgeStep: step,
			Strength: events.Strength{Quantity: offer.Quantity, Unit: offer.Unit}})
		says = phrase.Of("%s (%s) is %s strong on %s, for %s to %s, reported of what %s has seen",
			r.whose, offer.Nation, amountOf(offer.Quantity, offer.Unit), offer.Effective,
			offer.Role, offer.Operation, seen.Place())
	}
	r.Offer, r.Then, r.Reduces = nil, f.then, seen.Offer.ID
	r.Sentence = says.Capital()
	if len(f.wrong) > 0 {
		r.refuse(f.wrong)
	}
}
