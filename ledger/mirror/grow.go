package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
)

// Grow brings the mirror up to a checkpoint that was verified, with what it reads through fetch
// from the server that has shown it. Where the mirror holds as much already, only signatures are
// new.
//
// The error is a [proof.OtherHistory] when the checkpoint does not go on from the one that is held,
// a [proof.OlderState] when it is of fewer records, which are the first of those, of kind
// Unverified when a record is not what it should be, and the fetcher's, or ctx's, when something
// could not be read or written. After each of them the mirror holds what it held before. After the
// first two, and ctx's, it cannot grow any more: it is closed and opened again. Where the error
// [IsNotSigned], or is the fetcher's, it can.
func (m *Mirror) Grow(ctx context.Context, next proof.Checkpoint, fetch proof.Fetcher) error {
	if next.Origin != string(m.About().Origin) {
		return problem.New(problem.Unverified, "the server shows the ledger %s, and the mirror is "+
			"of %s", next.Origin, m.About().Origin).WithHint("name the server of this ledger")
	}
	for _, before := range []proof.Checkpoint{m.last, m.pending} {
		if before.N == 0 {
			continue
		}
		err := m.IsBeginning(next)
		if err == nil {
			err = proof.CheckExtends(ctx, before, next, fetch)
		}
		if err != nil {
			return m.asHeld(err)
		}
	}
	if next.N == 0 {
		return nil
	}
	m.pending = next
	leaves := newLeaves(ctx, next, fetch)
	for from := m.growing.Grown().Size(); from < next.N; from = m.growing.Grown().Size() {
		if err := m.take(ctx, tilesOf(from, next.N), from, leaves, fetch); err != nil {
			return m.asHeld(err)
		}
		m.progress(m.growing.Grown().Size(), next.N)
	}
	if root, _ := m.growing.Grown().Root(next.N); root != next.Hash {
		return m.asHeld(problem.New(problem.Unverified,
			"the records of the server make the root %s, and it has signed %s", root, next.Hash))
	}
	return m.commit(next)
}

// IsBeginning makes sure, of a checkpoint that was verified and is of fewer records than are held,
// that they are the first of these. The error is a [proof.OtherHistory] when they are not, and a
// [proof.OlderState] when they are; nil for a larger one, of which this tells nothing. It is for
// the goroutine of [Mirror.Grow].
func (m *Mirror) IsBeginning(next proof.Checkpoint) error {
	if next.N == 0 || next.N >= m.last.N {
		return nil
	}
	root, ok := m.growing.Grown().Root(next.N)
	switch {
	case !ok: // some of it is damaged
		return &proof.OlderState{Seen: m.last, Shown: next, NotCompared: m.Lacks()}
	case root != next.Hash:
		return &proof.OtherHistory{Seen: m.last, Shown: next, What: fmt.Sprintf("its %s are not "+
			"the first of the %d that are held, with the root %s",
			english.Several(next.N, "record"), m.last.N, root)}
	}
	return &proof.OlderState{Seen: m.last, Shown: next}
}

// asHeld removes what was stored of a history that is not the one that is held. What was only
// broken off, by what nobody has signed too, stays: it was verified.
func (m *Mirror) asHeld(err error) error {
	var other *proof.OtherHistory
	if errors.As(err, &other) || problem.Is(err, problem.Unverified) && !IsNotSigned(err) {
		return errors.Join(err, m.unwritable(m.sweep(m.About(), m.last.N, false)))
	}
	return err
}

