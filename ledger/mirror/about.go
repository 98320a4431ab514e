package mirror

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// The names of files in a mirror's folder.
const (
	CheckpointFile = "checkpoint"
	WitnessedFile  = "witnessed.checkpoint"
	AboutFile      = "mirror.json"
	StoppedFile    = "stopped.json"
	LocalFolder    = "local"
)

// form is the version of the folder's form.
const form = 1

// An About says what a mirror is of.
type About struct {
	Form   int           `json:"v"`
	Origin events.Origin `json:"origin"`
	// View is for whom the records are that it holds: the coordinators' where it holds all.
	View events.View `json:"view"`
	// Key is the checkpoint key that has signed the checkpoint, as the mirror knows it.
	Key string `json:"checkpoint_key"`
	// URL is the address of the server that it follows.
	URL string `json:"follows"`
}

// All reports whether the mirror holds all records.
func (a About) All() bool { return a.View == events.CoordinatorsView }

// Is reports whether a folder is a mirror's.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, AboutFile))
	return err == nil
}

// ReadAbout reads what the mirror in a folder is of. The error is of kind NotFound where the folder
// is none, and of kind Invalid where it cannot be read.
func ReadAbout(dir string) (a About, err error) {
	file := filepath.Join(dir, AboutFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return a, problem.New(problem.NotFound, "the folder %s is no mirror: it has no %s", dir,
			AboutFile).WithHint("make one with: muster mirror URL DIR")
	}
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	switch {
	case err != nil:
	case a.Form != form:
		return a, problem.New(problem.Unavailable,
			"the mirror in %s has the form %d, which this version does not know", dir, a.Form).
			WithHint("read it with a newer version of Muster")
	case !a.Origin.Valid() || !isView(a.View):
		err = errors.New("it names no ledger, or no view")
	}
	if err != nil {
		return a, problem.New(problem.Invalid, "the file %s: %w", file, err).
			WithHint("put it back from a copy; or move the folder away, and begin anew")
	}
	return a, nil
}

func isView(v events.View) bool { _, ok := events.ParseView(string(v)); return ok }

// path names a tile in the folder.
func (a About) path(t tlog.Tile) string {
	path := torchwood.TilePath(t)
	if records, ok := strings.CutPrefix(path, "tile/entries/"); ok && !a.All() {
		return proof.ReleasedPath + records
	}
	return path
}

// asked is the path under which a server has a tile.
func (a About) asked(t tlog.Tile) string {
	path := a.path(t)
	if t.L == -1 && !a.All() {
		path += "?view=" + url.QueryEscape(string(a.View))
	}
	return path
}

// cut splits the next record from a tile.
func (a About) cut(tile []byte) (e proof.Entry, rest []byte, err error) {
	if !a.All() {
		e.Stored, e.Leaf, rest, err = proof.CutReleased(tile)
		return e, rest, err
	}
	if e.Stored, rest, err = torchwood.ReadTileEntry(tile); e.Stored == nil {
		e.Stored = []byte{} // nil is what is withheld
	}
	e.Leaf = tlog.RecordHash(e.Stored)
	return e, rest, err
}

// entries splits a tile of records, each with its leaf hash.
func (a About) entries(t tlog.Tile, data []byte) (all []proof.Entry, err error) {
	for i := range t.W {
		sequence := uint64(t.N)<<torchwood.TileHeight + uint64(i) + 1
		var e proof.Entry
		if e, data, err = a.cut(data); err != nil {
			return nil, fmt.Errorf("record %d cannot be read from its tile: %w", sequence, err)
		}
		e.Sequence = sequence
		all = append(all, e)
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("the tile %s has more than its %d records", a.path(t), t.W)
	}
	return all, nil
}

// narrow returns the beginning of a wider tile than t, which is what t was.
func (a About) narrow(t tlog.Tile, wider []byte) ([]byte, error) {
	if t.L >= 0 {
		if len(wider) < t.W*tlog.HashSize {
			return nil, errors.New("it is too short")
		}
		return wider[:t.W*tlog.HashSize], nil
	}
	rest := wider
	for range t.W {
		var err error
		if _, rest, err = a.cut(rest); err != nil {
			return nil, err
		}
	}
	return wider[:len(wider)-len(rest)], nil
}

// A Stopped says why a mirror follows no more: it was shown what cannot be true.
type Stopped struct {
	At     time.Time `json:"at"`
	Detail string    `json:"detail"`
	Hint   string    `json:"hint,omitempty"`
}

// readStopped reads why the mirror has stopped to follow, nil where it has not.
func readStopped(dir string) (*Stopped, error) {
	file := filepath.Join(dir, StoppedFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var s Stopped
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return nil, problem.New(problem.Invalid, "the file %s: %w", file, err).
			WithHint("it says why the mirror follows no more: look at it, and remove it to have " +
				"the mirror follow again")
	}
	return &s, nil
}

// jsonFile is a value as a file has it.
func jsonFile(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
