package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/torchwood"
	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	lru "github.com/hashicorp/golang-lru/v2"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// Options say how a mirror's folder is opened.
type Options struct {
	// Keys returns the checkpoint keys to believe of a ledger. Claimed is the one that the folder
	// names, which is only its claim.
	Keys func(origin events.Origin, claimed string) ([]string, error)
	// Progress is told now and then how many records are verified; it may be nil.
	Progress func(done, of int64)
	// Log hears of what was damaged, and mended.
	Log *slog.Logger
}

// A Mirror is an open folder. [Mirror.Grow] and what else writes are for one goroutine; all that
// reads may be called concurrently, and reads what the last checkpoint covers.
type Mirror struct {
	folder
	about   atomic.Pointer[About] // what it is of; its address and its key may change
	stopped *Stopped
	opts    Options
	locked  *bbolt.DB

	growing *proof.Growing
	last    proof.Checkpoint // the last that was held, also where its records are damaged
	lacks   []tlog.Tile      // those that are
	pending proof.Checkpoint // what the mirror was being brought up to when that broke off

	mu      sync.Mutex
	held    held
	changed chan struct{} // closed when held is another
	closed  bool

	tiles *lru.Cache[int64, []proof.Entry] // full tiles of records that were read lately
}

// A held is what readers see.
type held struct {
	checkpoint proof.Checkpoint
	tree       proof.Grown
	witnessed  proof.Checkpoint // of size 0 for none
	withheld   uint64
}

// tilesKept are tiles of 256 records each.
const tilesKept = 8

// Open opens the folder of a mirror, which is made where there is none, and verifies all that is in
// it: as proof.Verify does, and at the same cost. Where tiles of records are damaged, or missing,
// they are set aside, and [Mirror.Lacks] says so: nothing can be read then before the mirror was
// brought up to date. Tiles of hashes follow from those of records, and are written anew. The error
// is a problem.
func Open(ctx context.Context, dir string, o Options) (m *Mirror, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m = &Mirror{folder: folder{dir: dir, dirty: map[string]bool{}}, opts: o,
		growing: proof.NewGrowing(), changed: make(chan struct{})}
	m.about.Store(new(About))
	if m.tiles, err = lru.New[int64, []proof.Entry](tilesKept); err != nil {
		return nil, err
	}
	if m.locked, err = m.lock(); err != nil {
		return nil, err
	}
	if err = m.open(ctx); err != nil {
		return nil, errors.Join(err, m.locked.Close())
	}
	return m, nil
}

func (m *Mirror) open(ctx context.Context) (err error) {
	about, err := ReadAbout(m.dir)
	if problem.Is(err, problem.NotFound) {
		return m.isNew()
	}
	m.about.Store(&about)
	if err == nil {
		m.stopped, err = readStopped(m.dir)
	}
	if err == nil {
		m.last, err = m.readCheckpoint(CheckpointFile)
	}
	if err != nil || m.last.N == 0 {
		return err
	}
	if err := m.sweep(m.About(), m.last.N, true); err != nil {
		return m.unwritable(err)
	}
	if err := m.load(ctx); err != nil {
		return err
	}
	if len(m.lacks) > 0 {
		return nil
	}
	m.witnessedWas()
	return m.unwritable(m.mendHashes())
}

// isNew makes sure that there is nothing that a mirror would write over.
func (m *Mirror) isNew() error {
	for _, name := range []string{CheckpointFile, "tile"} {
		if _, err := os.Lstat(m.file(name)); err == nil {
			return problem.New(problem.Conflict, "the folder %s has a %s and no %s", m.dir, name,
				AboutFile).
				WithHint("name another folder; or put %s back from a copy", AboutFile)
		}
	}
	return nil
}

// readCheckpoint opens a checkpoint that was stored, of size 0 where there is none.
func (m *Mirror) readCheckpoint(name string) (c proof.Checkpoint, err error) {
	signed, err := os.ReadFile(m.file(name))
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	var keys []string
	if err == nil {
		if keys, err = m.opts.Keys(m.About().Origin, m.About().Key); err != nil {
			return c, err
		}
		c, err = proof.OpenCheckpoint(signed, keys...)
	}
	if err == nil && c.Origin != string(m.About().Origin) {
		err = fmt.Errorf("it is of the ledger %s", c.Origin)
	}
	if err != nil {
		return c, problem.New(problem.Unverified, "the checkpoint %s: %w", m.file(name), err).
			WithHint("if the key of the ledger's server was changed, give it with " +
				"--checkpoint-key; if the file is damaged, move it away, and start the mirror " +
				"while the server can be reached: every record is verified anew then")
	}
	return c, nil
}