// take verifies the next tiles of records, of which those before from are held, and stores them.
func (m *Mirror) take(ctx context.Context, tiles []tlog.Tile, from int64, leaves *leaves,
	fetch proof.Fetcher) error {
	data := make([][]byte, len(tiles))
	entries := make([][]proof.Entry, len(tiles))
	errs := make([]error, len(tiles))
	var fetching sync.WaitGroup
	slots := make(chan struct{}, fetchedTogether)
	for i, t := range tiles {
		want, err := leaves.of(t)
		if err != nil {
			fetching.Wait()
			return err
		}
		slots <- struct{}{}
		fetching.Go(func() {
			data[i], entries[i], errs[i] = m.get(ctx, t, want, fetch)
			<-slots
		})
	}
	fetching.Wait()
	var next []proof.Entry
	for i, all := range entries {
		if errs[i] != nil { // the first one is told
			return errs[i]
		}
		for _, e := range all {
			if int64(e.Sequence) > from {
				next = append(next, e)
			}
		}
	}
	// They are in the tree that was signed. Were they written after the next step, and could
	// not be, nobody would ask for them again; what that step refuses is removed.
	for i, t := range tiles {
		if data[i] == nil { // it is there
			continue
		}
		if err := m.write(m.About().path(t), data[i]); err != nil {
			return m.unwritable(err)
		}
	}
	return m.growing.Add(ctx, next)
}

// IsNotSigned reports whether an error of [Mirror.Grow] is of what a server shows and has not
// signed: so it may be somebody between who shows it, and to ask again may help.
func IsNotSigned(err error) bool {
	p := problem.Of(err)
	return p != nil && p.Code == proof.NotSigned
}

// fetchedTogether is how many tiles are asked for at a time.
const fetchedTogether = 8

// get returns the records of a tile, of which the leaf hashes are known: from the folder, where
// they are, or else from the server, with the tile as it is to be stored.
func (m *Mirror) get(ctx context.Context, t tlog.Tile, want []tlog.Hash,
	fetch proof.Fetcher) (data []byte, entries []proof.Entry, err error) {
	if entries, err := m.stored(t); err == nil && areLeaves(entries, want) == nil {
		return nil, entries, nil
	}
	for range 2 { // what is in between may have failed once
		if data, err = fetch(ctx, m.About().asked(t)); err != nil {
			return nil, nil, cannotFetch(m.About().path(t), err)
		}
		if entries, err = m.About().entries(t, data); err == nil {
			err = areLeaves(entries, want)
		}
		if err == nil {
			return data, entries, nil
		}
	}
	return nil, nil, problem.New(problem.Unverified, "the server shows what it has not signed: %w",
		err).WithCode(proof.NotSigned).
		WithHint("do not rely on this server, or on what stands before it")
}

// cannotFetch says which tile could not be had. Who may not read it is told as it is.
func cannotFetch(path string, err error) error {
	if problem.Is(err, problem.SignedOut) || problem.Is(err, problem.NotReadable) {
		return err
	}
	return problem.New(problem.Unavailable, "the tile %s of the server cannot be had: %w", path,
		err)
}

// areLeaves makes sure that records are those of which the leaf hashes are known.
func areLeaves(entries []proof.Entry, want []tlog.Hash) error {
	for i, e := range entries {
		if e.Leaf != want[i] {
			return fmt.Errorf("record %d is not the one in the tree", e.Sequence)
		}
	}
	return nil
}

// commit stores the hashes, and then the checkpoint, and shows readers what is held now.
func (m *Mirror) commit(next proof.Checkpoint) error {
	before := m.last
	if len(m.lacks) > 0 {
		before = proof.Checkpoint{}
	}
	for _, t := range tlog.NewTiles(torchwood.TileHeight, before.N, next.N) {
		data, err := tlog.ReadTileData(t, m.growing.Grown())
		if err == nil {
			err = m.write(m.About().path(t), data)
		}
		if err != nil {
			return m.unwritable(err)
		}
	}
	if err := m.sync(); err != nil {
		return m.unwritable(err)
	}
	if string(next.Signed) != string(m.last.Signed) {
		err := m.write(CheckpointFile, next.Signed)
		if err == nil {
			err = m.sync()
		}
		if err != nil {
			return m.unwritable(err)
		}
	}
	m.last, m.lacks, m.pending = next, nil, proof.Checkpoint{}
	m.publish(next)
	return m.unwritable(m.pruneAfter(before.N, next.N))
}

