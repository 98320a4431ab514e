package access

import "muster/events"

// Kept returns the views that have a picture of their own at the moment, in no order.
func (v *Views) Kept() (all []events.View) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for view := range v.open {
		all = append(all, view)
	}
	return all
}

// Quiet is how long no record comes before a picture goes on that nobody asks for.
const Quiet = quiet

// Taken returns the last record that the picture of a view has taken in, without asking for more.
func (v *Views) Taken(view events.View) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open[view].projector.Sequence()
}
