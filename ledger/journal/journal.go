// Package journal is the ledger's second copy: every record, byte for byte, in files that this
// process fsyncs itself. A statement is acknowledged only when it is here; projections read from
// here and never from NATS.
//
// A commit writes all that is waiting, so that any number of writers share one fsync. It goes into
// the tail (tail.go), a file that is only appended to, and from there, many commits at a time, into
// one bbolt file (fold.go). That one has all there is once the journal is closed, and the tail is
// gone then. After a crash, the next Open folds what it finds in the tail.
//
// The bbolt file has four buckets: records (sequence, eight bytes big-endian → the stored bytes),
// ids (the statement's ULID → sequence), tiles (level and place, nine bytes → up to 256 hashes of
// the Merkle tree over the records) and meta (the version of this form; the tree's size and root;
// the last checkpoint that this server has signed; what a copy would not tell: copied.go).
package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

var (
	bucketRecords = []byte("records")
	bucketIDs     = []byte("ids")
	bucketTiles   = []byte("tiles")
	bucketMeta    = []byte("meta")
	keyVersion    = []byte("version")
	keyTree       = []byte("tree") // size, eight bytes big-endian, and root
)

// A Journal is an open journal file. Begin and Append are for one goroutine; everything else may be
// called concurrently.
type Journal struct {
	db *bbolt.DB
	// Open has found a tail: whoever had the journal open before has not closed it.
	crashed bool

	writing   sync.Mutex // for a Batch, SignCheckpoints and Close, and what follows
	sign      func(tlog.Tree) ([]byte, error)
	edge      *grower // from which the tree goes on
	tail      *tail   // nil for who only reads
	folding   *fold   // nil while none is under way
	foldAfter int     // records
	unfolded  error   // why the last fold has failed
	tried     *fold   // which that was: what it has left is not known yet

	storing sync.Mutex   // for what writes into the bbolt file, and what follows
	unsure  bool         // it may show what is not on the disk: see store
	reading sync.RWMutex // for what reads it

	mu         sync.Mutex
	last       uint64
	tree       tlog.Tree
	checkpoint signedTree // the last that was signed; empty for none
	recent     recent
	recentIDs  map[events.ID]uint64
	highest    events.ID     // of the ids in the bbolt file
	folded     []byte        // the checkpoint in the bbolt file
	copyOf     Copied        // where isCopy
	isCopy     bool          // and nobody has said that nothing is missing
	changed    chan struct{} // closed when last grows
	resting    chan struct{} // closed when a commit goes to the disk
	committed  time.Time     // when last grew last

	witnesses atomic.Pointer[func(least int64) (tlog.Tree, []byte, bool)] // see CosignedBy

	hashes *lru.Cache[int64, tlog.Hash] // for Prove, by stored hash index
	roots  *lru.Cache[int64, tlog.Hash] // for RootAt, by size
}

// How long Open waits for another process to let go of the file.
const lockWait = time.Second

// Open opens the journal in the file at path, and creates it when it is not there. Only one process
// at a time may have it open: for the second, the error is a problem of kind Unavailable.
func Open(path string) (*Journal, error) { return open(path, false) }

// OpenReadOnly opens a journal that is there, to read it.
func OpenReadOnly(path string) (*Journal, error) { return open(path, true) }

func open(path string, readOnly bool) (*Journal, error) {
	if err := checkTailAlone(path); err != nil {
		return nil, err
	}
	db, err := openSound(path, readOnly)
	if err != nil {
		return nil, err
	}
	j := &Journal{db: db, foldAfter: foldAfter, recentIDs: map[events.ID]uint64{},
		changed: make(chan struct{}), resting: make(chan struct{}), edge: &grower{}}
	if j.hashes, err = lru.New[int64, tlog.Hash](maxHashes); err == nil {
		j.roots, err = lru.New[int64, tlog.Hash](maxRoots)
	}
	if err == nil {
		err = j.load(path, readOnly)
	}
	if err == nil {
		err = j.loadTail(path, readOnly)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), j.tail.close(), db.Close())
	}
	return j, nil
}

// loadTail takes in what a crash has left in the tail, and folds it, unless it may only read.
func (j *Journal) loadTail(path string, readOnly bool) error {
	frames, err := readTail(path, int64(j.last))
	if err == nil {
		err = j.replay(frames)
	}
	if err != nil {
		return problem.New(problem.Unverified,
			"the newest records, in its tail (%s), cannot be read: %w",
			strings.Join(tailPaths(path), " and "), err).WithHint("%s", putBack)
	}
	if readOnly {
		return nil
	}
	j.crashed = hasTail(path)
	if j.tail, err = openTail(path); err != nil {
		return err
	}
	if err := j.markOpen(); err != nil {
		return err
	}
	if err := j.foldAll(); err != nil { // what is in the tail is nowhere else
		return err
	}
	j.tail.empty(0)
	j.tail.empty(1)
	return j.tail.renew()
}

