package projections

import (
	"slices"

	"muster/events"
)

// This file finds what has caused a number to differ: a record without which it would differ
// otherwise, or not at all. A record that only one of the two moments knows may have done nothing
// to a number, as an offer does nothing to the supply from confirmed up. So each is left out in
// turn, and what is left is folded and placed again. That is little work, since supplies are sums:
// a record about a pledge changes no other pledge's part of them.

// A Cause is what has caused one number of a requirement to differ.
type Cause struct {
	// What is the number: required, supply, "supply from RUNG up", gap, conditional, caveated,
	// unknown, waiting, "waiting unknown", "of which" for the part of the Nation in the supply; or
	// terms, for what the requirement is besides.
	What   string        `json:"what"`
	Nation events.Nation `json:"nation,omitzero"`
	// Records are those without which it would differ otherwise, in order, and Calendar the days
	// that have made it differ.
	Records  []Told    `json:"records"`
	Calendar []Passing `json:"calendar"`
}

// CauseOf returns what has caused a number of the requirement to differ: see [Cause].
func (l *LineDiff) CauseOf(what string, nation events.Nation) Cause {
	at := slices.IndexFunc(l.Causes,
		func(c Cause) bool { return c.What == what && c.Nation == nation })
	if at < 0 {
		return Cause{What: what, Nation: nation}
	}
	return l.Causes[at]
}

// A causer leaves out records. Its sides number kinds of their own, since a pledge without one of
// its records may be of a kind that there is not.
type causer struct {
	*differ
	from, to side
	without  map[uint64][2]*side // by the record about a requirement that is left out
	pairs    map[events.ID][2]*pledge
	// The records about requirements that only one moment has, by what they ask for.
	asking map[sought][]Told

	gathered   [2]*gathered         // of both moments; nil before they were asked for
	coveredBut map[uint64]coverages // without a record about a requirement
}

func (d *differ) causer() *causer {
	own := func(s side) side {
		p := *s.p
		p.kinds = s.p.kinds.own()
		s.p, s.rows = &p, nil
		s.aim(s.basis, d.filter)
		return s
	}
	return &causer{differ: d, from: own(d.from), to: own(d.to), without: map[uint64][2]*side{},
		pairs:  map[events.ID][2]*pledge{},
		asking: map[sought][]Told{}, coveredBut: map[uint64]coverages{}}
}

// askings tells the records about the requirements for a role of which only one moment has what
// they say.
func (c *causer) askings(what sought) []Told {
	if told, ok := c.asking[what]; ok {
		return told
	}
	var told []Told
	for _, s := range []*side{&c.differ.from, &c.differ.to} {
		o, ok := s.p.operations[what.operation]
		if !ok {
			continue
		}
		for _, name := range o.now().lineNames {
			ever := func(t termsSaid) bool { return t.what.Role == what.role }
			if !slices.ContainsFunc(o.now().lines[name].now().terms, ever) {
				continue
			}
			records, _ := c.ofLine(what.operation, name)
			for _, t := range records {
				if !slices.ContainsFunc(told, t.Is) {
					told = append(told, t)
				}
			}
		}
	}
	c.asking[what] = told
	return told
}

// own keeps of the records of a pledge those without which it would count otherwise, or all where
// no single one does.
func (c *causer) own(pd *PledgeDiff) {
	both := c.pair(pd.Pledge)
	was, is := c.from.comparedOf(c.from.known(both[0])), c.to.comparedOf(c.to.known(both[1]))
	kept := slices.DeleteFunc(slices.Clone(pd.Records), func(t Told) bool {
		if t.Pledge != pd.Pledge || !c.to.p.meter.spend(2*foldCost) {
			return false
		}
		a, b := c.from.comparedOf(c.from.known(both[0].leave(t.Sequence))),
			c.to.comparedOf(c.to.known(both[1].leave(t.Sequence)))
		return a.equal(was) && b.equal(is)
	})
	if len(kept)+len(pd.Calendar) > 0 {
		pd.Records = kept
	}
}

// comparedOf is compared, with places for kinds that are new.
func (s *side) comparedOf(pl *pledge) compared {
	if pl != nil {
		s.place(pl)
	}
	return s.compared(pl)
}

