package projections

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"muster/events/problem"
)

// A store is the saved state of a picture: one bbolt file with a row for each record and, changed in the same transaction,
// the cursor. It holds nothing that the source does not, so a file that cannot be trusted is thrown away.
//
//	rows: sequence (8 bytes, big endian) → row, as JSON
//	meta: "form"   → storedForm, in decimal digits
//	      "cursor" → the sequence of the last row (8 bytes, big endian)
//	      "leaf"   → SHA-256 of that record as the source stores it, so that another history is noticed
//	      "sum"    → SHA-256 chained over all rows, so that a changed row is noticed
type store struct {
	db    *bbolt.DB
	saved mark
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

// errUnsound is wrapped by errors that mean that a file cannot be trusted, and not that it cannot be reached.
var errUnsound = errors.New("the saved projections cannot be used")

// openStore opens or makes the file at path. A file that is in use is problem.Unavailable.
func openStore(path string) (s *store, err error) {
	err = soundly(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
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

// openingError tells what keeps a file from being used, apart from what is wrong with it.
func openingError(path string, err error) error {
	var unreachable *fs.PathError
	var system syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return problem.New(problem.Unavailable, "another process has %s open", path).WithHint("stop the other muster first")
	case errors.As(err, &unreachable), errors.As(err, &system):
		return fmt.Errorf("opening %s: %w", path, err)
	}
	return fmt.Errorf("%w: %w", errUnsound, err)
}

// load folds the saved rows into a new picture. The error, errUnsound, says why they cannot be trusted.
func (s *store) load() (p *Picture, err error) {
	p = NewPicture()
	err = soundly(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			var m mark
			if err := m.read(tx.Bucket(bucketMeta)); err != nil {
				return err
			}
			sum, err := foldRows(tx.Bucket(bucketRows), p)
			switch {
			case err != nil:
				return err
			case p.Sequence() != m.cursor:
				return fmt.Errorf("%d rows are saved, and the cursor says %d", p.Sequence(), m.cursor)
			case sum != m.sum:
				return errors.New("the saved rows were changed: their sum is another")
			}
			s.saved = m
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnsound, err)
	}
	return p, nil
}

func foldRows(b *bbolt.Bucket, p *Picture) (sum [sha256.Size]byte, err error) {
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 8 {
			return sum, fmt.Errorf("a row has the key %x", k)
		}
		r, err := decodeRow(v)
		if err != nil {
			return sum, fmt.Errorf("row %x: %w", k, err)
		}
		if err := p.take(binary.BigEndian.Uint64(k), &r); err != nil {
			return sum, err
		}
		sum = chain(sum, v)
	}
	return sum, nil
}

// chain adds a row to the sum of those before it.
func chain(sum [sha256.Size]byte, row []byte) [sha256.Size]byte {
	return sha256.Sum256(append(sum[:], row...))
}

// read reads the mark of a store. An empty bucket is that of a new store.
func (m *mark) read(b *bbolt.Bucket) error {
	form := b.Get(keyForm)
	if form == nil {
		return nil
	}
	if string(form) != fmt.Sprint(storedForm) {
		return fmt.Errorf("the file has the stored form %q, and this program's is %d", form, storedForm)
	}
	cursor := b.Get(keyCursor)
	if len(cursor) != 8 || copy(m.leaf[:], b.Get(keyLeaf)) != sha256.Size || copy(m.sum[:], b.Get(keySum)) != sha256.Size {
		return errors.New("the file's mark is not whole")
	}
	m.cursor = binary.BigEndian.Uint64(cursor)
	return nil
}

// save appends rows and moves the cursor behind them, in one transaction. Leaf is of the last row's record.
func (s *store) save(rows [][]byte, leaf [sha256.Size]byte) error {
	m := s.saved
	m.leaf = leaf
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketRows)
		b.FillPercent = 1 // rows are only ever appended
		for _, row := range rows {
			m.cursor++
			m.sum = chain(m.sum, row)
			if err := b.Put(sequenceKey(m.cursor), row); err != nil {
				return err
			}
		}
		return m.write(tx.Bucket(bucketMeta))
	})
	if err != nil {
		return fmt.Errorf("saving the projections: %w", err)
	}
	s.saved = m
	return nil
}

func (m *mark) write(b *bbolt.Bucket) error {
	return errors.Join(
		b.Put(keyForm, fmt.Append(nil, storedForm)),
		b.Put(keyCursor, sequenceKey(m.cursor)),
		b.Put(keyLeaf, m.leaf[:]),
		b.Put(keySum, m.sum[:]),
	)
}

func sequenceKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func (s *store) close() error { return s.db.Close() }

// discard throws a file away, so that openStore makes a new one.
func discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("throwing away %s: %w", path, err)
	}
	return nil
}

// soundly turns a panic over a damaged file into an error: bbolt trusts its pages, and follows them out of the file.
func soundly(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the file is damaged: %v", broken)
		}
	}()
	return do()
}
