package peacekeeping

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
)

// A Gone is a contribution that is recorded and that the file does not have at all.
type Gone struct {
	Pledge events.ID
	events.Place
	Role events.Role
}

// GoneChoices are what may become of it, the usual one first: it stays as it is; or was never to be
// said; or has gone home by the last month of the file.
var GoneChoices = []string{string(reconcile.Leave), string(reconcile.Strike),
	string(reconcile.Return)}

// gone returns the contributions of the file's missions that are there by the records, and of which
// the file says nothing; and says what was chosen to become of them. What cannot be said is
// returned, too.
func (r *restater) gone(h *History) (all []Gone, wrong []problem.Field) {
	missions := map[events.Operation]bool{}
	for key := range h.people {
		missions[key.mission] = true
	}
	last := len(h.months) - 1
	for _, p := range r.known.All() {
		key := contribution{p.Operation, p.Nation, p.Role}
		_, there := h.people[key]
		if !p.Observed || !p.IsLive() || !missions[key.mission] || there {
			continue
		}
		all = append(all, Gone{p.ID, p.Place, p.Role})
		s, step, on := r.of(key), &r.steps[last], h.months[last]
		s.spoken = map[events.ID]int{}
		switch h.Gone {
		case reconcile.Strike:
			st := reconcile.Struck(p, reconcile.Options{Ledger: r.origin,
				Reason: cmp.Or(h.Reason, "not in the file that was published")})
			st.Source = r.source
			s.sayAll(step, []events.Statement{st})
		case reconcile.Return:
			if s.Last() > on {
				wrong = append(wrong, *cannot(key, on, "nobody was there any more, and the "+
					"ledger has forces after that"))
				continue
			}
			var day reconcile.Day
			s.Tell(&day, on, p.ID, "pledge.returned", 0)
			s.sayAll(step, day.Statements)
		}
	}
	slices.SortStableFunc(all, func(a, b Gone) int {
		return compareContributions(contribution{a.Operation, a.Nation, a.Role},
			contribution{b.Operation, b.Nation, b.Role})
	})
	return all, wrong
}
