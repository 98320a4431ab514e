package journal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"muster/events/build"
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

// metaKeys are all that programs of the known forms write into the bucket meta.
var metaKeys = [][]byte{keyVersion, keyProgram, keyTree, keyCheckpoint, keyOpen, keyCopy,
	keyRestored}

var errNoJournal = errors.New("this is no journal")

// checkForm refuses a file of a later form than this program knows, and what is no journal.
func checkForm(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return errNoJournal
	}
	said := map[string][]byte{}
	err := meta.ForEach(func(key, value []byte) error { said[string(key)] = value; return nil })
	if err == nil {
		err = checkMeta(said)
	}
	for _, name := range [][]byte{bucketRecords, bucketIDs} {
		if err == nil && tx.Bucket(name) == nil {
			err = damagedMeta("it has no bucket %s", name)
		}
	}
	return err
}

// checkMeta looks at what a file says of itself in its bucket meta. It refuses a later form than
// this program knows, and what no program has written: a key of which one bit is another would read
// as one that is not there, and the checkpoint that was signed, or that this is a copy, would be
// forgotten.
func checkMeta(said map[string][]byte) error {
	form, ok := said[string(keyVersion)]
	if !ok {
		return damagedMeta("it does not say which form it has")
	}
	if string(form) != formFirst && string(form) != formNow {
		needed := "the program that has written it, or a later one"
		if by, ok := said[string(keyProgram)]; ok {
			needed = fmt.Sprintf("muster %s, which has written it, or a later one", by)
		}
		return problem.New(problem.Unavailable, "the journal has the form %q, and this program, "+
			"muster %s, reads the forms %s and %s", form, build.Version(), formFirst, formNow).
			WithHint("nothing was changed: start %s on this folder", needed)
	}
	for key := range said {
		if !slices.ContainsFunc(metaKeys, func(k []byte) bool { return string(k) == key }) {
			return damagedMeta("no program writes %.20q there", key)
		}
	}
	open, ok := said[string(keyOpen)]
	if ok && !bytes.Equal(open, openYes) && !bytes.Equal(open, openNo) {
		return damagedMeta("whether it is open is %.20q", open)
	}
	return nil
}

func damagedMeta(format string, args ...any) error {
	return problem.New(problem.Unverified, "what the journal says of itself is damaged: "+format,
		args...).WithHint("%s", putBack)
}

// makeForm makes the buckets of a new file, and a file of form 1 one of today's.
func makeForm(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	isNew := meta == nil
	if !isNew {
		if err := checkForm(tx); err != nil {
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
		string(keyVersion): formNow, string(keyProgram): build.Version()} {
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
