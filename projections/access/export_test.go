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
