package projections

import (
	"slices"
	"sync"
)

// answered are the brief answers about coverage that were given last. An answer as of a record stays the same for ever, so each is
// good for as long as it is kept: where nothing has changed since, the same question costs next to nothing.
type answered struct {
	mu   sync.Mutex
	last []answer
}

type answer struct {
	basis  Basis
	filter CoverageFilter
	Coverage
}

// maxAnswered is how many answers are kept: a few hundred kilobytes.
const maxAnswered = 16

// coverage returns the answer that was given to a question, or finds it. What is supposed is not kept, nor what names pledges.
func (a *answered) coverage(b Basis, f CoverageFilter, find func() (Coverage, error)) (Coverage, error) {
	if !f.Brief || b.WhatIf != nil {
		return find()
	}
	f.Beside, f.Differences = false, false // which come later
	a.mu.Lock()
	at := slices.IndexFunc(a.last, func(one answer) bool { return one.basis == b && one.filter == f })
	if at >= 0 {
		defer a.mu.Unlock()
		return a.last[at].copy(), nil
	}
	a.mu.Unlock()
	found, err := find()
	if err != nil {
		return Coverage{}, err
	}
	one := answer{b, f, found}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.last) == maxAnswered {
		a.last = slices.Delete(a.last, 0, 1)
	}
	a.last = append(a.last, one)
	return one.copy(), nil
}

// copy returns the answer with lines of its own, which the caller may change.
func (a *answer) copy() Coverage {
	c := a.Coverage
	c.Lines = slices.Clone(c.Lines)
	return c
}
