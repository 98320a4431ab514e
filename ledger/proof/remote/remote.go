// Package remote makes a [proof.Source] of a server that runs: the one part of a verification that
// takes HTTP, so that an auditor who has a journal or a bundle links none.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	neturl "net/url"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// How long a server may take for one tile, and for all that are fetched together, with what is
// tried again and the pauses that it asks for; and what it may send at most: 256 records, each with
// its length.
const (
	tileTimeout  = 30 * time.Second
	groupTimeout = 90 * time.Second
	maxTileBytes = torchwood.TileWidth * (3 + 1<<16)
)

// OfServer makes a Source of a running server, or of anything that serves a ledger as C2SP
// tlog-tiles says: its checkpoint, its tiles and its entries. It asks for the checkpoint at once,
// and the source has the records that this one covers, however the ledger grows meanwhile. The
// error is a problem of kind Unavailable. The client does the requests, and says which certificates
// are believed; http.DefaultClient when nil. The view says of whom the records are, who may not
// read all; "" for all.
func OfServer(ctx context.Context, url string, view events.View, with *http.Client) (proof.Source,
	error) {
	url = strings.TrimSuffix(url, "/")
	client := withLimits(with)
	signed, err := fetchCheckpoint(ctx, client, url)
	if p := problem.Of(err); p != nil {
		return proof.Source{}, p
	}
	if err != nil {
		return proof.Source{},
			problem.New(problem.Unavailable, "the checkpoint of the server %s: %w", url, err).
				WithHint("is it a muster server that is running? its checkpoint is at "+
					"%s/checkpoint", url)
	}
	src := proof.Source{Name: "the server " + url, Checkpoint: signed, View: view}
	c, err := proof.ReadCheckpoint(signed)
	if err != nil {
		return src, problem.New(problem.Unavailable,
			"what the server %s gives as its checkpoint is none: %w", url, err).
			WithHint("is there a Muster server at this address, and nothing else in between?")
	}
	path := torchwood.TilePath
	if view != "" {
		path = func(t tlog.Tile) string { return releasedPath(t, view) }
	}
	fetcher, err := torchwood.NewTileFetcher(url, torchwood.WithHTTPClient(client),
		torchwood.WithTilePath(path), torchwood.WithUserAgent("muster"),
		torchwood.WithConcurrencyLimit(8))
	if err != nil {
		return proof.Source{}, problem.New(problem.Usage, "the server %s: %w", url, err)
	}
	refused := func(ctx context.Context, t tlog.Tile) error {
		return refusal(ctx, client, url+"/"+path(t))
	}
	patient := inTime{fetcher, groupTimeout}
	s := server{patient, c.N, view, refused}
	src.Size, src.Entries, src.Tiles = c.N, s.entries, tilesWith{ctx, patient}
	return src, nil
}

// releasedPath is the path of a tile as those read it who may not read all.
func releasedPath(t tlog.Tile, view events.View) string {
	path, records := strings.CutPrefix(torchwood.TilePath(t), "tile/entries/")
	if !records {
		return path
	}
	return proof.ReleasedPath + path + "?view=" + neturl.QueryEscape(string(view))
}

func fetchCheckpoint(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/checkpoint", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, proof.MaxCheckpoint+1))
	if len(data) > proof.MaxCheckpoint {
		return nil, errors.New("it is too long for a checkpoint")
	}
	return data, err
}

// refusal asks why something may not be read, of which no more is known than that it cannot be.
func refusal(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return nil
	}
	return problem.Decode(resp.StatusCode, body)
}

// withLimits is a client that waits for no tile for ever, nor reads one without end.
func withLimits(client *http.Client) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	limits := *client
	limits.Transport, limits.Timeout = limited{client.Transport}, tileTimeout
	if client.Transport == nil {
		limits.Transport = limited{http.DefaultTransport}
	}
	return &limits
}

// limited keeps a server from sending without end.
type limited struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxTileBytes)
	}
	return resp, err
}

// inTime fetches tiles together, and gives up a server that holds them back.
type inTime struct {
	*torchwood.TileFetcher
	limit time.Duration
}

