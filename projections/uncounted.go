package projections

import (
	"fmt"

	"muster/events"
)

// A Reason says why a pledge is supply of no line. Codes are added, never renamed.
type Reason string

// The reasons, in the order in which they are looked for: the first that applies is told.
const (
	InReserve       Reason = "reserve"          // stands by at home
	ConditionFailed Reason = "condition-failed" // hangs on what will not happen
	BelowRung       Reason = "below-rung"       // has not climbed to the rung asked
	UnknownQuantity Reason = "unknown-quantity" // nobody has said of how much, and unknown is never 0
	SeveralLines    Reason = "several-lines"    // fits more than one line
	OtherUnit       Reason = "other-unit"       // fits but for the unit, and units are never added to each other
	NoLine          Reason = "no-line"          // nothing in force asks for it
)

// A NotCounted is a pledge that is there, and is supply of no line.
type NotCounted struct {
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	Role      events.Role      `json:"role"`
	Area      events.Area      `json:"area,omitzero"`
	Quantity  events.Quantity  `json:"quantity"`
	Unit      events.Unit      `json:"unit"`
	Rung      Rung             `json:"rung"`
	Reason    Reason           `json:"reason"`
	// Lines are those that it fits, or, when the unit is the reason, would fit in another unit.
	Lines []events.Line `json:"lines,omitzero"`
	// Sentence says the reason to people.
	Sentence string `json:"sentence"`
	// Sequences are the records that make the pledge what it is.
	Sequences []uint64 `json:"sequences"`
}

// reason says why a pledge that is there does not count, "" when it does. match has looked for its lines.
func (t *tally) reason(s *standing, a amount) Reason {
	switch {
	case s.inReserve():
		return InReserve
	case s.failed():
		return ConditionFailed
	case s.rung < t.basis.Rung:
		return BelowRung
	case a.quantity.IsUnknown():
		return UnknownQuantity
	case len(t.fits) > 1:
		return SeveralLines
	case len(t.fits) == 1:
		return ""
	case len(t.near) > 0:
		return OtherUnit
	}
	return NoLine
}

func (t *tally) refuse(pl *pledge, s *standing, a amount, reason Reason) {
	at := t.fits
	if reason == OtherUnit {
		at = t.near
	}
	var lines []events.Line
	for _, i := range at {
		lines = append(lines, t.lines[i].Line)
	}
	if reason == UnknownQuantity && len(at) == 1 {
		t.lines[at[0]].unknown++
	}
	_, reported := s.amount(t.basis.Rung)
	n := NotCounted{
		Pledge: pl.id, Operation: pl.operation, Nation: pl.nation, Role: s.terms.role, Area: s.terms.area, Quantity: a.quantity,
		Unit: a.unit, Rung: s.rung, Reason: reason, Lines: lines, Sequences: t.sequencesOf(s, reported),
	}
	n.Sentence = t.sentence(&n, s)
	t.notCounted = append(t.notCounted, n)
}

// sentence says the reason, and the remedy where there is one.
func (t *tally) sentence(n *NotCounted, s *standing) string {
	nation, what := n.Nation.Name(), amount{n.Quantity, n.Unit}
	where := string(n.Role)
	if n.Area != "" {
		where += " in " + string(n.Area)
	}
	switch n.Reason {
	case InReserve:
		return fmt.Sprintf("%s holds %s for %s in reserve, and a reserve is no supply.", nation, what, where)
	case ConditionFailed:
		return fmt.Sprintf("%s's %s for %s hang on %s, which will not happen.", nation, what, where, list(s.conditionsIn(Failed)))
	case BelowRung:
		return fmt.Sprintf("%s's %s for %s are %s, and not yet %s.", nation, what, where, n.Rung, t.basis.Rung)
	case UnknownQuantity:
		return fmt.Sprintf("%s pledges %s for %s: how much is not known, and unknown is not 0.", nation, what, where)
	case SeveralLines:
		return fmt.Sprintf("%s's %s for %s fit the lines %s: an area would say which of them.", nation, what, where, list(n.Lines))
	case OtherUnit:
		return fmt.Sprintf("%s pledges %s for %s, and %s counts %s.", nation, what, where, list(n.Lines), list(t.unitsOf(n.Lines)))
	}
	return fmt.Sprintf("%s pledges %s for %s, and no requirement in force asks for that.", nation, what, where)
}

// unitsOf returns the units that lines count, each once.
func (t *tally) unitsOf(lines []events.Line) []events.Unit {
	var units []events.Unit
	seen := map[events.Unit]bool{}
	for i := range t.lines {
		l := &t.lines[i]
		for _, name := range lines {
			if l.Line == name && !seen[l.Unit] {
				seen[l.Unit] = true
				units = append(units, l.Unit)
			}
		}
	}
	return units
}

// failed reports whether something that the pledge hangs on will not happen.
func (s *standing) failed() bool {
	for i := range s.conditions {
		if s.conditions[i].state == Failed {
			return true
		}
	}
	return false
}
