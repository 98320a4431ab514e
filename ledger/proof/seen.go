package proof

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// A Fetcher reads from a server what C2SP tlog-tiles names: "checkpoint", "tile/0/x001/067". The
// error is a problem.
type Fetcher func(ctx context.Context, path string) ([]byte, error)

// OtherHistory is the error of a server that shows another history than the one that was seen
// before.
type OtherHistory struct {
	// Seen is the checkpoint that was verified before, and Shown the one that does not fit it.
	// Both are signed: together they are the evidence.
	Seen, Shown Checkpoint
	// What says what is wrong, in a sentence without a capital or a full stop.
	What string
}

// Error implements error.
func (e *OtherHistory) Error() string { return e.What }

// CheckExtends makes sure that the tree of next is that of last, with records added or with none:
// it reads tiles of the server that has shown next, and checks what it reads against next's root,
// so that nothing of it need be trusted. Both must have been verified.
//
// The error is an *[OtherHistory] when next is another history than last, and an *[OlderState] when
// next is smaller, and was not shown to be another history. Where the tiles cannot be read, or are
// not those of next's tree, nobody knows: it is that of [Hashes].
func CheckExtends(ctx context.Context, last, next Checkpoint, fetch Fetcher) error {
	other := func(format string, args ...any) error {
		return &OtherHistory{Seen: last, Shown: next, What: fmt.Sprintf(format, args...)}
	}
	switch {
	case last.Origin != next.Origin:
		return fmt.Errorf("a checkpoint of %s does not extend one of %s", next.Origin, last.Origin)
	case next.N < last.N:
		return checkBegins(ctx, last, next, fetch)
	case next.N == last.N && next.Hash != last.Hash:
		return other("of the same %d records it shows the root %s, and it was %s", next.N,
			next.Hash, last.Hash)
	case next.N == last.N || last.N == 0:
		return nil
	}
	p, err := tlog.ProveTree(next.N, last.N, Hashes(ctx, next, fetch))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(p, next.N, next.Hash, last.N, last.Hash); err != nil {
		return other("the first %d of its %d records are not those that were there before, with "+
			"the root %s", last.N, next.N, last.Hash)
	}
	return nil
}

// NotSigned is the code of a problem of kind Unverified: what a server shows is not what it has
// signed. So anything between here and the server can have made it, and it proves nothing against
// the server.
const NotSigned = "not-signed"

// Hashes reads the hashes of a checkpoint's tree from the server that has shown it. They are
// checked against the checkpoint's root, so the checkpoint must have been verified. The error is
// the fetcher's, or a problem with the code [NotSigned] when the tiles do not make the root.
func Hashes(ctx context.Context, c Checkpoint, fetch Fetcher) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		tiles := &fetchedTiles{ctx: ctx, fetch: fetch}
		hashes, err := tlog.TileHashReader(c.Tree, tiles).ReadHashes(indexes)
		switch {
		case tiles.err != nil:
			return nil, tiles.err
		case err != nil:
			return nil, problem.New(problem.Unverified, "the server's tiles do not make the root "+
				"of %d records that it has signed: %w", c.N, err).WithCode(NotSigned).
				WithHint("%s", notToRely)
		}
		return hashes, nil
	})
}

// First returns the hash of the ledger's first record, in base 64, which no other ledger has, also
// of the same name. It is read from the server that has shown c, which must have been verified, and
// checked against c's root.
func First(ctx context.Context, c Checkpoint, fetch Fetcher) (string, error) {
	found, err := Hashes(ctx, c, fetch).ReadHashes([]int64{tlog.StoredHashIndex(0, 0)})
	if err != nil {
		return "", err
	}
	return found[0].String(), nil
}

// CheckStill makes sure that a record is in the tree of c, which must have been verified, at its
// place and byte for byte. It reads tiles of the server that has shown c, and checks them against
// c's root. The error is of kind Unverified when another record is there, or none; and that of
// [Hashes].
func CheckStill(ctx context.Context, rec events.Record, c Checkpoint, fetch Fetcher) error {
	gone := func(format string, args ...any) error {
		return problem.New(problem.Unverified, format, args...).WithHint(
			"keep the receipt: it proves that the record was there")
	}
	if rec.Sequence > uint64(c.N) {
		return gone("record %d is not there: the server shows %d", rec.Sequence, c.N)
	}
	leaf := tlog.StoredHashIndex(0, int64(rec.Sequence)-1)
	found, err := Hashes(ctx, c, fetch).ReadHashes([]int64{leaf})
	switch {
	case err != nil:
		return err
	case found[0] != tlog.RecordHash(rec.Stored):
		return gone("another record is in the place of record %d now", rec.Sequence)
	}
	return nil
}

// Prove returns the proof that a record is in the tree of c, which must have been verified, with c
// in it (C2SP tlog-proof): what a receipt has that was asked for again. Its errors are those of
// [CheckStill].
func Prove(ctx context.Context, rec events.Record, c Checkpoint, fetch Fetcher) ([]byte, error) {
	if err := CheckStill(ctx, rec, c, fetch); err != nil {
		return nil, err
	}
	index := int64(rec.Sequence) - 1
	path, err := tlog.ProveRecord(c.N, index, Hashes(ctx, c, fetch))
	if err == nil {
		err = tlog.CheckRecord(path, c.N, c.Hash, index, tlog.RecordHash(rec.Stored))
	}
	if err != nil {
		return nil, problem.New(problem.Unverified, "the proof of record %d: %w", rec.Sequence, err)
	}
	return formatProof(index, path, c.Signed), nil
}

// Tiles are as high and as wide as C2SP tlog-tiles has them.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tilePath names a tile of hashes as C2SP tlog-tiles does: "tile/0/x001/067".
func tilePath(t tlog.Tile) string { return "tile/" + strings.TrimPrefix(t.Path(), "tile/8/") }

// fetchedTiles reads tiles through a Fetcher, and remembers why one could not be read.
type fetchedTiles struct {
	ctx   context.Context
	fetch Fetcher
	err   error
}

// Height implements tlog.TileReader.
func (*fetchedTiles) Height() int { return tileHeight }

// SaveTiles implements tlog.TileReader: nothing is kept.
func (*fetchedTiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (f *fetchedTiles) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		d, err := f.fetch(f.ctx, tilePath(t))
		if err != nil {
			f.err = problem.New(problem.Unavailable,
				"whether the server still shows the history that was seen before is not known, "+
					"for its %s cannot be read: %w", tilePath(t), err)
			return nil, f.err
		}
		data = append(data, d)
	}
	return data, nil
}
