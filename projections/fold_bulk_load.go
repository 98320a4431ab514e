package projections

import (
	"iter"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"muster/projections/records"
)

// A bulk load is many rows that are taken in together, as when a ledger is replayed: the picture
// becomes what it would be with one after the other. What is about pledges is put off, so that in
// the end each pledge can be folded in one go, while all of it is at hand, and the pledges beside
// each other. Until then, and after an error, the picture is of no use.
type bulkLoad struct {
	p       *Picture
	all     []admitted
	workers []worker // with room that is used again
}

// newBulkLoad returns a bulk load that makes room for so many rows.
func newBulkLoad(p *Picture, rows uint64) *bulkLoad {
	return &bulkLoad{p: p, all: make([]admitted, 0, min(rows, maxBulkLoad)),
		workers: make([]worker, runtime.GOMAXPROCS(0))}
}

// maxBulkLoad is how many rows are put off at most: each takes 112 bytes until it is folded. More
// would not be faster.
const maxBulkLoad = 1 << 18

// Load takes in rows that follow, about so many, faster than one by one: on all processors, and
// with each pledge folded in one go. After an error the picture is of no use.
func (p *Picture) Load(batches iter.Seq[records.Batch], rows uint64) error {
	defer collectLess()()
	all := newBulkLoad(p, rows)
	for b := range batches {
		err := all.takeBatch(&b)
		if err == nil {
			err = b.Err
		}
		if err != nil {
			if earlier := all.fold(); earlier != nil {
				return earlier
			}
			return err
		}
	}
	return all.fold()
}

// take takes in the next row.
func (b *bulkLoad) take(seq uint64, r *records.Row) error {
	n := len(b.all)
	b.all = append(b.all, admitted{})
	a := &b.all[n]
	if err := b.p.next(seq, r, a); err != nil {
		b.all = b.all[:n]
		if unfolded := b.fold(); unfolded != nil { // what was put off comes first
			return unfolded
		}
		return err
	}
	b.p.took(a, r)
	switch {
	case a.pledge == nil:
		b.all = b.all[:n]
	case len(b.all) == maxBulkLoad:
		return b.fold()
	}
	return nil
}

