package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"filippo.io/torchwood"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/ledger/proof"
)

// A Tree is what everybody may read of a ledger to check it: a [muster/ledger/journal.Journal].
type Tree interface {
	// Checkpoint returns the last signed checkpoint, nil when there is none yet.
	Checkpoint() []byte
	// Witnessed returns the largest that witnesses have signed too, nil when there is none.
	Witnessed() []byte
	// Tile returns a tile of hashes, or of records, within that checkpoint, or a problem of kind
	// NotFound.
	Tile(tlog.Tile) ([]byte, error)
}

// Readers know who may read which record.
type Readers interface {
	// Released returns records of a tree as they are stored, so many from a sequence on, as far as
	// those may read them who ask in the context: nil stands for one that they may not. View is
	// what they ask to be shown, "" for all that they may read. Shared says that everybody who
	// reaches the server would get the same. The error is a problem.
	Released(ctx context.Context, view string, from uint64, n int) (all [][]byte, shared bool,
		err error)
}

// A shown is a tree as it is shown to those who ask.
type shown struct {
	Tree
	readers Readers
}

// everybody reads all.
type everybody struct{ tree Tree }

// Released implements [Readers].
func (e everybody) Released(_ context.Context, _ string, from uint64,
	n int) ([][]byte, bool, error) {
	t := tlog.Tile{H: torchwood.TileHeight, L: -1, N: int64(from-1) / torchwood.TileWidth, W: n}
	data, err := e.tree.Tile(t)
	var all [][]byte
	for err == nil && len(data) > 0 {
		var stored []byte
		stored, data, err = torchwood.ReadTileEntry(data)
		all = append(all, stored)
	}
	return all, true, err
}

func show(tree Tree, readers Readers) shown {
	if readers == nil {
		readers = everybody{tree}
	}
	return shown{tree, readers}
}

// WitnessedPath is where the largest checkpoint is that witnesses have signed.
const WitnessedPath = "checkpoint/witnessed"

// RegisterTree serves a tree as C2SP tlog-tiles asks: /checkpoint, /tile/LEVEL/NUMBER and, for
// those who may read all of it, /tile/entries/NUMBER; and /tile/released/NUMBER, with stubs in the
// place of what one may not read, and /checkpoint/witnessed. Readers say who may read what;
// everybody reads all where they are nil.
//
// A tile never changes, so that anybody may keep it; but nobody is to be given what was kept for
// somebody else. The checkpoint must be asked for each time: an older one, kept on the way by a
// cache, would look as if the ledger had gone back.
func RegisterTree(mux *http.ServeMux, tree Tree, readers Readers) {
	s := show(tree, readers)
	mux.HandleFunc("GET /checkpoint", showing(func() ([]byte, error) { return checkpointOf(tree) }))
	mux.HandleFunc("GET /"+WitnessedPath,
		showing(func() ([]byte, error) { return witnessedOf(tree) }))
	tile := func(w http.ResponseWriter, req *http.Request) {
		path := strings.TrimPrefix(req.URL.Path, "/")
		data, shared, err := s.tile(req.Context(), path, req.URL.RawQuery)
		if err != nil {
			wire.HTTP(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if !shared {
			w.Header().Set("Cache-Control", "private, no-cache")
			w.Header().Set("Vary", "Authorization, Cookie")
		}
		_, _ = w.Write(data)
	}
	mux.HandleFunc("GET /tile/", tile)
	mux.HandleFunc("GET /tile", tile) // which a mux would lead to the other, and is none either
}

// showing answers with a checkpoint.
func showing(which func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		checkpoint, err := which()
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
	}
}

func witnessedOf(tree Tree) ([]byte, error) {
	if c := tree.Witnessed(); c != nil {
		return c, nil
	}
	return nil, problem.New(problem.NotFound, "no witness has signed a checkpoint of this server").
		WithHint("the newest checkpoint, which the server alone has signed, is there: ask for " +
			"checkpoint")
}

func checkpointOf(tree Tree) ([]byte, error) {
	if c := tree.Checkpoint(); c != nil {
		return c, nil
	}
	return nil, problem.New(problem.Unavailable, "this server has signed no checkpoint yet").
		WithHint("try again in a moment")
}

const tilesAre = "tiles are at tile/LEVEL/NUMBER and tile/entries/NUMBER, as C2SP tlog-tiles " +
	"writes them: tile/0/x001/067, tile/entries/000.p/5; and at tile/released/NUMBER"

// tile returns the tile at a path, of which the query may name a view, and whether it is the same
// for everybody who asks.
func (s shown) tile(ctx context.Context, path, query string) (data []byte, shared bool, err error) {
	number, released := strings.CutPrefix(path, proof.ReleasedPath)
	standard := path
	if released {
		standard = "tile/entries/" + number
	}
	t, err := torchwood.ParseTilePath(standard)
	if err != nil {
		return nil, false, problem.New(problem.NotFound, "there is no %.100s", path).
			WithHint("%s", tilesAre)
	}
	if t.L != -1 {
		data, err = s.Tile(t)
		return data, true, err
	}
	view, err := viewIn(query)
	if err != nil {
		return nil, false, err
	}
	if released {
		data, err = s.releasedTile(ctx, view, t)
		return data, false, err
	}
	return s.entries(ctx, view, t)
}

// viewIn reads the query of a tile of records.
func viewIn(query string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", problem.New(problem.Usage, "the query of the address cannot be read: %w", err)
	}
	for name, all := range values {
		switch {
		case name != "view":
			return "", problem.OfField(problem.Usage, problem.Field{Location: name,
				Message: "a tile has no such parameter: it takes view alone"})
		case len(all) > 1:
			return "", problem.OfField(problem.Usage, problem.Field{Location: name, Value: all[1],
				Message: fmt.Sprintf("is given %d times: write it once", len(all))})
		}
	}
	return values.Get("view"), nil
}

