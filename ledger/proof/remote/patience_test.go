package remote

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

// A server that asks for pauses without end is given up.
func TestPauses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1000000")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer s.Close()
	fetcher, err := torchwood.NewTileFetcher(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	tiles := []tlog.Tile{{H: torchwood.TileHeight, L: -1, W: 1}}
	_, err = inTime{fetcher, 100 * time.Millisecond}.ReadTiles(t.Context(), tiles)
	if p := problem.Of(err); p == nil || p.Kind != problem.Unavailable || p.Hint == "" {
		t.Errorf("%v", err)
	}
}
