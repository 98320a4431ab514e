package projections

import (
	"cmp"
	"slices"

	"muster/events"
)

// lines adds the requirements that are met otherwise.
func (d *differ) lines() {
	type key struct {
		operation events.Operation
		line      events.Line
	}
	old := map[key]*LineCoverage{}
	for i := range d.from.lines.Lines {
		l := &d.from.lines.Lines[i]
		old[key{l.Operation, l.Line}] = l
	}
	for i := range d.to.lines.Lines {
		l := &d.to.lines.Lines[i]
		k := key{l.Operation, l.Line}
		d.line(old[k], l)
		delete(old, k)
	}
	for i := range d.from.lines.Lines {
		if l := &d.from.lines.Lines[i]; old[key{l.Operation, l.Line}] != nil {
			d.line(l, nil)
		}
	}
}

// line adds a requirement if it is met otherwise. Either side may be absent.
func (d *differ) line(was, is *LineCoverage) {
	either := is
	if either == nil {
		either = was
	}
	one := LineDiff{Operation: either.Operation, Line: either.Line, From: standOf(was),
		To: standOf(is), Nations: nationDiffs(was, is), Calendar: []Passing{}}
	same := one.From != nil && one.To != nil && *one.From == *one.To && len(one.Nations) == 0
	if same || d.filter.Nation != "" && !slices.ContainsFunc(one.Nations, func(n NationDiff) bool {
		return n.Nation == d.filter.Nation
	}) {
		return
	}
	one.Nations = slices.DeleteFunc(one.Nations, func(n NationDiff) bool {
		return !d.filter.nation(n.Nation)
	})
	records, calendar := d.ofLine(one.Operation, one.Line)
	one.Records, one.Calendar = slices.Clone(records), slices.Clone(calendar)
	one.Pledges, one.PledgesMore = []events.ID{}, d.moreLines[lineOf{one.Operation, one.Line}]
	for _, i := range d.byLine[lineOf{one.Operation, one.Line}] {
		one.Pledges = append(one.Pledges, d.answer.Pledges[i].Pledge)
	}
	d.answer.Lines = append(d.answer.Lines, one)
}

func standOf(l *LineCoverage) *LineStand {
	if l == nil {
		return nil
	}
	s := &LineStand{Role: l.Role, Area: l.Area, Unit: l.Unit, Priority: l.Priority,
		Essential: l.Essential, Required: l.Required, Supply: l.Supply,
		Gap: l.Gap, Conditional: l.Conditional, Caveated: l.Caveated, Unknown: l.Unknown,
		Waiting: l.Waiting, WaitingUnknown: l.WaitingUnknown}
	for i, r := range l.Rungs {
		s.Rungs[i] = r.Supply
	}
	return s
}

// part returns a nation's part of a supply: unknown, and not nothing, where it has pledged for it
// and not said of how much.
func (l *LineCoverage) part(n events.Nation, q events.Quantity) events.Quantity {
	if l != nil && q.IsZero() && slices.Contains(l.UnknownBy, n) {
		return events.Unknown
	}
	return q
}

// nationDiffs compares the parts of a supply, by nation.
func nationDiffs(was, is *LineCoverage) []NationDiff {
	parts := map[events.Nation]*NationDiff{}
	of := func(l *LineCoverage, set func(*NationDiff, events.Quantity)) {
		if l == nil {
			return
		}
		for _, share := range l.Who {
			if parts[share.Nation] == nil {
				parts[share.Nation] = &NationDiff{Nation: share.Nation}
			}
			set(parts[share.Nation], share.Quantity)
		}
	}
	of(was, func(n *NationDiff, q events.Quantity) { n.From = q })
	of(is, func(n *NationDiff, q events.Quantity) { n.To = q })
	all := []NationDiff{}
	for _, n := range parts {
		n.From, n.To = was.part(n.Nation, n.From), is.part(n.Nation, n.To)
		if n.From != n.To {
			all = append(all, *n)
		}
	}
	slices.SortFunc(all, func(a, b NationDiff) int { return cmp.Compare(a.Nation, b.Nation) })
	return all
}
