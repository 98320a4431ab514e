package projections

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"muster/events"
	"muster/events/phrase"
)

// What has a day in an agenda, beside what is due: see [DueKind].
const (
	Begins DueKind = "begins" // the first day of a pledge's window
	// HandOverDay is the last day of a pledge that another one relieves.
	HandOverDay DueKind = "hand-over"
	// HappensBefore is the first day of a pledge that hangs on a condition: by then it has to
	// have happened.
	HappensBefore DueKind = "condition"
)

// An Entry is something that has a day. It is the same entry, by Pledge, Kind and Key, as long as
// it is the same thing of the same pledge, whatever day it is on.
type Entry struct {
	Kind      DueKind
	Key       string // tells apart what a pledge has several of: questions, conditions, reliefs
	Pledge    events.ID
	Operation events.Operation
	Nation    events.Nation
	Role      events.Role
	Day       events.Date
	// Cancelled says that it was on its day, as known before, and is on none any more.
	Cancelled bool
	// Sequence is the last record about its pledge, or about one that relieves it or is
	// relieved by it, and Recorded when that was recorded. Another record has a higher one: so
	// an entry that is moved, changed, cancelled or there again has a higher one than before.
	Sequence uint64
	Recorded time.Time
	Sentence string
	Said     phrase.Phrase // the sentence, to be told in other languages
	// Of is with what else it is: the nation that relieves, or the name of a condition.
	Of string
}

// An Agenda is what has a day at a moment, and what had one and has it no more.
type Agenda struct {
	Basis
	Entries []Entry // by day
}

// Agenda answers what has a day from that of the moment on, within so many days: what lapses,
// begins and ends, who is relieved, what has to have happened, and which questions are to be
// answered. Each is as its own day will see it, by all that is known now. What was known to be on
// one of these days, as of any record before, is told, too: where it is now, or that it is
// cancelled. So the answer follows from the records and the days alone, and nothing is remembered
// of what was told to whom.
//
// It costs to fold each pledge that has such a day as often as there are records about it.
func (p *Picture) Agenda(ctx context.Context, m Moment, f Filter, within int) (Agenda, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Agenda{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Agenda{}, err
	}
	a := agenda{p: p, filter: f, from: b.On, limit: b.last().AddDays(within), whole: b}
	a.whole.On, a.whole.Until = events.FirstDate, events.LastDate
	for _, o := range chosen {
		for pl := range o.now().pledges.all() {
			if !p.meter.spend(1) {
				break
			}
			if uint64(pl.first) <= b.AsOf && f.nation(pl.nation) && a.hasDay(pl) {
				a.addAll(pl)
			}
		}
	}
	slices.SortFunc(a.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), compareIDs(a.Pledge, b.Pledge),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	return Agenda{b, a.entries}, p.meter.err()
}

// An agenda is one that is being made.
type agenda struct {
	p           *Picture
	filter      Filter
	from, limit events.Date // the first and the last day asked
	// Whole is as of now, of all days: what is on another one now is not cancelled.
	whole   Basis
	entries []Entry
}

// includes reports whether a day is one of those asked.
func (a *agenda) includes(day events.Date) bool { return a.from <= day && day <= a.limit }

// hasDay reports whether anything that was ever said of a pledge names one of the days asked, or
// asks something, which may be overdue.
func (a *agenda) hasDay(pl *pledge) bool {
	facts := pl.now().facts
	for i := range facts {
		d := &facts[i]
		if a.includes(d.expires) || d.query != nil && d.query.due != 0 {
			return true
		}
		if t := d.terms; t != nil && (a.includes(t.From) || a.includes(t.Until) ||
			a.includes(t.expires)) {
			return true
		}
	}
	return false
}

// An entryKey tells the entries of a pledge apart.
type entryKey struct {
	kind DueKind
	key  string
}

