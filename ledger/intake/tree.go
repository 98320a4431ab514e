package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"filippo.io/torchwood"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/events/problem/wire"
)

// A Tree is what everybody may read of a ledger to check it: a [muster/ledger/journal.Journal].
type Tree interface {
	// Checkpoint returns the last signed checkpoint, nil when there is none yet.
	Checkpoint() []byte
	// Tile returns a tile of hashes, or of records, within that checkpoint, or a problem of kind NotFound.
	Tile(tlog.Tile) ([]byte, error)
}

// RegisterTree serves a tree as C2SP tlog-tiles asks: /checkpoint, /tile/LEVEL/NUMBER and /tile/entries/NUMBER. A tile never
// changes, so that anybody may keep it. The checkpoint must be asked for each time: an older one, kept on the way by a
// cache, would look as if the ledger had gone back.
func RegisterTree(mux *http.ServeMux, tree Tree) {
	mux.HandleFunc("GET /checkpoint", func(w http.ResponseWriter, req *http.Request) {
		checkpoint, err := checkpointOf(tree)
		if err != nil {
			wire.HTTP(w, err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		tag := fmt.Sprintf("%q", tlog.RecordHash(checkpoint).String())
		h.Set("ETag", tag)
		if req.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(checkpoint)
	})
	mux.HandleFunc("GET /tile/", func(w http.ResponseWriter, req *http.Request) {
		data, err := tileOf(tree, strings.TrimPrefix(req.URL.Path, "/"))
		if err != nil {
			wire.HTTP(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write(data)
	})
}

func checkpointOf(tree Tree) ([]byte, error) {
	if c := tree.Checkpoint(); c != nil {
		return c, nil
	}
	return nil, problem.New(problem.Unavailable, "this server has signed no checkpoint yet").WithHint("try again in a moment")
}

func tileOf(tree Tree, path string) ([]byte, error) {
	t, err := torchwood.ParseTilePath(path)
	if err != nil {
		return nil, problem.New(problem.NotFound, "there is no %.100s", path).
			WithHint("tiles are at tile/LEVEL/NUMBER and tile/entries/NUMBER, as C2SP tlog-tiles writes them: tile/0/x001/067, tile/entries/000.p/5")
	}
	return tree.Tile(t)
}

// maxNATSTile is the most bytes of a tile that are sent over NATS, which takes a megabyte at most unless told otherwise.
const maxNATSTile = 1 << 20 * 9 / 10

// RegisterTreeNATS adds the endpoints muster.checkpoint, which answers the signed checkpoint, and muster.tile, which answers
// the tile whose path is the request, as [RegisterTree] serves them, to the micro service.
func RegisterTreeNATS(svc micro.Service, tree Tree, log *slog.Logger) error {
	add := func(name, description string, read func(path string) ([]byte, error)) error {
		handle := func(req micro.Request) {
			defer rescue(req, log)
			data, err := read(string(req.Data()))
			if err != nil {
				wire.NATS(req, err)
				return
			}
			_ = req.Respond(data) // it fails only when the connection is gone, and the client with it
		}
		return svc.AddEndpoint(name, micro.HandlerFunc(handle), micro.WithEndpointSubject(SubjectPrefix+name), pending(),
			micro.WithEndpointMetadata(map[string]string{"description": description}))
	}
	return errors.Join(
		add("checkpoint", "The last signed checkpoint (C2SP tlog-checkpoint)", func(string) ([]byte, error) { return checkpointOf(tree) }),
		add("tile", "A tile of the Merkle tree; the request is its path, such as tile/0/000.p/5 (C2SP tlog-tiles)", func(path string) ([]byte, error) {
			data, err := tileOf(tree, path)
			if len(data) > maxNATSTile {
				return nil, problem.New(problem.TooLarge, "%s has %d bytes, more than are sent over NATS", path, len(data)).WithHint("ask for it over HTTP")
			}
			return data, err
		}))
}

// Fetch reads what [RegisterTree] serves: "checkpoint", or the path of a tile. The error is a problem.
func (c HTTPClient) Fetch(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+"/"+path, nil)
	if err != nil || req.URL.Host == "" {
		return nil, problem.New(problem.Usage, "%q is no server's address", c.URL).WithHint("write it such as http://127.0.0.1:8080")
	}
	return wire.Fetch(c.HTTP, c.URL, req, maxFetched, "")
}

// maxFetched is more than any tile of 256 records can have.
const maxFetched = 256 * (1 << 16)

// Fetch reads what [RegisterTreeNATS] serves: "checkpoint", or the path of a tile. The error is a problem.
func (c NATSClient) Fetch(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	subject, data := SubjectPrefix+"tile", []byte(path)
	if path == "checkpoint" {
		subject, data = SubjectPrefix+path, nil
	}
	m, err := request(ctx, c.Conn, subject, data)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

// CheckpointSubject is where each server publishes the checkpoints that it signs: guests may listen there, and not publish.
const CheckpointSubject = "muster.tip.checkpoint"

// PublishCheckpoints publishes a tree's checkpoints over NATS, the newest at a time, until ctx ends. Wait returns when there
// are more records than it is told, or with an error when ctx ends.
func PublishCheckpoints(ctx context.Context, conn *nats.Conn, tree Tree, wait func(context.Context, uint64) error, last func() uint64) {
	for sequence := uint64(0); wait(ctx, sequence) == nil; {
		sequence = last()
		if c := tree.Checkpoint(); c != nil {
			_ = conn.Publish(CheckpointSubject, c) // who misses one asks, or sees the next
		}
	}
}
