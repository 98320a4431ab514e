package round

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A kind is what rows have in common of which one may take something off the other.
type kind struct {
	nation    events.Nation
	operation events.Operation
	role      events.Role
	unit      events.Unit
	area      events.Area
	line      events.Line
	rung      string
}

func (r *Row) kind() kind {
	o := r.Offer
	return kind{o.Nation, o.Operation, o.Role, o.Unit, o.Area, o.Line, r.Rung}
}

// A target is a row that says something, of which something may be taken off.
type target struct {
	row    *Row
	since  events.Date // when its pledge has come to its rung
	left   events.Quantity
	placed events.Quantity // of what is deployed
}

// reduce makes of the rows with a quantity below 0 what they take off: of the row of their kind
// that holds latest, but not after them, and says as much. What is left is amended, and reported
// where it is deployed; where nothing is left, the pledge is withdrawn, or has returned.
func reduce(rows []Row) {
	targets, taking := map[kind][]*target{}, []*Row(nil)
	for i := range rows {
		row := &rows[i]
		switch {
		case row.Offer == nil:
		case row.taken.number != nil:
			taking = append(taking, row)
		default:
			targets[row.kind()] = append(targets[row.kind()], row.target())
		}
	}
	slices.SortStableFunc(taking, func(a, b *Row) int {
		return cmp.Compare(a.Offer.Effective, b.Offer.Effective)
	})
	again := map[string]int{}
	for _, row := range taking {
		var best *target
		for _, t := range targets[row.kind()] {
			if t.holds(row) && (best == nil || t.row.Offer.Effective > best.row.Offer.Effective) {
				best = t
			}
		}
		if best == nil {
			row.refuse([]problem.Field{problem.FieldOf("quantity",
				"-"+row.Offer.Quantity.String(),
				"takes something off, and no row of the file for the same nation, "+
					"operation, role, unit, area, line and rung that holds by then says as much: "+
					"it may belong to what was recorded earlier, so amend that pledge, or leave "+
					"such rows out with skip: negative")})
			continue
		}
		best.take(row, again)
	}
}

func (r *Row) target() *target {
	t := &target{row: r, since: r.Offer.Effective, left: r.Offer.Quantity}
	for _, st := range r.Then {
		if d, ok := st.(*events.PledgeDeployed); ok {
			t.since, t.placed = d.Effective, d.Quantity
		}
	}
	if r.Rung == observed {
		t.placed = r.Offer.Quantity
	}
	return t
}

// holds reports whether the target holds what a row takes off.
func (t *target) holds(row *Row) bool {
	left, ok := t.left.Number()
	takes, _ := row.Offer.Quantity.Number()
	return ok && left >= takes && t.since <= row.Offer.Effective
}

// take takes off what a row says, and makes the row say it. Again tells apart what is taken off
// twice in the same words.
func (t *target) take(row *Row, again map[string]int) {
	of, from := row.Offer, t.row.Offer
	less := func(q events.Quantity) events.Quantity {
		n, _ := q.Number()
		takes, _ := of.Quantity.Number()
		return of.Unit.Of(max(n-takes, 0))
	}
	t.left = less(t.left)
	reason := joined(fmt.Sprintf("%s taken off", amountOf(of.Quantity, of.Unit)), of.Note)
	words := fmt.Sprintf("%s\n%s\n%s", from.ID, of.Effective, reason)
	again[words]++
	f := &follower{offer: from, on: of.Effective}
	step := func(typ events.Type) events.PledgeStep {
		s := f.step(typ, fmt.Sprintf("%s\n%d", words, again[words]))
		s.Reason = reason
		return s
	}
	n, _ := t.left.Number()
	switch {
	case n == 0 && t.placed.IsZero():
		f.say(&events.PledgeWithdrawn{PledgeStep: step("pledge.withdrawn")})
	case n == 0:
		f.say(&events.PledgeReturned{PledgeStep: step("pledge.returned")})
	default:
		if row.Rung != observed {
			f.say(t.amended(step("pledge.amended"), reason))
		}
		if !t.placed.IsZero() {
			t.placed = less(t.placed)
			f.say(&events.PledgeReported{PledgeStep: step("pledge.reported"),
				Strength: events.Strength{Quantity: t.placed, Unit: of.Unit}})
		}
	}
	row.Then, row.Offer, row.Reduces = f.then, nil, from.ID
	row.Sentence = phrase.Of("%s (%s) takes %s off what %s says: %s", row.whose, of.Nation,
		amountOf(of.Quantity, of.Unit), t.row.Place(), t.remains(n)).Capital()
	if len(f.wrong) > 0 {
		row.refuse(f.wrong)
	}
}

func (t *target) amended(s events.PledgeStep, reason string) *events.PledgeAmended {
	terms := t.row.Offer.PledgeTerms
	terms.Quantity, terms.Note = t.left, joined(terms.Note, reason)
	return &events.PledgeAmended{Header: s.Header, Dated: s.Dated, Place: s.Place,
		Pledge: s.Pledge, PledgeTerms: terms}
}

func (t *target) remains(n int64) phrase.Phrase {
	if n == 0 {
		return phrase.Of("nothing is left")
	}
	return phrase.Of("%s are left", amountOf(t.left, t.row.Offer.Unit))
}

// check compares what became of a file with what it is known to come to.
func (e *Expect) check(rows []Row) error {
	var wrong []problem.Field
	pledges := 0
	sum, taken := new(big.Int), new(big.Int)
	for i := range rows {
		row := &rows[i]
		switch q, err := row.taken.off(e.Unit); {
		case row.taken.number != nil && row.unit == e.Unit && err == nil:
			n, _ := q.Number()
			taken.Add(taken, big.NewInt(n))
		case row.taken.number == nil && !row.gone:
			pledges++
			if n, ok := row.quantity.Number(); ok && row.unit == e.Unit {
				sum.Add(sum, big.NewInt(n))
			}
		}
	}
	if e.Rows != nil && *e.Rows != pledges {
		wrong = append(wrong, problem.FieldOf("expect.rows", fmt.Sprint(*e.Rows),
			"so many rows become pledges: %d. Rows are missing or too many, or others are left "+
				"out or taken off a pledge, which are not counted", pledges))
	}
	sum.Add(sum, taken) // which is less than 0
	if want, ok := e.Sum.Number(); ok && sum.Cmp(big.NewInt(want)) != 0 {
		got := sum.String()
		if sum.IsInt64() {
			got = e.Unit.Of(sum.Int64()).String()
		}
		wrong = append(wrong, problem.FieldOf("expect.sum", e.Sum.String(),
			"the rows come to %s %s", got, e.Unit))
	}
	return problem.OfFields(wrong)
}
