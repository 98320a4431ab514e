package main

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/ledger/proof"
)

// keptTiles stands before what asks a server, and keeps the tiles of records that were verified:
// who asks again reads nothing but what is new. The checkpoint is the one that was held against all
// that was seen. Of what is read twice in one run, the first answer counts.
//
// What is new waits on the disk, in a folder of this run beside the others, until all of it is
// verified: a whole ledger is more than belongs into memory.
//
// The folder may be removed at any time. What is in it is verified each time it is read.
type keptTiles struct {
	http.RoundTripper
	dir        string // "" for none
	checkpoint []byte

	mu   sync.Mutex
	read map[string][]byte // in this run: parts of tiles, and all where there is no folder
	new  map[string]bool   // whole tiles that wait
	wait string            // the folder in which they do, "" before the first
	used bool              // something of the folder was
}

// waitPrefix begins the name of a folder in which tiles wait.
const waitPrefix = "new-"

// recordsTile is the path of a tile of records, and whole of one that is.
var (
	recordsTile = regexp.MustCompile(`^/tile/(entries|released)/(x\d{3}/)*\d{3}(\.p/\d{1,3})?$`)
	partOfTile  = regexp.MustCompile(`\.p/\d{1,3}$`)
)

const keptCheckpoint = "checkpoint"

// RoundTrip implements http.RoundTripper.
func (k *keptTiles) RoundTrip(req *http.Request) (*http.Response, error) {
	path := req.URL.Path
	at := strings.Index(path, "/tile/")
	switch {
	case strings.HasSuffix(path, "/checkpoint"):
		return fromTile(req, k.checkpoint), nil
	case at < 0 || !recordsTile.MatchString(path[at:]):
		return k.RoundTripper.RoundTrip(req)
	}
	if data, ok := k.kept(path[at:]); ok {
		return fromTile(req, data), nil
	}
	resp, err := k.RoundTripper.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxKeptTile))
	if err != nil {
		return nil, err
	}
	k.note(path[at:], data)
	return fromTile(req, data), nil
}

// note keeps a tile that was read until it is known whether it is a right one.
func (k *keptTiles) note(path string, data []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dir != "" && !partOfTile.MatchString(path) {
		if k.wait == "" && os.MkdirAll(k.dir, 0o700) == nil {
			k.clearOld()
			k.wait, _ = os.MkdirTemp(k.dir, waitPrefix)
		}
		file := fileIn(k.wait, path)
		if k.wait != "" && os.MkdirAll(filepath.Dir(file), 0o700) == nil &&
			os.WriteFile(file, data, 0o600) == nil {
			k.new[path] = true
			return
		}
	}
	k.read[path] = data
}

// waitsAtMost is longer than any run takes.
const waitsAtMost = 24 * time.Hour

// clearOld removes what waited in runs that were killed.
func (k *keptTiles) clearOld() {
	found, _ := os.ReadDir(k.dir)
	for _, e := range found {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), waitPrefix) &&
			time.Since(info.ModTime()) > waitsAtMost {
			_ = os.RemoveAll(filepath.Join(k.dir, e.Name()))
		}
	}
}

// maxKeptTile is more than 256 records have.
const maxKeptTile = 20 << 20

// kept returns a tile that was read before.
func (k *keptTiles) kept(path string) ([]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if data, ok := k.read[path]; ok || k.dir == "" || partOfTile.MatchString(path) {
		return data, ok
	}
	if k.new[path] {
		data, err := os.ReadFile(fileIn(k.wait, path))
		return data, err == nil
	}
	data, err := os.ReadFile(fileIn(k.dir, path))
	k.used = k.used || err == nil
	return data, err == nil
}

func fileIn(dir, path string) string {
	return filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(path, "/")))
}

// since is the checkpoint up to which everything was verified before, nil where there is none that
// the key has signed and the last one can go on from.
func (k *keptTiles) since(key string, last proof.Checkpoint) []byte {
	if k.dir == "" {
		return nil
	}
	signed, err := os.ReadFile(filepath.Join(k.dir, keptCheckpoint))
	if err != nil {
		return nil
	}
	if c, err := proof.OpenCheckpoint(signed, key); err != nil || c.N > last.N || c.N == 0 {
		return nil
	}
	return signed
}

// keep keeps what was read, all of which was verified. What cannot be kept is read again.
func (k *keptTiles) keep() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dir == "" {
		return
	}
	for path := range k.new {
		file := fileIn(k.dir, path)
		err := os.MkdirAll(filepath.Dir(file), 0o700)
		if err != nil || os.Rename(fileIn(k.wait, path), file) != nil {
			return
		}
		delete(k.new, path)
	}
	k.clear()
	if os.MkdirAll(k.dir, 0o700) == nil {
		_ = files.Replace(filepath.Join(k.dir, keptCheckpoint), 0o600, k.checkpoint)
	}
}

// discard removes what was read and not verified.
func (k *keptTiles) discard() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clear()
}

// clear removes what waits. The caller has the lock.
func (k *keptTiles) clear() {
	if k.wait != "" {
		_ = os.RemoveAll(k.wait)
	}
	k.wait, k.new = "", map[string]bool{}
}

// forget has all be read again, and reports whether something was kept before this run.
func (k *keptTiles) forget() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read = map[string][]byte{}
	k.clear()
	used := k.used
	if k.dir != "" {
		for _, name := range []string{keptCheckpoint, "tile"} {
			if os.RemoveAll(filepath.Join(k.dir, name)) != nil {
				k.dir = "" // which is not used any more
				break
			}
		}
	}
	k.used = false
	return used
}

// fromTile is an answer that no server gave now.
func fromTile(req *http.Request, data []byte) *http.Response {
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		ContentLength: int64(len(data)), Body: io.NopCloser(bytes.NewReader(data))}
}

// cacheFolder is where it is kept what can be read again: a folder of MUSTER_CONFIG, or of the
// user's cache; "" where there is none.
func (a *app) cacheFolder() string {
	if a.config != "" {
		return filepath.Join(a.config, "cache")
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "muster")
}

// tilesOf keeps the tiles of the ledger that was met, for those who have a view, "" for all. The
// client asks the server that has them.
func (a *app) tilesOf(client *http.Client, view events.View) *keptTiles {
	dir := a.cacheFolder()
	if dir != "" {
		dir = filepath.Join(dir, "ledgers", filepath.Base(proof.Memory{}.FolderOf(
			a.contact.origin)), cmp.Or(string(view), "all"))
	}
	return &keptTiles{RoundTripper: client.Transport, dir: dir,
		checkpoint: a.contact.seen.Signed, read: map[string][]byte{}, new: map[string]bool{}}
}
