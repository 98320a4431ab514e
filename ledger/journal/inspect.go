package journal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/journal/internal/boltpages"
)

// A File is a journal as it lies on the disk, with the tail that a crash may have left, for whoever
// has to find out what is wrong with it. Nothing in it is checked or believed, and nothing is
// written. It is for one goroutine.
type File struct {
	file    *os.File
	lock    *bbolt.DB // nil for a file that bbolt cannot open
	pages   *boltpages.Pages
	buckets map[string]boltpages.Item
	damage  error
	meta    fileMeta
	tail    []frame // what the file does not have yet
	torn    error   // what is wrong with the tail behind that
	noTail  bool    // its files are not there
}

// A fileMeta is what the bbolt file says of itself, or why it does not.
type fileMeta struct {
	tree       *tlog.Tree
	checkpoint []byte
	open       []byte // what it says of its being open
	copied     []byte // what it says of its being a copy
	restored   []byte // and of those that it came from
	err        error
}

// Inspect opens a journal's file, sound or not. The error is a problem of kind NotFound when it is
// not there, and of kind Unavailable while a server has it open, for then it changes.
func Inspect(path string) (*File, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, problem.New(problem.NotFound, "there is no journal %s", path)
	}
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the journal: %w", err)
	}
	f := &File{file: file}
	f.lock, err = boltpages.OpenUnchecked(path, bbolt.Options{Timeout: lockWait, ReadOnly: true})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, errors.Join(openingError(path, err), file.Close())
	}
	f.pages, f.damage = boltpages.Read(file)
	if f.pages != nil {
		buckets, damage := f.pages.Buckets()
		f.buckets, f.damage = buckets, errors.Join(f.damage, damage)
	}
	f.inspectTail(path)
	return f, nil
}

func (f *File) inspectTail(path string) {
	f.meta = f.readMeta()
	f.noTail = !tailIsThere(path)
	if f.meta.err != nil { // then it is not known from where the tail should go on
		return
	}
	size := int64(0)
	if f.meta.tree != nil {
		size = f.meta.tree.N
	}
	var err error
	if f.tail, err = readTail(path, size); err != nil {
		f.torn = damaged(fmt.Errorf("in its tail, %w", err))
	}
}

// IsFile reports whether a file that begins so is a journal's, or another one of bbolt's.
func IsFile(begin []byte) bool { return boltpages.Begins(begin) }

// Close lets go of the file.
func (f *File) Close() error {
	err := f.file.Close()
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
	}
	return err
}

var errEnough = errors.New("enough")

