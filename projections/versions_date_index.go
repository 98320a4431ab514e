package projections

import (
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"muster/events"
)

// A date index has the versions that hold on one date as of one record, by the number of their
// pledge; a pledge that is not there has the rung 0. It is brought up to date when a later picture
// asks for it, pledge by pledge. Readers of an earlier one scan the table then.
type dateIndex struct {
	on events.Date

	mu     sync.RWMutex // held for one pass over the rows
	asOf   uint32       // 0 before it is made
	rows   []version
	rollup *rollup // of the rows; nil before they were asked for
}

// dateIndexes are those of the dates that were asked for last.
type dateIndexes struct {
	ready *lru.Cache[events.Date, *dateIndex]
}

// maxDateIndexes is how many dates are kept ready.
const maxDateIndexes = 4

func newDateIndexes() *dateIndexes {
	ready, err := lru.New[events.Date, *dateIndex](maxDateIndexes)
	if err != nil {
		panic(err) // it refuses to keep none
	}
	return &dateIndexes{ready}
}

// of returns the date index of a date.
func (t *dateIndexes) of(on events.Date) *dateIndex {
	if s, ok := t.ready.Get(on); ok {
		return s
	}
	s := &dateIndex{on: on}
	if was, ok, _ := t.ready.PeekOrAdd(on, s); ok { // somebody has asked at the same time
		return was
	}
	return s
}

// look calls do with the date index as of the picture's last record, and with its rollup where that
// is wanted. It reports false, and calls nothing, where the date index is of a later picture
// already.
func (s *dateIndex) look(p *Picture, withRollup bool, do func(*dateIndex)) bool {
	asOf := uint32(p.Sequence())
	s.mu.RLock()
	if s.asOf != asOf || withRollup && s.rollup == nil {
		s.mu.RUnlock()
		s.bringTo(p, withRollup)
		s.mu.RLock()
	}
	defer s.mu.RUnlock()
	if s.asOf != asOf || withRollup && s.rollup == nil {
		return false
	}
	p.meter.whileLocked(func() { do(s) })
	return true
}

// bringTo brings the date index up to date with a picture, unless it is of a later one.
func (s *dateIndex) bringTo(p *Picture, withRollup bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch last := uint32(p.Sequence()); {
	case s.asOf > last:
		return
	case s.asOf == 0:
		s.rows, s.asOf = p.versionsOn(s.on), last
	}
	for ; s.asOf < uint32(len(p.touched)); s.asOf++ {
		if no := p.touched[s.asOf]; no > 0 {
			s.update(p, p.pledges[no-1])
		}
	}
	if withRollup && s.rollup == nil {
		s.rollup = rollUp(s.rows)
	}
}

// versionsOn returns the versions that hold on a date as of the last record, by the number of their
// pledge.
func (p *Picture) versionsOn(on events.Date) []version {
	t, asOf := &p.versions, uint32(p.Sequence())
	rows := make([]version, len(p.pledges))
	for i := range t.extents {
		if e := &t.extents[i]; e.isKnown(asOf) && e.from <= on && on <= e.until {
			rows[t.what[i].pledge] = t.what[i]
		}
	}
	return rows
}

func (s *dateIndex) update(p *Picture, pl *pledge) {
	for uint32(len(s.rows)) <= pl.no {
		s.rows = append(s.rows, version{})
	}
	row := &s.rows[pl.no]
	if s.rollup != nil {
		s.rollup.remove(row)
	}
	*row = p.versionAt(pl, s.on)
	if s.rollup != nil {
		s.rollup.add(row)
	}
}

// versionAt returns the version of a pledge on a date as of the last record, none where it is not
// there.
func (p *Picture) versionAt(pl *pledge, on events.Date) version {
	c := pl.now()
	if uint64(c.last) > p.Sequence() { // a later picture has another version of it already
		b := Basis{AsOf: p.Sequence(), On: on}
		if s := pl.at(&b, new(standing)); s.counts(on) {
			return p.versionOf(pl, s, on)
		}
		return version{}
	}
	for _, no := range slices.Backward(c.open) {
		if e := &p.versions.extents[no]; e.from <= on && on <= e.until {
			return p.versions.what[no]
		}
	}
	return version{}
}
