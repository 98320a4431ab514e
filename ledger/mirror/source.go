package mirror

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// What is read of a mirror was verified when it was stored, and each record is held against the
// tree again when it is read: a disk that changes a byte is found out.

func (m *Mirror) now() held {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

// Last returns the sequence of the last record, 0 when there is none.
func (m *Mirror) Last() uint64 { return uint64(m.now().checkpoint.N) }

// Withheld returns how many of the records are withheld.
func (m *Mirror) Withheld() uint64 { return m.now().withheld }

// Held returns the checkpoint that covers what can be read, of size 0 when there is none.
func (m *Mirror) Held() proof.Checkpoint { return m.now().checkpoint }

// Wait returns nil as soon as there are more records than after. The error is ctx's, or says that
// the mirror was closed.
func (m *Mirror) Wait(ctx context.Context, after uint64) error {
	for {
		m.mu.Lock()
		last, changed, closed := uint64(m.held.checkpoint.N), m.changed, m.closed
		m.mu.Unlock()
		switch {
		case last > after:
			return nil
		case closed:
			return errors.New("the mirror is closed")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Checkpoint returns the last checkpoint, as it was signed, nil when there is none.
func (m *Mirror) Checkpoint() []byte { return m.now().checkpoint.Signed }

// Witnessed returns the largest checkpoint that witnesses have signed, nil when there is none.
func (m *Mirror) Witnessed() []byte { return m.now().witnessed.Signed }

// Records returns every record from a sequence on to the last, in order. Of one that is withheld,
// nothing but the sequence is set.
func (m *Mirror) Records(from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		last := m.Last()
		for next := max(from, 1); next <= last; {
			all, _, err := m.Stored(next, torchwood.TileWidth, nil)
			if err != nil {
				yield(events.Record{}, err)
				return
			}
			for _, stored := range all {
				rec, err := events.Record{Sequence: next}, error(nil)
				if stored != nil {
					rec, err = events.ParseRecord(next, stored)
				}
				if !yield(rec, err) || err != nil || next == last {
					return
				}
				next++
			}
		}
	}
}

// Stored returns the records from a sequence on as they are stored, at most so many and up to the
// last that there is; nil for each that is withheld. Room is returned as it came.
func (m *Mirror) Stored(from uint64, most int, room []byte) (all [][]byte, used []byte, err error) {
	now := m.now()
	from = max(from, 1)
	end := min(from-1+uint64(max(most, 0)), uint64(now.checkpoint.N))
	for at := from - 1; at < end; {
		entries, err := m.read(now, at>>torchwood.TileHeight)
		if err != nil {
			return nil, room, err
		}
		for _, e := range entries[at&(torchwood.TileWidth-1):] {
			if at < end {
				all = append(all, e.Stored)
				at++
			}
		}
	}
	return all, room, nil
}

// read reads a tile of records, as wide as it is in what is held, and holds each against the tree.
func (m *Mirror) read(now held, n uint64) ([]proof.Entry, error) {
	t := tlog.Tile{H: torchwood.TileHeight, L: -1, N: int64(n),
		W: int(min(torchwood.TileWidth, now.checkpoint.N-int64(n)<<torchwood.TileHeight))}
	if kept, ok := m.tiles.Get(t.N); ok {
		return kept, nil
	}
	entries, err := m.stored(t)
	for i := 0; err == nil && i < len(entries); i++ {
		if leaf, ok := now.tree.Leaf(entries[i].Sequence); !ok || leaf != entries[i].Leaf {
			err = fmt.Errorf("record %d is not the one that was verified", entries[i].Sequence)
		}
	}
	if err != nil {
		return nil, problem.New(problem.Unverified, "the mirror in %s is damaged: %w", m.dir, err).
			WithHint("stop the mirror, and start it again while the server can be reached: it " +
				"fetches anew what is damaged")
	}
	if t.W == torchwood.TileWidth {
		m.tiles.Add(t.N, entries)
	}
	return entries, nil
}

// Tile returns a tile of hashes, or of records, as C2SP tlog-tiles has it. The error is a problem,
// of kind NotFound for a tile that is not wholly within the checkpoint.
func (m *Mirror) Tile(t tlog.Tile) ([]byte, error) {
	now := m.now()
	there := now.checkpoint.N >> (torchwood.TileHeight * max(t.L, 0))
	if t.L > 7 || t.N < 0 || t.N > there || t.W < 1 ||
		t.N<<torchwood.TileHeight+int64(t.W) > there {
		return nil, problem.New(problem.NotFound, "there is no %s: the checkpoint is of %d records",
			torchwood.TilePath(t), now.checkpoint.N).
			WithHint("ask for the tiles that the checkpoint covers (C2SP tlog-tiles)")
	}
	if t.L >= 0 {
		return tlog.ReadTileData(t, now.tree)
	}
	entries, err := m.read(now, uint64(t.N))
	var data []byte
	for i := 0; err == nil && i < t.W; i++ {
		if entries[i].Stored == nil {
			return nil, problem.New(problem.NotReadable, "%s holds records that are withheld",
				torchwood.TilePath(t))
		}
		data, err = torchwood.AppendTileEntry(data, entries[i].Stored)
	}
	return data, err
}

// RootAt returns the root that the tree had when it was of that size.
func (m *Mirror) RootAt(size int64) (tlog.Hash, error) {
	now := m.now()
	root, ok := now.tree.Root(size)
	if !ok || size < 1 {
		return root, problem.New(problem.NotFound, "the tree has %d records, and never had %d",
			now.checkpoint.N, size)
	}
	return root, nil
}

// LeafHashes returns the hashes of records in the tree.
func (m *Mirror) LeafHashes(sequences []uint64) (all []tlog.Hash, err error) {
	now := m.now()
	for _, n := range sequences {
		leaf, ok := now.tree.Leaf(n)
		if !ok {
			return nil, problem.New(problem.NotFound, "there is no record %d: the last is %d", n,
				now.checkpoint.N)
		}
		all = append(all, leaf)
	}
	return all, nil
}

// Prove returns the stored bytes of a record, and the proof that they are a leaf of the tree of a
// signed checkpoint, with that in it (C2SP tlog-proof): of the one that witnesses have signed,
// where that covers the record. The error is a problem.
func (m *Mirror) Prove(sequence uint64) (stored, included []byte, err error) {
	now := m.now()
	all, _, err := m.Stored(sequence, 1, nil)
	switch {
	case err != nil:
		return nil, nil, err
	case sequence == 0 || len(all) == 0:
		return nil, nil, problem.New(problem.NotFound, "there is no record %d: the last is %d",
			sequence, now.checkpoint.N)
	case all[0] == nil:
		return nil, nil, problem.New(problem.NotReadable, "record %d is withheld from this mirror",
			sequence)
	}
	under := now.checkpoint
	if now.witnessed.N >= int64(sequence) {
		under = now.witnessed
	}
	index := int64(sequence) - 1
	path, err := tlog.ProveRecord(under.N, index, now.tree)
	if err == nil {
		err = tlog.CheckRecord(path, under.N, under.Hash, index, tlog.RecordHash(all[0]))
	}
	if err != nil {
		return nil, nil, problem.New(problem.Unverified, "the proof of record %d: %w", sequence,
			err)
	}
	return all[0], torchwood.FormatProof(index, path, under.Signed), nil
}

// OfFolder makes a [proof.Source] of a mirror's folder, also while the mirror runs. Nothing is
// written. The error is of kind NotFound where the folder is no mirror's.
func OfFolder(dir string) (src proof.Source, about About, err error) {
	if about, err = ReadAbout(dir); err != nil {
		return src, about, err
	}
	f := &folder{dir: dir}
	src = proof.Source{Name: "the mirror " + dir, MayBeOld: true,
		NoCheckpoint: "the mirror has not been brought up to date yet"}
	if !about.All() {
		src.View = about.View
	}
	src.Checkpoint, err = os.ReadFile(f.file(CheckpointFile))
	if errors.Is(err, os.ErrNotExist) {
		src.Entries = func(context.Context) iter.Seq2[proof.Entry, error] {
			return func(func(proof.Entry, error) bool) {}
		}
		return src, about, nil
	}
	if err != nil {
		return src, about, problem.New(problem.Unavailable, "the checkpoint of the mirror: %w", err)
	}
	c, err := proof.ReadCheckpoint(src.Checkpoint)
	if err != nil {
		return src, about, problem.New(problem.Unverified, "the checkpoint of the mirror: %w", err)
	}
	src.Size, src.Tiles = c.N, storedHashes{f, about}
	src.Entries = func(ctx context.Context) iter.Seq2[proof.Entry, error] {
		return func(yield func(proof.Entry, error) bool) { eachOf(ctx, f, about, c.N, yield) }
	}
	return src, about, nil
}

// eachOf yields the stored records. What cannot be read is a fault of the folder.
func eachOf(ctx context.Context, f *folder, about About, size int64,
	yield func(proof.Entry, error) bool) {
	m := Mirror{folder: *f}
	m.about.Store(&about)
	for from := int64(0); from < size; from += tilesTogether * torchwood.TileWidth {
		for _, t := range tilesOf(from, size) {
			entries, err := m.stored(t)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(proof.Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// storedHashes reads the tiles of hashes in a folder, which nobody has checked.
type storedHashes struct {
	*folder
	about About
}

// Height implements [tlog.TileReader].
func (storedHashes) Height() int { return torchwood.TileHeight }

// SaveTiles implements [tlog.TileReader].
func (storedHashes) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements [tlog.TileReader].
func (s storedHashes) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles {
		data, err := s.tile(s.about, t)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}
