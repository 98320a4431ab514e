package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/ledger/intake"
)

// measureViewTiles reads all records as an auditor does who takes them tile by tile: those of who
// may read all, and those of a view, which has stubs in the place of what is withheld.
func (o *options) measureViewTiles(s *stored) ([]row, error) {
	m, err := startMuster(context.Background(), s.dir, nil)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	intake.RegisterTree(mux, m.Journal, m.Questions)
	size := m.Journal.Tree().N
	read := func(of, query string) func(int) (sample, error) {
		return func(int) (sample, error) {
			return timed(int(size), func() error { return readTiles(mux, size, of, query) })
		}
	}
	rows, err := o.interleave(fmt.Sprintf("all tiles of %d records", size), "",
		way{"entries, of who reads all", read("entries", "")},
		way{"released, of who reads all", read("released", "")},
		way{"released, of the coalition", read("released", "?view=coalition")})
	return rows, errors.Join(err, m.Close())
}

func readTiles(mux http.Handler, size int64, of, query string) error {
	for at := int64(0); at < size; at += torchwood.TileWidth {
		t := tlog.Tile{H: torchwood.TileHeight, L: -1, N: at / torchwood.TileWidth,
			W: int(min(torchwood.TileWidth, size-at))}
		path := "/tile/" + of + torchwood.TilePath(t)[len("tile/entries"):] + query
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			return fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	return nil
}
