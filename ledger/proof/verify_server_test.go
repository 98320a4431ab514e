package proof

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

// A tiledLog serves a history as C2SP tlog-tiles says, and lies where a test tells it to.
type tiledLog struct {
	h          *history
	checkpoint []byte
	lie        func(path string, data []byte) []byte // nil for none
}

func (l tiledLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := l.answer(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if l.lie != nil {
		data = l.lie(r.URL.Path, data)
	}
	w.Write(data)
}

func (l tiledLog) answer(path string) (data []byte, err error) {
	if path == "checkpoint" {
		return l.checkpoint, nil
	}
	t, err := torchwood.ParseTilePath(path)
	if err != nil || t.L >= 0 {
		if err == nil {
			data, err = tlog.ReadTileData(t, &l.h.tree)
		}
		return data, err
	}
	for i := range t.W {
		at := t.N*torchwood.TileWidth + int64(i)
		if at >= int64(len(l.h.records)) {
			return nil, fmt.Errorf("there is no record %d", at+1)
		}
		if data, err = torchwood.AppendTileEntry(data, l.h.records[at].Stored); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func verifyServer(t *testing.T, l tiledLog, o Options) (Report, error) {
	t.Helper()
	srv := httptest.NewServer(l)
	defer srv.Close()
	src, err := OfServer(t.Context(), srv.URL)
	if err != nil {
		return Report{}, err
	}
	return Verify(t.Context(), src, o)
}

func TestServer(t *testing.T) {
	h := newHistory(t).offers(5000)
	signed := h.checkpoint()
	h.offers(10) // which come while the verification runs
	r, err := verifyServer(t, tiledLog{h: h, checkpoint: signed}, h.trusted())
	if err != nil || !r.OK || r.Records != 5003 {
		t.Fatal(err, describe(r))
	}
	for _, c := range r.Checks {
		if c.Outcome != Verified {
			t.Errorf("%+v", c)
		}
	}
}

func TestLyingServer(t *testing.T) {
	h := newHistory(t).offers(600)
	entries := func(change func([]byte) []byte) func(string, []byte) []byte {
		return func(path string, data []byte) []byte {
			if strings.HasPrefix(path, "/tile/entries/001") {
				return change(data)
			}
			return data
		}
	}
	for name, c := range map[string]struct {
		lie         func(path string, data []byte) []byte
		sequence    uint64
		check, says string
	}{
		"a time that nobody has signed": {entries(func(d []byte) []byte {
			return []byte(strings.Replace(string(d), ":59.000000Z", ":59.000001Z", 1))
		}), 300, "tree", "it was altered or is damaged"},
		"a tile that ends too early": {entries(func(d []byte) []byte { return d[:len(d)-700] }), 511, "records", "it is missing"},
		"a tile with more in it":     {entries(func(d []byte) []byte { return append(d, "more"...) }), 0, "records", "holds more than its 256 records"},
		"no records at all":          {entries(func([]byte) []byte { return nil }), 257, "records", "it is missing"},
		"a hash": {func(path string, d []byte) []byte {
			if strings.HasPrefix(path, "/tile/0/001") {
				d[100] ^= 1
			}
			return d
		}, 0, "tiles", "tile/0/001 of the Merkle tree is not the one"},
		"a checkpoint of its own": {func(path string, d []byte) []byte {
			if path == "/checkpoint" {
				other := newHistory(t).offers(600)
				other.log = h.log
				return other.checkpoint()
			}
			return d
		}, 0, "checkpoint", "some record was altered"},
	} {
		r, err := verifyServer(t, tiledLog{h, h.checkpoint(), c.lie}, h.trusted())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f := r.Fault; f == nil || c.sequence != 0 && f.Sequence != c.sequence || f.Check != c.check || !strings.Contains(f.What, c.says) {
			t.Errorf("%s: %+v\n%s", name, f, describe(r))
		}
	}
}

// What cannot be reached is not what was found to be wrong.
func TestNoServer(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	for _, url := range []string{srv.URL, "http://127.0.0.1:1"} {
		if _, err := OfServer(t.Context(), url); !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), url) {
			t.Errorf("%v", err)
		}
	}
	h := newHistory(t).offers(600)
	l := tiledLog{h: h, checkpoint: h.checkpoint()}
	h.records = h.records[:300] // so that it does not have what it has signed for
	if _, err := verifyServer(t, l, h.trusted()); !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "404") {
		t.Errorf("records that are not there: %v", err)
	}
}