// A blame collects the causes of the numbers of one line.
type blame struct {
	*causer
	of      *LineDiff
	records [numbers][]Told
	days    [numbers][]Passing
	nations map[events.Nation]*Cause
	gap     []Told
	force   []Told // what has brought the requirement into force, or out of it
	terms   []Told // what it is besides its numbers
	once    bool   // it is in force at one moment alone

	about   [numbers][]Told     // those of records that are about requirements, each once
	decided map[decidedKey]bool // for which pledges one of the records decides: see isDecided
}

// line finds the causes of what differs of a requirement.
func (c *causer) line(l *LineDiff) {
	b := blame{causer: c, of: l, nations: map[events.Nation]*Cause{},
		decided: map[decidedKey]bool{}}
	required := b.requirement()
	b.requirements()
	for _, id := range l.Pledges {
		if !c.to.p.meter.spend(2 * foldCost) {
			return
		}
		both := c.pair(id)
		was, is := c.from.contribution(both[0], l.Operation, l.Line),
			c.to.contribution(both[1], l.Operation, l.Line)
		if delta := is.less(was); delta != ([numbers]int64{}) {
			b.pledge(&c.answer.Pledges[c.byID[id]], delta)
		}
	}
	l.Causes = b.causes(required)
}

// stand returns what a line requires at a side, -1 while it is not in force.
func (s *side) requires(o events.Operation, name events.Line) int64 {
	if q, ok := s.asked(o, name); ok {
		n, _ := q.Required.Number()
		return n
	}
	return -1
}

func (s *side) asked(o events.Operation, name events.Line) (Requirement, bool) {
	l := s.line(o, name)
	if l == nil {
		return Requirement{}, false
	}
	q, ok := l.at(s.basis)
	return q, ok && q.State == InForce
}

// requirement finds the records about the line itself that have made its numbers differ, and
// returns those of what is required.
func (b *blame) requirement() (required []Told) {
	l := b.of
	from, to := b.from.requires(l.Operation, l.Line), b.to.requires(l.Operation, l.Line)
	for _, t := range l.Records {
		sides := b.leavingLine(l.Operation, l.Line, t.Sequence)
		f, o := sides[0].requires(l.Operation, l.Line), sides[1].requires(l.Operation, l.Line)
		if f != from || o != to {
			required = append(required, t)
		}
		if (f < 0) != (from < 0) || (o < 0) != (to < 0) {
			b.force = append(b.force, t)
		} else if b.changesGap(f, o, 0, 0) {
			b.gap = append(b.gap, t)
		}
		if b.from.termsOf(l) != sides[0].termsOf(l) || b.to.termsOf(l) != sides[1].termsOf(l) {
			b.terms = append(b.terms, t)
		}
	}
	if b.once = from < 0 || to < 0; !b.once {
		if from != to && len(required)+len(l.Calendar) == 0 {
			required = l.Records // no single one can be missed
		}
		return required
	}
	if len(b.force)+len(l.Calendar) == 0 {
		b.force, required = l.Records, l.Records // no single one can be missed
	}
	b.gap = append(b.gap, b.force...)
	for r := range b.records {
		b.add(r, b.force)
		b.days[r] = append(b.days[r], l.Calendar...)
	}
	return required
}

// termsOf returns what a requirement is at a side besides what it requires.
func (s *side) termsOf(l *LineDiff) LineStand {
	q, _ := s.asked(l.Operation, l.Line)
	return LineStand{Role: q.Role, Area: q.Area, Unit: q.Unit, Priority: q.Priority,
		Essential: q.Essential}
}

// changesGap reports whether the gap would be another at either side, if so much were required and
// so much more supplied.
func (b *blame) changesGap(from, to, moreFrom, moreTo int64) bool {
	gap := func(s *LineStand, required, more int64) bool {
		if s == nil || required < 0 {
			return (s == nil) != (required < 0)
		}
		supply, _ := s.Supply.Number()
		is, _ := s.Gap.Number()
		return max(0, required-supply-more) != is
	}
	return gap(b.of.From, from, moreFrom) || gap(b.of.To, to, moreTo)
}

