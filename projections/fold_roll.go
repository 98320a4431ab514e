package projections

import (
	"bytes"
	"iter"
	"slices"

	"muster/events"
)

// A roll has pledges by ID, which is never zero. Most IDs ascend, so most pledges are appended.
// What is put between others, as where several people submit at once, makes another page where
// there are readers, and not another list: that would take each such record as long as there are
// pledges.
//
//	pages  [A B C D] [E F H I]     last  [K L]
//	add G: [A B C D] [E F G H I]         [K L]    one page is another, and the list of pages
//	add M: as it was                     [K L M]  nothing that readers have is another
//
// A copy of a roll stays as it is while the roll goes on, where that is told to be watched.
type roll struct {
	pages [][]*pledge // none is empty, and each has at most 2*rollPage
	last  []*pledge   // those after them
}

const rollPage = 512

// add adds a pledge whose ID is not there yet.
func (r *roll) add(pl *pledge, watched bool) {
	at := r.pageOf(pl.id)
	if at < len(r.pages) {
		r.addBetween(at, pl, watched)
		return
	}
	if n := len(r.last); n == 0 || compareIDs(r.last[n-1].id, pl.id) < 0 {
		r.last = append(r.last, pl)
	} else {
		r.last = insertByID(r.last, pl, watched)
	}
	if len(r.last) == rollPage {
		r.pages, r.last = append(r.pages, r.last), nil
	}
}

func (r *roll) addBetween(at int, pl *pledge, watched bool) {
	if watched {
		r.pages = slices.Clone(r.pages)
	}
	page := insertByID(r.pages[at], pl, watched)
	r.pages[at] = page
	if len(page) == 2*rollPage {
		r.pages[at] = page[:rollPage:rollPage]
		r.pages = slices.Insert(r.pages, at+1, page[rollPage:])
	}
}

// pageOf returns the page in which an ID is, or would be: len(r.pages) for that of the last.
func (r *roll) pageOf(id events.ID) int {
	at, _ := slices.BinarySearchFunc(r.pages, id, func(page []*pledge, id events.ID) int {
		return compareIDs(page[len(page)-1].id, id)
	})
	return at
}

// replace puts a pledge in the place of the one that has its ID. No copy of the roll changes.
func (r *roll) replace(pl *pledge) {
	page := &r.last
	if at := r.pageOf(pl.id); at < len(r.pages) {
		r.pages = slices.Clone(r.pages)
		page = &r.pages[at]
	}
	if at, found := findByID(*page, pl.id); found {
		*page = slices.Clone(*page)
		(*page)[at] = pl
	}
}

// own returns a copy that goes on by itself.
func (r *roll) own() roll { return roll{slices.Clip(r.pages), slices.Clip(r.last)} }

// all yields the pledges by ID.
func (r *roll) all() iter.Seq[*pledge] { return r.after(events.ID{}) }

// after yields those whose ID is greater.
func (r *roll) after(id events.ID) iter.Seq[*pledge] {
	return func(yield func(*pledge) bool) {
		for at := r.pageOf(id); at <= len(r.pages); at++ {
			page := r.last
			if at < len(r.pages) {
				page = r.pages[at]
			}
			from, found := findByID(page, id)
			if found {
				from++
			}
			for _, pl := range page[from:] {
				if !yield(pl) {
					return
				}
			}
		}
	}
}

func insertByID(pledges []*pledge, pl *pledge, watched bool) []*pledge {
	if watched {
		pledges = slices.Clip(pledges)
	}
	at, _ := findByID(pledges, pl.id)
	return slices.Insert(pledges, at, pl)
}

func findByID(pledges []*pledge, id events.ID) (int, bool) {
	return slices.BinarySearchFunc(pledges, id, func(p *pledge, id events.ID) int {
		return compareIDs(p.id, id)
	})
}

func compareIDs(a, b events.ID) int { return bytes.Compare(a[:], b[:]) }
