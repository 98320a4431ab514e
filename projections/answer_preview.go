package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"muster/events"
	"muster/events/problem"
)

// MaxPreview is the most statements that are previewed together.
const MaxPreview = 500

// A Preview is what statements would change if they were recorded now.
type Preview struct {
	Basis
	// First is the first date on which coverage would change, or else anything; zero when nothing
	// ever does.
	First events.Date `json:"first,omitzero"`
	// Effects are what would change, by date: on the date asked, on the first, where that shows
	// another effect, and on the first days of the pledges and the later ones of Later, as far as
	// they lie ahead: the first few. A date on which nothing changes is left out.
	Effects []Diff `json:"effects"`
	// FirstDays tell of the pledges, as they would be, that begin on the date asked or later.
	FirstDays []FirstDay `json:"first_days,omitempty"`
	// Later tells for these pledges the later days on which they would count otherwise than on the
	// day before, where the statements make a difference, by date: as when a requirement comes into
	// force. LaterMore says that there are more days.
	Later     []FirstDay `json:"later,omitempty"`
	LaterMore bool       `json:"later_more,omitzero"`
	// Warnings are what is odd about the statements, which may be recorded all the same.
	Warnings []Warning `json:"warnings,omitempty"`
	// Terms are the terms of pledges that would be others, each on the date from which what is said
	// holds, whether or not anything counts otherwise.
	Terms []TermChange `json:"terms,omitempty"`
}

// A FirstDay is where a pledge would count on the first day on which it is there, or from a later
// day on, from the rung asked up.
type FirstDay struct {
	Pledge events.ID     `json:"pledge"`
	Nation events.Nation `json:"nation"`
	// Organisation is the name of the organisation whose pledge it is; "" where it is a nation's.
	Organisation string      `json:"organisation,omitzero"`
	On           events.Date `json:"on"`
	// Counts reports whether anything of it would count. Places say for which requirements, or why
	// for none.
	Counts bool    `json:"counts"`
	Places []Place `json:"places"`
}

// Whose returns the name of the nation or the organisation whose pledge it is, as it stands within
// a sentence.
func (d FirstDay) Whose() string { return cmp.Or(d.Organisation, d.Nation.Named()) }

// maxFirstDays is of how many first days the effects are told.
const maxFirstDays = 5

// IsZero reports whether nothing changes on any date.
func (p *Preview) IsZero() bool { return len(p.Effects) == 0 }

// Preview answers what statements would change, before anybody signs them. It folds them on top of
// a copy of what they touch, so that the picture itself stays as it is, and may be read meanwhile.
// Whether the ledger would take them is not its question: what contradicts the picture is refused,
// and the rules are for the ledger to keep. What those would not read who ask in a narrower view
// changes nothing for them.
func (p *Picture) Preview(ctx context.Context, m Moment,
	statements []events.Statement) (Preview, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	switch {
	case err != nil:
		return Preview{}, err
	case b.IsRange():
		return Preview{}, usage("on", b.Days(),
			"a change is previewed on one date, and on the first on which it shows: write one date")
	case b.AsOf != p.Sequence():
		return Preview{}, usage("as_of", fmt.Sprint(b.AsOf),
			"a change is previewed on top of all there is: leave as_of out")
	case len(statements) == 0 || len(statements) > MaxPreview:
		return Preview{}, usage("statements", fmt.Sprint(len(statements)),
			"write from 1 to %d statements", MaxPreview)
	}
	statements = p.openTo(b.View, statements)
	if len(statements) == 0 {
		return Preview{Basis: b, Effects: []Diff{}}, nil
	}
	s := p.supposing(statements)
	s.since = earliest(statements)
	for _, st := range statements {
		if err := s.suppose(st); err != nil {
			return Preview{}, problem.New(problem.Conflict, "this cannot be previewed: %w", err)
		}
	}
	answer, err := s.preview(b)
	if err != nil {
		return Preview{}, err
	}
	for _, st := range statements {
		warnings, err := s.now.Warnings(ctx, st)
		if err != nil {
			return Preview{}, err
		}
		answer.Warnings = append(answer.Warnings, warnings...)
	}
	answer.Terms = s.terms(b, statements)
	return answer, nil
}

// earliest returns the first date from which any of the statements holds, zero where one may reach
// further back.
func earliest(statements []events.Statement) events.Date {
	since := lastDay
	for _, st := range statements {
		if _, mends := st.(*events.PledgeCorrected); mends {
			return 0
		}
		if d, ok := st.(interface{ On() events.Date }); ok {
			since = min(since, d.On())
		}
	}
	return since
}

