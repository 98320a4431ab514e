package projections

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
)

// A FindingKind says what is the matter. Kinds are added, never renamed.
type FindingKind string

// What a review finds.
const (
	Oversupplied   FindingKind = "over-supplied"   // a line has more than it needs
	MatchesNoLine  FindingKind = "matches-no-line" // nothing in force asks for a pledge
	MatchesSeveral FindingKind = "matches-several" // nobody has said which line a pledge is for
	// An allocation gets less than was set, since the pledge was lowered.
	Overdrawn FindingKind = "overdrawn"
	// An allocation is to a line that is not in force.
	LineGone FindingKind = "line-not-in-force"
	// A part of a pledge is allocated, and the rest is not.
	RestFree      FindingKind = "not-allocated"
	AlsoElsewhere FindingKind = "also-elsewhere" // the same forces are pledged elsewhere too
	// The pledge before or after is gone, or says something else.
	RotationBroken FindingKind = "rotation-broken"
	// A pledge is for an area, or a requirement, that is none or not for it.
	NamesNothing FindingKind = "names-nothing"
	// Two pledges of a nation say the same in all: they may be one.
	LikelyDouble FindingKind = "likely-double"
)

// A Finding is something that a coordinator should look at.
type Finding struct {
	Kind      FindingKind      `json:"kind"`
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line,omitzero"`
	Pledge    events.ID        `json:"pledge,omitzero"`
	Nation    events.Nation    `json:"nation,omitzero"`
	// Quantity is how much it is about, in the unit.
	Quantity events.Quantity `json:"quantity,omitzero"`
	Unit     events.Unit     `json:"unit,omitzero"`
	// Day is the first day of a range on which it is so, or, where a line has too much, on which it
	// has least.
	Day events.Date `json:"day,omitzero"`
	// Sentence says what is the matter, and what would mend it.
	Sentence string `json:"sentence"`
	// Told is the sentence, to be told in other languages.
	Told phrase.Phrase `json:"-"`
	// Sequences are the records that it rests on.
	Sequences []uint64 `json:"sequences,omitempty"`
}

// A Review is what does not fit at a moment, by kind.
type Review struct {
	Basis
	Findings []Finding `json:"findings"`
}

// Review looks for what does not fit: lines with too much, pledges that match none or several, or
// name an area or a requirement in vain, also where they count all the same, allocations that a
// later record has overdrawn or left without a line, forces that are pledged twice, pledges that
// may be one, and rotations of which one side is missing. Of a range, it tells what does not fit on
// any of its days, but of lines only those that have too much on all.
func (p *Picture) Review(ctx context.Context, m Moment, f Filter) (Review, error) {
	p = p.metered(ctx)
	c, err := p.Coverage(ctx, m, CoverageFilter{Operation: f.Operation, Role: f.Role})
	if err != nil {
		return Review{}, err
	}
	r := Review{Basis: c.Basis, Findings: []Finding{}}
	for i := range c.Lines {
		r.oversupplied(&c.Lines[i])
	}
	for i := range c.NotCounted {
		r.notCounted(&c.NotCounted[i])
	}
	chosen, err := p.chosen(c.AsOf, f.Operation)
	if err != nil {
		return Review{}, err
	}
	counts := c.countsFor()
	for _, o := range chosen {
		w := warner{said: o.now(), asOf: r.AsOf, operation: o.name}
		w.findLines()
		seen := doubles{}
		for pl := range o.now().pledges.all() {
			if !p.meter.spend(foldCost) {
				break
			}
			from := len(r.Findings)
			pl.eachRun(&r.Basis, func(b *Basis, last events.Date) {
				p.reviewPledge(&r, b, pl, f.Role,
					&w, counts)
				if f.nation(pl.nation) {
					seen.meet(b, last, pl, f.Role)
				}
			})
			r.keepFirst(from)
		}
		seen.tell(&r)
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(one Finding) bool {
		return one.Nation != "" && !f.nation(one.Nation) || one.Nation == "" && f.Nation != ""
	})
	slices.SortStableFunc(r.Findings,
		func(a, b Finding) int { return cmp.Compare(order[a.Kind], order[b.Kind]) })
	return r, p.meter.err()
}

// order is that in which findings are told: what makes a number wrong first.
var order = map[FindingKind]int{Overdrawn: 1, LineGone: 2, MatchesSeveral: 3, MatchesNoLine: 4,
	NamesNothing: 5, RestFree: 6,
	RotationBroken: 7, AlsoElsewhere: 8, LikelyDouble: 9, Oversupplied: 10}

