package proof

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// An Entry is a record as a source holds it.
type Entry struct {
	// Sequence is the place that the source gives it.
	Sequence uint64
	// Stored is the record, byte for byte. It is kept, and must not be changed afterwards. It is
	// nil for a record that may not be read.
	Stored []byte
	// Leaf is the leaf hash of a record that may not be read; of others it is made of the bytes.
	Leaf tlog.Hash
	// Subject is the NATS subject that it lies under, where the source knows it.
	Subject string
}

// Withhold returns the entry as those have it who may not read the record.
func (e Entry) Withhold() Entry { return Entry{Sequence: e.Sequence, Leaf: e.leaf()} }

// A Source is where the records of a ledger come from: a server, a data folder, a bundle. Nothing
// that it says is believed.
type Source struct {
	// Name says for people what it is: "the folder ledger".
	Name string
	// Entries yields the records from the first on, in the source's order. An error ends it; one of
	// kind Unverified says that the source is not what it should be, any other that it cannot be
	// read.
	Entries func(ctx context.Context) iter.Seq2[Entry, error]
	// Size is how many records there are, as far as the source can tell; 0 when it cannot. It is
	// for the progress alone.
	Size int64
	// Checkpoint is the signed checkpoint that the records are held against; nil when there is
	// none.
	Checkpoint []byte
	// NoCheckpoint says why there is none.
	NoCheckpoint string
	// Tree is what the source has saved as the size and root of its tree, unsigned; nil for
	// nothing.
	Tree *tlog.Tree
	// Tiles reads the tree's tiles; nil when the source has none.
	Tiles tlog.TileReader
	// View names those for whom the source was made, who may not read all; "" for all.
	View events.View
	// MayBeOld says that the source was made at some time in the past, so that it may have fewer
	// records than are known.
	MayBeOld bool
	// Also are further looks at what only this kind of source has. They come last, one after the
	// other.
	Also []Extra
}

// Options say how a verification is done.
type Options struct {
	// Key is the key that checkpoints must be signed with, and how it is known to be the ledger's.
	Key TrustedKey
	// Since is a signed checkpoint that was verified before: the records that it covers must still
	// be the same, and their signatures are not verified again. Nil for none.
	Since []byte
	// Known are checkpoints of this ledger that were verified before: the records that they cover
	// must still be the same. Unlike Since, they save no work.
	Known []Checkpoint
	// Bounds are when others have signed for trees of this ledger, by their own clocks.
	Bounds []Bound
	// Progress is told, now and then and by several goroutines at once, how many records are done;
	// it may be nil.
	Progress func(done, of int64)

	treeOnly bool // for the benchmark: only hash
}

// A TrustedKey is a checkpoint key, in the text form of C2SP signed-note, with the reason to
// believe in it.
type TrustedKey struct {
	// Verifier is the key; "" when none is known.
	Verifier string
	// Claimed says that nobody but the source itself has said that the key is the ledger's.
	Claimed bool
	// Why says for people where the key is from: "given with --checkpoint-key".
	Why string
}

// Verify reads all the records of a source, checks everything that can be checked without trusting
// it, and says what the first thing is that is wrong, if anything is. It uses all cores. It does
// not keep the records, but 150 bytes for each (hashes and ids) and what the rules need to know:
// where every record begins a pledge, a process takes 2 KB for each.
//
// The error is nil also when the verification failed: then the report says so. It is a problem when
// there is nothing to report, because the source cannot be read or says what only a newer version
// can read; and ctx's error.
func Verify(ctx context.Context, src Source, o Options) (Report, error) {
	v := &verifier{src: src, opts: o, state: rules.NewPart(), ids: map[events.ID]uint64{},
		signers: map[events.KeyID]bool{}, leaps: leaps{now: time.Now()},
		bounded: newBounded(o.Bounds)}
	v.bad.Store(noFault)
	if err := v.openCheckpoints(); err != nil {
		return Report{}, err
	}
	if err := v.run(ctx); err != nil {
		return Report{}, err
	}
	return v.conclude(ctx)
}

// noFault stands for the sequence of a fault as long as there is none.
const noFault = math.MaxUint64

// A verifier is one run of Verify. What is not said to be for all belongs to the goroutine that
// judges in order.
type verifier struct {
	src  Source
	opts Options

	checkpoint, since *Checkpoint // nil for none
	checkpointFault   *Fault
	other             *OtherHistory // two checkpoints that cannot both be true

	tree    tree
	state   *rules.Part
	ids     map[events.ID]uint64
	signers map[events.KeyID]bool
	first   string // recorded time of the first record
	leaps   leaps  // of the recorded times
	unheard []Unheard
	bounded bounded
	seen    uint64 // how many statements name an earlier tree
	older   int64  // the size of a checkpoint that is known, and of more records than there are
	// wentBack is the same, of a checkpoint that the very key has signed.
	wentBack int64
	broken   bool // the sequence has a gap: what follows has no place in the tree

	withheld, inPart uint64 // records that may not be read, and statements not judged whole

	signatures, done atomic.Int64 // for all

	mu    sync.Mutex    // for all
	fault *Fault        // the first so far
	whole []*Fault      // those that have no place
	newer error         // it is a record that only a newer version can read
	bad   atomic.Uint64 // fault's sequence
}

// whatOf says what a problem says of a record, without naming it again.
func whatOf(sequence uint64, err error) string {
	detail := problem.From(err).Detail
	if rest, ok := strings.CutPrefix(detail, fmt.Sprintf("record %d ", sequence)); ok {
		return "it " + rest
	}
	return detail
}

// blame notes a fault, unless an earlier one is known. It may be called concurrently.
func (v *verifier) blame(f *Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.Sequence < v.bad.Load() || v.fault == nil {
		v.fault, v.newer = f, nil
		v.bad.Store(f.Sequence)
	}
}

// blameNewer notes a record that cannot be read by this version.
func (v *verifier) blameNewer(sequence uint64, err error) {
	v.blame(&Fault{Sequence: sequence, Check: "records", What: whatOf(sequence, err)})
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bad.Load() == sequence {
		v.newer = err
	}
}

// good returns the sequence up to which nothing is known to be wrong.
func (v *verifier) good() uint64 { return min(v.bad.Load()-1, uint64(v.tree.size)) }