// preview compares the two pictures on the date asked and on the first on which they differ.
func (s *supposed) preview(b Basis) (Preview, error) {
	answer := Preview{Basis: b, Effects: []Diff{}}
	first, err := s.first(b)
	if err != nil {
		return Preview{}, err
	}
	if first != nil {
		answer.First = first.To.On
	}
	today := first
	if answer.First != b.On {
		d, err := s.on(b, b.On)
		if err != nil {
			return Preview{}, err
		}
		today = &d
		if first != nil && !sameEffect(first, today) {
			answer.Effects = append(answer.Effects, *first)
		}
	}
	if !today.IsZero() {
		answer.Effects = append(answer.Effects, *today)
	}
	answer.FirstDays, answer.Later, answer.LaterMore = s.firstDays(b)
	if err := s.addFirstDays(&answer); err != nil {
		return Preview{}, err
	}
	slices.SortFunc(answer.Effects, func(a, b Diff) int { return cmp.Compare(a.To.On, b.To.On) })
	return answer, nil
}

// firstDays tells where the pledges that are touched would count on their first days, by date and
// ID. Of the first few it tells the later days too.
func (s *supposed) firstDays(b Basis) (all, later []FirstDay, more bool) {
	was := b
	b.AsOf = s.now.Sequence()
	sides, before := sidesOn{}, sidesOn{}
	pledges := slices.SortedFunc(s.now.those(s.touched), func(a, b *pledge) int {
		return compareIDs(a.id, b.id)
	})
	for i, pl := range pledges {
		first := max(pl.daysThere(&b).from, b.On)
		if first > b.On || pl.daysThere(&b).from == b.On {
			all = append(all, s.unnumberDay(sides.on(s.now, b, first).firstDay(pl)))
		}
		if i >= maxFirstDays {
			continue
		}
		days, left := s.now.later(b, pl, first, sides)
		more = more || left
		for _, one := range days {
			is := before.on(s.is, was, one.On)
			if !is.compared(is.find(pl.id)).equal(sides.on(s.now, b, one.On).compared(pl)) {
				later = append(later, s.unnumberDay(one))
			}
		}
	}
	byDay := func(a, b FirstDay) int {
		return cmp.Or(cmp.Compare(a.On, b.On), compareIDs(a.Pledge, b.Pledge))
	}
	slices.SortFunc(all, byDay)
	slices.SortFunc(later, byDay)
	return all, later, more
}

// unnumberDay takes the sequences of what is only supposed out of a day.
func (s *supposed) unnumberDay(one FirstDay) FirstDay {
	for i := range one.Places {
		at := &one.Places[i]
		at.Sequences = slices.DeleteFunc(at.Sequences, func(seq uint64) bool {
			return seq > s.is.Sequence()
		})
	}
	return one
}

// addFirstDays adds the effects on the first days and the later ones, of the first few of either.
func (s *supposed) addFirstDays(answer *Preview) error {
	told := []events.Date{answer.On}
	for i := range answer.Effects {
		told = append(told, answer.Effects[i].To.On)
	}
	for _, days := range [][]FirstDay{answer.FirstDays, answer.Later} {
		most := len(told) + maxFirstDays
		for _, one := range days {
			if slices.Contains(told, one.On) || len(told) == most {
				continue
			}
			told = append(told, one.On)
			d, err := s.on(answer.Basis, one.On)
			if err != nil {
				return err
			}
			if !d.IsZero() {
				answer.Effects = append(answer.Effects, d)
			}
		}
	}
	return nil
}

// sameEffect reports whether two dates show the same change of the same numbers.
func sameEffect(a, b *Diff) bool {
	same := func(x, y LineDiff) bool {
		return x.Line == y.Line && x.Operation == y.Operation &&
			(x.From == nil) == (y.From == nil) && (x.To == nil) == (y.To == nil) &&
			(x.From == nil || *x.From == *y.From) && (x.To == nil || *x.To == *y.To)
	}
	samePledge := func(x, y PledgeDiff) bool { return x.Pledge == y.Pledge }
	return a.PledgesMore == b.PledgesMore && slices.EqualFunc(a.Lines, b.Lines, same) &&
		slices.EqualFunc(a.Pledges, b.Pledges, samePledge)
}

// on compares the two pictures on one date. What is only supposed has the sequence 0.
func (s *supposed) on(b Basis, day events.Date) (Diff, error) {
	was, is := b, b
	was.On, is.On, is.AsOf = day, day, s.now.Sequence()
	f, only := Filter{}, s.touched
	if len(s.operated) == 1 {
		for name := range s.operated {
			f.Operation = name
		}
	}
	if s.asksOtherwise(b, day) {
		only = nil
	}
	d, err := diff(s.is, s.now, was, is, f, only)
	if err != nil {
		return Diff{}, err
	}
	d.To.AsOf = b.AsOf
	for i := range d.Lines {
		s.unnumber(d.Lines[i].Records)
		for j := range d.Lines[i].Causes {
			s.unnumber(d.Lines[i].Causes[j].Records)
		}
	}
	for i := range d.Strength {
		s.unnumber(d.Strength[i].Records)
	}
	for i := range d.Pledges {
		s.unnumber(d.Pledges[i].Records)
		for _, one := range []*PledgeStand{d.Pledges[i].From, d.Pledges[i].To} {
			s.unnumberPlaces(one)
		}
	}
	return d, nil
}

