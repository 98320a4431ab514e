package proof

import (
	"fmt"
	"slices"
	"time"

	"muster/events"
	"muster/events/english"
)

// A Bound is when somebody who is not the server has signed for a tree: no record of it was made
// later. Cosignatures of witnesses are bounds.
type Bound struct {
	Size int64     // of the tree
	By   string    // who has signed, for people: "the witness paris"
	At   time.Time // by the clock of who has signed
}

// Skew is how far the clock of a witness and that of a server may differ.
const Skew = time.Minute

// A bounded is what the recorded times are held against: for each size the earliest time at which
// anybody has signed for so many records or more. Sizes and times grow.
type bounded []Bound

func newBounded(all []Bound) (b bounded) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(x, y Bound) int { return int(min(1, max(-1, y.Size-x.Size))) })
	for _, next := range all { // the largest first
		switch last := len(b) - 1; {
		case last >= 0 && !next.At.Before(b[last].At):
		case last >= 0 && next.Size == b[last].Size:
			b[last] = next
		default:
			b = append(b, next)
		}
	}
	slices.Reverse(b)
	return b
}

// late says what is wrong with the time of a record, "" when nothing is.
func (b bounded) late(rec events.Record) string {
	i, _ := slices.BinarySearchFunc(b, int64(rec.Sequence), func(b Bound, sequence int64) int {
		return int(min(1, max(-1, b.Size-sequence)))
	})
	if i == len(b) || !rec.Recorded.After(b[i].At.Add(Skew)) {
		return ""
	}
	return fmt.Sprintf("it says that it was recorded at %s, and %s had signed for the first %d "+
		"records at %s", rec.Recorded.Format(events.RecordedForm), b[i].By, b[i].Size,
		b[i].At.Format(time.RFC3339))
}

func (v *verifier) reportTimes(r *Report) {
	if n := len(v.bounded); n > 0 {
		v.check(r, "times", "none of the first %s has a time after that at which a witness has "+
			"signed for it", english.Several(uint64(v.bounded[n-1].Size), "record"))
	}
}
