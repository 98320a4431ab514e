package projections

import (
	"iter"
	"runtime"
	"sync"
)

// A StoredSource is a [Source] that yields records as they are stored, too. They can then be read and decoded on all processors at
// once, which is how a ledger of millions of records is replayed in seconds.
type StoredSource interface {
	Source

	// Stored returns the records from a sequence on, at most so many and up to the last that there is. They are verified as those
	// that Records yields are: each was read strictly when it came into the source, and is byte for byte what it was then. Nobody
	// changes what was returned. They may lie in room, grown where that is too small, which is returned too: who gives it again needs
	// them no more. With an error, it may return some. It may be called concurrently.
	Stored(from uint64, most int, room []byte) (records [][]byte, used []byte, err error)
}

// A batch is rows that follow each other, from a sequence on. After an error there is nothing more.
type batch struct {
	first  uint64
	rows   []row
	stored [][]byte // the records of the rows, as they are stored
	saved  []byte   // the rows in their saved form, where they were
	room   *room    // in which rows and stored lie, to be used again
	err    error
}

// A room is what batches are made in, one after the other.
type room struct {
	rows  []row
	bytes []byte
}

// batchSize is how many rows a batch has at most: rows are large while they are not folded, and these lie in a processor's cache.
const batchSize = 512

// batches yields the rows of the records from a sequence on to the last that there is now. Rows are not to be kept.
func batches(source Source, from uint64) iter.Seq[batch] {
	stored, ok := source.(StoredSource)
	if !ok {
		return oneByOne(source, from)
	}
	last := source.Last()
	if last < from {
		return func(func(batch) bool) {}
	}
	n := int((last-from)/batchSize + 1)
	if n == 1 {
		return one(stored, from)
	}
	return ahead(n, func(i int, in *room) batch {
		d := decoders.Get().(*decoder)
		defer decoders.Put(d)
		return d.read(stored, from+uint64(i)*batchSize, in)
	})
}

// decoders are those that nobody uses. What they have learned is good for any source.
var decoders = sync.Pool{New: func() any { return newDecoder() }}

// one yields the rows of the few records from a sequence on, in room that is used again.
func one(source StoredSource, from uint64) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		d := decoders.Get().(*decoder)
		defer decoders.Put(d)
		b := d.read(source, from, &d.room)
		yield(b)
		clear(b.rows) // of what they refer to
	}
}

// oneByOne reads as Source does.
func oneByOne(source Source, from uint64) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for rec, err := range source.Records(from) {
			b := batch{first: rec.Sequence, stored: [][]byte{rec.Stored}, err: err}
			if err == nil {
				b.rows = make([]row, 1)
				b.rows[0], b.err = rowOf(rec)
			}
			if b.err != nil {
				b.rows = nil
			}
			if !yield(b) || b.err != nil {
				return
			}
		}
	}
}

// read reads and decodes a batch.
func (d *decoder) read(source StoredSource, from uint64, in *room) batch {
	b := batch{first: from, rows: in.rows[:0], room: in}
	b.stored, in.bytes, b.err = source.Stored(from, batchSize, in.bytes[:0])
	for i := 0; i < len(b.stored) && b.err == nil; i++ {
		b.rows = append(b.rows, row{})
		if b.err = d.decode(&b.rows[i], from+uint64(i), b.stored[i]); b.err != nil {
			b.rows = b.rows[:i]
		}
	}
	in.rows = b.rows
	return b
}

// ahead makes n batches beside each other, each by its number and in room of its own, and yields them in order.
func ahead(n int, read func(i int, in *room) batch) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		var reading sync.WaitGroup
		queue := make(chan chan batch, 2*runtime.GOMAXPROCS(0))
		rooms := make(chan *room, cap(queue)+2) // as many as are in use: those that wait, one that is made and one that is looked at
		for range cap(rooms) {
			rooms <- new(room)
		}
		stop := make(chan struct{})
		reading.Go(func() {
			defer close(queue)
			for i := range n {
				one := make(chan batch, 1)
				select {
				case queue <- one:
					in := <-rooms
					reading.Go(func() { one <- read(i, in) })
				case <-stop:
					return
				}
			}
		})
		defer reading.Wait()
		defer close(stop)
		for one := range queue {
			b := <-one
			if !yield(b) || b.err != nil {
				return
			}
			rooms <- b.room
		}
	}
}
