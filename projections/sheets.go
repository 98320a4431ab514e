package projections

import (
	"slices"
	"sync"

	"muster/events"
)

// A sheet has the versions that hold on one date as of the last record, by the number of their pledge; a pledge that is not
// there has the rung 0. It is brought up to date when it is asked for, pledge by pledge.
type sheet struct {
	on    events.Date
	asOf  uint32
	rows  []version
	cells *cells // of the rows; nil before they were asked for
}

// sheets are those of the dates that were asked for last.
type sheets struct {
	mu    sync.Mutex
	ready []*sheet
}

// maxSheets is how many dates are kept ready.
const maxSheets = 4

// of returns the sheet of a date. It does not change until the next record is taken in.
func (t *sheets) of(p *Picture, on events.Date) *sheet {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ofHeld(p, on)
}

// withCells is of, with the sheet's cells.
func (t *sheets) withCells(p *Picture, on events.Date) *sheet {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.ofHeld(p, on)
	if s.cells == nil {
		s.cells = cellsOf(s.rows)
	}
	return s
}

func (t *sheets) ofHeld(p *Picture, on events.Date) *sheet {
	s := t.pull(on)
	if s == nil {
		s = newSheet(p, on)
	}
	t.ready = append([]*sheet{s}, t.ready...)
	t.ready = t.ready[:min(len(t.ready), maxSheets)]
	for ; s.asOf < uint32(len(p.touched)); s.asOf++ {
		if no := p.touched[s.asOf]; no > 0 {
			s.update(p, p.pledges[no-1])
		}
	}
	return s
}

// pull takes the sheet of a date out of those that are ready, nil when it is not among them.
func (t *sheets) pull(on events.Date) *sheet {
	for i, s := range t.ready {
		if s.on == on {
			t.ready = append(append([]*sheet{}, t.ready[:i]...), t.ready[i+1:]...)
			return s
		}
	}
	return nil
}

func newSheet(p *Picture, on events.Date) *sheet {
	t := &p.versions
	s := &sheet{on: on, asOf: uint32(len(p.touched)), rows: make([]version, len(p.pledges))}
	for i := range t.extents {
		if e := &t.extents[i]; e.knownTo == forever && e.from <= on && on <= e.until {
			s.rows[t.what[i].pledge] = t.what[i]
		}
	}
	return s
}

func (s *sheet) update(p *Picture, pl *pledge) {
	for uint32(len(s.rows)) <= pl.no {
		s.rows = append(s.rows, version{})
	}
	row := &s.rows[pl.no]
	if s.cells != nil {
		s.cells.remove(row)
	}
	*row = version{}
	for _, no := range slices.Backward(pl.open) {
		if e := &p.versions.extents[no]; e.from <= s.on && s.on <= e.until {
			*row = p.versions.what[no]
			break
		}
	}
	if s.cells != nil {
		s.cells.add(row)
	}
}
