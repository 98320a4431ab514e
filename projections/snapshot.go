package projections

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"muster/events/compact"
	"muster/projections/records"
)

// A Snapshot is a picture as it stood at a record, in its saved form: the pledges with their facts
// and the table of versions, already folded. To fold a million rows again takes seconds, and to
// read what came of them takes a fraction. Of a snapshot that cannot be used nothing is lost: the
// source has all.
//
//	"muster projections snapshot N\n", N being snapshotForm
//	how many parts there are, 8 bytes little endian,
//	of each part its length, 8 bytes, and its CRC-32C, 4 bytes
//	CRC-32C of all this
//	the parts (snapshot_parts.go)
//
// The sums tell what was damaged. Against an attacker no sum in the same file would help; for that
// there are the records. Each part is written by a codec of its own, so that parts are read beside
// each other.
type Snapshot struct {
	parts []writtenPart

	// What the head tells.
	cursor            uint64            // the last record in it
	leaf              [sha256.Size]byte // SHA-256 of that record as the source stores it
	pledges, versions uint64
	plan              planned
	rotating          []uint32
}

// snapshotForm is the version of the form. Whoever changes what a row does to a picture, or what is
// written of it here, raises it, and every snapshot is left unread.
const snapshotForm = 11

func snapshotMagic() string { return fmt.Sprintf("muster projections snapshot %d\n", snapshotForm) }

// ErrSnapshot says that a snapshot is damaged, or of another form.
var ErrSnapshot = errors.New("the snapshot of the projections is damaged")

// A writtenPart is one part of the file.
type writtenPart struct {
	io.ReaderAt
	at, size int64
	sum      uint32
}

const (
	sumSize  = 4
	partHead = 8 + sumSize
)

