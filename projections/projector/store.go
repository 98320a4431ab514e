package projector

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"muster/events/problem"
	"muster/projections"
	"muster/projections/records"
)

// A store is the saved state of a picture: one bbolt file with a segment for each few thousand rows
// since the last snapshot and, changed in the same transaction, the cursor. It holds nothing that
// the source does not, so a file that cannot be trusted is thrown away.
//
//	rows: the sequence of its first row (8 bytes, big endian) → segment
//	meta: "form"   → records.Form, in decimal digits
//	      "cursor" → the sequence of the last row (8 bytes, big endian)
//	      "leaf"   → SHA-256 of that record as the source stores it: another history is noticed
//	      "sum"    → SHA-256 chained over all segments, so that a changed one is noticed
type store struct {
	db     *bbolt.DB
	saved  mark
	sealed mark // behind the last segment that is not written again
}

// A mark is how far a store has come.
type mark struct {
	cursor uint64
	leaf   [sha256.Size]byte
	sum    [sha256.Size]byte
}

var (
	bucketRows = []byte("rows")
	bucketMeta = []byte("meta")
	keyForm    = []byte("form")
	keyCursor  = []byte("cursor")
	keyLeaf    = []byte("leaf")
	keySum     = []byte("sum")
)

// lockWait is how long to wait for another process to let go of the file.
const lockWait = time.Second

// errUnsound is wrapped by errors that mean that a file cannot be trusted, and not that it cannot
// be reached.
var errUnsound = errors.New("the saved projections cannot be used")

// openStore opens or makes the file at path. A file that is in use is problem.Unavailable.
func openStore(path string) (s *store, err error) {
	err = soundly(func() error {
		db, err := bbolt.Open(path, 0o600,
			&bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType,
				OpenFile: openInFolder})
		if err != nil {
			return err
		}
		s = &store{db: db}
		return db.Update(func(tx *bbolt.Tx) error {
			_, err1 := tx.CreateBucketIfNotExists(bucketRows)
			_, err2 := tx.CreateBucketIfNotExists(bucketMeta)
			return errors.Join(err1, err2)
		})
	})
	if err == nil {
		return s, nil
	}
	if s != nil {
		err = errors.Join(err, s.close())
	}
	return nil, openingError(path, err)
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
		err = fmt.Errorf("%s is a symbolic link that leads out of its folder: "+
			"put the file itself there: %w", path, err)
	}
	return f, errors.Join(err, folder.Close())
}

// openingError tells what keeps a file from being used, apart from what is wrong with it.
func openingError(path string, err error) error {
	var unreachable *fs.PathError
	var system syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return problem.New(problem.Unavailable, "another process has %s open", path).
			WithHint("stop the other muster first")
	case errors.As(err, &unreachable), errors.As(err, &system):
		return fmt.Errorf("opening %s: %w", path, err)
	}
	return fmt.Errorf("%w: %w", errUnsound, err)
}

// load makes a picture of what is saved: of a snapshot, which may be nil, and the rows behind it.
// The error, errUnsound, says why they cannot be trusted.
func (s *store) load(from *projections.Snapshot) (*projections.Picture, error) {
	var m mark
	var saved []savedSegment
	err := soundly(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			saved, m, err = readSegments(tx)
			return err
		})
	})
	p := projections.NewPicture()
	if err == nil && from != nil {
		p, err = from.Picture()
		if m.cursor < from.Sequence() { // the end came before the store could be cleared
			m.cursor, m.leaf, saved = from.Sequence(), from.Leaf(), nil
		}
	}
	if err == nil {
		err = takeSegments(p, saved, m.cursor)
	}
	if err == nil && p.Sequence() != m.cursor {
		err = fmt.Errorf("%d rows are saved, and the cursor says %d", p.Sequence(), m.cursor)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnsound, err)
	}
	s.saved, s.sealed = m, m
	return p, nil
}

// A savedSegment is rows in their saved form, from a sequence on.
type savedSegment struct {
	first uint64
	data  []byte
}

// readSegments reads all segments, and checks that they are what was saved.
func readSegments(tx *bbolt.Tx) (saved []savedSegment, m mark, err error) {
	if err := m.read(tx.Bucket(bucketMeta)); err != nil {
		return nil, m, err
	}
	var sum [sha256.Size]byte
	c := tx.Bucket(bucketRows).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 8 {
			return nil, m, fmt.Errorf("a segment has the key %x", k)
		}
		saved = append(saved, savedSegment{binary.BigEndian.Uint64(k), bytes.Clone(v)})
		sum = chain(sum, v)
	}
	if sum != m.sum {
		return nil, m, errors.New("the saved rows were changed: their sum is another")
	}
	return saved, m, nil
}

