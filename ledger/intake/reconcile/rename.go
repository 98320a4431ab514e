package reconcile

import "muster/events"

// Rename makes a statement that begins a pledge, or is about it, one of another pledge with an ID
// of its own: what was struck comes back as another pledge. It changes the statement.
func Rename(st events.Statement, pledge events.ID) {
	if head := st.Head(); events.Thing(st) != head.ID {
		head.ID = idOf([]string{"muster row 1, renamed", pledge.String(), head.ID.String()}, 0)
	}
	events.SetThing(st, pledge)
}
