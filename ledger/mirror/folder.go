package mirror

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"filippo.io/torchwood"
	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/proof"
)

// A folder is the files of a mirror. What is written is not sure before sync has returned.
type folder struct {
	dir   string
	dirty map[string]bool // the folders in which names have changed

	before func(name string) error // in a test, fails instead of writing a file
}

// newFile begins the name of a file that is not whole yet.
const newFile = ".new-"

// lockTime is how long another process may take to let go of the folder.
const lockTime = time.Second

// lock keeps other processes from growing the mirror.
func (f *folder) lock() (*bbolt.DB, error) {
	if err := os.MkdirAll(f.local(""), 0o700); err != nil {
		return nil, problem.New(problem.Usage, "the folder of the mirror: %w", err).
			WithHint("name another one")
	}
	// bbolt has the one lock that all systems have, and nothing is kept in the file.
	db, err := bbolt.Open(f.local("lock"), 0o600, &bbolt.Options{Timeout: lockTime})
	if errors.Is(err, bberrors.ErrTimeout) {
		return nil, problem.New(problem.Conflict, "another mirror runs on the folder %s", f.dir).
			WithHint("stop it first, or name another folder")
	}
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the lock of the folder %s: %w", f.dir, err).
			WithHint("remove the file %s, if nothing else runs on the folder", f.local("lock"))
	}
	return db, nil
}

func (f *folder) local(name string) string { return filepath.Join(f.dir, LocalFolder, name) }

func (f *folder) file(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// write puts a file in its place as a whole.
func (f *folder) write(name string, data []byte) error {
	path := f.file(name)
	if f.before != nil {
		if err := f.before(name); err != nil {
			return err
		}
	}
	if err := f.mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), newFile)
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	f.dirty[filepath.Dir(path)] = true
	return nil
}

// mkdir makes a folder and those that it is in.
func (f *folder) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := f.mkdir(parent); err != nil {
			return err
		}
		f.dirty[parent] = true
	}
	if err := os.Mkdir(dir, 0o700); !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// sync returns when all that was written is on the disk.
func (f *folder) sync() error {
	for dir := range f.dirty {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
		delete(f.dirty, dir)
	}
	return nil
}

// tile reads a tile, or the beginning of a wider one: while a mirror grows, a tile that is not full
// gives way to a wider one.
func (f *folder) tile(a About, t tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(f.file(a.path(t)))
	if !errors.Is(err, os.ErrNotExist) || t.W == torchwood.TileWidth {
		return data, err
	}
	for _, w := range f.wider(a, t) {
		wider, found := os.ReadFile(f.file(a.path(w)))
		if errors.Is(found, os.ErrNotExist) {
			continue
		}
		if found != nil {
			return nil, found
		}
		return a.narrow(t, wider)
	}
	return nil, err
}

// wider returns the tiles of the same place that are wider, as far as they are there.
func (f *folder) wider(a About, t tlog.Tile) (all []tlog.Tile) {
	full := t
	full.W = torchwood.TileWidth
	for _, e := range f.parts(a, full) {
		if w, err := strconv.Atoi(e.Name()); err == nil && w > t.W && w < torchwood.TileWidth {
			part := t
			part.W = w
			all = append(all, part)
		}
	}
	return append(all, full)
}

// parts lists the tiles of the place of a full one that are not full.
func (f *folder) parts(a About, full tlog.Tile) []fs.DirEntry {
	full.W = torchwood.TileWidth
	entries, _ := os.ReadDir(f.file(a.path(full) + ".p")) // which need not be there
	return entries
}

// prune removes the tiles of a place that are not full, but the one of that width.
func (f *folder) prune(a About, t tlog.Tile) error {
	full := t
	full.W = torchwood.TileWidth
	for _, e := range f.parts(a, full) {
		path := f.file(a.path(full) + ".p/" + e.Name())
		if e.Name() == strconv.Itoa(t.W) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if t.W == torchwood.TileWidth || t.W == 0 {
		err := os.Remove(f.file(a.path(full) + ".p"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// sweep removes what is no tile of a tree of that size: files that were never whole, tiles that are
// not full any more, and, unless what is ahead is kept, all that is beyond. Full tiles of records
// that are ahead were verified before a mirror broke off, and are looked at again.
func (f *folder) sweep(a About, size int64, keepAhead bool) error {
	return filepath.WalkDir(f.file("tile"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(f.dir, path)
		if err != nil || f.isOf(a, size, keepAhead, filepath.ToSlash(name)) {
			return err
		}
		return os.Remove(path)
	})
}

// isOf reports whether a file is a tile of a tree of that size.
func (f *folder) isOf(a About, size int64, keepAhead bool, name string) bool {
	if records, ok := strings.CutPrefix(name, proof.ReleasedPath); ok {
		name = "tile/entries/" + records
	}
	t, err := torchwood.ParseTilePath(name)
	if err != nil {
		return false
	}
	there := size >> (torchwood.TileHeight * max(t.L, 0))
	switch end := t.N<<torchwood.TileHeight + int64(t.W); {
	case t.W == torchwood.TileWidth:
		return end <= there || keepAhead && t.L == -1
	default:
		return end == there
	}
}

// setAside moves a file out of the way, into the folder of what was damaged.
func (f *folder) setAside(name string, at time.Time) error {
	to := f.local(filepath.Join("damaged-"+at.UTC().Format("20060102T150405Z"),
		filepath.FromSlash(name)))
	err := f.mkdir(filepath.Dir(to))
	if err == nil {
		err = os.Rename(f.file(name), to)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	f.dirty[filepath.Dir(to)] = true
	f.dirty[filepath.Dir(f.file(name))] = true
	return err
}