// takeSegments folds in what was saved and the picture does not have yet.
func takeSegments(p *projections.Picture, saved []savedSegment, cursor uint64) error {
	for len(saved) > 1 && saved[1].first <= p.Sequence()+1 ||
		len(saved) == 1 && cursor <= p.Sequence() {
		saved = saved[1:]
	}
	decode := func(i int, in *records.Buffer) records.Batch {
		b := records.DecodeInto(in, saved[i].first, saved[i].data)
		if b.Err != nil {
			b.Err = fmt.Errorf("the segment of record %d: %w", b.First, b.Err)
		}
		return b
	}
	return p.Load(records.Prefetch(len(saved), decode), cursor-min(cursor, p.Sequence()))
}

// chain adds a segment to the sum of those before it.
func chain(sum [sha256.Size]byte, segment []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(sum[:])
	h.Write(segment)
	return [sha256.Size]byte(h.Sum(nil))
}

// read reads the mark of a store. An empty bucket is that of a new store.
func (m *mark) read(b *bbolt.Bucket) error {
	form := b.Get(keyForm)
	if form == nil {
		return nil
	}
	if string(form) != fmt.Sprint(records.Form) {
		return fmt.Errorf("the file has the stored form %q, and this program's is %d", form,
			records.Form)
	}
	cursor := b.Get(keyCursor)
	if len(cursor) != 8 || copy(m.leaf[:], b.Get(keyLeaf)) != sha256.Size ||
		copy(m.sum[:], b.Get(keySum)) != sha256.Size {
		return errors.New("the file's mark is not whole")
	}
	m.cursor = binary.BigEndian.Uint64(cursor)
	return nil
}

// sealedRows is how many rows a segment has, when they came one by one, before another is begun.
const sealedRows = 4096

// save appends segments and moves the cursor behind them, in one transaction. Leaf is of the last
// row's record. The tail gives way to what the next save appends, which begins with the same rows.
func (s *store) save(full []records.Segment, tail records.Segment, leaf [sha256.Size]byte) error {
	m := s.sealed
	m.leaf = leaf
	var sealed mark
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketRows)
		b.FillPercent = 1 // rows are only ever appended
		for _, one := range full {
			if err := m.put(b, one); err != nil {
				return err
			}
		}
		sealed = m
		if tail.Rows > 0 {
			if err := m.put(b, tail); err != nil {
				return err
			}
		}
		return m.write(tx.Bucket(bucketMeta))
	})
	if err != nil {
		return fmt.Errorf("saving the projections: %w", err)
	}
	s.saved, s.sealed = m, sealed
	return nil
}

// clear forgets all rows, which a snapshot at a record has.
func (s *store) clear(cursor uint64, leaf [sha256.Size]byte) error {
	m := mark{cursor: cursor, leaf: leaf}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket(bucketRows); err != nil {
			return err
		}
		if _, err := tx.CreateBucket(bucketRows); err != nil {
			return err
		}
		return m.write(tx.Bucket(bucketMeta))
	})
	if err != nil {
		return fmt.Errorf("saving the projections: %w", err)
	}
	s.saved, s.sealed = m, m
	return nil
}

// put appends a segment.
func (m *mark) put(b *bbolt.Bucket, one records.Segment) error {
	key := sequenceKey(m.cursor + 1)
	m.cursor, m.sum = m.cursor+uint64(one.Rows), chain(m.sum, one.Data)
	return b.Put(key, one.Data)
}

func (m *mark) write(b *bbolt.Bucket) error {
	return errors.Join(
		b.Put(keyForm, fmt.Append(nil, records.Form)),
		b.Put(keyCursor, sequenceKey(m.cursor)),
		b.Put(keyLeaf, m.leaf[:]),
		b.Put(keySum, m.sum[:]),
	)
}

func sequenceKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func (s *store) close() error { return s.db.Close() }

// discard throws a file away with its snapshot, so that openStore makes a new one.
func discard(path string) error {
	for _, path := range []string{snapshotPath(path), path} {
		if err := ifThere(os.Remove(path)); err != nil {
			return fmt.Errorf("throwing away %s: %w", path, err)
		}
	}
	return nil
}

// ifThere forgets that there was no file.
func ifThere(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// soundly turns a panic over a damaged file into an error: bbolt trusts its pages, and follows them
// out of the file.
func soundly(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the file is damaged: %v", broken)
		}
	}()
	return do()
}

// SavedThrough returns the last record of the picture that is saved at path, 0 where none is or it
// cannot be read: so many records the source has had once.
func SavedThrough(path string) (through uint64) {
	if _, err := os.Stat(path); err != nil {
		return 0
	}
	err := soundly(func() error {
		db, err := bbolt.Open(path, 0, &bbolt.Options{Timeout: lockWait, ReadOnly: true})
		if err != nil {
			return err
		}
		err = db.View(func(tx *bbolt.Tx) error {
			if meta := tx.Bucket(bucketMeta); meta != nil && len(meta.Get(keyCursor)) == 8 {
				through = binary.BigEndian.Uint64(meta.Get(keyCursor))
			}
			return nil
		})
		return errors.Join(err, db.Close())
	})
	if err != nil {
		return 0
	}
	return through
}
