package reconcile

import "muster/events"

// Rename makes a statement that begins a pledge, or is about it, one of another pledge with an ID
// of its own: what was struck comes back as another pledge. It changes the statement.
func Rename(st events.Statement, pledge events.ID) {
	if _, begins := st.(*events.PledgeIndicated); begins || events.Thing(st) == st.Head().ID {
		st.Head().ID = pledge
		return
	}
	st.Head().ID = idOf([]string{"muster row 1, renamed", pledge.String(),
		st.Head().ID.String()}, 0)
	switch st := st.(type) {
	case *events.PledgeAccepted:
		st.Pledge = pledge
	case *events.PledgeConfirmed:
		st.Pledge = pledge
	case *events.PledgeDeployed:
		st.Pledge = pledge
	case *events.PledgeReported:
		st.Pledge = pledge
	case *events.PledgeReturned:
		st.Pledge = pledge
	case *events.PledgeWithdrawn:
		st.Pledge = pledge
	case *events.PledgeAmended:
		st.Pledge = pledge
	case *events.ConditionAdded:
		st.Pledge = pledge
	case *events.CaveatDeclared:
		st.Pledge = pledge
	}
}
