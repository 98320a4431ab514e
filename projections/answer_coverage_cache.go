package projections

import (
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
)

// A coverageCache has the brief answers about coverage that were given last. An answer as of a
// record stays the same for ever, so each is good for as long as it is kept: where nothing has
// changed since, the same question costs next to nothing, whoever asks it: a stream, a page,
// another question that builds on it.
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

// get returns the answer that was given to a question before, which the caller may change. What is
// supposed is not kept, nor what names pledges.
func (a *coverageCache) get(b Basis, f CoverageFilter) (c Coverage, ok bool) {
	if !f.Brief || b.WhatIf != nil {
		return c, false
	}
	c, ok = a.last.Get(coverageQuestion(b, f))
	c.Lines = slices.Clone(c.Lines)
	return c, ok
}

// put keeps an answer for get.
func (a *coverageCache) put(f CoverageFilter, c Coverage) {
	if !f.Brief || c.WhatIf != nil {
		return
	}
	c.Lines = slices.Clone(c.Lines)
	a.last.Add(coverageQuestion(c.Basis, f), c)
}

// coverageQuestion is the question but for what is put beside its answer later.
func coverageQuestion(b Basis, f CoverageFilter) coverageOf {
	f.Beside, f.Differences = false, false
	return coverageOf{b, f}
}
