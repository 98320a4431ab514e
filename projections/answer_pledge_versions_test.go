package projections

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

func TestVersions(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	p := l.offer("FRA", 60, func(t *events.PledgeTerms) { t.Until = day(20) })
	raised := p.amend(10, pledgeTerms(80))
	mended := p.correct(p.seq, 1, func(c *events.PledgeCorrected) {
		right := pledgeTerms(66)
		c.Terms = &right
	})
	p.allocate(15, "west", 50, events.Window{From: day(15), Until: day(16)})
	gone := p.move("pledge.withdrawn", 18)
	tell := func(m Moment) (text string) {
		for _, v := range must[PledgeVersions](t)(l.picture().Versions(t.Context(), m,
			p.id)).Versions {
			text += fmt.Sprint(v.KnownFrom, "-", v.KnownTo, " ", v.From.String()[8:], "-")
			if v.Until != 0 {
				text += v.Until.String()[8:]
			}
			text += fmt.Sprint(" ", v.Sentence, " by ", v.By.Sequence, "; ")
		}
		return text
	}
	equal(t, "at first", tell(Moment{AsOf: p.seq}),
		fmt.Sprintf("%d-0 01-20 offered: 60 personnel for ground by %d; ", p.seq, p.seq))
	equal(t, "corrected", tell(Moment{AsOf: mended}),
		fmt.Sprintf("%d-%d 01-20 offered: 60 personnel for ground by %d; "+
			"%d-%d 01-09 offered: 60 personnel for ground by %d; %d-0 10- offered: 80 personnel "+
			"for ground by %d; %d-0 01-09 offered: 66 personnel for ground by %d; ",
			p.seq, raised, p.seq, raised, mended, raised, raised, raised, mended, mended))
	all := must[PledgeVersions](t)(l.picture().Versions(t.Context(), Moment{}, p.id))
	last := all.Versions[len(all.Versions)-1]
	equal(t, "until", last.Until, day(17))
	equal(t, "by", last.By.Sequence, gone)
	shared := slices.IndexFunc(all.Versions, func(v PledgeVersion) bool {
		return v.From == day(15)
	})
	equal(t, "allocated", all.Versions[shared].Sentence,
		"offered: 80 personnel for ground, 50 personnel allocated to west")
	equal(t, "life", len(all.Life), 5)
	equal(t, "corrected by", all.Life[0].CorrectedBy, mended)
}

// Whatever is made up, the version that was known as of a record and holds on a date is what the
// pledge was there.
func TestVersionsEqualPledges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.moment()
		m.Rung = 0
		for _, pl := range s.pledges {
			if pl.seq > m.AsOf {
				continue
			}
			one := must[Pledge](t)(p.Pledge(t.Context(), m, pl.id))
			found := 0
			for _, v := range must[PledgeVersions](t)(p.Versions(t.Context(), Moment{},
				pl.id)).Versions {
				if v.KnownFrom <= m.AsOf && (v.KnownTo == 0 || v.KnownTo > m.AsOf) &&
					v.From <= m.On && (v.Until == 0 || v.Until >= m.On) {
					found++
					equal(t, "what", fmt.Sprint(v.Quantity, v.Strength, v.Rung, v.Role),
						fmt.Sprint(one.Quantity, one.Strength, one.Rung, one.Role))
				}
			}
			there := 0
			if one.State == Live && one.Includes(m.On) {
				there = 1
			}
			equal(t, "versions there", found, there)
		}
	})
}

func TestCorrectionsAreToldAsWhatShouldHaveBeen(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("FRA", 60)
	accepted := p.move("pledge.accepted", 3)
	l.say("HQ/founder", &events.PledgeAmended{Header: l.head("pledge.amended"), Dated: dated(4),
		Place: place("FRA"), Pledge: p.id, PledgeTerms: pledgeTerms(70)})
	right := pledgeTerms(66)
	for _, c := range []struct {
		seq    uint64
		on     int
		change func(*events.PledgeCorrected)
		want   string
	}{
		{p.seq, 1, func(c *events.PledgeCorrected) { c.Terms = &right },
			"Corrected: record %d should have said 66 personnel for ground, from 2026-01-01: a " +
				"slip"},
		{p.seq, 2, func(c *events.PledgeCorrected) { c.Terms = &right },
			"Corrected: record %d should have said 66 personnel for ground, from 2026-01-01, " +
				"with effect from 2026-01-02: a slip"},
		{accepted, 4, func(*events.PledgeCorrected) {},
			"Corrected: record %d should have held from 2026-01-04: a slip"},
		{accepted, 4, func(c *events.PledgeCorrected) { c.Struck = true },
			"Corrected: record %d should never have been made: a slip"},
	} {
		p.correct(c.seq, c.on, c.change)
		life := must[[]LifeEvent](t)(l.picture().Life(t.Context(), Moment{}, p.id))
		equal(t, "sentence", life[len(life)-1].Sentence, fmt.Sprintf(c.want, c.seq))
	}
}

// What a pledge is meant for is in its history, on both clocks.
func TestVersionsTellTheLine(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("FRA", 5, inArea("west"))
	p.amend(3, pledgeTerms(5, inArea("west"), inLine("ground-west")))
	told := ""
	for _, v := range must[PledgeVersions](t)(l.picture().Versions(t.Context(), Moment{},
		p.id)).Versions {
		told += fmt.Sprintf("%s %q %s; ", v.From, v.Line, v.Sentence)
	}
	const offered = "offered: 5 personnel for ground in west"
	equal(t, "versions", told, `2026-01-01 "" `+offered+`; 2026-01-01 "" `+offered+
		`; 2026-01-03 "ground-west" `+offered+`, meant for ground-west; `)
}
