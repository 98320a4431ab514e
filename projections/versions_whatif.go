package projections

import (
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
	"muster/events/problem"
)

// A WhatIf asks of any question how the answer would be if the world were another. The zero value
// changes nothing, and a nil WhatIf does not either. It is not changed once it is asked.
type WhatIf struct {
	// Without leaves out all that these nations pledge.
	Without []events.Nation `json:"without,omitempty"`
	// WithoutConditional leaves out what hangs on an open condition, WithoutCaveated what is
	// restricted by a caveat.
	WithoutConditional bool `json:"without_conditional,omitzero"`
	WithoutCaveated    bool `json:"without_caveated,omitzero"`
	// Discharge supposes that these conditions have happened, by their name or kind. Hyphens and
	// case play no part.
	Discharge []string `json:"discharge,omitempty"`
}

// IsZero reports whether nothing is supposed.
func (w *WhatIf) IsZero() bool {
	return w == nil || len(w.Without) == 0 && !w.WithoutConditional && !w.WithoutCaveated &&
		len(w.Discharge) == 0
}

// String says to people what is supposed: "without FRA, without what is conditional".
func (w *WhatIf) String() string {
	if w.IsZero() {
		return "nothing"
	}
	var all []string
	if len(w.Without) > 0 {
		all = append(all, "without "+english.List(w.Without))
	}
	if w.WithoutConditional {
		all = append(all, "without what is conditional")
	}
	if w.WithoutCaveated {
		all = append(all, "without what is under a caveat")
	}
	if len(w.Discharge) > 0 {
		all = append(all, "with "+english.List(w.Discharge)+" discharged")
	}
	return strings.Join(all, ", ")
}

// conditionKinds are words that every ledger knows.
var conditionKinds = []events.ConditionKind{events.Parliament, events.CeaseFire, events.Mandate,
	events.Funding, events.OtherThing}

// Check refuses a word to discharge that no condition has, so that a slip is not taken for a world
// in which nothing changes.
func (w *WhatIf) Check(p *Picture) error {
	if w == nil {
		return nil
	}
	for _, word := range w.Discharge {
		isKind := slices.ContainsFunc(conditionKinds, func(k events.ConditionKind) bool {
			return sameWord(word, string(k))
		})
		if !isKind && !p.conditions.has(plainWord(word)) {
			return problem.New(problem.NotFound,
				"no condition of any pledge is named %q, or is of that kind", word).
				WithHint("write a condition's name as `muster pledge list` shows it, or a kind: %s",
					phrase.List(phrase.And, conditionKinds...))
		}
	}
	return nil
}

// folds reports whether the answer cannot be taken from the table of versions.
func (w *WhatIf) folds() bool { return w != nil && len(w.Discharge) > 0 }

// lets reports whether a version is there in what is supposed.
func (w *WhatIf) lets(p *Picture, v *version) bool {
	return w == nil ||
		!(w.WithoutConditional && v.flags&isConditional != 0) &&
			!(w.WithoutCaveated && v.flags&isCaveated != 0) &&
			(len(w.Without) == 0 || !slices.Contains(w.Without, p.nations.names[v.nation]))
}

// letsPledge reports whether a pledge is there in what is supposed.
func (w *WhatIf) letsPledge(p *Pledge) bool {
	isOpen := func(c Condition) bool { return c.State == Hanging }
	return w == nil ||
		!(w.WithoutConditional && slices.ContainsFunc(p.Conditions, isOpen)) &&
			!(w.WithoutCaveated && len(p.Caveats) > 0) &&
			!slices.Contains(w.Without, p.Nation)
}

// suppose returns the standing as it would be; s itself is not changed.
func (w *WhatIf) suppose(s *standing) *standing {
	if !w.folds() || !slices.ContainsFunc(s.conditions, w.discharges) {
		return s
	}
	other := *s
	other.conditions = slices.Clone(s.conditions)
	for i := range other.conditions {
		if w.discharges(other.conditions[i]) {
			other.conditions[i].state = Discharged
		}
	}
	return &other
}

func (w *WhatIf) discharges(h hold) bool {
	return h.state == Hanging && slices.ContainsFunc(w.Discharge, func(word string) bool {
		return sameWord(word, string(h.name)) || sameWord(word, string(h.kind))
	})
}

func sameWord(a, b string) bool { return b != "" && plainWord(a) == plainWord(b) }

func plainWord(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
