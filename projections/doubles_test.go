package projections

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
)

// Two pledges that say the same may be one, such as one that came by a file and one by hand.
func TestReviewFindsLikelyDoubles(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	fra := l.offer("FRA", 500)
	again := l.offer("FRA", 500, func(t *events.PledgeTerms) { t.Source = "a letter" })
	l.offer("DEU", 500)
	l.offer("FRA", 501)
	l.offer("FRA", 500, func(t *events.PledgeTerms) { t.Area = "west" })
	told := func(m Moment, f Filter) (text string) {
		for _, f := range must[Review](t)(l.picture().Review(t.Context(), m, f)).Findings {
			if f.Kind == LikelyDouble {
				text += fmt.Sprint(f.Nation, " ", f.Quantity, " ", f.Pledge == again.id,
					strings.Contains(f.Sentence, fra.id.String()), "; ")
			}
		}
		return text
	}
	equal(t, "now", told(Moment{On: day(9)}, Filter{}), "FRA 500 true true; ")
	equal(t, "in a range", told(Moment{On: day(2), Until: day(9)}, Filter{}), "FRA 500 true true; ")
	equal(t, "of another nation", told(Moment{On: day(9)}, Filter{Nation: "DEU"}), "")
	again.correct(again.seq, 1, func(c *events.PledgeCorrected) { c.Struck = true })
	equal(t, "when one is struck", told(Moment{On: day(9)}, Filter{}), "")
}

// The one that was recorded later is to be struck, whatever the IDs: that of a pledge that came by
// a file follows from its row, and lies before all that were made at some time.
func TestReviewStrikesTheLaterDouble(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	ids := map[events.ID]string{}
	offer := func(name string, at uint64) uint64 {
		id := must[events.ID](t)(events.IDAt(at, [10]byte{9: name[0]}))
		ids[id] = name
		return l.say(liaison("FRA"), &events.PledgeOffered{Header: events.Header{
			Type: "pledge.offered", Ledger: l.head("pledge.offered").Ledger, ID: id},
			Dated: dated(1), Place: place("FRA"), PledgeTerms: pledgeTerms(500)})
	}
	offer("by hand", 1_800_000_000_000)
	file := offer("file", 0)
	again := offer("again", 0)
	told := func() (text string) {
		for _, f := range must[Review](t)(l.picture().Review(t.Context(), Moment{On: day(9)},
			Filter{})).Findings {
			if f.Kind == LikelyDouble {
				_, hint, _ := strings.Cut(f.Sentence, "later one: ")
				text += fmt.Sprint(ids[f.Pledge], f.Sequences, ": ", hint, "; ")
			}
		}
		return text
	}
	const hint = "%s[%[2]d]: muster pledge correct %[2]d --strike --reason WHY; "
	equal(t, "three", told(), fmt.Sprintf(hint, "file", file)+fmt.Sprintf(hint, "again", again))
}
