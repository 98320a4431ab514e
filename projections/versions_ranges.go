package projections

import (
	"slices"

	"muster/events"
)

// What follows answers for a range of days, as the package comment says: sums for the day on which
// they are lowest, lists for any day. A range of one day is that day, and all of it holds there
// too.

// eachOf calls do for every version that is there on any of the days asked, with those of its days
// that are among them; in no order that matters.
func (p *Picture) eachOf(b *Basis, do func(stretch, *version)) {
	if !b.IsRange() {
		p.each(b, func(v *version) { do(stretch{b.On, b.On}, v) })
		return
	}
	p.eachStretch(b, func(days stretch, v *version) {
		if days.from <= b.Until && days.until >= b.On {
			do(stretch{max(days.from, b.On), min(days.until, b.Until)}, v)
		}
	})
}

// runs cuts the days asked wherever anything may change.
func (p *Picture) runs(b *Basis, chosen []*operation) span {
	s := span{dates: []events.Date{b.On}, until: b.last(), base: b.last()}
	if !b.IsRange() {
		return s
	}
	// By the date less the first one, as numbers.
	begins, ends := make([]bool, b.Until-b.On+1), make([]bool, b.Until-b.On+1)
	cut := func(d events.Date) {
		if d > b.On && d <= b.Until {
			begins[d-b.On] = true
		}
	}
	p.eachOf(b, func(days stretch, _ *version) {
		begins[days.from-b.On], ends[days.until-b.On] = true, true
	})
	for i, is := range ends {
		if is {
			cut((b.On + events.Date(i)).AddDays(1))
		}
	}
	for _, o := range chosen {
		all := o.now()
		for _, name := range all.lineNames {
			all.lines[name].edges(b.AsOf, cut)
		}
	}
	for i, is := range begins {
		if is && i > 0 {
			s.dates = append(s.dates, b.On+events.Date(i))
		}
	}
	return s.numbered()
}

// A span is days one after the other, in runs that are numbered from 0: each as long as nothing
// changes, see [Picture.runs].
type span struct {
	dates  []events.Date // the first of each run
	until  events.Date   // the last of all
	base   events.Date
	number []int32 // of the run of a date, by the date less base, as numbers
}

// at returns the number of the run that a date of the span is in.
func (s *span) at(d events.Date) int {
	switch i := int(d - s.base); {
	case i < 0:
		return 0
	case i >= len(s.number):
		return len(s.dates) - 1
	default:
		return int(s.number[i])
	}
}

// last returns the last day of a run.
func (s *span) last(run int) events.Date {
	if run+1 < len(s.dates) {
		return s.dates[run+1].AddDays(-1)
	}
	return s.until
}

// days returns the numbers of the first run of a stretch and of the one behind its last, within the
// span.
func (s *span) days(of stretch) (from, to int) {
	first, last := s.dates[0], s.until
	if of.from > last || of.until < first {
		return 0, 0
	}
	if of.from > first {
		from = s.at(of.from)
	}
	to = len(s.dates)
	if of.until < last {
		to = s.at(of.until) + 1
	}
	return from, to
}

// numbered returns the span with the number of each date between the second run and the last.
func (s span) numbered() span {
	if len(s.dates) == 1 {
		return s
	}
	s.base = s.dates[1]
	s.number = make([]int32, s.dates[len(s.dates)-1]-s.base)
	for run := 1; run < len(s.dates)-1; run++ {
		for d := s.dates[run]; d < s.dates[run+1]; d++ {
			s.number[d-s.base] = int32(run)
		}
	}
	return s
}

// lows finds the day of a range on which each of some sums is lowest.
type lows struct {
	span
	basis *Basis
	sums  []low
}

// A low is one sum, by the runs of the range.
type low struct {
	changes  []lowChange
	from, to int // the runs in which there is anything of it
}

// A lowChange is by how much a sum, and how many are beside it of which nobody has said how much,
// change with a run.
type lowChange struct {
	known   total
	unknown int64
}

func (p *Picture) newLows(b *Basis, chosen []*operation) lows {
	return lows{span: p.runs(b, chosen), basis: b}
}

// open returns the number of a new sum.
func (l *lows) open() int {
	l.sums = append(l.sums, low{from: len(l.dates)})
	return len(l.sums) - 1
}

// add adds to a sum on some days.
func (l *lows) add(sum int, days stretch, known, unknown int64) {
	s := &l.sums[sum]
	if s.changes == nil {
		s.changes = make([]lowChange, len(l.dates)+1)
	}
	from, to := l.days(days)
	s.from, s.to = min(s.from, from), max(s.to, to)
	s.changes[from].known.add(known)
	s.changes[from].unknown += unknown
	s.changes[to].known.subtract(known)
	s.changes[to].unknown -= unknown
}

// lowest returns the first day on which a sum is lowest: what is unknown is more than nothing.
// Where an end of the range is left open, the days before there was anything of the sum, or after,
// do not count.
func (l *lows) lowest(sum int) events.Date {
	s := &l.sums[sum]
	from, to := 0, len(l.dates)
	if l.basis.On == events.FirstDate {
		from = s.from
	}
	if l.basis.Until == events.LastDate {
		to = s.to
	}
	var now lowChange
	var known, unknown int64 // the least
	lowest := -1
	for run := range to {
		now.known.plus(s.changes[run].known)
		now.unknown += s.changes[run].unknown
		sum := now.known.number()
		if run >= from && (lowest < 0 || sum < known || sum == known && now.unknown < unknown) {
			lowest, known, unknown = run, sum, now.unknown
		}
	}
	return l.dates[lowest]
}

// lowestDays returns the day of each sum.
func (l *lows) lowestDays() []events.Date {
	all := make([]events.Date, len(l.sums))
	for i := range all {
		all[i] = l.lowest(i)
	}
	return all
}

func (s stretch) includes(d events.Date) bool { return s.from <= d && d <= s.until }

// eachRun calls do for each run of the days asked in which a pledge stands the same, with the basis
// of the first of them and the last; in order.
func (pl *pledge) eachRun(b *Basis, do func(b *Basis, last events.Date)) {
	if !b.IsRange() {
		do(b, b.On)
		return
	}
	s := span{dates: []events.Date{b.On}, until: b.Until}
	cut := func(d events.Date) {
		if d > b.On && d <= b.Until {
			s.dates = append(s.dates, d)
		}
	}
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.known(uint32(b.AsOf)) {
			d.edges(cut)
		}
	}
	slices.Sort(s.dates)
	s.dates = slices.Compact(s.dates)
	for run, first := range s.dates {
		on := b.onDay(first)
		do(&on, s.last(run))
	}
}

// edges calls do with each date on which the fact may make its pledge stand otherwise.
func (f *fact) edges(do func(events.Date)) {
	after := func(last events.Date) {
		if last != 0 {
			do(last.AddDays(1))
		}
	}
	do(f.effective)
	after(f.expires)
	if f.terms != nil {
		do(f.terms.From)
		after(f.terms.Until)
		after(f.terms.expires)
	}
	if f.share != nil {
		do(f.share.From)
		after(f.share.Until)
	}
}
