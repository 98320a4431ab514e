package proof

import (
	"fmt"
	"strings"

	"muster/events"
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

// hear notes a key that a record is about to let sign without its nation's word.
func (v *verifier) hear(rec events.Record) {
	if key := v.state.Unheard(rec); key != "" {
		v.unheard = append(v.unheard, Unheard{rec.Sequence, key.Party(), key})
	}
}

// maxUnheard is how many of them the report names.
const maxUnheard = 20

// reportNations tells of keys whose nations were not asked. In a ledger that asks for no seconds,
// and has none such, there is nothing to tell.
func (v *verifier) reportNations(r *Report) {
	r.Unheard = v.unheard
	if len(v.unheard) == 0 {
		if v.state.Roll().Asked() > 0 {
			v.check(r, "nations", "every further key of a nation was seconded by one of its "+
				"liaisons")
		}
		return
	}
	var named []string
	for _, u := range v.unheard[:min(maxUnheard, len(v.unheard))] {
		id, _ := u.Key.ID()
		named = append(named, fmt.Sprintf("%s (record %d)", id, u.Sequence))
	}
	if more := len(v.unheard) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	r.Add("nations", NotChecked, "whether their nations know of these further keys, which no "+
		"liaison of theirs has seconded: %s", strings.Join(named, ", "))
}