// pruneAfter removes the tiles that were not full when the tree was of a size, and are now, or are
// wider.
func (m *Mirror) pruneAfter(before, now int64) error {
	if before == now {
		return nil
	}
	for level := -1; before>>(torchwood.TileHeight*max(level, 0)) > 0; level++ {
		was := before >> (torchwood.TileHeight * max(level, 0))
		is := now >> (torchwood.TileHeight * max(level, 0))
		n := was >> torchwood.TileHeight
		t := tlog.Tile{H: torchwood.TileHeight, L: level, N: n,
			W: int(min(torchwood.TileWidth, is-n<<torchwood.TileHeight))}
		if err := m.prune(m.About(), t); err != nil {
			return err
		}
	}
	return nil
}

// publish shows readers what the checkpoint covers.
func (m *Mirror) publish(c proof.Checkpoint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = held{c, m.growing.Grown(), m.held.witnessed, m.growing.Withheld()}
	close(m.changed)
	m.changed = make(chan struct{})
}

// Witness takes in a checkpoint that was verified and that witnesses have signed, where it is of
// the tree that is held and not smaller than the one before.
func (m *Mirror) Witness(c proof.Checkpoint) error {
	m.mu.Lock()
	now := m.held
	m.mu.Unlock()
	if root, ok := now.tree.Root(c.N); !ok || root != c.Hash {
		return problem.New(problem.Unverified,
			"what witnesses have signed is of another tree of %d records", c.N)
	}
	if c.N < now.witnessed.N || string(c.Signed) == string(now.witnessed.Signed) {
		return nil
	}
	err := m.write(WitnessedFile, c.Signed)
	if err == nil {
		err = m.sync()
	}
	if err != nil {
		return m.unwritable(err)
	}
	m.mu.Lock()
	m.held.witnessed = c
	m.mu.Unlock()
	return nil
}

// leaves reads leaf hashes from the tiles of a server, checked against the root of its checkpoint.
type leaves struct {
	ctx    context.Context
	under  proof.Checkpoint
	fetch  proof.Fetcher
	kept   map[string][]byte // tiles that are asked for again and again
	failed error             // why one could not be read
}

func newLeaves(ctx context.Context, under proof.Checkpoint, fetch proof.Fetcher) *leaves {
	return &leaves{ctx: ctx, under: under, fetch: fetch, kept: map[string][]byte{}}
}

// of returns the leaf hashes of a tile of records.
func (l *leaves) of(t tlog.Tile) (hashes []tlog.Hash, err error) {
	indexes := make([]int64, t.W)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, t.N<<torchwood.TileHeight+int64(i))
	}
	for range 2 { // what is in between may have failed once
		hashes, err = tlog.TileHashReader(l.under.Tree, l).ReadHashes(indexes)
		if err == nil {
			return hashes, nil
		}
		if l.failed != nil {
			return nil, l.failed
		}
		clear(l.kept)
	}
	return nil, problem.New(problem.Unverified,
		"the server's tiles do not make the root that it has signed: %w", err).
		WithCode(proof.NotSigned).
		WithHint("do not rely on this server, or on what stands before it")
}

// Height implements [tlog.TileReader].
func (*leaves) Height() int { return torchwood.TileHeight }

// SaveTiles implements [tlog.TileReader]: nothing is kept that was checked.
func (*leaves) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements [tlog.TileReader].
func (l *leaves) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles {
		path := torchwood.TilePath(t)
		data, ok := l.kept[path]
		if !ok {
			if data, err = l.fetch(l.ctx, path); err != nil {
				l.failed = cannotFetch(path, err)
				return nil, l.failed
			}
		}
		if t.L > 0 || t.W < torchwood.TileWidth {
			l.kept[path] = data
		}
		all = append(all, data)
	}
	return all, nil
}
