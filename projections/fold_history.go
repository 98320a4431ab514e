package projections

import (
	"slices"

	"muster/events"
)

// A said is something that a record said about one thing, with its place on both clocks. When it
// was recorded follows from its sequence.
type said[T any] struct {
	seq       uint64
	effective events.Date
	what      T
}

// A history is all that was said about one thing, ordered by effective date and, within a date, by
// sequence. A record that comes late goes to the place where it applies; what is known as of a
// sequence is found by leaving out what came after, so a late record never changes an old answer.
type history[T any] []said[T]

// add puts s in its place, in another list: readers may have the one that is there. Its sequence is
// higher than all that are there.
func (h *history[T]) add(s said[T]) {
	at := len(*h)
	for at > 0 && (*h)[at-1].effective > s.effective {
		at--
	}
	*h = slices.Insert(slices.Clip(*h), at, s)
}

// last returns what holds on a date, as far as is known as of a sequence: the latest by effective
// date, then by sequence.
func (h history[T]) last(asOf uint64, on events.Date) (said[T], bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].seq <= asOf && h[i].effective <= on {
			return h[i], true
		}
	}
	return said[T]{}, false
}

// during returns what holds on any day from one date to another, in order.
func (h history[T]) during(asOf uint64, on, until events.Date) (all []said[T]) {
	if s, ok := h.last(asOf, on); ok {
		all = append(all, s)
	}
	for _, s := range h.known(asOf) {
		if s.effective <= on || s.effective > until {
			continue
		}
		if n := len(all); n > 0 && all[n-1].effective == s.effective {
			all = all[:n-1] // the later record holds
		}
		all = append(all, s)
	}
	return all
}

// first returns what is known to hold first, whatever the date.
func (h history[T]) first(asOf uint64) (said[T], bool) {
	for i := range h {
		if h[i].seq <= asOf {
			return h[i], true
		}
	}
	return said[T]{}, false
}

// known returns what is known as of a sequence, in order.
func (h history[T]) known(asOf uint64) history[T] {
	if !slices.ContainsFunc(h, func(s said[T]) bool { return s.seq > asOf }) {
		return h
	}
	var known history[T]
	for _, s := range h {
		if s.seq <= asOf {
			known = append(known, s)
		}
	}
	return known
}
