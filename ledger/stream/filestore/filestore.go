// Package filestore reads the files in which a NATS server keeps a stream, without such a server,
// and changes nothing in them.
//
// A NATS server believes its own files where it can, and mends the rest by leaving it out: a
// message whose checksum is wrong ends its block, a block that is missing is a gap, and a sequence
// of which the highest bit was flipped has it make room for all those before. So whoever can make a
// stream anew looks at the files first. What is looked for are the faults of disks and of power
// cuts, not those of somebody who knows how the files are made: the checksums are keyed with names.
//
// The form is that of nats-server 2.15 (server/filestore.go). A stream's folder has meta.inf (its
// configuration) and meta.sum (the checksum of that); and under msgs the blocks 1.blk, 2.blk and so
// on, and index.db, which says what is in them and is made anew where it is missing. A block holds
// messages behind each other:
//
//	the length of all of it, 4 bytes little-endian; its highest bit says that there is a header
//	the sequence, 8 bytes, and the time, 8 bytes
//	the length of the subject, 2 bytes, and the subject
//	the length of the header, 4 bytes, and the header, where there is one
//	the data
//	the checksum, 8 bytes
//
// Checksums are HighwayHash, keyed with the SHA-256 of the stream's name, and of the name and the
// number of the block.
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Store is a stream's files. They must not change while they are read.
type Store struct {
	// Dir is the stream's folder, in which meta.inf is.
	Dir string
	// Stream is its name.
	Stream string
	// Prefix begins the subject of each message: by it, messages are found behind what is damaged.
	Prefix string
}

// A Message is one of the stream, as it is stored. What it has is valid until the next is read.
type Message struct {
	Sequence uint64
	Subject  string
	Data     []byte
}

// A State is what the files say of a stream whose messages are to be numbered from 1 on, without
// gaps.
type State struct {
	// Last is the last of those messages that are whole and follow each other.
	Last uint64
	// Damage says what is wrong in the blocks behind Last, or in the stream's configuration; nil
	// for nothing.
	Damage error
	// Torn says of Damage that it is at the end of the last block, and that no whole message is
	// behind it: so a write leaves it that broke off.
	Torn bool
	// Highest is the highest sequence of the whole messages behind the damage, 0 for none.
	Highest uint64
	// Index says why index.db misleads who believes it; nil where it is right, and where it is not
	// there.
	Index error
	// Indexed is the last message that index.db knows; 0 where it is not there, or damaged.
	Indexed uint64
}

// IsWhole reports whether nothing is wrong with the files.
func (s State) IsWhole() bool { return s.Damage == nil && s.Index == nil }

// Read reads all files, calls yield with each whole message from the first on as long as they
// follow each other, and says what it has found. Where there is no stream, that is nothing. The
// error is that of yield or of ctx, or says that the files may not be read. It takes as long as to
// read the files, and memory for one block.
func (s Store) Read(ctx context.Context, yield func(Message) error) (State, error) {
	r := &reader{store: s, yield: yield}
	if _, err := os.Lstat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return r.state, nil
	}
	blocks, err := s.blocks()
	if err != nil {
		r.damaged(err)
	}
	for i, n := range blocks {
		if err := ctx.Err(); err != nil {
			return r.state, err
		}
		if err := r.block(n, i == len(blocks)-1); err != nil {
			return r.state, err
		}
	}
	if err := s.checkMeta(); err != nil {
		r.damaged(err)
	}
	r.checkIndex()
	return r.state, r.forbidden
}

// blocks returns the numbers of the blocks, in order.
func (s Store) blocks() (numbers []uint32, err error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, "msgs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		switch name, is := strings.CutSuffix(e.Name(), ".blk"); {
		case is:
			n, bad := strconv.ParseUint(name, 10, 32)
			if bad != nil {
				return nil, fmt.Errorf("%s is not the name of a block", e.Name())
			}
			numbers = append(numbers, uint32(n))
		case strings.HasSuffix(e.Name(), ".key"):
			return nil, fmt.Errorf("%s: its messages are encrypted", e.Name())
		}
	}
	slices.Sort(numbers)
	return numbers, err
}

// blockMost is how many bytes a block may have: NATS begins a new one at 8 MiB.
const blockMost = 32 << 20

// A reader goes through the blocks.
type reader struct {
	store     Store
	yield     func(Message) error
	room      []byte // of the block that is being read
	state     State
	forbidden error // a file may not be read
}

// damaged notes what is wrong, unless something was before.
func (r *reader) damaged(err error) {
	if errors.Is(err, fs.ErrPermission) && r.forbidden == nil {
		r.forbidden = err
	}
	if r.state.Damage == nil {
		r.state.Damage = err
	}
}

// block reads a block. The error is that of yield.
func (r *reader) block(n uint32, last bool) error {
	name := fmt.Sprintf("%d.blk", n)
	data, err := r.load(filepath.Join(r.store.Dir, "msgs", name))
	if err != nil {
		r.damaged(fmt.Errorf("%s: %w", name, err))
		return nil
	}
	sum := newHash(fmt.Sprintf("%s-%d", r.store.Stream, n))
	for at := 0; at < len(data); {
		m, size, err := parse(data[at:], sum)
		if err != nil {
			sound := r.state.Damage == nil
			r.damaged(fmt.Errorf("%s, byte %d, where message %d should be: %w", name, at,
				r.state.Last+1, err))
			next := find(data, at+1, r.store.Prefix, sum)
			r.state.Torn = r.state.Torn || sound && last && next == len(data)
			at = next
			continue
		}
		if err := r.take(m, name, at); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// load reads a file into the reader's room.
func (r *reader) load(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	case info.Size() > blockMost:
		return nil, fmt.Errorf("it has %d bytes, and a block has %d at most", info.Size(),
			blockMost)
	}
	r.room = slices.Grow(r.room[:0], int(info.Size()))[:info.Size()]
	n, err := f.ReadAt(r.room, 0)
	if n == len(r.room) {
		err = nil
	}
	return r.room[:n], err
}

// take takes a whole message: the next one, or one that is out of its place.
func (r *reader) take(m Message, block string, at int) error {
	switch {
	case r.state.Damage == nil && m.Sequence == r.state.Last+1:
		r.state.Last++
		return r.yield(m)
	case r.state.Damage == nil:
		r.damaged(fmt.Errorf("%s, byte %d: message %d follows message %d", block, at, m.Sequence,
			r.state.Last))
	}
	r.state.Torn = false
	if m.Sequence < odd {
		r.state.Highest = max(r.state.Highest, m.Sequence)
	}
	return nil
}