// pledge finds which records about a pledge have made the numbers differ.
func (b *blame) pledge(pd *PledgeDiff, delta [numbers]int64) {
	l, both := b.of, b.pair(pd.Pledge)
	was, is := b.from.contribution(both[0], l.Operation, l.Line),
		b.to.contribution(both[1], l.Operation, l.Line)
	requiredFrom, requiredTo := b.from.requires(l.Operation, l.Line),
		b.to.requires(l.Operation, l.Line)
	rung := b.to.basis.Rung
	var found [numbers][]Told
	for _, t := range pd.Records {
		if t.Pledge != pd.Pledge {
			continue // which [blame.requirements] has left out
		}
		if !b.to.p.meter.spend(2 * foldCost) {
			return
		}
		a, o := b.leaving(pd, both, t)
		changed := o.less(a)
		for r := range found {
			if delta[r] != 0 && changed[r] != delta[r] {
				found[r] = append(found[r], t)
			}
		}
		if b.changesGap(requiredFrom, requiredTo, a.supply[rung]-was.supply[rung],
			o.supply[rung]-is.supply[rung]) {
			b.gap = append(b.gap, t)
		}
	}
	for r := range found {
		if delta[r] == 0 {
			continue
		}
		if len(found[r])+len(pd.Calendar) == 0 && !b.once && !b.isDecided(pd, both, delta, r) {
			found[r] = b.enough(pd, both, r)
		}
		b.add(r, found[r])
		b.days[r] = append(b.days[r], pd.Calendar...)
	}
	of := b.nation(pd.Nation)
	if r := int(rung); delta[r] != 0 {
		of.Records, of.Calendar = append(of.Records, found[r]...),
			append(of.Calendar, pd.Calendar...)
	} else if delta[0] != 0 {
		of.Records, of.Calendar = append(of.Records, found[0]...),
			append(of.Calendar, pd.Calendar...)
	}
}

// add adds records to the causes of a number: of those about requirements, which thousands of
// pledges may have in common, each once.
func (b *blame) add(number int, records []Told) {
	for _, t := range records {
		if t.Pledge.IsZero() {
			if slices.ContainsFunc(b.about[number], t.Is) {
				continue
			}
			b.about[number] = append(b.about[number], t)
		}
		b.records[number] = append(b.records[number], t)
	}
}

// A decidedKey is what pledges have in common that the same records about requirements decide for:
// why they are not there at either side, what they are else, and whether they have quantities.
// These do not differ between the sides: what differs by itself is looked at by itself.
type decidedKey struct {
	absent [2]Reason
	is     [2]amounts
	number int
}

// decidedKeyOf returns the key of a pledge, and false where it has none.
func (b *blame) decidedKeyOf(both [2]*pledge, number int) (key decidedKey, ok bool) {
	key.number = number
	var is [2]version
	for i, s := range []*side{&b.from, &b.to} {
		if both[i] == nil {
			return key, false
		}
		s.place(both[i])
		if key.absent[i] = s.view.absent(both[i]); key.absent[i] == "" {
			is[i] = s.view.what
		}
		if is[i].allocated != nil {
			return key, false
		}
		key.is[i] = is[i].amounts
		key.is[i].pledge, key.is[i].nation = 0, 0
		key.is[i].promised, key.is[i].present = min(is[i].promised, 1), min(is[i].present, 1)
	}
	same := is[0].promised == is[1].promised && is[0].present == is[1].present
	return key, same || key.absent[0] != "" || key.absent[1] != ""
}

// isDecided reports whether a record about a requirement that was found already makes a pledge's
// part of a number differ. There may be hundreds of these records, and thousands of pledges, which
// are of few sorts.
func (b *blame) isDecided(pd *PledgeDiff, both [2]*pledge, delta [numbers]int64, number int) bool {
	key, ok := b.decidedKeyOf(both, number)
	if known, found := b.decided[key]; ok && found {
		return known
	}
	decides := func(t Told) bool {
		if !b.to.p.meter.spend(2 * foldCost) {
			return false
		}
		from, to := b.leaving(pd, both, t)
		return to.less(from)[number] != delta[number]
	}
	is := slices.ContainsFunc(b.about[number], decides)
	if ok {
		b.decided[key] = is
	}
	return is
}

// leaving returns what a pledge adds at both sides without a record.
func (b *blame) leaving(pd *PledgeDiff, both [2]*pledge, t Told) (from, to contribution) {
	l := b.of
	if t.Pledge == pd.Pledge {
		return b.from.contribution(b.from.known(both[0].leave(t.Sequence)), l.Operation, l.Line),
			b.to.contribution(b.to.known(both[1].leave(t.Sequence)), l.Operation, l.Line)
	}
	sides := b.leavingLine(l.Operation, t.Line, t.Sequence)
	return sides[0].contribution(both[0], l.Operation, l.Line),
		sides[1].contribution(both[1], l.Operation, l.Line)
}

