package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"muster/events/problem"
)

// bbolt trusts its file: it panics at a page that is not what it should be, in goroutines of its own too, goes around in
// circles where pages do, and faults where the file ends too early. So bbolt may read a file only after this package has
// read all its pages (pages.go) and found them sound.

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
	if err := checkFile(path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func openGuarded(path string, options bbolt.Options) (db *bbolt.DB, err error) {
	if !options.ReadOnly {
		options.OpenFile = openInFolder
	}
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

// checkFile goes through the whole file, as it lies on the disk: its size, its pages, the order of all keys, and the
// sequences without a gap.
func checkFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	p, err := openPages(file)
	if err != nil {
		return err
	}
	return guard(func() error { return p.mapped(file, p.check) })
}

// check goes through all pages, those of each bucket beside those of the others.
func (p *pages) check() error {
	buckets, err := p.buckets()
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(buckets))
	errs := make([]error, len(names))
	var walks sync.WaitGroup
	for i, name := range names {
		walks.Go(func() {
			errs[i] = guard(func() error { return p.checkBucket(name, buckets[name]) })
		})
	}
	walks.Wait()
	return cmp.Or(append(errs, p.checkFree())...)
}

func (p *pages) checkBucket(name string, bucket item) error {
	next := uint64(1)
	err := p.walkBucket(bucket, func(i item) error {
		switch {
		case i.bucket:
			return fmt.Errorf("the key %.20x has no value", i.key)
		case name == string(bucketRecords):
			if err := follows(i.key, next); err != nil {
				return err
			}
			next++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%.20q: %w", name, err)
	}
	return nil
}

// follows checks that the key of a record is that of the next sequence.
func follows(key []byte, next uint64) error {
	if len(key) != 8 || binary.BigEndian.Uint64(key) != next {
		return fmt.Errorf("record %d is missing: %.20x follows", next, key)
	}
	return nil
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