// witnessedWas takes in what witnesses had signed, where it is of this tree. Nothing rests on it.
func (m *Mirror) witnessedWas() {
	c, err := m.readCheckpoint(WitnessedFile)
	if err == nil && c.N > 0 {
		err = m.Witness(c)
	}
	if err != nil {
		m.opts.Log.Warn("what witnesses have signed is passed over", "why", err)
	}
}

// load verifies the records that the checkpoint covers.
func (m *Mirror) load(ctx context.Context) error {
	wrong := m.verifyStored(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case wrong == nil:
		m.publish(m.last)
		return nil
	}
	all, err := m.findDamaged(ctx)
	switch {
	case err != nil:
		return err
	case len(m.lacks) == 0 && problem.Is(wrong, problem.Unavailable):
		return wrong // it is whole, and only a newer version can read it
	case len(m.lacks) == 0: // hashes and records are wrong alike
		m.lacks = all
	}
	return m.putAside(wrong)
}

// verifyStored verifies the stored records, and their tree.
func (m *Mirror) verifyStored(ctx context.Context) error {
	for from := int64(0); from < m.last.N; {
		tiles := tilesOf(from, m.last.N)
		var next []proof.Entry
		for _, t := range tiles {
			entries, err := m.stored(t)
			if err != nil {
				return err
			}
			next = append(next, entries...)
		}
		if err := m.growing.Add(ctx, next); err != nil {
			return err
		}
		from += int64(len(next))
		m.progress(from, m.last.N)
	}
	if root, _ := m.growing.Grown().Root(m.last.N); root != m.last.Hash {
		return problem.New(problem.Unverified,
			"the records make the root %s, and the checkpoint of %d records has %s", root, m.last.N,
			m.last.Hash)
	}
	return nil
}

func (m *Mirror) progress(done, of int64) {
	if m.opts.Progress != nil {
		m.opts.Progress(done, of)
	}
}

// stored reads a tile of records.
func (m *Mirror) stored(t tlog.Tile) ([]proof.Entry, error) {
	data, err := m.tile(m.About(), t)
	if err == nil {
		var entries []proof.Entry
		if entries, err = m.About().entries(t, data); err == nil {
			return entries, nil
		}
	}
	return nil, problem.New(problem.Unverified, "the tile %s: %w", m.About().path(t), err)
}

// tilesTogether are read and verified together.
const tilesTogether = 16

// tilesOf returns the next tiles of records in a tree of a size, from a record's index on.
func tilesOf(from, size int64) (all []tlog.Tile) {
	for n := from >> torchwood.TileHeight; n<<torchwood.TileHeight < size &&
		len(all) < tilesTogether; n++ {
		all = append(all, tlog.Tile{H: torchwood.TileHeight, L: -1, N: n,
			W: int(min(torchwood.TileWidth, size-n<<torchwood.TileHeight))})
	}
	return all
}

