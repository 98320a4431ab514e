package reconcile

import "muster/events"

// Rename makes a statement that begins a pledge, or is about it, one of another pledge with an ID
// of its own: what was struck comes back as another pledge, and what is found by its reference has
// the ID under which it is recorded. It changes the statement, but for one that is of the pledge.
func Rename(st events.Statement, pledge events.ID) {
	if events.Thing(st) == pledge {
		return
	}
	if head := st.Head(); events.Thing(st) != head.ID {
		head.ID = idOf([]string{"muster row 1, renamed", pledge.String(), head.ID.String()}, 0)
	}
	events.SetThing(st, pledge)
}
