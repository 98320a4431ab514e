package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"sync/atomic"

	"github.com/edsrzf/mmap-go"
)

// bbolt trusts its file, so that a page that was altered can make it panic, or follow pages around for ever. What has to
// read a file that nobody has checked reads the pages itself, here: it believes no number in them, and comes to each page
// at most once. The form is bbolt's file format, version 2: pages of a fixed size, each with a head of 16 bytes (its number,
// what it is, how many elements, how many pages more it takes), in the byte order of the machine.

const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHead    = 16
	elementSize = 16
	metaSize    = 64
	bucketHead  = 16

	branchPage = 0x01
	leafPage   = 0x02
	freePage   = 0x10
	bucketFlag = 0x01

	noFreePages = ^uint64(0) // they were not listed

	maxDepth = 32 // of pages in a tree: bbolt needs 9 for as many records as 64 bits can count
)

var native = binary.NativeEndian

// pages reads the pages of a file. Several walks may go through them at once.
type pages struct {
	piece func(at, n int64) ([]byte, error) // of the file
	size  int64                             // of a page
	root  uint64
	free  uint64        // the page that lists those that are not in use, or noFreePages
	count uint64        // pages from this number on are not in use
	seen  []atomic.Bool // which of them a walk has come to
}

// openPages finds the newer of the two pages in which bbolt keeps where everything begins. Of a file that was cut off, it
// returns what is left beside the error.
func openPages(file *os.File) (*pages, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	newest, best := uint64(0), (*pages)(nil)
	consider := func(at int64) {
		head := make([]byte, pageHead+metaSize)
		if _, err := file.ReadAt(head, at); err != nil {
			return
		}
		m := head[pageHead:]
		sum := fnv.New64a()
		sum.Write(m[:metaSize-8])
		size, tx := int64(native.Uint32(m[8:])), native.Uint64(m[48:])
		sound := native.Uint32(m) == boltMagic && native.Uint32(m[4:]) == boltVersion && native.Uint64(m[56:]) == sum.Sum64()
		if sound && size >= 512 && size <= 1<<20 && (at == 0 || at == size) && (best == nil || tx > newest) {
			newest, best = tx, &pages{piece: piecesOf(file), size: size, root: native.Uint64(m[16:]), free: native.Uint64(m[32:]), count: native.Uint64(m[40:])}
		}
	}
	consider(0)
	for size := int64(512); size <= 1<<20; size *= 2 {
		consider(size)
	}
	if best == nil {
		return nil, errors.New("it does not begin as a journal does")
	}
	if there := uint64(info.Size() / best.size); there < best.count {
		err = fmt.Errorf("it was cut off: it has %d bytes, and needs %d pages of %d", info.Size(), best.count, best.size)
		best.count = there
	}
	return best, err
}

// An item is what a leaf of a tree of pages holds.
type item struct {
	key, value []byte
	bucket     bool // the value is not somebody's, but the head of another tree
}

// piecesOf returns what copies pieces of a file.
func piecesOf(file io.ReaderAt) func(at, n int64) ([]byte, error) {
	return func(at, n int64) ([]byte, error) {
		data := make([]byte, n)
		_, err := file.ReadAt(data, at)
		return data, err
	}
}

// mapped has do read the file where it lies in memory, which takes a third of the time that copies take. What do has read is not to be kept.
// Where the file ends sooner than it did, or cannot be read, the memory faults.
func (p *pages) mapped(file *os.File, do func() error) error {
	data, err := mmap.Map(file, mmap.RDONLY, 0)
	if err != nil {
		return err
	}
	copies := p.piece
	p.piece = func(at, n int64) ([]byte, error) {
		if at < 0 || n < 0 || at > int64(len(data))-n {
			return nil, io.ErrUnexpectedEOF
		}
		return data[at : at+n : at+n], nil
	}
	defer func() { p.piece = copies }()
	return errors.Join(do(), data.Unmap())
}

// buckets returns the buckets in the file's root.
func (p *pages) buckets() (map[string]item, error) {
	p.seen = make([]atomic.Bool, p.count)
	all := map[string]item{}
	err := p.walk(p.root, func(i item) error {
		if !i.bucket || len(i.value) < bucketHead {
			return fmt.Errorf("%.20q is no bucket", i.key)
		}
		all[string(i.key)] = i
		return nil
	})
	return all, err
}

// walkBucket calls yield for every item of a bucket, in the order of the keys, until it fails. After an error of its own,
// what was yielded before is what the file holds.
func (p *pages) walkBucket(b item, yield func(item) error) error {
	if root := native.Uint64(b.value); root != 0 {
		return p.walk(root, yield)
	}
	w := walk{pages: p, yield: yield}
	return w.elements(b.value[bucketHead:], 0, bounds{}) // a small bucket lies in its own head
}

func (p *pages) walk(root uint64, yield func(item) error) error {
	w := walk{pages: p, yield: yield}
	return w.page(root, 0, bounds{})
}

// A walk is one way through a tree of pages, from its smallest key to its largest.
type walk struct {
	*pages
	yield func(item) error
	last  []byte
}