// addAll adds the entries of a pledge: it looks at them as of each record that may have changed
// them.
func (a *agenda) addAll(pl *pledge) {
	partners := a.p.partners(pl, a.whole.AsOf)
	records := recordsAbout(append([]*pledge{pl}, partners...), a.whole.AsOf)
	var now map[entryKey]Entry
	last, asked := map[entryKey]Entry{}, map[entryKey]bool{}
	for _, seq := range records {
		b := a.whole
		b.AsOf = seq
		now = a.entriesOf(pl, partners, &b)
		for key, e := range now {
			asked[key] = asked[key] || a.includes(e.Day)
		}
		maps.Copy(last, now)
	}
	seq := records[len(records)-1]
	recorded, _ := a.p.Recorded(seq)
	for key := range asked {
		e, is := now[key]
		if !is {
			e = last[key]
			e.Cancelled = true
		}
		overdue := is && e.Kind == WaitsForReply && e.Day <= a.limit
		if !asked[key] && !overdue {
			continue
		}
		e.Sequence, e.Recorded = seq, recorded
		a.p.meter.hold(1, answerRow)
		a.entries = append(a.entries, e)
	}
}

// entriesOf returns what has a day of a pledge as of a record, each as the day itself will see it.
func (a *agenda) entriesOf(pl *pledge, partners []*pledge, b *Basis) map[entryKey]Entry {
	all := map[entryKey]Entry{}
	if !pl.isKnown(b.AsOf) {
		return all
	}
	var room standing
	pl.eachRun(b, func(run *Basis, last events.Date) {
		if !a.p.meter.spend(foldCost) {
			return
		}
		s := b.WhatIf.suppose(pl.at(run, &room))
		if !s.begun || s.exit != "" || a.filter.Role != "" && s.terms.role != a.filter.Role {
			return
		}
		if b.WhatIf != nil {
			if v := a.p.versionOf(pl, s, run.On); !b.WhatIf.lets(a.p, &v) {
				return
			}
		}
		day := dayOfPledge{a, pl, s, run, last, all}
		day.window(partners)
		day.questions()
	})
	return all
}

// A dayOfPledge is a pledge in a run of days in which it stands the same.
type dayOfPledge struct {
	*agenda
	pl   *pledge
	s    *standing
	run  *Basis // on the first of them
	last events.Date
	to   map[entryKey]Entry
}

// add adds an entry. Of two about the same, the later one is as its own day sees it.
func (d *dayOfPledge) add(kind DueKind, key string, day events.Date, of, format string,
	args ...any) {
	said := phrase.Of(format, args...)
	d.to[entryKey{kind, key}] = Entry{Kind: kind, Key: key, Pledge: d.pl.id,
		Operation: d.pl.operation.name, Nation: d.pl.nation, Role: d.s.terms.role, Day: day, Of: of,
		Said: said, Sentence: said.String()}
}

// has reports whether a day is one of the run.
func (d *dayOfPledge) has(day events.Date) bool {
	return day != 0 && day >= d.run.On && day <= d.last
}

// window adds what is on the first and on the last day of the pledge's window, and on that of its
// expiry.
func (d *dayOfPledge) window(partners []*pledge) {
	amount, _ := d.s.amount(Offered)
	what := phrase.Of("%s for %s", amount.of(d.pl.called(d.run.AsOf)), d.s.terms.role)
	if d.s.lapsing() && d.has(d.s.expires) {
		d.add(LapsesSoon, "", d.s.expires, "", "%s %s after %s unless renewed.", what,
			amount.does("lapse"), d.s.expires)
	}
	if from := d.s.terms.From; d.has(from) {
		d.add(Begins, "", from, "", "%s %s on %s.", what, amount.does("begin"), from)
		for i := range d.s.conditions {
			if c := &d.s.conditions[i]; c.state == Hanging {
				d.add(HappensBefore, string(c.name), from, string(c.name), "%s %s on %s, and %s "+
					"on %s: it has to have happened by then.", what, amount.does("hang"),
					c.describe(), amount.does("begin"), from)
			}
		}
	}
	until := d.s.terms.Until
	if !d.has(until) {
		return
	}
	relieved := false
	for _, other := range partners {
		there := other.daysThere(d.run)
		if there.until == 0 || !d.pl.isRelievedBy(other, d.run.AsOf) {
			continue
		}
		relieved = true
		d.add(HandOverDay, other.id.String(), until, string(other.nation), "%s %s on %s; %s "+
			"relieves %s from %s on%s.", what, amount.does("end"), until, other.called(d.run.AsOf),
			amount.does("them"), there.from, between(daysBetween(until, there.from)-1))
	}
	if !relieved {
		d.add(EndsUnrelieved, "", until, "", "%s %s on %s, and nobody is there to relieve %s.",
			what, amount.does("end"), until, amount.does("them"))
	}
}