// findDamaged finds the tiles of records that are damaged or missing, and returns all that there
// should be.
func (m *Mirror) findDamaged(ctx context.Context) (all []tlog.Tile, err error) {
	for from := int64(0); from < m.last.N; from += tilesTogether * torchwood.TileWidth {
		for _, t := range tilesOf(from, m.last.N) {
			all = append(all, t)
			if !m.isSound(t) {
				m.lacks = append(m.lacks, t)
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return all, nil
}

// putAside moves the tiles of records away that are damaged.
func (m *Mirror) putAside(why error) error {
	now := time.Now()
	for _, t := range m.lacks {
		if err := m.setAside(m.About().path(t), now); err != nil {
			return m.unwritable(err)
		}
	}
	m.growing = proof.NewGrowing()
	m.opts.Log.Warn("the folder is damaged: what is wrong is set aside, and fetched anew", "why",
		why, "tiles", len(m.lacks), "first", m.About().path(m.lacks[0]))
	return m.unwritable(m.sync())
}

// isSound reports whether a tile of records is the one that the stored hashes are of.
func (m *Mirror) isSound(t tlog.Tile) bool {
	entries, err := m.stored(t)
	if err != nil {
		return false
	}
	t.L = 0
	hashes, err := m.tile(m.About(), t)
	if err != nil || len(hashes) != t.W*tlog.HashSize {
		return false
	}
	for i, e := range entries {
		if e.Leaf != tlog.Hash(hashes[i*tlog.HashSize:]) {
			return false
		}
	}
	return true
}

// mendHashes writes those tiles of hashes anew that are not what the records make.
func (m *Mirror) mendHashes() error {
	now, mended := time.Now(), 0
	for _, t := range tlog.NewTiles(torchwood.TileHeight, 0, m.last.N) {
		want, err := tlog.ReadTileData(t, m.growing.Grown())
		if err != nil {
			return err
		}
		if got, err := m.tile(m.About(), t); err == nil && string(got) == string(want) {
			continue
		}
		mended++
		if err := m.setAside(m.About().path(t), now); err != nil {
			return err
		}
		if err := m.write(m.About().path(t), want); err != nil {
			return err
		}
	}
	if mended > 0 {
		m.opts.Log.Warn("tiles of hashes were damaged: they were made anew of the records",
			"tiles", mended)
	}
	return m.sync()
}

// unwritable says that the folder cannot be written; nil where it could.
func (m *Mirror) unwritable(err error) error {
	if err == nil || problem.Of(err) != nil {
		return err
	}
	return problem.New(problem.Unavailable, "the folder %s cannot be written: %w", m.dir, err).
		WithHint("see that there is space, and that the user who runs the mirror may write " +
			"there; what was verified before is as it was")
}

// About returns what the mirror is of: nothing before [Mirror.Begin].
func (m *Mirror) About() About { return *m.about.Load() }

// Begin says of a new mirror what it is of, and of one that is there that it goes on with that. The
// error is of kind Conflict where it is of something else.
func (m *Mirror) Begin(a About) error {
	a.Form = form
	was := m.About()
	switch {
	case was == a:
		return nil
	case was.Origin == "":
	case was.Origin != a.Origin:
		return problem.New(problem.Conflict, "the folder %s is a mirror of the ledger %s, and %s "+
			"is at this address", m.dir, was.Origin, a.Origin).
			WithHint("name another folder for the other ledger")
	case was.View != a.View:
		return problem.New(problem.Conflict, "the folder %s holds the view %s, and not %s", m.dir,
			was.View, a.View).WithHint("name another folder for the other view")
	}
	text, err := jsonFile(a)
	if err == nil {
		err = m.write(AboutFile, text)
	}
	if err == nil {
		err = m.sync()
	}
	if err == nil {
		m.about.Store(&a)
	}
	return m.unwritable(err)
}

// Lacks says what the folder lacks of what its checkpoint covers; nil where it lacks nothing.
func (m *Mirror) Lacks() error {
	if len(m.lacks) == 0 {
		return nil
	}
	first := m.lacks[0]
	what := fmt.Sprintf("records %d to %d", first.N<<torchwood.TileHeight+1,
		first.N<<torchwood.TileHeight+int64(first.W))
	if more := len(m.lacks) - 1; more > 0 {
		what += fmt.Sprintf(", and %d more tiles of 256", more)
	}
	return problem.New(problem.Unverified, "the mirror in %s is damaged, and lacks %s", m.dir,
		what).
		WithHint("what was damaged is in %s. Start the mirror while the server can be reached, or "+
			"another mirror of the same view: muster mirror URL %s", m.local(""), m.dir)
}

// Covered returns how many records are covered by what was signed of those that the mirror has, or
// was being brought up to: also where some of them are damaged. A server that shows fewer is
// behind.
func (m *Mirror) Covered() int64 { return max(m.last.N, m.pending.N) }

// Local is the folder of what is nobody else's.
func (m *Mirror) Local() string { return m.local("") }

// Stopped says why the mirror follows no more; nil where it does.
func (m *Mirror) Stopped() *Stopped { return m.stopped }

// Stop keeps for the next start that the mirror follows no more, and why.
func (m *Mirror) Stop(why *problem.Problem, at time.Time) error {
	s := &Stopped{At: at.UTC().Truncate(time.Second), Detail: why.Detail, Hint: why.Hint}
	text, err := jsonFile(s)
	if err == nil {
		err = m.write(StoppedFile, text)
	}
	if err == nil {
		err = m.sync()
	}
	m.stopped = s
	return m.unwritable(err)
}

// Close lets go of the folder, and ends all waiting.
func (m *Mirror) Close() error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.changed)
	}
	m.mu.Unlock()
	return m.locked.Close()
}