// sumOf is the CRC-32C of data.
func sumOf(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// planned are the rows that are about no pledge, as they were saved. They are few, and taken in
// again one by one.
type planned struct {
	coder *compact.Codec
	rows  uint64
}

func newPlanned() planned { return planned{coder: compact.NewWriter(0)} }

func (pl *planned) add(seq uint64, r *records.Row) {
	pl.coder.Uvarint(seq)
	records.Code(pl.coder, r)
	pl.rows++
}

// take takes all rows in, and leaves more to be added.
func (pl *planned) take(p *Picture) error {
	data := pl.coder.Bytes()
	for range pl.rows {
		var r records.Row
		seq := pl.coder.Uvarint(0)
		records.Code(pl.coder, &r)
		if pl.coder.Failed() || moves[r.Type] != nil {
			return ErrSnapshot
		}
		if err := p.dispatch(seq, &r, nil); err != nil {
			return err
		}
	}
	pl.coder.WriteOn(data)
	return nil
}

// WriteSnapshot writes the picture, with the leaf of its last record: SHA-256 of the record as the
// source stores it.
func (p *Picture) WriteSnapshot(w io.WriteSeeker, leaf [sha256.Size]byte) error {
	return snapshotOf(p, leaf).writeParts(w, p)
}

// writeParts writes the parts behind the place of their sums, and then the sums.
func (s *Snapshot) writeParts(f io.WriteSeeker, p *Picture) error {
	parts := s.of(p)
	head := binary.LittleEndian.AppendUint64([]byte(snapshotMagic()), uint64(len(parts)))
	if _, err := f.Seek(int64(len(head)+len(parts)*partHead+sumSize), io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for _, write := range parts {
		c := compact.NewWriter(0)
		write(c)
		data := c.Bytes()
		head = binary.LittleEndian.AppendUint64(head, uint64(len(data)))
		head = binary.LittleEndian.AppendUint32(head, sumOf(data))
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := f.Write(binary.LittleEndian.AppendUint32(head, sumOf(head)))
	return err
}

// OpenSnapshot reads of a snapshot of so many bytes only how far it goes. The error is ErrSnapshot.
func OpenSnapshot(r io.ReaderAt, size int64) (*Snapshot, error) {
	s := &Snapshot{}
	if err := s.open(r, size); err != nil {
		return nil, err
	}
	return s, nil
}

// Sequence returns the last record that is in the picture.
func (s *Snapshot) Sequence() uint64 { return s.cursor }

// Leaf returns SHA-256 of that record as the source stores it.
func (s *Snapshot) Leaf() [sha256.Size]byte { return s.leaf }

func (s *Snapshot) open(r io.ReaderAt, size int64) error {
	in := io.NewSectionReader(r, 0, size)
	begin := make([]byte, len(snapshotMagic())+8)
	if _, err := io.ReadFull(in, begin); err != nil ||
		!bytes.HasPrefix(begin, []byte(snapshotMagic())) {
		return ErrSnapshot
	}
	n := binary.LittleEndian.Uint64(begin[len(begin)-8:])
	if n == 0 || n > uint64(size/partHead) {
		return ErrSnapshot
	}
	heads := make([]byte, n*partHead+sumSize)
	if _, err := io.ReadFull(in, heads); err != nil {
		return ErrSnapshot
	}
	heads, sum := heads[:n*partHead], binary.LittleEndian.Uint32(heads[n*partHead:])
	if sumOf(append(begin, heads...)) != sum {
		return ErrSnapshot
	}
	at := int64(len(begin)+len(heads)) + sumSize
	for heads := range slices.Chunk(heads, partHead) {
		part := writtenPart{r, at, int64(binary.LittleEndian.Uint64(heads)),
			binary.LittleEndian.Uint32(heads[8:])}
		s.parts = append(s.parts, part)
		at += part.size
	}
	if at != size {
		return ErrSnapshot
	}
	if err := s.parts[0].read(&[]byte{}, s.head); err != nil {
		return err
	}
	if s.pledges > n*pledgesInPart || s.versions > n*versionsInPart || s.cursor > n*recordsInPart {
		return ErrSnapshot
	}
	return nil
}

// read has do read the part, provided that it is what was written. Room may be used again: nothing
// that was read is kept.
func (p *writtenPart) read(room *[]byte, do func(*compact.Codec)) error {
	*room = slices.Grow((*room)[:0], int(p.size))[:p.size]
	if _, err := p.ReadAt(*room, p.at); err != nil && !errors.Is(err, io.EOF) ||
		sumOf(*room) != p.sum {
		return ErrSnapshot
	}
	c := compact.NewReader(*room)
	if faults(func() { do(c) }) || c.Failed() || len(c.Bytes()) > 0 {
		return ErrSnapshot
	}
	return nil
}

// faults reports whether do panics, as it may over what cannot be.
func faults(do func()) (broken bool) {
	defer func() { broken = recover() != nil }()
	do()
	return false
}

// Picture reads the picture that was written. The error is ErrSnapshot.
func (s *Snapshot) Picture() (*Picture, error) {
	defer collectNothing()()
	p := NewPicture()
	if err := s.plan.take(p); err != nil {
		return nil, err
	}
	parts := s.of(p)
	if len(parts) != len(s.parts) {
		return nil, ErrSnapshot
	}
	if err := s.parts[1].read(&[]byte{}, parts[1]); err != nil {
		return nil, err
	}
	var next atomic.Int64
	next.Store(1)
	var failed atomic.Bool
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			var room []byte
			for i := next.Add(1); i < int64(len(parts)); i = next.Add(1) {
				if s.parts[i].read(&room, parts[i]) != nil {
					failed.Store(true)
				}
			}
		})
	}
	all.Wait()
	if failed.Load() || slices.ContainsFunc(s.rotating, func(no uint32) bool {
		return uint64(no) >= s.pledges
	}) {
		return nil, ErrSnapshot
	}
	p.plan = s.plan
	p.index(s.rotating)
	return p, nil
}

// index makes what follows from the pledges.
func (p *Picture) index(rotating []uint32) {
	p.byID = newIndex(len(p.pledges))
	for _, pl := range slices.SortedFunc(slices.Values(p.pledges), func(a, b *pledge) int {
		return compareIDs(a.id, b.id)
	}) {
		p.byID.of[pl.id] = pl
		p.sorted.add(pl, false)
		pl.operation.now().pledges.add(pl, false) // nobody reads it yet
	}
	for _, pl := range p.pledges {
		if last := pl.now().last; last > 0 && uint64(last) <= p.Sequence() {
			pl.label = p.labelled[last-1]
		}
	}
	for _, no := range rotating {
		pl := p.pledges[no]
		pl.rotates = true
		p.rotating = append(p.rotating, pl)
	}
}
