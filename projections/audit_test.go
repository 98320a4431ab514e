package projections

import (
	"fmt"
	"testing"

	"muster/events"
	"muster/events/problem"
)

func TestLate(t *testing.T) {
	// Each record is made an hour after the one before, from noon of the 1st on.
	l := newTestLedger(t)
	p := l.offer("FRA", 10)
	for l.Last() < 60 {
		l.offer("DEU", 1, func(t *events.PledgeTerms) { t.Role, t.Unit = "air", "aircraft" })
	}
	late := p.move("pledge.accepted", 1)
	picture := l.picture()
	records := must[LateRecords](t)(picture.Late(t.Context(), Moment{},
		Filter{Nation: "FRA"}, 1)).Records
	equal(t, "late", len(records), 1)
	equal(t, "record", records[0].Sequence, late)
	equal(t, "days", records[0].Days, 3)
	equal(t, "not so late",
		len(must[LateRecords](t)(picture.Late(t.Context(), Moment{}, Filter{Nation: "FRA"},
			3)).Records), 0)
	equal(t, "not known yet",
		len(must[LateRecords](t)(picture.Late(t.Context(), Moment{AsOf: late - 1},
			Filter{Nation: "FRA"}, 1)).Records), 0)
}

func TestCorrectionsListed(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("FRA", 10)
	right := pledgeTerms(100)
	seq := p.correct(p.seq, 1, func(c *events.PledgeCorrected) { c.Terms = &right })
	all := must[Corrections](t)(l.picture().Corrections(t.Context(), Moment{},
		Filter{})).Corrections
	equal(t, "corrections", len(all), 1)
	equal(t, "record", all[0].Sequence, seq)
	equal(t, "mends", all[0].Mends.Sequence, p.seq)
	equal(t, "signer", all[0].Signer, "HQ/founder")
	equal(t, "before", len(
		must[Corrections](t)(l.picture().Corrections(t.Context(), Moment{AsOf: p.seq},
			Filter{})).Corrections), 0)
}

func TestDelivery(t *testing.T) {
	l := newTestLedger(t)
	first := l.offer("FRA", 100)
	first.move("pledge.accepted", 3)
	first.move("pledge.confirmed", 5)
	first.deploy(9, 80)
	second := l.offer("FRA", 60)
	second.move("pledge.accepted", 3)
	second.move("pledge.confirmed", 11)
	l.offer("FRA", 7)
	l.offer("FRA", 9).move("pledge.withdrawn", 4)
	l.observe("ETH", 1, 4010)
	all := must[Deliveries](t)(l.picture().Delivery(t.Context(), Moment{On: day(20)},
		Filter{})).Deliveries
	equal(t, "rows", len(all), 1)
	d := all[0]
	equal(t, "amounts", fmt.Sprint(d.Nation, d.Offered, d.Deployed, *d.Percent, d.Ended),
		"FRA167 80 47 1")
	equal(t, "to confirmed", fmt.Sprintf("%+v", d.OfferedToConfirmed),
		"{Pledges:2 Median:4 Longest:10 Waiting:1 Oldest:2026-01-01 days:[4 10]}")
	equal(t, "to deployed", fmt.Sprintf("%+v", d.ConfirmedToDeployed),
		"{Pledges:1 Median:4 Longest:4 Waiting:1 Oldest:2026-01-11 days:[4]}")
}

func TestCounting(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	p := l.offer("FRA", 10)
	accepted := p.move("pledge.accepted", 3)
	l.need("east", 100)
	picture := l.picture()
	tell := func(all []CountedAt) (text string) {
		for _, at := range all {
			for _, c := range at.Counted {
				text += fmt.Sprint(at.Rung, " ", c.Line, " ", c.Quantity, "; ")
			}
			for _, n := range at.NotCounted {
				text += fmt.Sprint(at.Rung, " ", n.Reason, "; ")
			}
		}
		return text
	}
	c := must[Counting](t)(picture.Counting(t.Context(), Moment{On: day(9)}, p.seq))
	equal(t, "then", tell(c.Then),
		"indicated west 10; offered west 10; accepted below-rung; confirmed below-rung; "+
			"deployed below-rung; ")
	equal(t, "now", tell(c.Now),
		"indicated several-lines; offered several-lines; accepted several-lines; confirmed "+
			"below-rung; deployed below-rung; ")
	c = must[Counting](t)(picture.Counting(t.Context(), Moment{On: day(9)}, accepted))
	equal(t, "then", tell(c.Then),
		"indicated west 10; offered west 10; accepted west 10; confirmed below-rung; deployed "+
			"below-rung; ")
	equal(t, "record of", picture.RecordOf(p.id, c.Record.ID), accepted)
	ahead := l.offer("DEU", 5, func(t *events.PledgeTerms) { t.From = day(20) })
	picture = l.picture()
	c = must[Counting](t)(picture.Counting(t.Context(), Moment{On: day(9)}, ahead.seq))
	several := "indicated several-lines; offered several-lines; accepted below-rung; confirmed " +
		"below-rung; deployed below-rung; "
	equal(t, "its window lies ahead", fmt.Sprint(c.NowOn, " ", tell(c.Now)), "2026-01-20 "+several)
	equal(t, "and lay ahead then", fmt.Sprint(c.ThenOn, " ", tell(c.Then)), "2026-01-20 "+several)
	l.cancel(10, "east")
	c = must[Counting](t)(l.picture().Counting(t.Context(), Moment{On: day(9)}, ahead.seq))
	equal(t, "as of now it fits one", tell(c.Now),
		"indicated west 5; offered west 5; accepted below-rung; confirmed below-rung; deployed "+
			"below-rung; ")
	equal(t, "as of the record it did not", tell(c.Then), several)
	ahead.move("pledge.withdrawn", 11)
	c = must[Counting](t)(l.picture().Counting(t.Context(), Moment{On: day(12)}, ahead.seq))
	equal(t, "it has gone", tell(c.Now),
		"indicated withdrawn; offered withdrawn; accepted withdrawn; confirmed withdrawn; "+
			"deployed withdrawn; ")
	for _, seq := range []uint64{1, 99} {
		if _, err := picture.Counting(t.Context(), Moment{}, seq); !problem.Is(err,
			problem.NotFound) {
			t.Errorf("record %d: %v", seq, err)
		}
	}
}

// What a nation has said last is what its own keys have signed, of all its pledges, the latest
// first.
func TestSaid(t *testing.T) {
	l := newTestLedger(t)
	first := l.offer("FRA", 10)
	l.offer("DEU", 20)
	second := l.offer("FRA", 30)
	// Which the ledger of the tests has all parties say.
	accepted := first.move("pledge.accepted", 3)
	confirmed := first.move("pledge.confirmed", 4)
	picture := l.picture()
	said := func(m Moment, most int) (all []uint64) {
		t.Helper()
		for _, s := range must[[]SaidRecord](t)(picture.Said(t.Context(), m, "FRA", most)) {
			all = append(all, s.Sequence)
			if events.Key(s.Signer).Party() != "FRA" {
				t.Errorf("record %d is signed by %s", s.Sequence, s.Signer)
			}
		}
		return all
	}
	equal(t, "all", fmt.Sprint(said(Moment{}, 9)),
		fmt.Sprint([]uint64{confirmed, accepted, second.seq, first.seq}))
	equal(t, "the latest two", fmt.Sprint(said(Moment{}, 2)),
		fmt.Sprint([]uint64{confirmed, accepted}))
	equal(t, "before", fmt.Sprint(said(Moment{AsOf: confirmed - 1}, 9)),
		fmt.Sprint([]uint64{accepted, second.seq, first.seq}))
}
