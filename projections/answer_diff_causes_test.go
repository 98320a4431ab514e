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

// A record that did nothing to a number is no cause of it: an offer of what was not confirmed is
// none of the supply from confirmed up, and one that does not count is none of anything.
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
	d := must[Diff](t)(p.Diff(t.Context(), Moment{AsOf: before, On: day(9)}, Moment{On: day(9)},
		Filter{}))
	equal(t, "causes", tellCauses(d),
		fmt.Sprintf("west supply  %[1]d; west supply from indicated up  %[1]d; west supply from "+
			"offered up  %[1]d; west supply from accepted up  %[2]d %[3]d; west supply from "+
			"confirmed up  %[3]d; west of which DEU %[1]d; west gap  %[1]d; ",
			deu.seq, accepted, confirmed))
	for _, r := range d.Strength {
		for _, told := range r.Records {
			if told.Sequence == reserve.seq {
				t.Error("what is in reserve is said to have changed a sum")
			}
		}
	}
}

// Whatever is made up: each record without which a number does not differ at all is told; and where
// any record makes the number another one by being left out, one that is told alone does. The model
// leaves records out and folds all others again.
func TestCausesEqualTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { causesEqualTheModel(t, newStory(t)) })
}

// So it is where little happens but that requirements change, and pledges fit now one of them and
// now several.
func TestCausesAmongRequirementsEqualTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &storyteller{testLedger: newTestLedger(t), T: t,
			allocations: map[events.ID][]events.ID{}}
		for range rapid.IntRange(4, 20).Draw(t, "records") {
			s.tellFit()
		}
		causesEqualTheModel(t, s)
	})
}

// tellFit makes one record about a requirement, or about a pledge that may fit it, all for the same
// days, role and unit.
func (s *storyteller) tellFit() {
	t := s.terms()
	t.Role, t.Unit, t.Presence, t.Window, t.Expires = "ground", "personnel", "",
		events.Window{From: day(1)}, 0
	name := rapid.SampledFrom(someLines).Draw(s.T, "about")
	q := events.RequirementTerms{Operation: "op-a", Line: name, Role: "ground", Unit: "personnel",
		Area:     t.Area,
		Quantity: events.Count(100), Window: t.Window, Priority: 1}
	known := slices.Contains(s.lines, name)
	switch rapid.IntRange(0, 5).Draw(s.T, "what") {
	case 0, 1:
		if known {
			s.revise(s.day(), q)
			return
		}
		s.lines = append(s.lines, name)
		s.say("HQ/founder", &events.RequirementIssued{Header: s.head("requirement.issued"),
			Dated: dated(1), RequirementTerms: q})
	case 2:
		if known {
			s.cancel(s.day(), name)
		}
	case 3:
		if len(s.pledges) > 0 {
			rapid.SampledFrom(s.pledges).Draw(s.T, "pledge").amend(s.day(), t)
		}
	default:
		nation := rapid.SampledFrom(someNations).Draw(s.T, "nation")
		o := &events.PledgeOffered{Header: s.head("pledge.offered"), Dated: dated(1),
			Place: place(nation), PledgeTerms: t}
		s.pledges = append(s.pledges,
			testPledge{s.testLedger, o.ID, nation, s.say(liaison(nation), o)})
	}
}

func causesEqualTheModel(t *rapid.T, s *storyteller) {
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
			if c.What == "of which" || c.What == "terms" {
				continue
			}
			told := slices.ContainsFunc(c.Records, func(r Told) bool { return r.Sequence == seq })
			from, to, is := causeNumber(l.From, c.What), causeNumber(l.To, c.What),
				causeNumber(other, c.What)
			if is == from && !told && m.plays(seq, l.Line, c.What) {
				m.t.Errorf("%s %s is %s and becomes %s, and without record %d it stays, which "+
					"is not told: %v", l.Line, c.What, from, to, seq, c.Records)
			}
			if here := l.From != nil && l.To != nil && other != nil; here && m.isRequirement(seq) &&
				!told && is != to {
				m.t.Errorf("%s %s is %s and becomes %s, and %s without record %d about a "+
					"requirement, which is not told",
					l.Line, c.What, from, to, is, seq)
			}
			if is != to {
				m.another[string(l.Line)+c.What] = append(m.another[string(l.Line)+c.What], seq)
			}
		}
	}
}

// isRequirement reports whether a record is about a requirement.
func (m *causeModel) isRequirement(seq uint64) bool {
	for _, l := range m.p.operations["op-a"].now().lines {
		if m.p.tellLine(l, seq).Type != "" {
			return true
		}
	}
	return false
}