// countsFor returns for which lines each pledge counts.
func (c *Coverage) countsFor() map[events.ID][]events.Line {
	all := map[events.ID][]events.Line{}
	for i := range c.Lines {
		for _, one := range c.Lines[i].Counted {
			all[one.Pledge] = append(all[one.Pledge], c.Lines[i].Line)
		}
	}
	return all
}

func (r *Review) oversupplied(l *LineCoverage) {
	required, _ := l.Required.Number()
	supply, _ := l.Supply.Number()
	if supply <= required {
		return
	}
	over := l.Unit.Of(supply - required)
	r.Findings = append(r.Findings,
		Finding{Kind: Oversupplied, Operation: l.Operation, Line: l.Line, Day: l.Day,
			Quantity: over, Unit: l.Unit, Sequences: []uint64{l.Sequence},
		}.saying(phrase.Of(
			"%s has %s more than the %s that it needs: some of it could fill another line.",
			l.Line, amount{quantity: over, unit: l.Unit}.measure(),
			measureOf(l.Required, ""))))
}

// saying returns the finding with the sentence that says it.
func (f Finding) saying(told phrase.Phrase) Finding {
	f.Told, f.Sentence = told, told.String()
	return f
}

func (r *Review) notCounted(n *NotCounted) {
	kind, remedy := FindingKind(""), phrase.Phrase{}
	switch n.Reason {
	case NoLine, OtherUnit:
		kind = MatchesNoLine
		remedy = phrase.Of("To mend it, issue a requirement for it, or tell the nation.")
	case SeveralLines:
		kind = MatchesSeveral
		remedy = phrase.Of("To mend it, allocate it: muster allocation make %s LINE; or let the "+
			"nation say which line it is meant for: muster pledge amend %s --line LINE",
			n.Pledge, n.Pledge)
	case LineNotInForce:
		kind = LineGone
		remedy = phrase.Of("To mend it, release the allocation, or issue the requirement again " +
			"under another name.")
	case NotAllocated:
		kind = RestFree
		remedy = phrase.Of("To mend it, allocate the rest: muster allocation make %s LINE",
			n.Pledge)
	default:
		return
	}
	r.Findings = append(r.Findings, Finding{Kind: kind, Operation: n.Operation, Pledge: n.Pledge,
		Nation: n.Nation, Quantity: n.Quantity, Unit: n.Unit, Day: n.Day,
		Sequences: n.Sequences}.saying(phrase.Of("%s %s", n.Told, remedy)))
}

// keepFirst leaves out of the findings about one pledge those that repeat an earlier one.
func (r *Review) keepFirst(from int) {
	kept := r.Findings[:from]
	for _, f := range r.Findings[from:] {
		if !slices.ContainsFunc(kept[from:],
			func(o Finding) bool {
				return o.Kind == f.Kind && o.Line == f.Line &&
					o.Sentence == f.Sentence
			}) {
			kept = append(kept, f)
		}
	}
	r.Findings = kept
}

// namesNothing finds what a pledge names in vain: an area, or the requirement that it is meant for.
func (r *Review) namesNothing(pl *pledge, s *standing, w *warner, day events.Date,
	counts []events.Line) {
	if len(w.lines) == 0 {
		return // there is nothing to be odd beside
	}
	w.terms = &events.PledgeTerms{Role: s.terms.role, Area: s.terms.area, Line: s.terms.line,
		Unit: s.pledged.unit}
	what := phrase.Of("%s for %s", s.pledged.of(pl.called(w.asOf)), s.terms.role)
	for _, one := range []struct {
		names, mend phrase.Text
		name        string
		odd         phrase.Phrase
	}{
		{namesArea, areaIsMeant, string(s.terms.area), w.area()},
		{namesLine, lineIsMeant, string(s.terms.line), w.line()},
	} {
		if one.odd.IsZero() {
			continue
		}
		end := "."
		if strings.HasSuffix(one.odd.String(), "?") {
			end = ""
		}
		said := phrase.Of(string(one.names), what, s.pledged.does("name"), one.name, one.odd, end)
		f := Finding{Kind: NamesNothing, Operation: pl.operation.name, Pledge: pl.id,
			Nation: pl.nation, Quantity: s.pledged.quantity,
			Unit: s.pledged.unit, Day: day, Sequences: s.termsBy.appendTo(nil)}
		if len(counts) > 0 {
			f.Line = counts[0]
			said = phrase.Of("%s %s %s for %s all the same.", said,
				english.Capital(s.pledged.does("they")), s.pledged.does("count"),
				phrase.List(phrase.And, counts...))
		}
		r.Findings = append(r.Findings, f.saying(phrase.Of("%s %s", said,
			phrase.Of(string(one.mend), pl.id))))
	}
}