// leaves returns the leaf hashes of a tile of records, which must lie within the checkpoint.
func (s shown) leaves(t tlog.Tile) ([]byte, error) {
	t.L = 0
	data, err := s.Tile(t)
	if problem.Is(err, problem.NotFound) { // which names the tile of hashes
		t.L = -1
		err = problem.New(problem.NotFound, "there is no %s: the checkpoint does not cover it",
			torchwood.TilePath(t)).
			WithHint("ask for the tiles that the checkpoint covers (C2SP tlog-tiles)")
	}
	return data, err
}

// releasedTile returns a tile of what is released to those who ask.
func (s shown) releasedTile(ctx context.Context, view string,
	t tlog.Tile) (data []byte, err error) {
	leaves, err := s.leaves(t)
	if err != nil {
		return nil, err
	}
	all, _, err := s.readers.Released(ctx, view, firstOf(t), t.W)
	data = make([]byte, 0, sizeOf(all))
	for i, stored := range all {
		switch {
		case err != nil:
			return nil, err
		case stored == nil:
			data = proof.AppendWithheld(data, tlog.Hash(leaves[i*tlog.HashSize:]))
		default:
			data, err = proof.AppendReleased(data, stored)
		}
	}
	return data, err
}

// sizeOf is the most bytes that a tile of records may have.
func sizeOf(all [][]byte) (n int) {
	for _, stored := range all {
		n += max(len(stored), tlog.HashSize) + 3 // before each, its kind and its length
	}
	return n
}

func firstOf(t tlog.Tile) uint64 { return uint64(t.N)*torchwood.TileWidth + 1 }

// entries returns a tile of records to those who may read all of it.
func (s shown) entries(ctx context.Context, view string, t tlog.Tile) (data []byte, shared bool,
	err error) {
	if _, err := s.leaves(t); err != nil {
		return nil, false, err
	}
	all, shared, err := s.readers.Released(ctx, view, firstOf(t), t.W)
	data = make([]byte, 0, sizeOf(all))
	for _, stored := range all {
		switch {
		case err != nil:
			return nil, false, err
		case stored == nil:
			released := strings.Replace(torchwood.TilePath(t), "tile/entries/",
				proof.ReleasedPath, 1)
			return nil, false, problem.New(problem.NotReadable,
				"%s holds records that you may not read",
				torchwood.TilePath(t)).
				WithHint("ask for /%s, which has their leaf hashes in their place", released)
		default:
			data, err = torchwood.AppendTileEntry(data, stored)
		}
	}
	return data, shared, err
}