func (j *Journal) load(path string, readOnly bool) error {
	if !readOnly {
		// a process that has ended before may have left it so
		err := syncMetaPages(path, j.db.Info().PageSize)
		if err == nil {
			err = j.store(makeForm)
		}
		if err != nil {
			return err
		}
	}
	return j.view(func(tx *bbolt.Tx) error {
		meta, records := tx.Bucket(bucketMeta), tx.Bucket(bucketRecords)
		if err := checkForm(tx); err != nil {
			return err
		}
		if k, _ := records.Cursor().Last(); k != nil {
			j.last = binary.BigEndian.Uint64(k)
		}
		j.recent.since = int64(j.last)
		if k, _ := tx.Bucket(bucketIDs).Cursor().Last(); k != nil {
			j.highest = events.ID(k)
		}
		if err := j.loadTree(tx); err != nil {
			return err
		}
		if err := j.loadCopied(meta, path); err != nil {
			return err
		}
		return j.loadCheckpoint(tx)
	})
}

// Close folds what is in the tail, takes the tail away and closes the file. Records that Append has
// returned for are safe whether or not Close is called; where it fails, they are in the tail.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.tail == nil {
		return j.db.Close()
	}
	err := j.foldAll()
	if err == nil {
		// without the list, the next start looks through all pages for those that are free
		if err = j.markClosed(); err == nil {
			err = j.tail.remove()
		}
	}
	err = errors.Join(err, j.tail.close(), j.db.Close())
	j.tail = nil
	return err
}

// markClosed notes that nothing is in the tail any more, and which pages are free, which no commit
// before has done: it would take each longer.
func (j *Journal) markClosed() error {
	j.db.NoFreelistSync = false
	return j.store(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyOpen, openNo)
	})
}

func sequenceKey(sequence uint64) []byte { return binary.BigEndian.AppendUint64(nil, sequence) }

// Crashed reports whether whoever had the journal open before, to write, has not closed it: it was
// killed, or the power was cut. What was under way then may be in other copies, and not here.
func (j *Journal) Crashed() bool { return j.crashed }