// ReadTiles returns the tiles' data in their order.
func (f inTime) ReadTiles(ctx context.Context, tiles []tlog.Tile) ([][]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, problem.New(problem.Unavailable,
		"the server has not sent %d tiles of the ledger in %v", len(tiles), f.limit).
		WithHint("ask again; if this lasts, something between here and the server holds answers "+
			"back, or the server does"))
	defer cancel()
	data, err := f.TileFetcher.ReadTiles(ctx, tiles)
	if p := problem.Of(context.Cause(ctx)); err != nil && p != nil {
		return nil, p
	}
	return data, err
}

// tilesWith is a tlog.TileReader that gives up with a context.
type tilesWith struct {
	ctx     context.Context
	fetcher inTime
}

// Height implements tlog.TileReader.
func (t tilesWith) Height() int { return torchwood.TileHeight }

// ReadTiles implements tlog.TileReader.
func (t tilesWith) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	return t.fetcher.ReadTiles(t.ctx, tiles)
}

// SaveTiles implements tlog.TileReader: nothing is kept.
func (t tilesWith) SaveTiles([]tlog.Tile, [][]byte) {}

type server struct {
	fetcher inTime
	size    int64
	view    events.View // "" for all
	// refused asks why a tile may not be read; nil where it is something else.
	refused func(context.Context, tlog.Tile) error
}

// How many tiles of entries are fetched together, while those before are verified.
const tilesTogether = 16

type fetched struct {
	tiles []tlog.Tile
	data  [][]byte
	err   error
}

func (s server) entries(ctx context.Context) iter.Seq2[proof.Entry, error] {
	return func(yield func(proof.Entry, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		for f := range s.fetch(ctx) {
			if f.err != nil {
				err := s.refused(ctx, f.tiles[0])
				if p := problem.Of(f.err); err == nil && p != nil {
					err = p
				} else if err == nil {
					err = problem.New(problem.Unavailable,
						"the server's records cannot be read: %w", f.err)
				}
				yield(proof.Entry{}, err)
				return
			}
			for i, t := range f.tiles {
				if !s.yieldTile(t, f.data[i], yield) {
					return
				}
			}
		}
	}
}

// cut splits the next record from a tile.
func (s server) cut(tile []byte) (e proof.Entry, rest []byte, err error) {
	if s.view == "" {
		e.Stored, rest, err = torchwood.ReadTileEntry(tile)
	} else {
		e.Stored, e.Leaf, rest, err = proof.CutReleased(tile)
	}
	return e, rest, err
}

// fetch fetches all tiles of entries, a group ahead of the reader, until ctx ends.
func (s server) fetch(ctx context.Context) <-chan fetched {
	groups := make(chan fetched)
	go func() {
		defer close(groups)
		for from := int64(0); from < s.size; from += tilesTogether * torchwood.TileWidth {
			f := fetched{}
			for at := from; at < min(s.size,
				from+tilesTogether*torchwood.TileWidth); at += torchwood.TileWidth {
				f.tiles = append(f.tiles, tlog.Tile{H: torchwood.TileHeight, L: -1,
					N: at / torchwood.TileWidth, W: int(min(torchwood.TileWidth, s.size-at))})
			}
			f.data, f.err = s.fetcher.ReadTiles(ctx, f.tiles)
			select {
			case groups <- f:
			case <-ctx.Done():
				return
			}
			if f.err != nil {
				return
			}
		}
	}()
	return groups
}

func (s server) yieldTile(t tlog.Tile, data []byte, yield func(proof.Entry, error) bool) bool {
	for i := range t.W {
		sequence := uint64(t.N*torchwood.TileWidth) + uint64(i) + 1
		entry, rest, err := s.cut(data)
		if err != nil {
			yield(proof.Entry{}, problem.New(problem.Unverified,
				"record %d is missing: the tile %s ends before it: %w",
				sequence, torchwood.TilePath(t), err))
			return false
		}
		entry.Sequence = sequence
		if !yield(entry, nil) {
			return false
		}
		data = rest
	}
	if len(data) > 0 {
		yield(proof.Entry{}, problem.New(problem.Unverified,
			"the tile %s holds more than its %d records",
			torchwood.TilePath(t), t.W))
		return false
	}
	return true
}
