// Package boltpages reads the pages of a bbolt file that nobody has checked, and opens such a file
// with bbolt after it was found sound.
//
// bbolt trusts its file: it panics at a page that is not what it should be, in goroutines of its
// own too, goes around in circles where pages do, and faults where the file ends too early. This
// package believes no number in the file, and comes to each page at most once. The form is bbolt's
// file format, version 2, in the byte order of the machine:
//
//	pages of a fixed size   0 and 1 are the metas, of which the newer one says where the rest begins
//	page head, 16 bytes     its number, its kind, how many elements, how many pages more it takes
//	elements, 16 bytes each a branch's lead to pages, a leaf's to keys and values
//
// To check a file costs one reading of all its pages, beside each other as far as there are cores:
// it is read where it lies in memory. To open a sound file for writing reads it twice.
package boltpages

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

// Pages reads the pages of a file. Several walks may go through them at once, and come to each page
// once altogether.
type Pages struct {
	piece func(at, n int64) ([]byte, error) // of the file
	size  int64                             // of a page
	root  uint64
	free  uint64        // the page that lists those that are not in use, or noFreePages
	count uint64        // pages from this number on are not in use
	seen  []atomic.Bool // which of them a walk has come to
}

// Read finds the newer of the two pages in which bbolt keeps where everything begins. Of a file
// that was cut off, it returns what is left beside the error. The file must stay open.
func Read(file *os.File) (*Pages, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	var newest uint64
	var best *Pages
	consider := func(at int64) {
		if p, tx := readMeta(file, at); p != nil && (best == nil || tx > newest) {
			newest, best = tx, p
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
		err = fmt.Errorf("it was cut off: it has %d bytes, and needs %d pages of %d",
			info.Size(), best.count, best.size)
		best.count = there
	}
	return best, err
}

// Begins reports whether a file of bbolt begins so, of which 20 bytes are enough to tell.
func Begins(begin []byte) bool {
	return len(begin) >= pageHead+4 && native.Uint32(begin[pageHead:]) == boltMagic
}

// readMeta reads where everything begins, and which transaction has written that; nil where no
// sound meta lies.
func readMeta(file *os.File, at int64) (p *Pages, tx uint64) {
	head := make([]byte, pageHead+metaSize)
	if _, err := file.ReadAt(head, at); err != nil {
		return nil, 0
	}
	m := head[pageHead:]
	sum := fnv.New64a()
	sum.Write(m[:metaSize-8])
	size := int64(native.Uint32(m[8:]))
	sound := native.Uint32(m) == boltMagic && native.Uint32(m[4:]) == boltVersion &&
		native.Uint64(m[56:]) == sum.Sum64()
	if !sound || size < 512 || size > 1<<20 || at != 0 && at != size {
		return nil, 0
	}
	return &Pages{piece: piecesOf(file), size: size, root: native.Uint64(m[16:]),
		free: native.Uint64(m[32:]), count: native.Uint64(m[40:])}, native.Uint64(m[48:])
}

// An Item is what a leaf of a tree of pages holds. Its bytes are not to be altered, and those that
// [Open] gives are not to be kept.
type Item struct {
	Key, Value []byte
	Bucket     bool // the value is not somebody's, but the head of another tree
}

// piecesOf returns what copies pieces of a file.
func piecesOf(file io.ReaderAt) func(at, n int64) ([]byte, error) {
	return func(at, n int64) ([]byte, error) {
		data := make([]byte, n)
		_, err := file.ReadAt(data, at)
		return data, err
	}
}

// mapped has do read the file where it lies in memory, which takes a third of the time that copies
// take. What do has read is not to be kept. Where the file ends sooner than it did, or cannot be
// read, the memory faults.
func (p *Pages) mapped(file *os.File, do func() error) error {
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

// Buckets returns the buckets in the file's root, and lets all pages be walked to again.
func (p *Pages) Buckets() (map[string]Item, error) {
	p.seen = make([]atomic.Bool, p.count)
	all := map[string]Item{}
	err := p.walk(p.root, func(i Item) error {
		if !i.Bucket || len(i.Value) < bucketHead {
			return fmt.Errorf("%.20q is no bucket", i.Key)
		}
		all[string(i.Key)] = i
		return nil
	})
	return all, err
}

// Walk calls yield for every item of a bucket, in the order of the keys, until it fails. After an
// error of its own, what was yielded before is what the file holds. A bucket can be walked through
// once.
func (p *Pages) Walk(b Item, yield func(Item) error) error {
	if root := native.Uint64(b.Value); root != 0 {
		return p.walk(root, yield)
	}
	w := walk{Pages: p, yield: yield}
	return w.elements(b.Value[bucketHead:], 0, bounds{}) // a small bucket lies in its own head
}

func (p *Pages) walk(root uint64, yield func(Item) error) error {
	w := walk{Pages: p, yield: yield}
	return w.page(root, 0, bounds{})
}

// A walk is one way through a tree of pages, from its smallest key to its largest.
type walk struct {
	*Pages
	yield func(Item) error
	last  []byte
}

// bounds are what the keys of a page must lie between: from, which is among them, and until, which
// is not. Nil for none.
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
func (p *Pages) read(number uint64) ([]byte, error) {
	data, err := p.piece(int64(number)*p.size, p.size)
	if err != nil {
		return nil, fmt.Errorf("the page %d: %w", number, err)
	}
	id, more := native.Uint64(data), uint64(native.Uint32(data[12:]))
	if id != number || number+more >= p.count {
		return nil, fmt.Errorf("the page %d is damaged: it calls itself %d, with %d pages more",
			number, id, more)
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
		flags, pos := native.Uint32(e), uint64(native.Uint32(e[4:]))
		keys, values := uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
		key, err1 := slice(data, at, pos, keys)
		value, err2 := slice(data, at, pos+keys, values)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		switch {
		case w.last != nil && bytes.Compare(w.last, key) >= 0:
			return fmt.Errorf("the key %.20x does not follow %.20x", key, w.last)
		case i == 0 && within.from != nil && bytes.Compare(key, within.from) < 0,
			i == count-1 && within.until != nil && bytes.Compare(key, within.until) >= 0:
			return fmt.Errorf("the key %.20x is not found in its place", key)
		}
		w.last = key
		if err := w.yield(Item{key, value, flags&bucketFlag != 0}); err != nil {
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
		pos, size := uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))
		if keys[i], err = slice(data, at, pos, size); err != nil {
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

// checkFree checks, after a walk through all buckets, that no page that is in use is listed as
// free: bbolt would write over it.
func (p *Pages) checkFree() error {
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
			return fmt.Errorf("the page %d is damaged: "+
				"it lists the page %d as free, and that is in use", p.free, n)
		}
	}
	return nil
}
