package journal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

// A B+ tree of pages is the wrong thing to write for each commit: whatever a commit has, bbolt
// writes pages anew from the leaf to the root, syncs them, and syncs the page that makes them
// valid. So a commit goes into the tail, a file that is only appended to, with one write and one
// sync; and from there, many commits at a time, into the bbolt file (fold.go). What the tail has
// and the bbolt file has not yet is kept in memory (recent.go), for whoever reads.
//
// There are two files, so that one is written while the other is folded. Both belong to the bbolt
// file, whose lock is theirs too; where it was closed in good order they are not there. Each holds
// frames, and a frame holds one commit:
//
//	"MTL1"
//	how many bytes follow the sum, 4 bytes big-endian
//	their CRC-32C, 4 bytes
//	the size of the tree before the commit, and behind it, 8 bytes each, and the root then, 32 bytes
//	the length of the signed checkpoint, 4 bytes, and the checkpoint; empty for none
//	of each record the length, 4 bytes, and the stored bytes
//
// A frame is written when the one before it is on the disk. So after a power cut only the last
// frame can be torn, and that one was acknowledged to nobody: it is left out. A frame that is not
// whole and has a whole one behind it was damaged otherwise.
//
// BUG: where the last frame was altered on the disk, and not torn, that cannot be told, and it is
// left out too; so is one that was altered and has a torn one behind it. The stream has their
// records still, from which they come back.

