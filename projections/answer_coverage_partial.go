package projections

import "muster/events"

// A partial is a sum within a unit of which some parts may not be known.
type partial struct {
	sum            int64
	known, unknown int // how many parts are
}

// add adds some parts, which are so much in all where it is known.
func (s *partial) add(n int64, known bool, parts int) {
	if !known {
		s.unknown += parts
		return
	}
	s.sum = add(s.sum, n)
	s.known += parts
}

func (s *partial) merge(other partial) {
	s.sum, s.known, s.unknown = add(s.sum, other.sum), s.known+other.known, s.unknown+other.unknown
}

// isAny reports whether there are any parts.
func (s *partial) isAny() bool { return s.known+s.unknown > 0 }

// of returns what the known parts are, unknown where there are parts and none of them is known: a
// sum of nothing is 0, and what is unknown never is.
func (s *partial) of(u events.Unit) events.Quantity {
	if s.known == 0 && s.unknown > 0 {
		return events.Unknown
	}
	return u.Of(s.sum)
}
