package projections

import (
	"cmp"
	"context"
	"slices"
	"time"

	"muster/events"
	"muster/events/phrase"
)

// A PledgeVersion is what a pledge amounts to on a run of days, as it was known between two
// records.
type PledgeVersion struct {
	// KnownFrom is the record from which this was known, and KnownTo the one that has replaced it;
	// 0 when it is still so. The times are when they were recorded.
	KnownFrom uint64    `json:"known_from"`
	Recorded  time.Time `json:"recorded"`
	KnownTo   uint64    `json:"known_to,omitzero"`
	Replaced  time.Time `json:"replaced,omitzero"`
	// From and Until are the days on which it holds, both included; Until is absent when no end is
	// known.
	From  events.Date `json:"from"`
	Until events.Date `json:"until,omitzero"`

	Rung Rung        `json:"rung"`
	Role events.Role `json:"role"`
	Area events.Area `json:"area,omitzero"`
	Line events.Line `json:"line,omitzero"` // that it names as the one that it is meant for
	// Quantity is what is pledged, absent when it was only observed; Strength is what was reported
	// there, absent when nothing was.
	Quantity events.Quantity `json:"quantity,omitzero"`
	Least    events.Quantity `json:"least,omitzero"` // of a quantity that is unknown
	Most     events.Quantity `json:"most,omitzero"`
	Strength events.Quantity `json:"strength,omitzero"`
	Unit     events.Unit     `json:"unit"`
	// Sentence says to people what it is.
	Sentence string `json:"sentence"`
	// Told is the sentence, to be told in other languages.
	Told phrase.Phrase `json:"-"`
	// By is the record that made it known.
	By Told `json:"by"`
}

// Amount returns how much was pledged.
func (v *PledgeVersion) Amount() events.Amount {
	return events.Amount{Quantity: v.Quantity, Least: v.Least, Most: v.Most}
}

// PledgeVersions is the history of one pledge on both clocks: by the record from which each version
// was known, then by date.
type PledgeVersions struct {
	Basis
	Pledge   Pledge          `json:"pledge"`
	Versions []PledgeVersion `json:"versions"`
	Life     []LifeEvent     `json:"life"`
}

// Versions answers what was known of a pledge, and from when to when, for all days on which it is
// there: begun, not ended, and within its window. A late record or a correction replaces what was
// known of days that had passed. The date of m is that on which the pledge itself is shown.
func (p *Picture) Versions(ctx context.Context, m Moment, id events.ID) (PledgeVersions, error) {
	p = p.metered(ctx)
	one, err := p.Pledge(ctx, m, id)
	if err != nil {
		return PledgeVersions{}, err
	}
	b, err := p.Basis(m)
	if err != nil {
		return PledgeVersions{}, err
	}
	life, err := p.Life(ctx, m, id)
	if err != nil {
		return PledgeVersions{}, err
	}
	answer := PledgeVersions{Basis: b, Pledge: one, Life: life, Versions: []PledgeVersion{}}
	pl, _ := p.find(id)
	for i := range p.versions.before(uint32(b.AsOf)) {
		if !p.meter.spend(1) {
			break
		}
		if p.versions.what[i].pledge == pl.no {
			answer.Versions = append(answer.Versions, p.pledgeVersion(pl, i, b.AsOf))
		}
	}
	slices.SortStableFunc(answer.Versions, func(a, b PledgeVersion) int {
		return cmp.Or(cmp.Compare(a.KnownFrom, b.KnownFrom), cmp.Compare(a.From, b.From))
	})
	return answer, p.meter.err()
}

// pledgeVersion tells a row of the table.
func (p *Picture) pledgeVersion(pl *pledge, row int, asOf uint64) PledgeVersion {
	v, extent := &p.versions.what[row], &p.versions.extents[row]
	k := p.kinds.names[v.promisedKind]
	one := PledgeVersion{KnownFrom: uint64(extent.knownFrom), From: extent.from, Rung: v.rung,
		Role: k.role, Area: k.area, Line: k.line, Unit: k.unit,
		By: p.tell(pl, extent.knownFrom)}
	one.Recorded, _ = p.Recorded(one.KnownFrom)
	if to := uint64(extent.closedBy()); to <= asOf {
		one.KnownTo = to
		one.Replaced, _ = p.Recorded(to)
	}
	if extent.until != lastDay {
		one.Until = extent.until
	}
	if v.flags&isObserved == 0 {
		one.Quantity = k.unit.Of(v.promised)
	}
	switch {
	case v.flags&isUnknown != 0:
		one.Quantity = events.Unknown
		if v.onTop > 0 {
			one.Most = k.unit.Of(v.onTop)
		}
	case v.flags&isAtLeast != 0:
		one.Quantity, one.Least = events.Unknown, k.unit.Of(v.promised)
		if v.flags&isOpenOnTop == 0 {
			one.Most = k.unit.Of(v.promised + v.onTop)
		}
	}
	present := p.kinds.names[v.presentKind].unit
	switch {
	case v.flags&isUnknownStrength != 0:
		one.Strength = events.Unknown
	case v.present > 0:
		one.Strength = present.Of(v.present)
	}
	if v.flags&isObserved != 0 {
		one.Unit = present
	}
	one.Told = v.sentence(&one, present)
	one.Sentence = one.Told.String()
	return one
}

// sentence tells a version to people: "confirmed: 6,000 personnel for ground in west, hangs on a
// condition, 400 allocated to ground-west".
func (v *version) sentence(one *PledgeVersion, present events.Unit) phrase.Phrase {
	var s phrase.Sentence
	s.Add("%s:", one.Rung.Phrase())
	if !one.Quantity.IsZero() {
		a := amount{quantity: one.Quantity, unit: one.Unit}
		a.least, _ = one.Least.Number()
		a.most, _ = one.Most.Number()
		s.Add(" %s", a.measure())
	}
	s.Add(" for %s", one.Role)
	if one.Area != "" {
		s.Add(" in %s", one.Area)
	}
	if one.Line != "" {
		s.Add(", meant for %s", one.Line)
	}
	if !one.Strength.IsZero() {
		s.Add(", %s in place", amount{quantity: one.Strength, unit: present}.measure())
	}
	for _, is := range versionFlags {
		if v.flags&is.flag != 0 {
			s.Add(is.says)
		}
	}
	for _, share := range v.shares() {
		s.Add(", %s allocated to %s",
			amount{quantity: one.Unit.Of(share.set), unit: one.Unit}.measure(), share.line.name)
	}
	return s.Phrase()
}

// versionFlags are what a sentence says of the flags of a version.
var versionFlags = []struct {
	flag flags
	says string
}{
	{flag: isReserve, says: ", in reserve"},
	{flag: isConditional, says: ", hangs on an open condition"},
	{flag: isFailed, says: ", hangs on what will not happen"},
	{flag: isCaveated, says: ", restricted by a caveat"},
	{flag: isElsewhere, says: ", also pledged elsewhere"},
}
