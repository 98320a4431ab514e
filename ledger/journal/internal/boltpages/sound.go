package boltpages

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

// A Check returns what each item of a bucket must pass, nil for anything.
type Check func(bucket string) func(Item) error

// Open opens a file that is sound, or says what is wrong with it: bbolt reads nothing of it for
// more than a lock before all its pages were read, and every item has passed the check. The file is
// made where there is none, unless it is only read.
func Open(path string, options bbolt.Options, check Check) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
	if !options.ReadOnly && isNew {
		return OpenUnchecked(path, options)
	}
	reading := options
	reading.ReadOnly = true
	if !options.ReadOnly {
		reading.OpenFile = nil // which is for files to be written
	}
	db, err := openAndCheck(path, reading, check)
	if err != nil || options.ReadOnly {
		return db, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return OpenUnchecked(path, options)
}

func openAndCheck(path string, options bbolt.Options, check Check) (*bbolt.DB, error) {
	db, err := OpenUnchecked(path, options)
	if err != nil {
		return nil, err
	}
	if err := checkFile(path, check); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// OpenUnchecked opens a file that may be damaged, which is for who wants no more of bbolt than its
// lock. A panic of bbolt is an error.
func OpenUnchecked(path string, options bbolt.Options) (db *bbolt.DB, err error) {
	err = Guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &options)
		return err
	})
	return db, err
}

// Guard turns a panic of f, and a fault of the memory that the file is mapped into, into an error.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%.200v", r)
		}
	}()
	return f()
}

// checkFile goes through the whole file, as it lies on the disk: its size, its pages, the order of
// all keys, and what each item must pass.
func checkFile(path string, check Check) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	p, err := Read(file)
	if err != nil {
		return err
	}
	return Guard(func() error { return p.mapped(file, func() error { return p.check(check) }) })
}

// check goes through all pages, those of each bucket beside those of the others.
func (p *Pages) check(check Check) error {
	buckets, err := p.Buckets()
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(buckets))
	errs := make([]error, len(names))
	var walks sync.WaitGroup
	for i, name := range names {
		walks.Go(func() {
			errs[i] = Guard(func() error { return p.checkBucket(name, buckets[name], check(name)) })
		})
	}
	walks.Wait()
	errs = append(errs, p.checkFree())
	return cmp.Or(errs...)
}

func (p *Pages) checkBucket(name string, bucket Item, pass func(Item) error) error {
	err := p.Walk(bucket, func(i Item) error {
		switch {
		case i.Bucket:
			return fmt.Errorf("the key %.20x has no value", i.Key)
		case pass != nil:
			return pass(i)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%.20q: %w", name, err)
	}
	return nil
}
