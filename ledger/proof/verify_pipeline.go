package proof

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// Records go through a verification in batches. Workers, one to a core, parse and hash them; then
// one goroutine judges them in order, and finds out with which key each must be signed; and workers
// verify the signatures.

// How many records a batch has: enough that handing it over costs nothing, few enough that every
// core has some.
const batchSize = 256

// How many batches may wait to be judged.
const batchesAhead = 16

type batch struct {
	entries []Entry
	leaves  []tlog.Hash
	records []events.Record // as far as they could be read
	err     error           // why the next could not be read
	keys    []events.Key    // with which they must be signed, as far as that is to be verified
	hashed  chan struct{}   // closed when leaves, records and err are there
}

// run puts every record of the source through the pipeline. Its error is that of a source which
// cannot be read.
func (v *verifier) run(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	tasks := make(chan func())
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for task := range tasks {
				task()
			}
		})
	}
	order := make(chan *batch, batchesAhead)
	var unreadable error
	go func() {
		defer close(order)
		unreadable = v.read(reading, tasks, order)
	}()
	for b := range order {
		if v.broken {
			continue
		}
		<-b.hashed
		v.judge(b)
		tasks <- func() { v.verifySignatures(b) }
		if v.broken {
			stop()
		}
	}
	close(tasks) // the reader has ended, and so has this
	workers.Wait()
	return v.endOfSource(ctx, unreadable)
}

// endOfSource says what an error of the source means: that it is wrong, or that it cannot be read.
func (v *verifier) endOfSource(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil || v.broken:
		return nil
	case problem.Is(err, problem.Unverified):
		next := uint64(v.tree.size) + 1
		v.blame(&Fault{Sequence: next, Check: "records", What: whatOf(next, err)})
		v.broken = true
		return nil
	}
	return err
}

// read takes the records from the source, in batches.
func (v *verifier) read(ctx context.Context, tasks chan<- func(), order chan<- *batch) error {
	b := newBatch()
	send := func() error {
		full := b
		b = newBatch()
		select {
		case tasks <- func() { v.hash(full) }:
		case <-ctx.Done():
			return ctx.Err()
		}
		order <- full // whoever judges goes on until this is closed
		return nil
	}
	for e, err := range v.src.Entries(ctx) {
		if err != nil {
			if sent := send(); sent != nil {
				return sent
			}
			return err
		}
		if b.entries = append(b.entries, e); len(b.entries) == batchSize {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// leaf returns the leaf hash of a record.
func (e Entry) leaf() tlog.Hash {
	if e.Stored == nil {
		return e.Leaf
	}
	return tlog.RecordHash(e.Stored)
}

func newBatch() *batch {
	return &batch{entries: make([]Entry, 0, batchSize), hashed: make(chan struct{})}
}

// hash makes the leaves of a batch and parses its records. After the first that cannot be parsed it
// only hashes.
func (v *verifier) hash(b *batch) {
	defer close(b.hashed)
	b.leaves = make([]tlog.Hash, len(b.entries))
	for i, e := range b.entries {
		b.leaves[i] = e.leaf()
	}
	if v.opts.treeOnly || len(b.entries) == 0 || b.entries[0].Sequence > v.bad.Load() {
		return
	}
	b.records = make([]events.Record, 0, len(b.entries))
	for _, e := range b.entries {
		if e.Stored == nil {
			b.records = append(b.records, events.Record{Sequence: e.Sequence})
			continue
		}
		rec, err := events.ParseRecord(e.Sequence, e.Stored)
		if err != nil {
			b.err = err
			return
		}
		b.records = append(b.records, rec)
	}
}

// verifySignatures decides with the standard library's Ed25519, one by one: a batch verifier
// accepts signatures that it does not.
func (v *verifier) verifySignatures(b *batch) {
	verified := int64(0)
	for i, key := range b.keys {
		rec := &b.records[i]
		if key == "" || rec.Sequence > v.bad.Load() {
			continue
		}
		if err := rec.VerifiedBy(key); err != nil {
			v.blame(&Fault{Sequence: rec.Sequence, Check: "signatures", Code: "bad-signature",
				What: "the signature is not that of " + rec.SignedBy().String() +
					": the statement was changed after it was signed, or another key has signed " +
					"it"})
			break
		}
		verified++
	}
	v.signatures.Add(verified)
	done := v.done.Add(int64(len(b.entries)))
	if v.opts.Progress != nil {
		v.opts.Progress(done, max(done, v.src.Size))
	}
}
