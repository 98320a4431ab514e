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
