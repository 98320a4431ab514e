package page

import (
	"time"

	"muster/events"
	"muster/projections"
)

// A days is a stretch of days, both ends included, that a chart shows.
type days struct{ From, Until events.Date }

// count returns how many days there are.
func (d days) count() int { return daysFrom(d.From, d.Until) + 1 }

// daysFrom returns how many days b is after a.
func daysFrom(a, b events.Date) int { return int(b.Time().Sub(a.Time()) / (24 * time.Hour)) }

// daysAround returns what is shown when nobody asks for other days: two years, from a quarter
// before the date looked at, or the range looked at, as far as a time line goes.
func daysAround(b *projections.Basis) days {
	if b.IsRange() && b.On > events.FirstDate && b.Until < events.LastDate {
		return days{b.On, min(b.Until, b.On.AddDays(projections.MaxTimeline-1))}
	}
	on := b.On
	switch {
	case b.IsRange() && on == events.FirstDate && b.Until < events.LastDate:
		on = b.Until
	case b.IsRange() && on == events.FirstDate:
		on = events.DateOf(b.Recorded)
	}
	t := on.Time()
	first := time.Date(t.Year(), t.Month()-3, 1, 0, 0, 0, 0, time.UTC)
	return days{events.DateOf(first), events.DateOf(first.AddDate(2, 0, -1))}.bounded()
}

// endingOn and beginningOn return as many days, up to the one, or from it on.
func (d days) endingOn(last events.Date) days {
	return days{last.AddDays(1 - d.count()), last}.bounded()
}
func (d days) beginningOn(first events.Date) days {
	return days{first, first.AddDays(d.count() - 1)}.bounded()
}

// bounded returns the days without those that no statement can carry.
func (d days) bounded() days {
	return days{max(d.From, events.FirstDate), min(d.Until, events.LastDate)}
}

// shifted returns as many days, half as many earlier (-1) or later (1); the same where that would
// leave what statements can carry.
func (d days) shifted(way int) days {
	by := way * max(1, d.count()/2)
	to := days{d.From.AddDays(by), d.Until.AddDays(by)}
	if to != to.bounded() {
		return d
	}
	return to
}

// zoomed returns half as many days around the same middle, or twice as many, from one day to as
// many as a time line has.
func (d days) zoomed(in bool) days {
	n, to := d.count(), 0
	if in {
		to = max(1, n/2)
	} else {
		to = min(max(2, n*2), projections.MaxTimeline)
	}
	first := d.From.AddDays((n - to) / 2)
	return days{first, first.AddDays(to - 1)}.bounded()
}
