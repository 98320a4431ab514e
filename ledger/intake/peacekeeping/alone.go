package peacekeeping

import (
	"muster/events"
	"muster/ledger/intake/reconcile"
)

// Alone returns what rests on records alone, and not on what else is to be said: the first word of
// each contribution to a mission that is recorded, and the missions that are not. Whether a ledger
// takes these can be asked before the first is said, and a signer that may not say one may not say
// the others.
func (r *Restatement) Alone(known *reconcile.Known) (all []events.Statement) {
	spoken := map[contribution]bool{}
	of := map[events.ID]contribution{} // what is to be said begins these
	for i := range r.Steps {
		for _, wave := range r.Steps[i].Waves {
			for _, st := range wave {
				if _, opens := st.(*events.OperationOpened); opens {
					all = append(all, st)
					continue
				}
				thing := events.Thing(st)
				key, begun := of[thing]
				if seen, ok := st.(*events.PledgeObserved); ok {
					key = contribution{seen.Operation, seen.Nation, seen.Role}
					of[thing] = key
				} else if p := known.Pledge(thing); !begun && p != nil {
					key = contribution{p.Operation, p.Nation, p.Role}
				}
				if !spoken[key] && known.HasOperation(key.mission) {
					all = append(all, st)
				}
				spoken[key] = true
			}
		}
	}
	return all
}