// plays reports whether a record is about a requirement, or about a pledge whose part of a number
// differs. One whose part does not can give the number back that it was by chance alone.
func (m *causeModel) plays(seq uint64, line events.Line, what string) bool {
	pl, _ := m.p.factOf(seq)
	if pl == nil {
		return m.isRequirement(seq)
	}
	part := func(b Basis) (sum int64) {
		at := b.Moment()
		for _, r := range Rungs() {
			if what == "supply from "+r.String()+" up" {
				at.Rung = r
			}
		}
		for _, l := range must[Coverage](m.t)(m.p.Coverage(m.t.Context(), at,
			CoverageFilter{})).Lines {
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
			another = slices.DeleteFunc(slices.Clone(another),
				func(seq uint64) bool { return !m.plays(seq, l.Line, c.What) })
			if len(another) > 0 {
				m.t.Errorf("%s %s: record %d is told alone, and %v make another number of it",
					l.Line, c.What, c.Records[0].Sequence, another)
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
	return map[string]string{"required": s.Required.String(), "supply": s.Supply.String(),
		"gap":         s.Gap.String(),
		"conditional": s.Conditional.String(), "caveated": s.Caveated.String(),
		"unknown": fmt.Sprint(s.Unknown),
		"waiting": s.Waiting.String(), "waiting unknown": fmt.Sprint(s.WaitingUnknown)}[what]
}

// leaving folds all records but one up to another, without those that then cannot follow; false
// when none is left to fold.
func (s *storyteller) leaving(seq, last uint64) (*Picture, bool) {
	p := NewPicture()
	n := uint64(0)
	for _, rec := range s.All[:last] {
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

// A requirement that keeps a new pledge from counting for another is a cause of that one's numbers,
// though the pledge adds nothing at either moment; so is the pledge of unknown quantity, and what
// waits.
func TestCausesOfWhatWaits(t *testing.T) {
	l := newTestLedger(t)
	l.need("north", 100, func(t *events.RequirementTerms) { t.Area = "north" })
	before := l.Last()
	south := l.need("south", 100, func(t *events.RequirementTerms) { t.Area = "south" })
	fra := l.offer("FRA", 60)
	deu := l.offer("DEU", 30, func(t *events.PledgeTerms) { t.Area = "north" })
	ita := l.offer("ITA", 1, func(t *events.PledgeTerms) {
		t.Area, t.Quantity = "north",
			events.Unknown
	})
	esp := l.offer("ESP", 1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown })
	d := must[Diff](t)(l.picture().Diff(t.Context(), Moment{AsOf: before, On: day(9)},
		Moment{On: day(9)}, Filter{Nation: "DEU"}))
	equal(t, "with the filter of a nation", len(d.Lines), 1)
	d = must[Diff](t)(l.picture().Diff(t.Context(), Moment{AsOf: before, On: day(9)},
		Moment{On: day(9)}, Filter{}))
	d.Lines = d.Lines[:1]
	equal(t, "causes", tellCauses(d),
		fmt.Sprintf("north supply  %[1]d %[2]d; north supply from indicated up  %[1]d %[2]d; "+
			"north supply from offered up  %[1]d %[2]d; north of which DEU %[2]d; north gap  "+
			"%[1]d %[2]d; north unknown  %[1]d %[3]d; north waiting  %[1]d %[4]d; north waiting "+
			"unknown  %[1]d %[5]d; ",
			south, deu.seq, ita.seq, fra.seq, esp.seq))
}

// What a requirement is besides its numbers has its own causes.
func TestCausesOfTerms(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	terms := events.RequirementTerms{Operation: "op-a", Line: "west", Role: "ground",
		Quantity: events.Count(120), Unit: "personnel",
		Window: events.Window{From: day(1)}, Priority: 1}
	before := l.Last()
	more := l.revise(2, terms)
	terms.Essential = true
	essential := l.revise(3, terms)
	d := must[Diff](t)(l.picture().Diff(t.Context(), Moment{AsOf: before, On: day(9)},
		Moment{On: day(9)}, Filter{}))
	equal(t, "causes", tellCauses(d),
		fmt.Sprintf("west required  %[1]d %[2]d; west gap  %[1]d %[2]d; west terms  %[2]d; ", more,
			essential))
}

// Pledges of one sort are asked once which record about a requirement decides for them, however
// many there are: to find the causes costs little more than to compare.
func TestCausesOfManyPledgesCostLittle(t *testing.T) {
	const areas, each = 10, 20
	l := newTestLedger(t)
	in := func(area int) events.Area { return events.Area(fmt.Sprint("area-", area)) }
	l.need("any", 100, func(r *events.RequirementTerms) { r.Area = "" })
	for i := range areas * each {
		l.offer("FRA", int64(1+i), func(p *events.PledgeTerms) { p.Area = in(i % areas) })
	}
	before := l.Last()
	for i := range areas {
		l.need(events.Line(fmt.Sprint("line-", i)), 100,
			func(r *events.RequirementTerms) { r.Area = in(i) })
	}
	ctx := WithBudget(t.Context(), Budget{Rows: 16 * foldCost * areas * each})
	d := must[Diff](t)(l.picture().Diff(ctx,
		Moment{AsOf: before, On: day(9)}, Moment{On: day(9)}, Filter{}))
	at := slices.IndexFunc(d.Lines, func(one LineDiff) bool { return one.Line == "any" })
	if got := len(d.Lines[at].CauseOf("supply", "").Records); got != areas {
		t.Errorf("the supply was changed by %d records, want %d", got, areas)
	}
}