const (
	frameMagic = "MTL1"
	frameHead  = len(frameMagic) + 8
	frameFixed = 8 + 8 + tlog.HashSize + 4 // of what the sum is over
	frameMost  = 1 << 31
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// tailPaths returns where the tail of a bbolt file lies.
func tailPaths(path string) []string { return []string{path + ".tail0", path + ".tail1"} }

// hasTail reports whether a bbolt file has a tail, if only an empty one.
func hasTail(path string) bool {
	for _, p := range tailPaths(path) {
		if _, err := os.Lstat(p); err == nil {
			return true
		}
	}
	return false
}

// A frame is one commit in the tail.
type frame struct {
	before     int64 // the size of the tree
	tree       tlog.Tree
	checkpoint []byte
	records    [][]byte // as they are stored
}

// append appends the frame to data.
func (f *frame) append(data []byte) []byte {
	from := len(data)
	data = append(data, frameMagic...)
	data = append(data, make([]byte, 8)...) // length and sum
	data = binary.BigEndian.AppendUint64(data, uint64(f.before))
	data = append(data, encodeTree(f.tree)...)
	data = appendPiece(data, f.checkpoint)
	for _, stored := range f.records {
		data = appendPiece(data, stored)
	}
	head, body := data[from+len(frameMagic):], data[from+frameHead:]
	binary.BigEndian.PutUint32(head, uint32(len(body)))
	binary.BigEndian.PutUint32(head[4:], crc32.Checksum(body, castagnoli))
	return data
}

func appendPiece(data, piece []byte) []byte {
	return append(binary.BigEndian.AppendUint32(data, uint32(len(piece))), piece...)
}

// parseFrame reads the frame at the beginning of data, and returns how many bytes it has. It
// reports false where there is no whole one.
func parseFrame(data []byte) (f frame, size int, ok bool) {
	if len(data) < frameHead+frameFixed || string(data[:len(frameMagic)]) != frameMagic {
		return f, 0, false
	}
	n, sum := binary.BigEndian.Uint32(data[len(frameMagic):]),
		binary.BigEndian.Uint32(data[len(frameMagic)+4:])
	body := data[frameHead:]
	if uint64(n) > uint64(len(body)) || n < frameFixed ||
		crc32.Checksum(body[:n], castagnoli) != sum {
		return f, 0, false
	}
	body = body[:n]
	f.before = int64(binary.BigEndian.Uint64(body))
	f.tree = tlog.Tree{N: int64(binary.BigEndian.Uint64(body[8:])), Hash: tlog.Hash(body[16:])}
	pieces, ok := cutPieces(body[frameFixed-4:])
	if !ok || len(pieces) == 0 || f.tree.N-f.before != int64(len(pieces)-1) {
		return f, 0, false
	}
	f.records = pieces[1:]
	if len(pieces[0]) > 0 {
		f.checkpoint = pieces[0]
	}
	return f, frameHead + int(n), true
}

func cutPieces(data []byte) (pieces [][]byte, ok bool) {
	for len(data) > 0 {
		if len(data) < 4 {
			return nil, false
		}
		n := uint64(binary.BigEndian.Uint32(data))
		if data = data[4:]; n > uint64(len(data)) {
			return nil, false
		}
		pieces, data = append(pieces, data[:n:n]), data[n:]
	}
	return pieces, true
}

// parseFrames reads all frames that follow each other, and reports whether something is left behind
// them. The error says that one of them was damaged: a newer one is behind it.
func parseFrames(data []byte) (frames []frame, rest bool, err error) {
	at, size := 0, int64(-1)
	for at < len(data) {
		f, n, ok := parseFrame(data[at:])
		if !ok || size >= 0 && f.before != size {
			break
		}
		frames, at, size = append(frames, f), at+n, f.tree.N
	}
	for from := at + 1; from < len(data); from++ {
		next := bytes.Index(data[from:], []byte(frameMagic))
		if next < 0 {
			break
		}
		from += next
		if f, _, ok := parseFrame(data[from:]); ok && f.before >= size {
			return frames, true, fmt.Errorf(
				"its commit at byte %d was altered or is damaged, and is not the last", at)
		}
	}
	return frames, at < len(data), nil
}

// errGap is of a tail that belongs to another bbolt file, to a newer copy of it, or to one that is
// not there.
var errGap = errors.New("it does not go on from the journal's file")

// readTail returns the frames of both files that a bbolt file does not have yet, in order: of which
// it has size records. Where there are no such files, there are none. With an error it returns
// those before what is wrong.
func readTail(path string, size int64) ([]frame, error) {
	older, err := readTailFile(tailPaths(path)[0])
	if err != nil {
		return nil, err
	}
	newer, err := readTailFile(tailPaths(path)[1])
	if err != nil {
		return nil, err
	}
	if len(newer.frames) > 0 &&
		(len(older.frames) == 0 || older.frames[0].before > newer.frames[0].before) {
		older, newer = newer, older
	}
	// It was ended by a whole commit, before the other was begun.
	if older.damage == nil && older.rest && (len(newer.frames) > 0 || newer.rest) {
		older.damage = fmt.Errorf("%s: its last commit was altered or is damaged", older.path)
	}
	frames, size, err := unfolded(nil, older.frames, size)
	if err = cmp.Or(err, older.damage); err != nil {
		return frames, err
	}
	frames, _, err = unfolded(frames, newer.frames, size)
	return frames, cmp.Or(err, newer.damage)
}

// A tailFile is what was read of a file of the tail.
type tailFile struct {
	path   string
	frames []frame
	rest   bool  // there is something behind them
	damage error // which is more than a torn commit
}

func readTailFile(path string) (f tailFile, err error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	f.path = path
	if f.frames, f.rest, f.damage = parseFrames(data); f.damage != nil {
		f.damage = fmt.Errorf("%s: %w", path, f.damage)
	}
	return f, nil
}

// unfolded appends those frames that go on from so many records, and returns how many there are
// then.
func unfolded(frames, more []frame, size int64) ([]frame, int64, error) {
	for _, f := range more {
		switch {
		case f.tree.N < size || f.tree.N == size && len(f.records) > 0:
			continue // it was folded
		case f.before > size:
			return frames, size, fmt.Errorf("%w: it begins with record %d, and that ends with %d",
				errGap, f.before+1, size)
		}
		f.records = f.records[size-f.before:] // what was folded of it is not needed
		f.before, size = size, f.tree.N
		frames = append(frames, f)
	}
	return frames, size, nil
}

// A tail is the two files, open to be written.
type tail struct {
	paths   []string
	files   [2]*os.File
	size    [2]int64 // of what is good in each
	spoiled [2]bool  // a write or a sync has failed: it is not written any more
	active  int
	buffer  []byte
}

// openTail opens the files of the tail, and makes those that are not there.
func openTail(path string) (*tail, error) {
	t := &tail{paths: tailPaths(path)}
	for i, path := range t.paths {
		f, err := openInFolder(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errors.Join(err, t.close())
		}
		t.files[i] = f
	}
	// Or a power cut could take new files as a whole, the bbolt file among them.
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// openInFolder opens a file of the data folder to be written. A symbolic link that leads out of the
// folder is refused: whoever may write there could have planted it to have another file written
// over.
func openInFolder(path string, flag int, perm fs.FileMode) (*os.File, error) {
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f, err := folder.OpenFile(filepath.Base(path), flag, perm)
	if info, is := os.Lstat(path); err != nil && is == nil && info.Mode()&fs.ModeSymlink != 0 {
		err = fmt.Errorf("%s is a symbolic link that leads out of its folder: put the file "+
			"itself there: %w", path, err)
	}
	return f, errors.Join(err, folder.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// write appends a frame, and returns when it is on the disk. After an error nobody knows what is
// there: so the file is spoiled, and written no more. What it has was acknowledged, but for that
// frame, and is in memory until it is folded.
func (t *tail) write(f *frame) error {
	file, size := t.files[t.active], &t.size[t.active]
	t.buffer = f.append(t.buffer[:0])
	if len(t.buffer) > frameMost {
		return fmt.Errorf("a commit of %d bytes is too much at once", len(t.buffer))
	}
	_, err := file.WriteAt(t.buffer, *size)
	if err == nil {
		err = syncData(file)
	}
	if err != nil {
		t.spoiled[t.active] = true
		return err
	}
	*size += int64(len(t.buffer))
	if cap(t.buffer) > 1<<20 {
		t.buffer = nil
	}
	return nil
}

func (t *tail) isSpoiled() bool { return t.spoiled[0] || t.spoiled[1] }

// turn goes on in the other file, which is empty.
func (t *tail) turn() { t.active = 1 - t.active }

// empty forgets what a file has: it was folded. Where a power cut undoes that, the frames are known
// by their sizes.
func (t *tail) empty(file int) {
	t.size[file] = 0
	if t.files[file].Truncate(0) != nil {
		t.spoiled[file] = true
	}
}

// renew puts new files in the place of those that are spoiled. All that they have was folded.
func (t *tail) renew() error {
	for i := range t.files {
		if !t.spoiled[i] {
			continue
		}
		if err := t.replace(i); err != nil {
			return fmt.Errorf("journal: beginning %s anew: %w", t.paths[i], err)
		}
	}
	return nil
}

func (t *tail) replace(file int) error {
	path := t.paths[file]
	fresh, err := openInFolder(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return errors.Join(err, fresh.Close())
	}
	_ = t.files[file].Close() // it may say again what is known
	t.files[file], t.size[file] = fresh, 0
	// Or a power cut could bring the old one back, with a commit that was acknowledged to nobody.
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	t.spoiled[file] = false
	return nil
}

func (t *tail) close() (err error) {
	if t == nil {
		return nil
	}
	for _, f := range t.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// remove takes the files away, once nothing is in them that is needed.
func (t *tail) remove() (err error) {
	for _, path := range t.paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// checkTailAlone refuses a tail of which the bbolt file is not there: what was folded is in that,
// and a new one beside the tail would look as if that had never been. A tail that begins with the
// first record is all there is.
func checkTailAlone(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := readTail(path, 0); err != nil {
		return problem.New(problem.Unverified,
			"the journal %s is not there, and its tail (%s) is: %w", path,
			strings.Join(tailPaths(path), " and "), err).WithHint("%s", putBack)
	}
	return nil
}