// bounds are what the keys of a page must lie between: from, which is among them, and until, which is not. Nil for none.
type bounds struct{ from, until []byte }

func (w *walk) page(number uint64, depth int, within bounds) error {
	if number >= w.count || w.seen[number].Load() || depth > maxDepth {
		return fmt.Errorf("the page %d is no place to go to", number)
	}
	data, err := w.read(number)
	if err != nil {
		return err
	}
	if err := w.elements(data, depth, within); err != nil {
		return fmt.Errorf("page %d: %w", number, err)
	}
	return nil
}

// read reads a page with all that it goes on in, and notes that they are used.
func (p *pages) read(number uint64) ([]byte, error) {
	data, err := p.piece(int64(number)*p.size, p.size)
	if err != nil {
		return nil, fmt.Errorf("the page %d: %w", number, err)
	}
	id, more := native.Uint64(data), uint64(native.Uint32(data[12:]))
	if id != number || number+more >= p.count {
		return nil, fmt.Errorf("the page %d is damaged: it calls itself %d, with %d pages more", number, id, more)
	}
	for n := number; n <= number+more; n++ {
		if p.seen[n].Swap(true) {
			return nil, fmt.Errorf("the page %d is used twice", n)
		}
	}
	if more == 0 {
		return data, nil
	}
	if data, err = p.piece(int64(number)*p.size, int64(more+1)*p.size); err != nil {
		return nil, fmt.Errorf("the page %d: %w", number, err)
	}
	return data, nil
}

// elements goes through a page that was read.
func (w *walk) elements(data []byte, depth int, within bounds) error {
	if len(data) < pageHead {
		return errors.New("it is too short")
	}
	kind, count := native.Uint16(data[8:]), int(native.Uint16(data[10:]))
	switch kind {
	case leafPage:
		return w.leaf(data, count, within)
	case branchPage:
		return w.branch(data, count, depth, within)
	}
	return fmt.Errorf("it is damaged: it calls itself of kind %d", kind)
}

// slice returns n bytes of a page from a place on, which is counted from where its element lies.
func slice(data []byte, element, at, n uint64) ([]byte, error) {
	from := element + at
	if from+n > uint64(len(data)) {
		return nil, errors.New("it is damaged: an element does not lie in it")
	}
	return data[from : from+n : from+n], nil
}

func element(data []byte, i int) (at uint64, e []byte, err error) {
	at = pageHead + uint64(i)*elementSize
	e, err = slice(data, at, 0, elementSize)
	return at, e, err
}

func (w *walk) leaf(data []byte, count int, within bounds) error {
	for i := range count {
		at, e, err := element(data, i)
		if err != nil {
			return err
		}
		flags, pos, keys, values := native.Uint32(e), uint64(native.Uint32(e[4:])), uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
		key, err1 := slice(data, at, pos, keys)
		value, err2 := slice(data, at, pos+keys, values)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		switch {
		case w.last != nil && bytes.Compare(w.last, key) >= 0:
			return fmt.Errorf("the key %.20x does not follow %.20x", key, w.last)
		case i == 0 && within.from != nil && bytes.Compare(key, within.from) < 0, i == count-1 && within.until != nil && bytes.Compare(key, within.until) >= 0:
			return fmt.Errorf("the key %.20x is not found in its place", key)
		}
		w.last = key
		if err := w.yield(item{key, value, flags&bucketFlag != 0}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) branch(data []byte, count, depth int, within bounds) error {
	if count == 0 {
		return errors.New("it is damaged: it leads nowhere")
	}
	keys, children := make([][]byte, count+1), make([]uint64, count)
	keys[count] = within.until
	for i := range count {
		at, e, err := element(data, i)
		if err != nil {
			return err
		}
		if keys[i], err = slice(data, at, uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))); err != nil {
			return err
		}
		children[i] = native.Uint64(e[8:])
	}
	for i, child := range children {
		from := keys[i]
		if i == 0 {
			from = within.from // bbolt goes to the first page for every key that is smaller still
		}
		if err := w.page(child, depth+1, bounds{from, keys[i+1]}); err != nil {
			return err
		}
	}
	return nil
}

// checkFree checks, after a walk through all buckets, that no page that is in use is listed as free: bbolt would write over it.
func (p *pages) checkFree() error {
	if p.free == noFreePages {
		return nil
	}
	if p.free >= p.count {
		return fmt.Errorf("the page %d is no place to go to", p.free)
	}
	data, err := p.read(p.free)
	if err != nil {
		return err
	}
	kind, listed, list := native.Uint16(data[8:]), uint64(native.Uint16(data[10:])), data[pageHead:]
	if listed == 0xFFFF { // which stands for a number that is too large for its place
		listed, list = native.Uint64(list), list[8:]
	}
	if kind != freePage || listed > uint64(len(list)/8) {
		return fmt.Errorf("the page %d is damaged: it is no list of free pages", p.free)
	}
	for i := range listed {
		if n := native.Uint64(list[8*i:]); n < 2 || n >= p.count || p.seen[n].Load() {
			return fmt.Errorf("the page %d is damaged: it lists the page %d as free, and that is in use", p.free, n)
		}
	}
	return nil
}
