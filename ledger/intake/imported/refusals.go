package imported

import (
	"fmt"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// Refusals notes at the rows what the ledger would refuse, and warns of, and returns the former,
// each cause once; nil for nothing. What seems to be gone is left, where something is refused.
func (b *Batch) Refusals() *problem.Problem {
	b.leaveGone()
	var faults sheet.Faults
	hint, rows := "", 0
	for i := range b.Chains {
		c := &b.Chains[i]
		first := &b.Rows[c.Said[0].Row]
		first.Warnings = c.Warnings
		for _, w := range first.Warnings {
			first.What += "; warning: " + w.String()
		}
		if c.Refused == nil {
			continue
		}
		if c.Refused.Code == IDTaken {
			hint = saidOtherwise(events.Thing(c.Said[c.RefusedAt].Statement))
		}
		for _, said := range c.Said {
			if row := &b.Rows[said.Row]; row.Refused == nil {
				rows++
				f := problem.Field{Message: c.Refused.Detail}
				if c.Refused.Code == IDTaken {
					f.Message = "is recorded already, with another key or in other words"
				}
				faults.Add(row.Place(), f)
				f.Location = row.Place()
				row.What += "; refused: " + f.Message
				row.Refused = []problem.Field{f}
			}
		}
	}
	fields := faults.Fields()
	if len(fields) == 0 {
		return nil
	}
	p := problem.New(problem.Conflict, "%d of %d rows would be refused, so nothing was recorded",
		rows, len(b.Rows)).WithFields(fields)
	p.Hint = hint
	return p
}

// IDTaken is the code of the rule that an id is of one statement. What is imported has the id of
// its row: so it was imported before, by another key or in other words.
const IDTaken = "id-taken"

// saidOtherwise says what to do about a row that was imported before in other words.
func saidOtherwise(pledge events.ID) string {
	return fmt.Sprintf("such a row was imported before, in other words or by another key, "+
		"and what is recorded stays and counts once: leave the row out, or amend or correct the "+
		"pledge where the row is right now: muster pledge show %s", pledge)
}
