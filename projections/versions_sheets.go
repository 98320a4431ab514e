package projections

import (
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"muster/events"
)

// A sheet has the versions that hold on one date as of one record, by the number of their pledge; a pledge that is not
// there has the rung 0. It is brought up to date when a later picture asks for it, pledge by pledge. Readers of an
// earlier one scan the table then.
type sheet struct {
	on events.Date

	mu    sync.RWMutex // held for one pass over the rows
	asOf  uint32       // 0 before it is made
	rows  []version
	cells *cells // of the rows; nil before they were asked for
}

// sheets are those of the dates that were asked for last.
type sheets struct {
	ready *lru.Cache[events.Date, *sheet]
}

// maxSheets is how many dates are kept ready.
const maxSheets = 4

func newSheets() *sheets {
	ready, err := lru.New[events.Date, *sheet](maxSheets)
	if err != nil {
		panic(err) // it refuses to keep none
	}
	return &sheets{ready}
}

// of returns the sheet of a date.
func (t *sheets) of(on events.Date) *sheet {
	if s, ok := t.ready.Get(on); ok {
		return s
	}
	s := &sheet{on: on}
	if was, ok, _ := t.ready.PeekOrAdd(on, s); ok { // somebody has asked at the same time
		return was
	}
	return s
}

// look calls do with the sheet as of the picture's last record, and with its cells where they are wanted. It reports false, and calls
// nothing, where the sheet is of a later picture already.
func (s *sheet) look(p *Picture, withCells bool, do func(*sheet)) bool {
	asOf := uint32(p.Sequence())
	s.mu.RLock()
	if s.asOf != asOf || withCells && s.cells == nil {
		s.mu.RUnlock()
		s.bringTo(p, withCells)
		s.mu.RLock()
	}
	defer s.mu.RUnlock()
	if s.asOf != asOf || withCells && s.cells == nil {
		return false
	}
	do(s)
	return true
}

// bringTo brings the sheet up to date with a picture, unless it is of a later one.
func (s *sheet) bringTo(p *Picture, withCells bool) {
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
	if withCells && s.cells == nil {
		s.cells = cellsOf(s.rows)
	}
}

// versionsOn returns the versions that hold on a date as of the last record, by the number of their pledge.
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

func (s *sheet) update(p *Picture, pl *pledge) {
	for uint32(len(s.rows)) <= pl.no {
		s.rows = append(s.rows, version{})
	}
	row := &s.rows[pl.no]
	if s.cells != nil {
		s.cells.remove(row)
	}
	*row = p.versionAt(pl, s.on)
	if s.cells != nil {
		s.cells.add(row)
	}
}

// versionAt returns the version of a pledge on a date as of the last record, none where it is not there.
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
