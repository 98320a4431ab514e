package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"muster/events/english"
)

// A copy looks like what it is a copy of, and lacks what was acknowledged after it was made. Who
// goes on from it gives the lost records' sequences to others. So the bbolt file says in its bucket
// meta what a copy of it would not tell:
//
//	open      yes: it is open to be written, or was when a crash came, and the newest records are
//	          in the tail. A copy of the file alone, taken meanwhile, says so too, and has no tail.
//	          no: it was closed in good order. Where it says neither, a program has written it that
//	          did not know this yet.
//	copy      it is a copy, and nobody has said yet that nothing is missing (a [Copied])
//	restored  what copies it came from, and went on from although records may be missing
//
// It says yes once the files of the tail are there, and no before they are taken away.
var (
	keyOpen     = []byte("open")
	openYes     = []byte("yes")
	openNo      = []byte("no")
	keyCopy     = []byte("copy")
	keyRestored = []byte("restored")
)

// A Copied says of a journal that it is a copy, made when there were so many records: what was
// acknowledged later is not in it.
type Copied struct {
	Records uint64 `json:"records"`
	// At is when the copy was made; zero where that is not known.
	At time.Time `json:"at,omitzero"`
	// NoTail says that the file was copied while a server wrote it, without its tail: even of what
	// was acknowledged before, the newest records may be missing.
	NoTail bool `json:"no_tail,omitempty"`
	// Accepted is when somebody went on from the copy without what may be missing; zero while
	// nobody has.
	Accepted time.Time `json:"accepted,omitzero"`
}

// String says what the journal is, as a sentence goes on that has named it.
func (c Copied) String() string {
	if c.NoTail {
		return fmt.Sprintf("a copy that was taken while a server ran, without the files of its "+
			"tail: of what was recorded after record %d, nothing is in it", c.Records)
	}
	made := ""
	if !c.At.IsZero() {
		made = ", made at " + c.At.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("a copy of %s%s: what was recorded later is not in it",
		english.Several(c.Records, "record"), made)
}

// Copied returns what the journal is a copy of, as long as nobody has said that nothing is missing;
// false for one that is no copy.
func (j *Journal) Copied() (c Copied, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.copyOf, j.isCopy
}

// MarkCopy notes what this journal is a copy of: until Settle, it says so in Copied, and to who
// verifies it. For one that says so already it does nothing.
func (j *Journal) MarkCopy(c Copied) error {
	if _, ok := j.Copied(); ok {
		return nil
	}
	return j.setCopied(&c)
}

// Settle ends that this journal counts as a copy: because another copy has given what it had more,
// or, with a time, because somebody has accepted then that it is lost. That stays to be seen.
func (j *Journal) Settle(accepted time.Time) error {
	c, ok := j.Copied()
	if !ok {
		return nil
	}
	if accepted.IsZero() {
		return j.setCopied(nil)
	}
	c.Accepted = accepted.UTC().Truncate(time.Second)
	err := j.update(func(meta *bbolt.Bucket) error {
		restored, err := decodeRestored(meta.Get(keyRestored))
		if err != nil {
			return err
		}
		return putJSON(meta, keyRestored, append(restored, c))
	})
	if err != nil {
		return err
	}
	return j.setCopied(nil)
}

func (j *Journal) setCopied(c *Copied) error {
	err := j.update(func(meta *bbolt.Bucket) error {
		if c == nil {
			return meta.Delete(keyCopy)
		}
		return putJSON(meta, keyCopy, c)
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.copyOf, j.isCopy = Copied{}, c != nil
	if c != nil {
		j.copyOf = *c
	}
	return nil
}

// update changes the bucket meta, beside a fold that may be under way.
func (j *Journal) update(change func(meta *bbolt.Bucket) error) error {
	err := j.store(func(tx *bbolt.Tx) error { return change(tx.Bucket(bucketMeta)) })
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

func putJSON(meta *bbolt.Bucket, key []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return meta.Put(key, data)
}

func decodeRestored(data []byte) (all []Copied, err error) {
	if data == nil {
		return nil, nil
	}
	return all, json.Unmarshal(data, &all)
}

// decodeCopied reads what a journal's file says of its being a copy.
func decodeCopied(data []byte) (c Copied, ok bool, err error) {
	if data == nil {
		return c, false, nil
	}
	err = json.Unmarshal(data, &c)
	return c, err == nil, err
}

// loadCopied reads what the file says of its being a copy: also that it is open, and has no tail
// beside it.
func (j *Journal) loadCopied(meta *bbolt.Bucket, path string) (err error) {
	j.copyOf, j.isCopy, err = decodeCopied(meta.Get(keyCopy))
	if err != nil {
		return fmt.Errorf("what it says of its being a copy is damaged: %w", err)
	}
	if bytes.Equal(meta.Get(keyOpen), openYes) && !tailIsThere(path) && !j.isCopy {
		j.copyOf, j.isCopy = Copied{Records: j.last, NoTail: true}, true
	}
	return nil
}

// markOpen notes, once the files of the tail are there, that the newest records are in them, and
// that the file is a copy, if it was found to be one: that is not to be seen any more.
func (j *Journal) markOpen() error {
	return j.update(func(meta *bbolt.Bucket) error {
		if j.isCopy {
			if err := putJSON(meta, keyCopy, j.copyOf); err != nil {
				return err
			}
		}
		return meta.Put(keyOpen, openYes)
	})
}

// tailIsThere reports whether both files of the tail of a bbolt file are there.
func tailIsThere(path string) bool {
	for _, path := range tailPaths(path) {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
