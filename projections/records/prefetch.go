package records

import (
	"iter"
	"runtime"
	"sync"
)

// A StoredSource is a [Source] that yields records as they are stored, too. They can then be read
// and decoded on all processors at once, which is how a ledger of millions of records is replayed
// in seconds.
type StoredSource interface {
	Source

	// Stored returns the records from a sequence on, at most so many and up to the last that there
	// is. They are verified as those that Records yields are: each was read strictly when it came
	// into the source, and is byte for byte what it was then. Nobody changes what was returned. A
	// record that may not be read has no bytes. They may lie in room, grown where that is too
	// small, which is returned too: a reader who gives it again needs them no more. With an error,
	// it may return some. It may be called concurrently.
	Stored(from uint64, most int, room []byte) (records [][]byte, used []byte, err error)
}

// A Batch is rows that follow each other, from a sequence on. After an error there is nothing more.
type Batch struct {
	First  uint64
	Rows   []Row
	Stored [][]byte // the records of the rows, as they are stored
	buffer *Buffer  // in which rows and stored lie, to be used again
	Err    error
}

// A Buffer is memory in which batches are made, one after the other.
type Buffer struct {
	rows  []Row
	bytes []byte
}

// batchSize is how many rows a batch has at most: rows are large while they are not folded, and
// these lie in a processor's cache.
const batchSize = 512

// Batches yields the rows of the records from a sequence on to the last that there is now. Rows are
// not to be kept. Of a [StoredSource] they are read and decoded on all processors, ahead of the one
// who takes them.
func Batches(source Source, from uint64) iter.Seq[Batch] {
	stored, ok := source.(StoredSource)
	if !ok {
		return oneByOne(source, from)
	}
	last := source.Last()
	if last < from {
		return func(func(Batch) bool) {}
	}
	n := int((last-from)/batchSize + 1)
	if n == 1 {
		return one(stored, from)
	}
	return Prefetch(n, func(i int, in *Buffer) Batch {
		d := decoders.Get().(*Decoder)
		defer decoders.Put(d)
		return d.read(stored, from+uint64(i)*batchSize, in)
	})
}

// decoders are those that nobody uses. What they have learned is good for any source.
var decoders = sync.Pool{New: func() any { return NewDecoder() }}

// one yields the rows of the few records from a sequence on, in a buffer that is used again.
func one(source StoredSource, from uint64) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		d := decoders.Get().(*Decoder)
		defer decoders.Put(d)
		b := d.read(source, from, &d.buffer)
		yield(b)
		clear(b.Rows) // of what they refer to
	}
}

// oneByOne reads as Source does.
func oneByOne(source Source, from uint64) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		for rec, err := range source.Records(from) {
			b := Batch{First: rec.Sequence, Stored: [][]byte{rec.Stored}, Err: err}
			if err == nil {
				b.Rows = make([]Row, 1)
				b.Rows[0], b.Err = RowOf(rec)
			}
			if b.Err != nil {
				b.Rows = nil
			}
			if !yield(b) || b.Err != nil {
				return
			}
		}
	}
}

// read reads and decodes a batch.
func (d *Decoder) read(source StoredSource, from uint64, in *Buffer) Batch {
	b := Batch{First: from, Rows: in.rows[:0], buffer: in}
	b.Stored, in.bytes, b.Err = source.Stored(from, batchSize, in.bytes[:0])
	for i := 0; i < len(b.Stored) && b.Err == nil; i++ {
		b.Rows = append(b.Rows, Row{})
		if b.Err = d.Decode(&b.Rows[i], from+uint64(i), b.Stored[i]); b.Err != nil {
			b.Rows = b.Rows[:i]
		}
	}
	in.rows = b.Rows
	return b
}

// Prefetch makes n batches beside each other, each by its number and in a buffer of its own, and
// yields them in order. What was yielded is not to be kept.
func Prefetch(n int, read func(i int, in *Buffer) Batch) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		var reading sync.WaitGroup
		queue := make(chan chan Batch, 2*runtime.GOMAXPROCS(0))
		// As many as are in use: those that wait, one that is made and one that is looked at.
		buffers := make(chan *Buffer, cap(queue)+2)
		for range cap(buffers) {
			buffers <- new(Buffer)
		}
		stop := make(chan struct{})
		reading.Go(func() {
			defer close(queue)
			for i := range n {
				one := make(chan Batch, 1)
				select {
				case queue <- one:
					in := <-buffers
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
			if !yield(b) || b.Err != nil {
				return
			}
			buffers <- b.buffer
		}
	}
}