// enough returns those records of a pledge each of which makes a number differ by itself, where no
// single one can be missed: as what was accepted and confirmed is there from accepted up in either
// case.
func (b *blame) enough(pd *PledgeDiff, both [2]*pledge, number int) (all []Told) {
	l := b.of
	with := func(kept uint64) int64 {
		from, to := both[0], both[1]
		for _, t := range pd.Records {
			if t.Pledge == pd.Pledge && t.Sequence != kept {
				from, to = from.leave(t.Sequence), to.leave(t.Sequence)
			}
		}
		a, o := b.from.contribution(b.from.known(from), l.Operation, l.Line),
			b.to.contribution(b.to.known(to), l.Operation, l.Line)
		return o.less(a)[number]
	}
	none := with(0)
	for _, t := range pd.Records {
		if b.to.p.meter.spend(foldCost*len(pd.Records)) && t.Pledge == pd.Pledge &&
			with(t.Sequence) != none {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return pd.Records
	}
	return all
}

func (b *blame) nation(n events.Nation) *Cause {
	if b.nations[n] == nil {
		b.nations[n] = &Cause{What: "of which", Nation: n}
	}
	return b.nations[n]
}

// causes returns what has caused each number that differs.
func (b *blame) causes(required []Told) []Cause {
	l, all := b.of, []Cause{}
	add := func(what string, nation events.Nation, records []Told, days []Passing) {
		c := Cause{what, nation, append([]Told{}, records...), append([]Passing{}, days...)}
		slices.SortFunc(c.Records, bySequence)
		c.Records = slices.CompactFunc(c.Records, Told.Is)
		all = append(all, c)
	}
	differs := func(of func(*LineStand) events.Quantity) bool {
		return l.From == nil || l.To == nil || of(l.From) != of(l.To)
	}
	rung := b.to.basis.Rung
	if differs(func(s *LineStand) events.Quantity { return s.Required }) {
		add("required", "", required, l.Calendar)
	}
	if differs(func(s *LineStand) events.Quantity { return s.Supply }) {
		add("supply", "", b.records[rung], b.days[rung])
	}
	for i, r := range Rungs() {
		if differs(func(s *LineStand) events.Quantity { return s.Rungs[i] }) {
			add("supply from "+r.String()+" up", "", b.records[r], b.days[r])
		}
	}
	for _, n := range l.Nations {
		c := b.nation(n.Nation)
		// It has its part since the requirement is in force, or not any more.
		if l.From == nil || l.To == nil {
			c.Records = append(slices.Clone(b.force), c.Records...)
			c.Calendar = append(slices.Clone(l.Calendar), c.Calendar...)
		}
		add(c.What, n.Nation, c.Records, c.Calendar)
	}
	if differs(func(s *LineStand) events.Quantity { return s.Gap }) {
		// No single one can be missed: so much is there, or is missing, in any case.
		if len(b.gap) == 0 {
			b.gap = append(slices.Clone(required), b.records[rung]...)
		}
		add("gap", "", b.gap, append(slices.Clone(l.Calendar), b.days[rung]...))
	}
	if differs(func(s *LineStand) events.Quantity { return s.Conditional }) {
		add("conditional", "", b.records[conditionalNumber], b.days[conditionalNumber])
	}
	if differs(func(s *LineStand) events.Quantity { return s.Caveated }) {
		add("caveated", "", b.records[caveatedNumber], b.days[caveatedNumber])
	}
	was, is := l.From.numbers(), l.To.numbers()
	for _, one := range []struct {
		what   string
		number int
	}{{"unknown", unknownNumber}, {"waiting", waitingNumber}, {"waiting unknown", waitingUnknown}} {
		if is.less(was)[one.number] != 0 {
			add(one.what, "", b.records[one.number], b.days[one.number])
		}
	}
	if b.from.termsOf(l) != b.to.termsOf(l) && !b.once {
		if len(b.terms)+len(l.Calendar) == 0 {
			b.terms = l.Records // no single one can be missed
		}
		add("terms", "", b.terms, l.Calendar)
	}
	return all
}
