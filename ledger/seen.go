package ledger

import (
	"fmt"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// checkSeen keeps rule 27. [rules.Decide] leaves it to the Ledger, for it is the journal that has
// the tree. A tree only grows, so what it says of a tree of that size stays true; of one that is
// larger than the journal's it is not, and Submit asks again when the journal has all that the log
// has.
func (l *Ledger) checkSeen(st events.Statement) error {
	seen := st.Head().Seen
	// What is for another ledger is refused as such.
	if seen == nil || l.Origin() != "" && st.Head().Ledger != l.Origin() {
		return nil
	}
	if last := l.cfg.Journal.Last(); seen.Size > int64(last) {
		return rules.OtherHistory(seen, fmt.Sprintf("which has %d", last))
	}
	root, err := l.cfg.Journal.RootAt(seen.Size)
	if err != nil {
		return problem.From(err)
	}
	if root.String() != seen.Root {
		return rules.OtherHistory(seen,
			fmt.Sprintf("whose first %d have the root %s", seen.Size, root))
	}
	return nil
}