func (s *supposed) unnumber(told []Told) {
	for i := range told {
		if told[i].Sequence > s.is.Sequence() {
			told[i].Sequence, told[i].Recorded, told[i].Signer = 0, time.Time{}, ""
		}
	}
}

func (s *supposed) unnumberPlaces(one *PledgeStand) {
	if one == nil {
		return
	}
	for i := range one.Places {
		one.Places[i].Sequences = slices.DeleteFunc(one.Places[i].Sequences, func(seq uint64) bool {
			return seq > s.is.Sequence()
		})
	}
}

// first returns what differs on the first date on which coverage does, or else anything; nil when
// nothing ever does.
func (s *supposed) first(b Basis) (anything *Diff, err error) {
	for _, day := range s.dates() {
		if !s.meetsOtherwise(b, day) && (anything != nil || !s.moves(b, day)) {
			continue
		}
		d, err := s.on(b, day)
		switch {
		case err != nil:
			return nil, err
		case len(d.Lines) > 0:
			return &d, nil
		case anything == nil && !d.IsZero():
			anything = &d
		}
	}
	return anything, s.is.meter.err()
}

// meetsOtherwise reports whether any requirement is met otherwise on a date: whether it asks for
// something else, or what is touched adds another part to it. What nothing touches adds the same.
func (s *supposed) meetsOtherwise(b Basis, day events.Date) bool {
	if s.asksOtherwise(b, day) {
		return true
	}
	if len(s.touched) == 0 {
		return false
	}
	was := s.partsOf(s.is, b.onDay(day))
	b.AsOf = s.now.Sequence()
	is := s.partsOf(s.now, b.onDay(day))
	return !slices.EqualFunc(was, is, func(x, y LineCoverage) bool {
		return *standOf(&x) == *standOf(&y) && slices.Equal(x.Who, y.Who)
	})
}

// partsOf returns what the pledges that are touched add to each requirement in one of the pictures.
func (s *supposed) partsOf(p *Picture, b Basis) []LineCoverage {
	chosen, _ := p.chosen(b.AsOf, "") // all that are known
	chosen = slices.DeleteFunc(chosen, func(o *operation) bool { return !s.operated[o.name] })
	t := p.newTally(chosen, b, CoverageFilter{Brief: true})
	touched := slices.DeleteFunc(slices.Collect(p.those(s.touched)), func(pl *pledge) bool {
		return pl == nil
	})
	p.fold(&b, touched, func(v *version) { t.place(v, 1) })
	return t.answer()
}

// asksOtherwise reports whether any requirement asks for something else on a date. Where none does,
// pledges that nothing touches count for the same lines as they did, since that follows from the
// requirements and the pledge alone.
func (s *supposed) asksOtherwise(b Basis, day events.Date) bool {
	b.On = day
	return slices.ContainsFunc(s.lines, func(l *line) bool {
		was, is := b, b
		is.AsOf = s.now.Sequence()
		old := Requirement{} // of a line that is new
		if l.copyOf != nil {
			old = l.copyOf.asks(was)
		}
		return old != l.asks(is)
	})
}

// asks returns what a line asks for on a date, and no more of it; nothing where it is not in force.
func (l *line) asks(b Basis) Requirement {
	q, ok := l.at(b)
	if !ok || q.State != InForce {
		return Requirement{}
	}
	q.Window, q.Note, q.Sequence = events.Window{}, "", 0
	return q
}

// moves reports whether any pledge that is touched counts otherwise on a date.
func (s *supposed) moves(b Basis, day events.Date) bool {
	if len(s.touched) == 0 {
		return false
	}
	is, now := side{p: s.is}, side{p: s.now}
	b.On = day
	is.aim(b, Filter{})
	b.AsOf = s.now.Sequence()
	now.aim(b, Filter{})
	for id := range s.touched {
		if !is.compared(is.find(id)).equal(now.compared(now.find(id))) {
			return true
		}
	}
	return false
}

// dates returns those on which what is touched changes in either picture, or a requirement for the
// role of a pledge that is, in order.
func (s *supposed) dates() []events.Date {
	var all []events.Date
	roles := map[events.Role]bool{}
	add := func(d events.Date) {
		if d > 0 && d >= s.since && d < lastDay {
			all = append(all, d)
		}
	}
	for _, p := range []*Picture{s.is, s.now} {
		for id := range s.touched {
			pl, ok := p.find(id)
			if !ok {
				continue
			}
			said := pl.now()
			for i := range said.facts {
				add(said.facts[i].effective)
			}
			asOf := uint32(p.Sequence())
			said.stretches(new(standing), asOf, 0, func(days stretch, at *standing) {
				roles[at.terms.role] = true
				add(days.from)
				if days.until < lastDay {
					add(days.until.AddDays(1))
				}
			})
		}
	}
	for _, l := range s.lines {
		l.edges(s.now.Sequence(), add)
	}
	for name := range s.operated {
		if o, ok := s.is.operations[name]; ok {
			o.edgesOf(roles, s.is.Sequence(), add)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
