package projections

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// tellCauses writes what has caused the numbers of the requirements that differ.
func tellCauses(d Diff) (text string) {
	for _, l := range d.Lines {
		for _, c := range l.Causes {
			if len(c.Records) == 0 {
				continue
			}
			text += fmt.Sprint(l.Line, " ", c.What, " ", c.Nation)
			for _, t := range c.Records {
				text += fmt.Sprint(" ", t.Sequence)
			}
			text += "; "
		}
	}
	return text
}

// A record that did nothing to a number is no cause of it: an offer of what was not confirmed is none of the supply from
// confirmed up, and one that does not count is none of anything.
func TestCauses(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	fra := l.offer("FRA", 60)
	before := l.Last()
	accepted := fra.move("pledge.accepted", 2)
	confirmed := fra.move("pledge.confirmed", 3)
	deu := l.offer("DEU", 30)
	reserve := l.offer("ITA", 5, func(t *events.PledgeTerms) { t.Presence = events.Reserve })
	p := l.picture()
	d := must[Diff](t)(p.Diff(t.Context(), Moment{AsOf: before, On: day(9)}, Moment{On: day(9)}, Filter{}))
	equal(t, "causes", tellCauses(d), fmt.Sprintf("west supply  %[1]d; west supply from indicated up  %[1]d; west supply from offered up  %[1]d; "+
		"west supply from accepted up  %[2]d %[3]d; west supply from confirmed up  %[3]d; west of which DEU %[1]d; west gap  %[1]d; ",
		deu.seq, accepted, confirmed))
	for _, r := range d.Strength {
		for _, told := range r.Records {
			if told.Sequence == reserve.seq {
				t.Error("what is in reserve is said to have changed a sum")
			}
		}
	}
}

// Whatever is made up: each record without which a number does not differ at all is told; and where any record makes the
// number another one by being left out, one that is told alone does. The model leaves records out and folds all others again.
func TestCausesEqualTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, from, to := s.picture(), s.moment(), s.moment()
		to.Rung, to.On, to.AsOf = from.Rung, from.On, max(from.AsOf, to.AsOf)
		d := must[Diff](t)(p.Diff(t.Context(), from, to, Filter{}))
		m := causeModel{t, p, d, map[string][]uint64{}}
		for seq := from.AsOf + 1; seq <= to.AsOf && len(d.Lines) > 0; seq++ {
			without, ok := s.leaving(seq, to.AsOf)
			if !ok {
				continue
			}
			last := to
			last.AsOf = 0
			other := must[Coverage](t)(without.Coverage(t.Context(), last, CoverageFilter{Brief: true}))
			m.without(seq, other.Lines)
		}
		m.compare()
	})
}

// A causeModel notes for each number the records that make it another one by being left out.
type causeModel struct {
	t       *rapid.T
	p       *Picture
	d       Diff
	another map[string][]uint64
}

// without compares each number with what it is without a record.
func (m *causeModel) without(seq uint64, lines []LineCoverage) {
	for _, l := range m.d.Lines {
		at := slices.IndexFunc(lines, func(o LineCoverage) bool { return o.Line == l.Line })
		var other *LineStand
		if at >= 0 {
			other = standOf(&lines[at])
		}
		for _, c := range l.Causes {
			if c.What == "of which" {
				continue
			}
			told := slices.ContainsFunc(c.Records, func(r Told) bool { return r.Sequence == seq })
			from, to, is := causeNumber(l.From, c.What), causeNumber(l.To, c.What), causeNumber(other, c.What)
			if is == from && !told && m.plays(seq, l.Line, c.What) {
				m.t.Errorf("%s %s is %s and becomes %s, and without record %d it stays, which is not told: %v", l.Line, c.What, from, to, seq, c.Records)
			}
			if is != to {
				m.another[string(l.Line)+c.What] = append(m.another[string(l.Line)+c.What], seq)
			}
		}
	}
}

// plays reports whether a record is about the requirement itself, or about a pledge whose part of a number differs. One whose
// part does not can give the number back that it was by chance alone; and another requirement is looked at beside the pledges
// whose parts differ, and not beside those that would count without it.
func (m *causeModel) plays(seq uint64, line events.Line, what string) bool {
	pl, _ := m.p.deedOf(seq)
	if pl == nil {
		l, ok := m.p.operations["op-a"].now().lines[line]
		return ok && m.p.tellLine(l, seq).Type != ""
	}
	part := func(b Basis) (sum int64) {
		at := b.Moment()
		for _, r := range Rungs() {
			if what == "supply from "+r.String()+" up" {
				at.Rung = r
			}
		}
		for _, l := range must[Coverage](m.t)(m.p.Coverage(m.t.Context(), at, CoverageFilter{})).Lines {
			for _, c := range l.Counted {
				if l.Line == line && c.Pledge == pl.id {
					sum += number(c.Quantity)
				}
			}
		}
		return sum
	}
	return part(m.d.From) != part(m.d.To)
}

func (m *causeModel) compare() {
	for _, l := range m.d.Lines {
		for _, c := range l.Causes {
			another := m.another[string(l.Line)+c.What]
			if len(c.Records) != 1 || slices.Contains(another, c.Records[0].Sequence) {
				continue
			}
			another = slices.DeleteFunc(slices.Clone(another), func(seq uint64) bool { return !m.plays(seq, l.Line, c.What) })
			if len(another) > 0 {
				m.t.Errorf("%s %s: record %d is told alone, and %v make another number of it", l.Line, c.What, c.Records[0].Sequence, another)
			}
		}
	}
}

// causeNumber is a number that differs, as text.
func causeNumber(s *LineStand, what string) string {
	if s == nil {
		return "not in force"
	}
	for i, r := range Rungs() {
		if what == "supply from "+r.String()+" up" {
			return s.Rungs[i].String()
		}
	}
	return map[string]events.Quantity{"required": s.Required, "supply": s.Supply, "gap": s.Gap, "conditional": s.Conditional,
		"caveated": s.Caveated}[what].String()
}

// leaving folds all records but one up to another, without those that then cannot follow; false when none is left to fold.
func (s *storyteller) leaving(seq, last uint64) (*Picture, bool) {
	p := NewPicture()
	n := uint64(0)
	for _, rec := range s.records[:last] {
		if rec.Sequence == seq {
			continue
		}
		rec.Sequence = n + 1
		if p.Apply(rec) == nil {
			n++
		}
	}
	return p, n > 1
}
