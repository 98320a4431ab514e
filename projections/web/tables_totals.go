package web

import (
	"fmt"

	"muster/events"
	"muster/projections"
)

// A roleTotal is what is required and there of one role, in one unit.
type roleTotal struct {
	role                  events.Role
	unit                  events.Unit
	required, filled      int64
	lines, met, essential int
	metEssential          int
}

// add counts a line. What a line has too much of fills no other.
func (r *roleTotal) add(l *projections.LineCoverage) {
	required, _ := l.Required.Number()
	gap, _ := l.Gap.Number()
	r.required += required
	r.filled += required - gap
	r.lines++
	isMet := 0
	if gap == 0 {
		isMet = 1
	}
	r.met += isMet
	if l.Essential {
		r.essential++
		r.metEssential += isMet
	}
}

// percent is how much of a whole there is, rounded down; 100 of nothing.
func percent(part, whole int64) int64 {
	if whole == 0 {
		return 100
	}
	return int64(float64(part) / float64(whole) * 100) // of sums of amounts of money, too
}

// totals says to people, below the lines of a coverage, how many are met, and by role how much
// there is of what is required. Of a range, each line is taken on its worst day. Units are never
// added to each other, so that what stands for all is how far lines are filled on average.
func totals(c *Coverage) (lines []string) {
	if len(c.Lines) < 2 || len(c.Lines) < c.InForce {
		return nil
	}
	var all roleTotal
	var filled int64
	var roles []*roleTotal
	of := map[roleTotal]*roleTotal{}
	for i := range c.Lines {
		l := &c.Lines[i]
		key := roleTotal{role: l.Role, unit: l.Unit}
		if of[key] == nil {
			of[key] = &roleTotal{role: l.Role, unit: l.Unit}
			roles = append(roles, of[key])
		}
		of[key].add(l)
		all.add(l)
		filled += int64(min(l.Fill, 100))
	}
	lines = append(lines, "")
	for _, r := range roles {
		lines = append(lines, fmt.Sprintf("%s: %s of %s %s (%d%%), %d of %d met", r.role,
			projections.Grouped(r.unit.Of(r.filled)), projections.Grouped(r.unit.Of(r.required)),
			projections.UnitOf(r.unit.Of(r.required), r.unit), percent(r.filled, r.required),
			r.met, r.lines))
	}
	said := fmt.Sprintf("%d of %d met", all.met, all.lines)
	if all.essential > 0 {
		said += fmt.Sprintf(", %d of %d essential", all.metEssential, all.essential)
	}
	return append(lines, fmt.Sprintf("%s; on average %d%% filled.", said,
		filled/int64(len(c.Lines))))
}
