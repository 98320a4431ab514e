package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"muster/events/problem"
	"muster/ledger/journal/internal/boltpages"
)

// openSound opens the bbolt file after all of it was checked.
//
// The free list is an array, which gives the lowest pages first: so the pages of a commit lie
// beside each other, which a disk has sooner than as many that are scattered. There are few of
// them, since a journal only grows.
func openSound(path string, readOnly bool) (*bbolt.DB, error) {
	options := bbolt.Options{Timeout: lockWait, ReadOnly: readOnly,
		NoFreelistSync: true, FreelistType: bbolt.FreelistArrayType}
	if !readOnly {
		options.OpenFile = openInFolder
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, openingError(path, errFolder)
	}
	db, err := boltpages.Open(path, options, inSequence)
	if err != nil {
		return nil, openingError(path, err)
	}
	return db, nil
}

var errFolder = errors.New("a folder is in its place")

// inSequence returns what the items of a bucket must pass: records have sequences without a gap.
func inSequence(bucket string) func(boltpages.Item) error {
	if bucket != string(bucketRecords) {
		return nil
	}
	next := uint64(1)
	return func(i boltpages.Item) error {
		if err := follows(i.Key, next); err != nil {
			return err
		}
		next++
		return nil
	}
}

// follows checks that the key of a record is that of the next sequence.
func follows(key []byte, next uint64) error {
	if len(key) != 8 || binary.BigEndian.Uint64(key) != next {
		return fmt.Errorf("record %d is missing: %.20x follows", next, key)
	}
	return nil
}

// ErrInUse is in the chain of the error of opening a journal that another process has open.
var ErrInUse = errors.New("another process has the journal open")

// openingError tells a file that is in use, and one that cannot be reached, from one that is
// damaged.
func openingError(path string, err error) error {
	var unreachable *fs.PathError
	var system syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return problem.New(problem.Unavailable, "%w: %s", ErrInUse, path).
			WithHint("a muster server runs on this folder: ask it with --url, or stop it; or a " +
				"backup or a verification of it is under way: wait for that")
	case errors.Is(err, errFolder):
		return problem.New(problem.Unavailable, "the journal %s cannot be opened: %w", path, err).
			WithHint("put the journal back in its place: nothing else has what is in it alone")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return problem.New(problem.Unavailable, "the journal %s cannot be opened: %w", path, err).
			WithHint("leave the file where it is, and let the user who runs the server read and " +
				"write it and the folder that it is in: look at owner and rights, and whether " +
				"the disk is mounted to be read only")
	case errors.As(err, &unreachable), errors.As(err, &system):
		return fmt.Errorf("journal %s: %w", path, err)
	}
	return problem.New(problem.Unavailable, "the journal %s is damaged: %w", path, err).
		WithHint("%s", putBack)
}

// putBack is what to do about a journal that is damaged. Nothing of it is to be moved away or
// deleted: a new one would be made of what the stream has, and that may have lost the newest
// records, which were acknowledged. What is put back may lack them, too; then the folder tells, in
// what is saved beside the journal, how far it once was.
const putBack = "keep a copy of the whole folder, and delete nothing of it: the newest records " +
	"may be nowhere else. Put back journal.db, with journal.db.tail0 and .tail1 where there are " +
	"any, all from one copy that is whole (`muster verify FOLDER`): what it lacks comes back " +
	"from the stream, and the server does not start where that has not all of it"
