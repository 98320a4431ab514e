package projections

import (
	"slices"

	"muster/events"
)

// A standing is where a pledge stands at a moment: the fold of its changes up to there.
type standing struct {
	begun    bool
	rung     Rung
	exit     State // "" while it is on the ladder
	terms    *terms
	pledged  amount // absent where nothing was pledged, only observed
	strength amount // absent where nothing was reported

	conditions []condition
	remark     *remark // that of the terms

	// The records that say so.
	beginSeq, termsSeq, rungSeq, strengthSeq, exitSeq uint64
	since, strengthOn                                 events.Date
}

// step folds in one change. Changes come in the order of their history.
func (s *standing) step(c *said[change]) {
	m := c.what.move
	if m.begins && !s.begun {
		s.begun, s.beginSeq, s.since = true, c.seq, c.effective
	}
	if m.terms {
		s.terms, s.termsSeq, s.remark = c.what.terms, c.seq, c.what.remark
		if !m.strength {
			s.pledged = c.what.amount
		}
	}
	if m.strength {
		s.strength, s.strengthSeq, s.strengthOn = c.what.amount, c.seq, c.effective
	}
	if m.rung > s.rung {
		s.rung, s.rungSeq = m.rung, c.seq
	}
	if m.exit != "" && s.exit == "" {
		s.exit, s.exitSeq = m.exit, c.seq
	}
	if c.what.condition != nil {
		s.setCondition(*c.what.condition)
	}
}

func (s *standing) setCondition(c condition) {
	at := slices.IndexFunc(s.conditions, func(old condition) bool { return old.name == c.name })
	if at < 0 {
		s.conditions = append(s.conditions, c)
		return
	}
	if c.kind == "" {
		c.kind = s.conditions[at].kind
	}
	s.conditions[at] = c
}

// at returns where the pledge stands. The result is the pledge's own head or lies in room, and is not to be changed.
func (pl *pledge) at(b *Basis, room *standing) *standing {
	if pl.last <= b.AsOf && pl.latest <= b.On {
		return &pl.head
	}
	*room = standing{}
	if pl.first > b.AsOf {
		return room
	}
	for i := range pl.history {
		c := &pl.history[i]
		if c.effective > b.On {
			break
		}
		if c.seq <= b.AsOf {
			room.step(c)
		}
	}
	return room
}

// counts reports whether the pledge is there on a date: begun, not ended, and within its window.
func (s *standing) counts(on events.Date) bool {
	return s.begun && s.exit == "" && s.terms.Includes(on)
}

func (s *standing) state() State {
	switch {
	case s.exit != "":
		return s.exit
	case s.begun:
		return Live
	}
	return Ahead
}

// amount returns what the pledge counts for at a rung: at the rung deployed what is there, and below it what was pledged,
// or what was seen where nothing was.
func (s *standing) amount(at Rung) (a amount, reported bool) {
	if at == Deployed && s.rung == Deployed || s.pledged.quantity.IsZero() {
		return s.strength, true
	}
	return s.pledged, false
}

func (s *standing) inReserve() bool { return s.terms.presence == events.Reserve }

// conditionsIn returns the names of the conditions in a state.
func (s *standing) conditionsIn(in ConditionState) []events.Line {
	var names []events.Line
	for _, c := range s.conditions {
		if c.state == in {
			names = append(names, c.name)
		}
	}
	return names
}

// appendSequences appends the records that make what the pledge counts for: those that began it, put it on its rung, told
// its amount and added the conditions that are still in its way, in order.
func (s *standing) appendSequences(to []uint64, reported bool) []uint64 {
	from := len(to)
	to = append(to, s.beginSeq, s.rungSeq, s.termsSeq)
	if reported {
		to = append(to, s.strengthSeq)
	}
	for _, c := range s.conditions {
		if c.state != Discharged {
			to = append(to, c.seq)
		}
	}
	slices.Sort(to[from:])
	return to[:from+len(slices.Compact(to[from:]))]
}
