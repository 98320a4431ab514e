package imported

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
)

// A rowAt is where a row is in its file.
type rowAt struct {
	line int
	of   string
}

// seen compares the strength that the file has seen, day by day, with what is recorded of it, and
// puts what is to be said of each series into one chain. It returns the pledges that are there.
func (b *Batch) seen(known *reconcile.Known, r *round.Round,
	opt *reconcile.Options) (there []events.ID) {
	if len(r.Series) == 0 {
		return nil
	}
	at := map[rowAt]int{}
	for i := range r.Rows {
		at[rowAt{r.Rows[i].Line, r.Rows[i].Of}] = i
	}
	recorded := known.Seen()
	mine := map[int]bool{} // the rows of these series
	var chains []Chain
	for i := range r.Series {
		s := &r.Series[i]
		pledges := recorded[s.SeenAt]
		isOther := func(p *reconcile.Pledge) bool { return p.Unit != s.Unit }
		if s.Points == nil || slices.ContainsFunc(pledges, isOther) {
			continue // which the ledger refuses, where it is not as it is recorded
		}
		for _, p := range pledges {
			there = append(there, p.ID)
		}
		if c := b.seenSeries(known, s, pledges, at, mine, opt); len(c.Said) > 0 {
			chains = append(chains, c)
		}
	}
	b.Chains = slices.DeleteFunc(b.Chains, func(c Chain) bool { return mine[c.Said[0].Row] })
	b.Chains = append(b.Chains, chains...)
	return there
}

// seenSeries compares one series, and returns what is to be said of it.
func (b *Batch) seenSeries(known *reconcile.Known, s *round.Series,
	pledges []*reconcile.Pledge, at map[rowAt]int, mine map[int]bool,
	opt *reconcile.Options) (c Chain) {
	var point *round.Point
	told := known.Series(reconcile.Series{Place: s.Place, Role: s.Role, Unit: s.Unit,
		Ledger: opt.Ledger,
		Make: func(typ events.Type, _ events.Date, pledge events.ID, now int64) events.Statement {
			return point.Make(typ, pledge, now)
		}}, pledges)
	for i := range s.Points {
		point = &s.Points[i]
		row, isThere := at[rowAt{point.Line, point.Of}]
		day := told.On(point.On, point.Strength)
		if !isThere { // nobody was there, and nobody was before
			row = len(b.Rows)
			if day.Kind == reconcile.Unchanged {
				continue
			}
			b.Rows = append(b.Rows, Row{Line: point.Line, Column: point.Of,
				What: phrase.Of("nobody of %s was there on %s", b.file.Mapping.Called(s.Place),
					point.On)})
		}
		mine[row] = true
		b.Rows[row].seen(&day, point, s, opt, b.words)
		if b.Rows[row].Kind == reconcile.Unchanged && len(pledges) > 0 {
			b.Rows[row].Before = pledges[0].First
		}
		for _, st := range day.Statements {
			c.Said = append(c.Said, round.Said{Row: row, Statement: st})
		}
	}
	return c
}

// seen notes what became of a row of strength that was seen.
func (r *Row) seen(day *reconcile.Day, p *round.Point, s *round.Series,
	opt *reconcile.Options, w Words) {
	r.Kind = day.Kind
	var why phrase.Phrase
	switch {
	case !day.Cannot.IsZero():
		why = phrase.Of("the file says that %s: this is more than another number; mend what is "+
			"recorded first, by hand: muster pledge list --operation %s --nation %s", day.Cannot,
			s.Operation, s.Nation)
	case day.Kind != reconcile.Changed:
		return
	case opt.Changed == reconcile.Amended:
		why = phrase.Of("no amendment changes what was seen on a day that is past: %s where the "+
			"figure was wrong", w.changed(reconcile.Corrected))
	default:
		r.Asked = opt.Changed != reconcile.Corrected
		r.Changes = []reconcile.Change{reconcile.NamedChange(
			phrase.Of("strength on %s", p.On), s.Unit.Of(day.Was).String(),
			s.Unit.Of(p.Strength).String())}
		r.What = phrase.Of("changed: %s; %s", r.Changes[0].Phrase(), r.What)
		return
	}
	r.Kind = reconcile.Refused
	r.refuse(why)
}
