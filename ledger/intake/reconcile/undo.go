package reconcile

import (
	"cmp"
	"slices"

	"muster/events"
)

// An Undone is what takes off what an import has done to one pledge.
type Undone struct {
	*Pledge
	// Statements are to be said, in this order: one that strikes the pledge, where it came from the
	// import; else those that strike what the import has said of it, and turn back what it has
	// mended.
	Statements []events.Statement
	// Stays says what cannot be taken off, "" for nothing.
	Stays string
}

// What of an import cannot be taken off.
const (
	struckForGood = "it has struck this pledge as never said, which is for good: offer it again " +
		"by hand"
	saidByHand = "somebody has amended it by hand or with a list, under the name of the import: " +
		"correct that by hand"
	saidSince = "others have amended or mended it since, and what they have said may rest on it: " +
		"correct that by hand"
)

// Undo returns what takes off all that the imports of opt.Name have done and that holds still, in
// the order in which the pledges began.
func (k *Known) Undo(opt Options) (all []Undone) {
	for _, p := range k.order {
		u := Undone{Pledge: p}
		switch {
		case p.Struck && p.struckBy == opt.Name && p.Import != opt.Name:
			u.Stays = struckForGood
		case p.Struck:
		case p.Import == opt.Name:
			u.Statements = []events.Statement{Struck(p, opt)}
		default:
			u.undo(opt)
		}
		if len(u.Statements) > 0 || u.Stays != "" {
			all = append(all, u)
		}
	}
	return all
}

// A deed is what an import has said of a pledge of another, and what takes it off.
type deed struct {
	at    uint64 // its record
	terms bool   // it says terms
	undo  *events.PledgeCorrected
}

func (u *Undone) undo(opt Options) {
	var deeds []deed
	take := func(at uint64, s *said) *events.PledgeCorrected {
		fix := &events.PledgeCorrected{Header: events.Header{Type: "pledge.corrected",
			ID: events.NewID(), Ledger: opt.Ledger}, Dated: events.Dated{Effective: s.effective},
			Place: u.Place, Pledge: u.ID, Corrects: s.id, Reason: opt.Reason,
			Source: events.WithImport("", opt.Name)}
		deeds = append(deeds, deed{at, s.terms != nil, fix})
		return fix
	}
	var last uint64 // record of the terms that others have said last
	for i := range u.said {
		s := &u.said[i]
		isTheirs := s.from == opt.Name && i > 0
		switch {
		case isTheirs && s.struck:
		case isTheirs && s.terms != nil && !isOfRow(s.id, s.own.effective):
			u.Stays, last = saidByHand, max(last, s.at)
		case isTheirs:
			take(s.at, s).Struck = true
		case s.terms != nil && !s.struck:
			last = max(last, s.at)
		}
		if isTheirs {
			continue
		}
		run := trailing(s.mended, opt.Name)
		if len(run) < len(s.mended) {
			last = max(last, s.mended[len(s.mended)-len(run)-1].at)
		}
		if len(run) > 0 && !run[0].was.same(s) {
			was := run[0].was
			fix := take(run[0].at, s)
			fix.Effective, fix.Struck = was.effective, was.struck
			if !was.struck {
				fix.Terms = was.terms
				if !was.strength.IsZero() {
					fix.Strength = &events.Strength{Quantity: was.strength, Unit: u.Unit}
				}
			}
		}
	}
	slices.SortStableFunc(deeds, func(a, b deed) int { return cmp.Compare(b.at, a.at) })
	for _, d := range deeds {
		if d.terms && d.at < last && u.Stays == "" {
			u.Stays = saidSince
		}
		u.Statements = append(u.Statements, d.undo)
	}
	if len(deeds) > 0 {
		deeds[0].undo.After = int64(u.Last)
	}
}

// A mending is one correction of something said.
type mending struct {
	at  uint64 // its record
	by  string // the name of its import
	was said   // what it has corrected
}

// trailing are the last corrections, which an import alone has made.
func trailing(all []mending, name string) []mending {
	i := len(all)
	for i > 0 && all[i-1].by == name {
		i--
	}
	return all[i:]
}

// same reports whether something said says what it said before.
func (s *said) same(now *said) bool {
	return s.effective == now.effective && s.struck == now.struck && s.strength == now.strength &&
		(s.terms == nil || now.terms == nil || !differ(s.terms, now.terms))
}