// Each calls yield with each record as it is stored and the sequence that it lies under: those in
// the bucket of records, in the file's order, and then those of the tail. It ends without an error
// when yield returns false, and with a problem of kind Unverified at what is damaged.
func (f *File) Each(yield func(sequence uint64, stored []byte) bool) error {
	each := func(sequence uint64, stored []byte) error {
		if !yield(sequence, stored) {
			return errEnough
		}
		return nil
	}
	err := f.walk(bucketRecords, func(i boltpages.Item) error {
		if len(i.Key) != 8 || i.Bucket {
			return fmt.Errorf("the key %.20x is no sequence", i.Key)
		}
		return each(binary.BigEndian.Uint64(i.Key), i.Value)
	})
	if err == nil {
		err = f.recent(each)
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// recent goes through the records of the tail.
func (f *File) recent(yield func(sequence uint64, stored []byte) error) error {
	for _, fr := range f.tail {
		for i, stored := range fr.records {
			if err := yield(uint64(fr.before)+uint64(i)+1, stored); err != nil {
				return err
			}
		}
	}
	return f.torn
}

// walk goes through a bucket, once for each File and bucket.
func (f *File) walk(bucket []byte, yield func(boltpages.Item) error) error {
	b, ok := f.buckets[string(bucket)]
	if !ok {
		if f.damage != nil {
			return damaged(f.damage)
		}
		return damaged(fmt.Errorf("it has no bucket %s", bucket))
	}
	err := f.pages.Walk(b, yield)
	switch {
	case errors.Is(err, errEnough):
		return err
	case err != nil:
		return damaged(err)
	case f.damage != nil:
		return damaged(f.damage)
	}
	return nil
}

func damaged(err error) error {
	return problem.New(problem.Unverified, "the journal's file is damaged: %w", err)
}

// IDs returns the index of statements: under which sequence each id is to be found.
func (f *File) IDs() (map[events.ID]uint64, error) {
	ids := map[events.ID]uint64{}
	err := f.walk(bucketIDs, func(i boltpages.Item) error {
		var id events.ID
		if len(i.Key) != len(id) || len(i.Value) != 8 {
			return fmt.Errorf("%.20x is no id of a statement", i.Key)
		}
		copy(id[:], i.Key)
		ids[id] = binary.BigEndian.Uint64(i.Value)
		return nil
	})
	if err != nil {
		return ids, err
	}
	return ids, f.recent(func(sequence uint64, stored []byte) error {
		rec, err := events.ParseRecord(sequence, stored)
		if err != nil {
			return damaged(fmt.Errorf("record %d in its tail: %w", sequence, err))
		}
		ids[rec.Statement.Head().ID] = sequence
		return nil
	})
}

// Meta returns what the file says of itself: the tree that was saved with the last records, and the
// last checkpoint that this server has signed, as it was signed; nil for what is not there.
func (f *File) Meta() (tree *tlog.Tree, checkpoint []byte, err error) {
	tree, checkpoint = f.meta.tree, f.meta.checkpoint
	for _, fr := range f.tail {
		tree = &fr.tree
		if fr.checkpoint != nil {
			checkpoint = fr.checkpoint
		}
	}
	return tree, checkpoint, cmp.Or(f.meta.err, f.torn)
}

// A State is how a journal's file was left, as it says itself.
type State int

// The states of a file.
const (
	Unsaid   State = iota // by a program that did not say so yet, or damaged
	Closed                // in good order: it needs no tail
	LeftOpen              // open: its newest records may be in a tail
)

// State returns how the file was left.
func (f *File) State() State {
	switch {
	case bytes.Equal(f.meta.open, openYes):
		return LeftOpen
	case bytes.Equal(f.meta.open, openNo):
		return Closed
	}
	return Unsaid
}

// InTail returns how many records the file does not have itself, and its tail does.
func (f *File) InTail() (n int64) {
	for _, fr := range f.tail {
		n += int64(len(fr.records))
	}
	return n
}

// Copied returns what the file is a copy of, and false when it says nothing of the kind. A file
// that is open, or was when a crash came, and has no tail beside it, is a copy of the file alone.
func (f *File) Copied() (c Copied, ok bool, err error) {
	c, ok, err = decodeCopied(f.meta.copied)
	switch {
	case err != nil:
		return c, false, damaged(fmt.Errorf("what it says of its being a copy: %w", err))
	case !ok && f.State() == LeftOpen && f.noTail:
		c, ok = Copied{NoTail: true}, true
		if f.meta.tree != nil {
			c.Records = uint64(f.meta.tree.N)
		}
	}
	return c, ok, nil
}

// Restored returns the copies that this journal came from, and went on from although records may be
// missing.
func (f *File) Restored() ([]Copied, error) {
	all, err := decodeRestored(f.meta.restored)
	if err != nil {
		err = damaged(fmt.Errorf("what it says of where it was restored from: %w", err))
	}
	return all, err
}

func (f *File) readMeta() (m fileMeta) {
	said := map[string][]byte{}
	m.err = f.walk(bucketMeta, func(i boltpages.Item) error {
		said[string(i.Key)] = i.Value
		switch string(i.Key) {
		case string(keyTree):
			if len(i.Value) != 8+tlog.HashSize {
				return errors.New("the saved tree has not the form of one")
			}
			m.tree = &tlog.Tree{N: int64(binary.BigEndian.Uint64(i.Value)),
				Hash: tlog.Hash(i.Value[8:])}
		case string(keyCheckpoint):
			m.checkpoint = i.Value
		case string(keyOpen):
			m.open = i.Value
		case string(keyCopy):
			m.copied = i.Value
		case string(keyRestored):
			m.restored = i.Value
		}
		return nil
	})
	if m.err == nil {
		m.err = checkMeta(said)
	}
	return m
}

// Tiles reads the tree's tiles into memory, 33 MB for a million records.
func (f *File) Tiles() (tlog.TileReader, error) {
	tiles := fileTiles{}
	err := f.walk(bucketTiles, func(i boltpages.Item) error {
		tiles[string(i.Key)] = i.Value
		return nil
	})
	if err != nil || len(f.tail) == 0 {
		return tiles, cmp.Or(err, f.torn)
	}
	return tiles, tiles.grow(f.tail[0].before, f.recent)
}

// grow adds the leaves of records to a tree of a size.
func (f fileTiles) grow(size int64, records func(func(uint64, []byte) error) error) error {
	g, err := growFrom(size, tlog.HashReaderFunc(f.readHashes))
	if err == nil {
		err = records(func(_ uint64, stored []byte) error { return g.add(stored) })
	}
	if err != nil {
		return damaged(err)
	}
	for _, t := range tlog.NewTiles(TileHeight, g.since, g.size) {
		key := string(tileKey(t))
		if f[key], err = g.tile(t, f[key]); err != nil {
			return damaged(err)
		}
	}
	return nil
}

func (f fileTiles) readHashes(indexes []int64) ([]tlog.Hash, error) {
	return readHashes(indexes, f.get)
}

func (f fileTiles) get(key []byte) []byte { return f[string(key)] }

type fileTiles map[string][]byte

// Height implements tlog.TileReader.
func (fileTiles) Height() int { return TileHeight }

// SaveTiles implements tlog.TileReader: there is nothing to do.
func (fileTiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (f fileTiles) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		d, err := cutTile(t, f[string(tileKey(t))])
		if err != nil {
			return nil, err
		}
		data = append(data, d)
	}
	return data, nil
}