func (b *bulkLoad) takeBatch(some *records.Batch) error {
	for i := range some.Rows {
		if err := b.take(some.First+uint64(i), &some.Rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// fold folds all that was put off. An error is that of the first record that cannot be.
func (b *bulkLoad) fold() error {
	if len(b.all) == 0 {
		return nil
	}
	order, groups := b.byPledge()
	workers := b.workers
	before := uint32(len(b.p.versions.what))
	var next atomic.Int64
	beside(workers, func(w *worker) {
		w.reset(b.p, before)
		for from := next.Add(groupsAtOnce) -
			groupsAtOnce; from < int64(len(groups)); from = next.Add(groupsAtOnce) - groupsAtOnce {
			for _, g := range groups[from:min(from+groupsAtOnce, int64(len(groups)))] {
				w.fold(b.all, order[g.from:g.until])
			}
		}
	})
	first := b.all[0].fact.order
	clear(b.all)
	b.all = b.all[:0]
	if err := firstError(workers); err != nil {
		return err
	}
	b.p.versions.place(workers, first, uint32(b.p.Sequence()))
	return nil
}

// A group is the rows of one pledge, by their places in the order.
type group struct{ from, until uint32 }

// groupsAtOnce is how many groups a goroutine takes at a time: their pledges lie beside each other.
const groupsAtOnce = 64

// byPledge sorts what was put off by pledge, and keeps the order within each.
func (b *bulkLoad) byPledge() (order []uint32, groups []group) {
	next := make([]uint32, len(b.p.pledges)+1)
	for i := range b.all {
		next[b.all[i].pledge.no+1]++
	}
	for no := range b.p.pledges {
		n := next[no+1]
		next[no+1] += next[no]
		if n > 0 {
			groups = append(groups, group{next[no], next[no] + n})
		}
	}
	order = make([]uint32, len(b.all))
	for i := range b.all {
		no := b.all[i].pledge.no
		order[next[no]] = uint32(i)
		next[no]++
	}
	return order, groups
}

// beside runs do for each of the workers at once, and waits.
func beside(workers []worker, do func(*worker)) {
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { do(&workers[i]) })
	}
	all.Wait()
}

// A worker is one of the goroutines that fold a bulk load. Its folder writes into a table that has
// the rows of one pledge at a time; what is new in it is kept, until it can be placed among the
// rows of all others.
type worker struct {
	folder
	before  uint32    // how many rows the table of all pledges has, before any is placed
	fresh   versions  // rows to be placed
	pledges []*pledge // that have fresh rows
	places  []uint32  // where the fresh rows come to lie
	err     error
	failed  uint32 // the record of err
}

// reset makes the worker ready for another bulk load.
func (w *worker) reset(p *Picture, before uint32) {
	w.folder.p, w.before, w.err, w.failed = p, before, nil, 0
	if w.table == nil {
		w.table = &versions{}
	}
	clear(w.fresh.what)
	w.fresh.extents, w.fresh.what, w.pledges, w.places = w.fresh.extents[:0], w.fresh.what[:0],
		w.pledges[:0], w.places[:0]
}

// fold takes in the rows of one pledge, which are those of all that order names.
func (w *worker) fold(all []admitted, order []uint32) {
	pl := all[order[0]].pledge
	said := pl.now()
	said.facts = append(make([]fact, 0, len(said.facts)+len(order)), said.facts...)
	known := slices.Clone(said.open)
	w.table.extents, w.table.what = w.table.extents[:0], w.table.what[:0]
	for at, i := range known {
		said.open[at] = uint32(at)
		w.table.extents = append(w.table.extents, w.p.versions.extents[i])
		w.table.what = append(w.table.what, w.p.versions.what[i])
	}
	for _, i := range order {
		if err := w.folder.fold(&all[i]); err != nil {
			if w.err == nil || all[i].fact.order < w.failed {
				w.err, w.failed = err, all[i].fact.order
			}
			break
		}
	}
	w.keep(pl, known)
}

// keep takes the rows of a pledge out of the worker's table: those that were known before go back
// to where they were.
func (w *worker) keep(pl *pledge, known []uint32) {
	for at, i := range known {
		w.p.versions.extents[i] = w.table.extents[at]
	}
	open := pl.now().open
	for at, i := range open {
		if int(i) < len(known) {
			open[at] = known[i]
		} else {
			// until it is placed
			open[at] = i - uint32(len(known)) + uint32(len(w.fresh.what)) + w.before
		}
	}
	w.fresh.extents = append(w.fresh.extents, w.table.extents[len(known):]...)
	w.fresh.what = append(w.fresh.what, w.table.what[len(known):]...)
	w.pledges = append(w.pledges, pl)
}

func firstError(workers []worker) (err error) {
	first := uint32(0)
	for i := range workers {
		if w := &workers[i]; w.err != nil && (err == nil || w.failed < first) {
			err, first = w.err, w.failed
		}
	}
	return err
}

// place appends the fresh rows of all workers, which are known from records first to last, in the
// order of these records. A record is about one pledge, so no two workers have rows of the same
// one.
func (t *versions) place(workers []worker, first, last uint32) {
	next := make([]uint32, last-first+2) // by record: where the next of its rows goes
	beside(workers, func(w *worker) {
		for i := range w.fresh.extents {
			next[w.fresh.extents[i].knownFrom-first+1]++
		}
	})
	next[0] = uint32(len(t.what))
	for i := range next[1:] {
		next[i+1] += next[i]
	}
	n := int(next[len(next)-1])
	t.extents, t.what = grown(t.extents, n), grown(t.what, n)
	beside(workers, func(w *worker) {
		w.places = slices.Grow(w.places, len(w.fresh.what))[:len(w.fresh.what)]
		for i := range w.fresh.extents {
			at := &next[w.fresh.extents[i].knownFrom-first]
			t.extents[*at], t.what[*at], w.places[i] = w.fresh.extents[i], w.fresh.what[i], *at
			*at++
		}
		for _, pl := range w.pledges {
			open := pl.now().open
			for at, i := range open {
				if i >= w.before {
					open[at] = w.places[i-w.before]
				}
			}
		}
	})
}

// grown returns s with n elements.
func grown[T any](s []T, n int) []T { return slices.Grow(s, n-len(s))[:n] }

// collecting is how many ask for less garbage collection, how many for none, and what to go back
// to.
var collecting struct {
	sync.Mutex
	less, none int
	usual      int
}

// collectLess makes the garbage collector come less often until the function that it returns is
// called: while a picture grows from nothing, nearly all that is there stays, and to look at it
// again and again takes a third of the time.
func collectLess() (asUsual func()) { return collect(&collecting.less) }

// collectNothing keeps the garbage collector away, but for the memory limit, while there is no
// garbage: it would read memory that is yet to be written for the first time, and that costs twice
// as much then.
func collectNothing() (asUsual func()) { return collect(&collecting.none) }

func collect(asked *int) (asUsual func()) {
	collecting.Lock()
	defer collecting.Unlock()
	if collecting.less+collecting.none == 0 {
		collecting.usual = debug.SetGCPercent(-1)
	}
	*asked++
	setCollecting()
	return func() {
		collecting.Lock()
		defer collecting.Unlock()
		*asked--
		setCollecting()
	}
}

func setCollecting() {
	percent := collecting.usual
	switch {
	case collecting.none > 0:
		percent = -1
	case collecting.less > 0 && percent >= 0:
		percent = max(percent, 400)
	}
	debug.SetGCPercent(percent)
}