// What a pledge names in vain, and what mends it.
const (
	namesArea   phrase.Text = "%s %s the area %s: %s%s"
	namesLine   phrase.Text = "%s %s the requirement %s: %s%s"
	areaIsMeant phrase.Text = "To mend it, let the nation say what is meant: " +
		"muster pledge amend %s --area AREA"
	lineIsMeant phrase.Text = "To mend it, let the nation say what is meant: " +
		"muster pledge amend %s --line LINE"
)

// reviewPledge looks at what one pledge says of itself on a day, of which w knows the requirements;
// and for which it counts.
func (p *Picture) reviewPledge(r *Review, b *Basis, pl *pledge, role events.Role, w *warner,
	counts map[events.ID][]events.Line) {
	var room standing
	s := b.WhatIf.suppose(pl.at(b, &room))
	if uint64(pl.first) > b.AsOf || !s.counts(b.On) || role != "" && s.terms.role != role {
		return
	}
	found := func(kind FindingKind, line events.Line, q events.Quantity, by []uint64, format string,
		args ...any) {
		r.Findings = append(r.Findings,
			Finding{Kind: kind, Operation: pl.operation.name, Line: line, Pledge: pl.id,
				Nation: pl.nation, Quantity: q,
				Unit: s.pledged.unit, Day: r.day(b), Sequences: by,
			}.saying(phrase.Of(format, args...)))
	}
	owner := pl.called(b.AsOf)
	whose := phrase.As(english.Possessive(owner.English), "whose pledge", owner)
	theirs := whose.Capital()
	for _, a := range s.shares(b.On) {
		short := s.pledged.unit.Of(a.set - a.promised)
		switch {
		case s.pledged.quantity.IsUnknown() && s.pledged.least == 0:
			found(Overdrawn, a.line.name, events.Unknown, s.sequencesWith(a.id, false),
				"%s pledge does not say of how much it is any more, and %s of it is set against "+
					"%s: release that, or ask the nation.",
				theirs,
				amount{quantity: s.pledged.unit.Of(a.set), unit: s.pledged.unit}.measure(),
				a.line.name)
		case a.promised < a.set:
			found(Overdrawn, a.line.name, short, s.sequencesWith(a.id, false),
				"%s pledge has %s less than was set against %s, since it was lowered: release "+
					"some of it, or ask the nation.",
				theirs, amount{quantity: short, unit: s.pledged.unit}.measure(), a.line.name)
		}
	}
	r.namesNothing(pl, s, w, r.day(b), counts[pl.id])
	t := s.terms.further
	if t == nil {
		return
	}
	if t.elsewhere != nil {
		found(AlsoElsewhere, "", s.pledged.quantity, s.termsBy.appendTo(nil),
			"%s forces of this pledge are also pledged to %s.", theirs,
			phrase.List(phrase.And, t.elsewhere...))
	}
	for _, other := range []struct {
		name phrase.Phrase
		id   events.ID
	}{{phrase.Of("predecessor"), t.predecessor}, {phrase.Of("successor"), t.successor}} {
		if broken := p.broken(b, other.id); !other.id.IsZero() && !broken.IsZero() {
			found(RotationBroken, "", s.pledged.quantity, s.termsBy.appendTo(nil),
				"The %s of %s pledge, %s, %s: a hand-over is open.", other.name,
				whose, other.id, broken)
		}
	}
}

// day is the day that a finding of a range names.
func (r *Review) day(b *Basis) events.Date {
	if !r.IsRange() {
		return 0
	}
	return b.On
}

// broken says why the other side of a rotation is not there, "" when it is.
func (p *Picture) broken(b *Basis, id events.ID) phrase.Phrase {
	other, known := p.find(id)
	if !known || uint64(other.first) > b.AsOf {
		return phrase.Of("is not known")
	}
	if other.struckBy(b.AsOf) != 0 {
		return phrase.Of("was struck, as never said")
	}
	one, _ := other.show(b)
	if one.State == Withdrawn || one.State == Declined || one.State == Lapsed {
		return phrase.Of("is %s",
			phrase.As(string(one.State), "pledge-state."+string(one.State)))
	}
	return phrase.Phrase{}
}
