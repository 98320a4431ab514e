package round

import (
	"cmp"
	"fmt"
	"slices"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
)

// A seenAt is where strength was seen: of one nation, in one role of an operation.
type seenAt struct {
	nation    events.Nation
	operation events.Operation
	role      events.Role
}

// series makes of rows whose rung is observed, and which follow each other, what they are: the
// first was seen, later ones report its strength, and one with 0 its return.
//
//	2021-01-31 Ghana 100        observed 100
//	2021-02-28 Ghana 110   →    reported 110
//	2021-03-31 Ghana 0          returned
//
// It returns the rows without those that say nothing of anything, which are left out.
func series(rows []Row, left *lefts) []Row {
	groups := map[seenAt][]*Row{}
	var order []seenAt
	for i := range rows {
		row := &rows[i]
		if row.Offer == nil || row.Rung != observed {
			continue
		}
		at := seenAt{row.Offer.Nation, row.Offer.Operation, row.Offer.Role}
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], row)
	}
	for _, at := range order {
		follow(groups[at])
	}
	return slices.DeleteFunc(rows, func(row Row) bool {
		idle := row.gone && row.Offer == nil && row.Then == nil && row.Problems == nil
		if idle {
			left.add("rows with the quantity 0, of strength that was not there", row.Line)
		}
		return idle
	})
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
			row.refuse([]problem.Field{{Location: "effective", Value: on.String(),
				Message: "the strength of the same nation, operation and role on the same day " +
					"stands in another row, too: name both columns for the quantity, so that " +
					"they are added up, or leave one row out"}})
			continue
		case alive == nil && row.gone:
			row.Offer = nil
		case alive == nil:
			alive = row
		case row.gone:
			row.reports(alive, offer, "pledge.returned")
			alive = nil
		case offer.Unit != alive.unit:
			row.refuse([]problem.Field{{Location: "unit", Value: string(offer.Unit),
				Message: "earlier rows of the same nation, operation and role are counted in " +
					"another unit"}})
			continue
		case offer.Quantity == last:
			row.Offer = nil
			row.Sentence = fmt.Sprintf("%s (%s) is as strong on %s as before: %s for %s to %s",
				english.Capital(offer.Nation.Named()), offer.Nation, on,
				amountOf(last, offer.Unit), offer.Role, offer.Operation)
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
	what := "has returned by"
	if typ == "pledge.returned" {
		f.say(&events.PledgeReturned{PledgeStep: step})
	} else {
		f.say(&events.PledgeReported{PledgeStep: step,
			Strength: events.Strength{Quantity: offer.Quantity, Unit: offer.Unit}})
		what = "is " + amountOf(offer.Quantity, offer.Unit) + " strong on"
	}
	r.Offer, r.Then, r.Reduces = nil, f.then, seen.Offer.ID
	r.Sentence = fmt.Sprintf("%s (%s) %s %s, for %s to %s, reported of what %s has seen",
		english.Capital(offer.Nation.Named()), offer.Nation, what, offer.Effective, offer.Role,
		offer.Operation, seen.Place())
	if len(f.wrong) > 0 {
		r.refuse(f.wrong)
	}
}
