package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"muster/events/problem"
)

// bbolt trusts its file: it panics at a page that is not what it should be, in goroutines of its own too, and faults where
// the file ends too early. So a file is opened for writing only after it was read through and found sound.

// openSound opens a file that is sound, or says what is wrong with it.
func openSound(path string, options bbolt.Options) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
	if options.ReadOnly || !isNew {
		reading := options
		reading.ReadOnly = true
		db, err := openAndCheck(path, reading)
		if err != nil || options.ReadOnly {
			return db, err
		}
		if err := db.Close(); err != nil {
			return nil, err
		}
	}
	db, err := openGuarded(path, options)
	if err != nil || !isNew {
		return db, err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil { // or a power cut could take the new file as a whole
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func openAndCheck(path string, options bbolt.Options) (*bbolt.DB, error) {
	db, err := openGuarded(path, options)
	if err != nil {
		return nil, err
	}
	if err := guard(func() error { return db.View(checkFile) }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func openGuarded(path string, options bbolt.Options) (db *bbolt.DB, err error) {
	err = guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &options)
		return err
	})
	return db, err
}

// guard turns a panic of f, and a fault of the memory that the file is mapped into, into an error.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%.200v", r)
		}
	}()
	return f()
}

// checkFile goes through the whole file: its size, the order of all keys, and the sequences without a gap.
func checkFile(tx *bbolt.Tx) error {
	info, err := os.Stat(tx.DB().Path())
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("it was cut off: it has %d bytes, and needs %d", info.Size(), tx.Size())
	}
	return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if err := checkBucket(b, bytes.Equal(name, bucketRecords)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// ends makes checkBucket read where a value ends, which is a fault when that is beyond the file.
//
//lint:ignore U1000 to read is all that it is for
var ends byte

func checkBucket(b *bbolt.Bucket, sequences bool) error {
	var before []byte
	n := uint64(0)
	return b.ForEach(func(k, v []byte) error {
		n++
		if len(v) > 0 {
			ends = v[len(v)-1]
		}
		switch {
		case v == nil:
			return fmt.Errorf("the key %.20x has no value", k)
		case before != nil && bytes.Compare(before, k) >= 0:
			return fmt.Errorf("the key %.20x does not follow %.20x", k, before)
		case sequences && (len(k) != 8 || binary.BigEndian.Uint64(k) != n):
			return fmt.Errorf("record %d is missing: %.20x follows", n, k)
		case !bytes.Equal(b.Get(k), v): // this goes another way, by the keys of the branches
			return fmt.Errorf("the key %.20x is not found in its place", k)
		}
		before = k
		return nil
	})
}

// openingError tells a file that is in use, and one that cannot be reached, from one that is damaged.
func openingError(path string, err error) error {
	var unreachable *fs.PathError
	var system syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return problem.New(problem.Unavailable, "another process has the journal %s open", path).
			WithHint("a muster server runs on this folder: ask it with --url, or stop it")
	case errors.As(err, &unreachable), errors.As(err, &system):
		return fmt.Errorf("journal %s: %w", path, err)
	}
	return problem.New(problem.Unavailable, "the journal %s is damaged: %w", path, err).
		WithHint("move the file away and start again: a new one is made from the stream; keep the old one until you have seen that nothing is missing")
}
