package proof

import (
	"context"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// A Growing verifies a ledger that grows, piece by piece: what [Verify] looks at in all records at
// once, it looks at in those that are added, and it remembers of those before what that takes,
// which is as much memory as Verify takes, for as long as it is there. It is not for concurrent
// use.
type Growing struct {
	v   *verifier
	err error // why nothing can be added any more
}

// NewGrowing returns what verifies a ledger from its first record on.
func NewGrowing() *Growing {
	v := &verifier{state: rules.NewPart(), ids: map[events.ID]uint64{},
		signers: map[events.KeyID]bool{}}
	v.bad.Store(noFault)
	return &Growing{v: v}
}

// Add verifies the records that come next: that each is well formed and in its place, that a key
// has signed it which the records before admit, and that the rules of the ledger were kept. It uses
// all cores. Whose tree they are in is not looked at: the caller holds [Growing.Grown] against a
// checkpoint.
//
// The error is a problem, of kind Unverified when a record is not what it should be, and ctx's when
// that ends. After an error nothing can be added: who goes on begins anew.
func (g *Growing) Add(ctx context.Context, next []Entry) error {
	if g.err != nil {
		return g.err
	}
	g.v.src.Entries = func(context.Context) iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			for _, e := range next {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	g.err = g.v.run(ctx)
	switch {
	case g.err != nil:
	case g.v.newer != nil:
		g.err = g.v.newer
	case g.v.fault != nil:
		g.err = problem.New(problem.Unverified, "verification failed: %s", g.v.fault).
			WithCode(g.v.fault.Code)
	}
	return g.err
}

// Origin is the ledger's name, "" before the first record.
func (g *Growing) Origin() events.Origin { return g.v.state.Origin() }

// Withheld returns how many of the records could not be read.
func (g *Growing) Withheld() uint64 { return g.v.withheld }

// Grown returns the tree of the records so far. It does not change when more are added, and may be
// used concurrently.
func (g *Growing) Grown() Grown { return Grown{g.v.tree} }

// A Grown is the Merkle tree of the records that a [Growing] had. It has every hash, so that no
// question about it costs more than some hundred hashes. The zero Grown is that of no records.
type Grown struct{ tree tree }

// Size returns how many records there are.
func (g Grown) Size() int64 { return g.tree.size }

// ReadHashes implements [tlog.HashReader].
func (g Grown) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return g.tree.ReadHashes(indexes)
}

// Root returns the root of the tree as it was with so many records, and false where it never was.
func (g Grown) Root(size int64) (tlog.Hash, bool) { return g.tree.root(size) }

// Leaf returns the leaf hash of a record, and false where there is none.
func (g Grown) Leaf(sequence uint64) (tlog.Hash, bool) { return g.tree.leaf(sequence) }
