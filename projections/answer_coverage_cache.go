package projections

import (
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
)

// A coverageCache has the brief answers about coverage that were given last. An answer as of a record stays the
// same for ever, so each is good for as long as it is kept: where nothing has changed since, the same
// question costs next to nothing, whoever asks it: a stream, a page, another question that builds on it.
type coverageCache struct {
	last *lru.Cache[coverageOf, Coverage]
}

// coverageOf is a question about coverage.
type coverageOf struct {
	basis  Basis
	filter CoverageFilter
}

// maxCachedCoverages is how many answers are kept: a few hundred kilobytes.
const maxCachedCoverages = 16

func newCoverageCache() *coverageCache {
	last, err := lru.New[coverageOf, Coverage](maxCachedCoverages)
	if err != nil {
		panic(err) // it refuses to keep none
	}
	return &coverageCache{last}
}

// coverage returns the answer that was given to a question, or finds it. What is supposed is not kept,
// nor what names pledges.
func (a *coverageCache) coverage(b Basis, f CoverageFilter, find func() (Coverage, error)) (Coverage, error) {
	if !f.Brief || b.WhatIf != nil {
		return find()
	}
	f.Beside, f.Differences = false, false // which come later
	asked := coverageOf{b, f}
	c, ok := a.last.Get(asked)
	if !ok {
		var err error
		if c, err = find(); err != nil {
			return Coverage{}, err
		}
		a.last.Add(asked, c)
	}
	c.Lines = slices.Clone(c.Lines) // which the caller may change
	return c, nil
}