// maxNATSTile is the most bytes of a tile that are sent over NATS, which takes a megabyte at most
// unless told otherwise.
const maxNATSTile = 1 << 20 * 9 / 10

// RegisterTreeNATS adds the endpoints muster.checkpoint, which answers the signed checkpoint, and
// muster.tile, which answers the tile whose path is the request, as [RegisterTree] serves them, to
// the micro service.
func RegisterTreeNATS(svc micro.Service, tree Tree, readers Readers, log *slog.Logger) error {
	s := show(tree, readers)
	add := func(name, description string,
		read func(req micro.Request, path string) ([]byte, error)) error {
		handle := func(req micro.Request) {
			defer rescue(req, log)
			data, err := read(req, string(req.Data()))
			if err != nil {
				wire.NATS(req, err)
				return
			}
			// It fails only when the connection is gone, and the client with it.
			_ = req.Respond(data)
		}
		return svc.AddEndpoint(name, micro.HandlerFunc(handle),
			micro.WithEndpointSubject(SubjectPrefix+name), pending(),
			micro.WithEndpointMetadata(map[string]string{"description": description}))
	}
	return errors.Join(
		add("checkpoint", "The last signed checkpoint (C2SP tlog-checkpoint); where the request "+
			"is the word witnessed, the largest that witnesses have signed too",
			func(_ micro.Request, which string) ([]byte, error) {
				if which == "witnessed" {
					return witnessedOf(tree)
				}
				return checkpointOf(tree)
			}),
		add("tile", "A tile of the Merkle tree; the request is its path, such as tile/0/000.p/5 "+
			"(C2SP tlog-tiles), or tile/released/000?view=coalition",
			func(req micro.Request, path string) ([]byte, error) {
				ctx, cancel := context.WithTimeout(contextOf(req), submitTimeout)
				defer cancel()
				path, query, _ := strings.Cut(path, "?")
				data, _, err := s.tile(ctx, path, query)
				if len(data) > maxNATSTile {
					return nil, problem.New(problem.TooLarge,
						"%s has %d bytes, more than are sent over NATS", path, len(data)).
						WithHint("ask for it over HTTP")
				}
				return data, err
			}))
}

// Fetch reads what [RegisterTree] serves: "checkpoint", [WitnessedPath], or the path of a tile. The
// error is a problem.
func (c HTTPClient) Fetch(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		strings.TrimSuffix(c.URL, "/")+"/"+path, nil)
	if err != nil || req.URL.Host == "" {
		return nil, problem.New(problem.Usage, "%q is no server's address", c.URL).
			WithHint("write it such as http://127.0.0.1:8080")
	}
	return wire.Fetch(c.HTTP, c.URL, req, maxFetched, "")
}

// maxFetched is more than any tile of 256 records can have.
const maxFetched = 256 * (1 << 16)

// Fetch reads what [RegisterTreeNATS] serves: "checkpoint", [WitnessedPath], or the path of a tile.
// The error is a problem.
func (c NATSClient) Fetch(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	subject, data := SubjectPrefix+"tile", []byte(path)
	if name, which, _ := strings.Cut(path, "/"); name == "checkpoint" {
		subject, data = SubjectPrefix+name, []byte(which)
	}
	m, err := request(ctx, c.Conn, subject, data)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

// CheckpointSubject is where each server publishes the checkpoints that it signs: guests may listen
// there, and not publish.
const CheckpointSubject = "muster.tip.checkpoint"

// PublishCheckpoints publishes a tree's checkpoints over NATS, the newest at a time, until ctx
// ends. Wait returns when there are more records than it is told, or with an error when ctx ends.
func PublishCheckpoints(ctx context.Context, conn *nats.Conn, tree Tree,
	wait func(context.Context, uint64) error, last func() uint64) {
	for sequence := uint64(0); wait(ctx, sequence) == nil; {
		sequence = last()
		if c := tree.Checkpoint(); c != nil {
			_ = conn.Publish(CheckpointSubject, c) // who misses one asks, or sees the next
		}
	}
}
