package round

import (
	"strconv"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
)

// A keyPart is where one value of a row's key is: in a column, or in a field.
type keyPart struct {
	column int
	field  string // "" for a column
}

// name finds by what the row is known again: its key, or the pledge that it names.
func (c *converter) name(row *Row, v *values, offer *events.PledgeOffered) (wrong []problem.Field) {
	for _, part := range c.key {
		value := strings.TrimSpace(v.row.Cells[part.column])
		switch part.field {
		case "":
		case "nation":
			value = string(offer.Nation) // however its name is written
		default:
			value = v.text[part.field]
		}
		row.Key = append(row.Key, value)
		unread := part.field == "nation" && v.text["nation"] != "" // which is told by itself
		if value == "" && !unread {
			wrong = append(wrong, problem.FieldOf("key", "", "a part of the row's key is empty: "+
				"the mapping tells the rows apart by %s", strings.Join(c.mapping.Key, ", ")))
		}
	}
	text := v.text["id"]
	id, err := events.ParseID(text)
	switch {
	case text == "" || row.Key != nil:
	case err == nil:
		row.ID, row.Seen = id, c.seen(v)
		for _, field := range fields {
			if len(c.columns[field]) > 0 {
				row.Fields = append(row.Fields, field)
			}
		}
	case len(c.mapping.Columns["id"]) > 0: // others have ids of their own
		wrong = append(wrong, problem.FieldOf("id", problem.Shorten(text),
			"is no id of a pledge: write it as the list of pledges has it"))
	}
	return wrong
}

// revision is the column of a list of Muster's that has the last record about each pledge.
const revision = "revision"

// seen returns the last record about its pledge that a row of a list of Muster's has, 0 where the
// list does not say.
func (c *converter) seen(v *values) (last uint64) {
	if i, ok := c.table.Column(revision); ok {
		last, _ = strconv.ParseUint(strings.TrimSpace(v.row.Cells[i]), 10, 63)
	}
	return last
}

// keyed returns the ID of the row with a key.
func (c *converter) keyed(key []string) events.ID {
	if c.mapping.IDs != nil {
		return c.mapping.IDs(key)
	}
	return reconcile.IDOf(c.origin, c.mapping.Name, key, 0)
}