// between says what lies between two rotations.
func between(days int) phrase.Phrase {
	switch {
	case days == 1:
		return phrase.Of(", with nobody there for 1 day")
	case days > 0:
		return phrase.Of(", with nobody there for %d days", days)
	case days == -1:
		return phrase.Of(", with both there for 1 day")
	case days < 0:
		return phrase.Of(", with both there for %d days", -days)
	}
	return phrase.Phrase{}
}

// questions adds those that wait for an answer: on their day, and, where that has passed, as long
// as they wait.
func (d *dayOfPledge) questions() {
	amount, _ := d.s.amount(Offered)
	for i := range d.s.queries {
		q := &d.s.queries[i]
		if q.due == 0 || !d.has(max(q.due, q.since, d.from)) {
			continue
		}
		d.add(WaitsForReply, q.key(), q.due, "", "%s, about %s for %s, since %s “%s”",
			q.asking(d.pl.called(d.run.AsOf)).Capital(),
			amount.whose(d.pl.called(d.run.AsOf)), d.s.terms.role, q.since, q.text)
	}
}

// key tells a question apart from others about the same pledge: by its record.
func (q *query) key() string { return strconv.FormatUint(uint64(q.by.seq), 10) }

// partners returns the pledges that were ever said to relieve a pledge, as of a record.
func (p *Picture) partners(pl *pledge, asOf uint64) (all []*pledge) {
	there := map[*pledge]bool{}
	add := func(other *pledge) {
		if other != nil && other != pl && uint64(other.first) <= asOf && !there[other] &&
			p.meter.spend(foldCost) {
			there[other], all = true, append(all, other)
		}
	}
	for _, by := range pl.operation.now().predecessors[pl.id] {
		if uint64(by) <= asOf {
			add(p.pledges[p.touched[by-1]-1])
		}
	}
	facts := pl.now().facts
	for i := range facts {
		if t := facts[i].terms; t != nil && t.further != nil && !t.further.successor.IsZero() {
			after, _ := p.find(t.further.successor)
			add(after)
		}
	}
	return all
}

// isRelievedBy reports whether one of the two names the other, as of a record.
func (pl *pledge) isRelievedBy(other *pledge, asOf uint64) bool {
	if !pl.isKnown(asOf) || !other.isKnown(asOf) {
		return false
	}
	before, after := pl.lastTerms(asOf), other.lastTerms(asOf)
	return before != nil && before.further != nil && before.further.successor == other.id ||
		after != nil && after.further != nil && after.further.predecessor == pl.id
}

// recordsAbout returns the records that said something of pledges, as of one of them, in order.
func recordsAbout(pledges []*pledge, asOf uint64) (all []uint64) {
	add := func(seq uint32) {
		if seq != 0 && uint64(seq) <= asOf {
			all = append(all, uint64(seq))
		}
	}
	for _, pl := range pledges {
		c := pl.now()
		add(pl.first)
		add(c.struck)
		for i := range c.facts {
			add(c.facts[i].knownFrom)
			add(c.facts[i].knownTo) // forever is later than any
			add(c.facts[i].order)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
