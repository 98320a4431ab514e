package web

import (
	"net/url"
	"slices"
)

// Read reads the parameters of a question from the values of an address that has others beside
// them, as a page's does: those that the question does not take are left alone. What is wrong with
// one is told as the API tells it.
func Read[Q any, P query[Q]](s *Service, values url.Values) (*Q, error) {
	q, p := new(Q), s.parameters(requestFrom("", values, nil))
	P(q).read(&p)
	names := p.names()
	for name := range values {
		if !slices.Contains(names, name) {
			delete(p.given, name)
			delete(p.garbled, name)
		}
	}
	return q, p.problem()
}