// Last returns the sequence of the last record, 0 when there is none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Wait returns when there is a record after the given sequence, or with ctx's error.
func (j *Journal) Wait(ctx context.Context, after uint64) error {
	for {
		j.mu.Lock()
		last, changed := j.last, j.changed
		j.mu.Unlock()
		if last > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Record returns the record at a sequence, or a problem of kind NotFound.
func (j *Journal) Record(sequence uint64) (events.Record, error) {
	stored, err := j.stored(sequence)
	if err != nil {
		return events.Record{}, err
	}
	tree := j.Tree()
	if _, err := j.proven(tree, sequence, stored); err != nil {
		if altered := j.check(tree, sequence, [][]byte{stored}); altered != nil { // says what
			return events.Record{}, altered
		}
		return events.Record{}, err
	}
	return events.ParseRecord(sequence, stored)
}

func (j *Journal) stored(sequence uint64) (stored []byte, err error) {
	if sequence == 0 || sequence > j.Last() {
		return nil, problem.New(problem.NotFound, "there is no record %d: the last is %d",
			sequence, j.Last())
	}
	recent := j.recently()
	if found := recent.from(sequence, 1); len(found) > 0 {
		return found[0].stored, nil
	}
	err = j.view(func(tx *bbolt.Tx) error {
		stored = bytes.Clone(tx.Bucket(bucketRecords).Get(sequenceKey(sequence)))
		return nil
	})
	return stored, err
}

// Find returns the sequence of the record whose statement has the id, and false when there is none.
// An id begins with the time at which it was made, so that the file need not be asked for most of
// those that are new.
func (j *Journal) Find(id events.ID) (sequence uint64, ok bool, err error) {
	sequence, ok, filed := j.recentID(id)
	if ok || !filed {
		return sequence, ok, nil
	}
	err = j.view(func(tx *bbolt.Tx) error {
		if key := tx.Bucket(bucketIDs).Get(id[:]); key != nil {
			sequence, ok = binary.BigEndian.Uint64(key), true
		}
		return nil
	})
	return sequence, ok, err
}

// CheckIndex returns a problem of kind Unverified when the id of a record's statement does not lead
// to the record: with such an index, a statement that is sent again would be recorded again.
func (j *Journal) CheckIndex(rec events.Record) error {
	id := rec.Statement.Head().ID
	sequence, ok, err := j.Find(id)
	if err == nil && (!ok || sequence != rec.Sequence) {
		err = problem.New(problem.Unverified,
			"the journal's index of ids was altered or is damaged: %s does not lead to record %d",
			id, rec.Sequence).WithHint("%s", putBack)
	}
	return err
}

// How much Records reads and checks at once: as many as a tile of the tree has leaves.
const chunk = 256

// Records returns every record from a sequence on to the last one there is at the time, in order
// and without gaps, each checked against the Merkle tree: bbolt itself would not notice a changed
// byte. After an error there is nothing more.
func (j *Journal) Records(from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for next := max(from, 1); ; {
			rows, err := j.chunk(next)
			if err != nil {
				yield(events.Record{}, err)
				return
			}
			for i, stored := range rows {
				if i%atOnce == 0 {
					j.giveWay()
				}
				rec, err := events.ParseRecord(next, stored)
				if !yield(rec, err) || err != nil {
					return
				}
				next++
			}
			if len(rows) < chunk {
				return
			}
		}
	}
}

// Stored returns the records from a sequence on as they are stored, at most so many and up to the
// last that there is, checked as Records checks them, and not parsed. They lie in room, which is
// returned as it has grown: who gives it again needs them no more.
func (j *Journal) Stored(from uint64, most int,
	room []byte) (records [][]byte, used []byte, err error) {
	from = max(from, 1)
	n := min(uint64(max(most, 0)), max(j.Last()+1, from)-from)
	room = slices.Grow(room[:0], 512*int(n))
	records, err = j.copied(from, int64(n), func(v []byte) []byte {
		room = append(room, v...)
		return room[len(room)-len(v) : len(room) : len(room)]
	})
	return records, room, err
}

// Unchecked returns the records that are in the bbolt file, from a sequence on, as they lie there:
// nothing is held against the tree. It is for comparing, and passes some millions a second. The
// bytes are valid until the next are asked for, and must not be changed. Meanwhile no commit makes
// the file longer.
func (j *Journal) Unchecked(from uint64) iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		_ = j.db.View(func(tx *bbolt.Tx) error { // it returns no error of its own
			c := tx.Bucket(bucketRecords).Cursor()
			for k, v := c.Seek(sequenceKey(from)); k != nil; k, v = c.Next() {
				if !yield(binary.BigEndian.Uint64(k), v) {
					break
				}
			}
			return nil
		})
	}
}

// chunk returns the stored bytes of up to chunk records from a sequence on, checked against the
// tree.
func (j *Journal) chunk(from uint64) (rows [][]byte, err error) { return j.rows(from, chunk) }

func (j *Journal) rows(from uint64, most int64) ([][]byte, error) {
	return j.copied(from, most, bytes.Clone)
}

// copied returns records, of which those from the bbolt file are copied and checked. Those that are
// recent were hashed by this process, and have been in its memory since.
func (j *Journal) copied(from uint64, most int64,
	clone func([]byte) []byte) (rows [][]byte, err error) {
	tree, recent := j.Tree(), j.recently() // what is committed later has leaves that the tree lacks
	last := min(int64(from)-1+most, tree.N)
	if rows, err = j.copiedFromFile(tree, from, min(last, recent.since)-int64(from)+1,
		clone); err != nil {
		return rows, err
	}
	next := from + uint64(len(rows))
	for _, r := range recent.from(next, last-int64(next)+1) {
		rows = append(rows, r.stored)
	}
	return rows, nil
}

func (j *Journal) copiedFromFile(tree tlog.Tree, from uint64, most int64,
	clone func([]byte) []byte) (rows [][]byte, err error) {
	if most <= 0 {
		return nil, nil
	}
	err = j.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketRecords).Cursor()
		for k, v := c.Seek(sequenceKey(from)); k != nil && int64(len(rows)) < most; k,
			v = c.Next() {
			want := from + uint64(len(rows))
			if got := binary.BigEndian.Uint64(k); got != want {
				return fmt.Errorf("journal: record %d is missing: record %d follows", want, got)
			}
			rows = append(rows, clone(v))
		}
		return nil
	})
	if err == nil && len(rows) > 0 {
		err = j.check(tree, from, rows)
	}
	return rows, err
}
