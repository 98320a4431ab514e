package projections

// What the tests have that know the projector, too, and so lie outside of this package.
var (
	NewStory    = newStory
	PictureUpTo = func(s *storyteller, n uint64) *Picture { return s.pictureUpTo(n) }
	StoreLedger = storeLedger
	Whole       = whole
)
