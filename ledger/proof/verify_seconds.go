package proof

import (
	"fmt"
	"strings"

	"muster/events"
	"muster/ledger/rules"
)

// An Unheard is a key that was admitted as a further one of a nation that has had a liaison of its
// own, although none of the nation's liaisons has seconded that: nobody but the nation can say
// whether it is one of theirs.
type Unheard struct {
	// Sequence is the record since which the key may sign.
	Sequence uint64        `json:"sequence"`
	Nation   events.Nation `json:"nation"`
	Key      events.Key    `json:"key"`
}

// heard returns the keys that were unheard before a record, and the one that it lets sign, if any.
// The state is that before the record.
func heard(before []Unheard, s *rules.State, sequence uint64, rec events.Record) []Unheard {
	if key := s.Unheard(rec); key != "" {
		return append(before, Unheard{sequence, key.Party(), key})
	}
	return before
}

// maxUnheard is how many of them the report names.
const maxUnheard = 20

// tellUnheard tells of keys whose nations were not asked.
func (r *Report) tellUnheard(all []Unheard) {
	r.Unheard = all
	var named []string
	for _, u := range all[:min(maxUnheard, len(all))] {
		id, _ := u.Key.ID()
		named = append(named, fmt.Sprintf("%s (record %d)", id, u.Sequence))
	}
	if more := len(all) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	if len(named) > 0 {
		r.Add("nations", NotChecked, "whether their nations know of these further keys, which no "+
			"liaison of theirs has seconded: %s", strings.Join(named, ", "))
	}
}

// reportNations tells of the same, and where the ledger asks for seconds, that there are none. In
// another ledger without such keys there is nothing to tell.
func (v *verifier) reportNations(r *Report) {
	r.tellUnheard(v.unheard)
	if len(v.unheard) == 0 && v.state.Roll().Asked() > 0 {
		v.check(r, "nations", "every further key of a nation was seconded by one of its liaisons")
	}
}
