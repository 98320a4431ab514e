package imported

import (
	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// Refusals notes at the rows what the ledger would refuse, and warns of, and returns the former,
// each cause once; nil for nothing. What seems to be gone is left, where something is refused.
func (b *Batch) Refusals() *problem.Problem {
	b.leaveGone()
	var faults sheet.Faults
	var hint phrase.Phrase
	rows := 0
	for i := range b.Chains {
		c := &b.Chains[i]
		first := &b.Rows[c.Said[0].Row]
		first.Warnings = nil
		for _, w := range c.Warnings {
			if w.Location != "effective" { // which is told of what has changed: see overtaken
				first.Warnings = append(first.Warnings, w)
				first.add(phrase.Of("warning: %s", w))
			}
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
				why := c.Refused.Said()
				if c.Refused.Code == IDTaken {
					why = phrase.Of("is recorded already, with another key or in other words")
				}
				faults.Add(row.Place(), problem.FieldSaid("", "", why))
				row.refuse(why)
				row.Refused = []problem.Field{problem.FieldAt(row.Place(), "", why)}
			}
		}
	}
	fields := faults.Fields()
	if len(fields) == 0 {
		return nil
	}
	p := problem.New(problem.Conflict, "%d of %d rows would be refused, so nothing was recorded",
		rows, len(b.Rows)).WithFields(fields)
	return p.WithHint("%s", hint)
}

// IDTaken is the code of the rule that an id is of one statement. What is imported has the id of
// its row: so it was imported before, by another key or in other words.
const IDTaken = "id-taken"

// saidOtherwise says what to do about a row that was imported before in other words.
func saidOtherwise(pledge events.ID) phrase.Phrase {
	return phrase.Of("such a row was imported before, in other words or by another key, or just "+
		"now by somebody else, and what is recorded stays and counts once: import the file again, "+
		"which is compared with that then; where this is said again, leave the row out, or amend "+
		"or correct the pledge where the row is right now: muster pledge show %s", pledge)
}
