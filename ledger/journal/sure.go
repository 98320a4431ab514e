package journal

import (
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"

	"muster/ledger/journal/internal/boltpages"
)

// After an error of fsync, nobody knows what is on the disk: the kernel may have dropped what it
// could not write, still shows it to whoever reads, and says at the next fsync that all is well. So
// a file for which one has failed is not gone on with as if it had not been.
//
// The tail is begun anew as another file, once all that it had is in the bbolt file: see
// [tail.renew].
//
// A transaction of bbolt writes its pages where none is in use, syncs them, and then writes and
// syncs the one page that makes them valid, of which there are two in turn. Where the first sync
// fails, nothing has changed, and all of it is written again. Where the second fails, the file
// reads as if the transaction had been made, and after a power cut it may not have been: the next
// transaction would use those pages again which the older of the two pages still needs. So before
// anything else both of these pages are written and synced again: from then on it has been made.

// store makes a transaction in the bbolt file. When it returns nil, that is on the disk; after an
// error it may be or not, until makeSure has returned nil. It may be called concurrently.
func (j *Journal) store(change func(*bbolt.Tx) error) error {
	j.storing.Lock()
	defer j.storing.Unlock()
	if err := j.isSure(); err != nil {
		return err
	}
	before, err := j.transaction()
	if err != nil {
		return err
	}
	err = boltpages.Guard(func() error { return j.db.Update(change) })
	if err != nil {
		now, unknown := j.transaction()
		j.unsure = unknown != nil || now != before
	}
	return err
}

// view reads the bbolt file.
func (j *Journal) view(read func(*bbolt.Tx) error) error {
	j.reading.RLock()
	defer j.reading.RUnlock()
	return j.db.View(read)
}

// transaction returns the number of the last one in the bbolt file.
func (j *Journal) transaction() (n int, err error) {
	err = boltpages.Guard(func() error {
		return j.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil })
	})
	return n, err
}

// makeSure returns nil when what the bbolt file shows is on the disk.
func (j *Journal) makeSure() error {
	j.storing.Lock()
	defer j.storing.Unlock()
	return j.isSure()
}

func (j *Journal) isSure() error {
	if !j.unsure {
		return nil
	}
	// What is written next uses the pages of the transaction before, which nobody may be reading.
	if !j.reading.TryLock() {
		return errors.New("what the last transaction has left is still being read")
	}
	defer j.reading.Unlock()
	if err := syncMetaPages(j.db.Path(), j.db.Info().PageSize); err != nil {
		return err
	}
	j.unsure = false
	return nil
}

// syncMetaPages writes the first two pages of a bbolt file again, as they read, one after the
// other, and returns when they are on the disk.
func syncMetaPages(path string, pageSize int) (err error) {
	file, err := openInFolder(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	page := make([]byte, pageSize)
	for _, at := range []int64{0, int64(pageSize)} {
		if _, err := file.ReadAt(page, at); err != nil {
			return err
		}
		if _, err := file.WriteAt(page, at); err != nil {
			return err
		}
		if err := syncData(file); err != nil {
			return fmt.Errorf("its first pages: %w", err)
		}
	}
	return nil
}
