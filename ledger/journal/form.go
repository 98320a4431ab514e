package journal

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"go.etcd.io/bbolt"

	"muster/events/problem"
)

// The form of a journal is the version of all its files together: of the bbolt file, and of those
// of the tail. Whoever changes what one of them means raises it, also where the bbolt file itself
// stays as it was: for a program that does not know what lies beside it takes what it finds for all
// there is, and gives the sequences of records that it does not see to others.
//
//	1  records and ids; later also tiles and the checkpoint; and then a tail beside the file, which
//	   programs of this form may know or not
//	2  the same, and a program that reads it knows the tail
//
// A file of form 1 becomes one of form 2 when it is opened to be written. Nobody goes back: a
// program of an earlier form refuses the file.
const (
	formFirst = "1"
	formNow   = "2"
)

// keyProgram is where the bucket meta names the program that has opened the file last to write it,
// so that an older one can say which is needed.
var keyProgram = []byte("program")

var errNoJournal = errors.New("this is no journal")

// checkForm refuses a file of a later form than this program knows, and what is no journal.
func checkForm(meta *bbolt.Bucket) error {
	if meta == nil {
		return errNoJournal
	}
	form := meta.Get(keyVersion)
	if string(form) == formFirst || string(form) == formNow {
		return nil
	}
	needed := "the program that has written it, or a later one"
	if by := meta.Get(keyProgram); by != nil {
		needed = fmt.Sprintf("muster %s, which has written it, or a later one", by)
	}
	return problem.New(problem.Unavailable, "the journal has the form %q, and this program, "+
		"muster %s, reads the forms %s and %s", form, program(), formFirst, formNow).
		WithHint("nothing was changed: start %s on this folder", needed)
}

// makeForm makes the buckets of a new file, and a file of form 1 one of today's.
func makeForm(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	isNew := meta == nil || meta.Get(keyVersion) == nil
	if !isNew {
		if err := checkForm(meta); err != nil {
			return err
		}
	}
	noTree := !isNew && tx.Bucket(bucketTiles) == nil
	for _, name := range [][]byte{bucketRecords, bucketIDs, bucketTiles, bucketMeta} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta = tx.Bucket(bucketMeta)
	if noTree && string(meta.Get(keyVersion)) == formFirst {
		if err := growTree(tx); err != nil {
			return err
		}
	}
	for key, value := range map[string]string{
		string(keyVersion): formNow, string(keyProgram): program()} {
		if bytes.Equal(meta.Get([]byte(key)), []byte(value)) {
			continue
		}
		if err := meta.Put([]byte(key), []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// growTree makes the Merkle tree of a file that is older than that.
func growTree(tx *bbolt.Tx) error {
	g := &grower{}
	err := tx.Bucket(bucketRecords).ForEach(func(_, stored []byte) error { return g.add(stored) })
	if err != nil || g.size == 0 {
		return err
	}
	tree, err := g.tree()
	if err != nil {
		return err
	}
	return g.save(tx, tree)
}

// program is the version of this program, as its build says.
func program() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version[1:]
	}
	return "0.0.0-devel"
}
