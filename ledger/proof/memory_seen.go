package proof

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// The folders of the checkpoints that came by, a file each. Those that wait came from somewhere
// else than a server (a receipt, a bundle, a file), and nobody has proved yet that they and the
// last one are of one history; those that were compared are of one. The name of a file is the size
// of the tree, its root, and a hash of the key, so that it tells what is in it:
//
//	waiting/000000000000020-<root>-<key>.checkpoint
const (
	waitingFolder  = "waiting"
	comparedFolder = "compared"
)

// MaxWaiting is how many checkpoints of a ledger may wait: more are refused, not forgotten.
const MaxWaiting = 1000

// maxCompared is how many are kept that were compared: the smallest are forgotten, for a checkpoint
// of their size can still be compared with the help of a server.
const maxCompared = 1000

// What became of holding a checkpoint against those that are remembered.
const (
	// Same says that the very tree was seen before, and is on the way to the last one.
	Same = "same"
	// Consistent says that it was proved that one tree goes on from the other.
	Consistent = "consistent"
	// NotCompared says that it waits until a server can be asked.
	NotCompared = "not compared"
)

// A seenFile is the name of a checkpoint's file, taken apart.
type seenFile struct {
	folder, name string
	size         int64
	root, key    string // as the name has them
}

func keyHash(key string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(key)))
	return fmt.Sprintf("%x", sum[:16])
}

func nameSeen(c Checkpoint, key string) string {
	return fmt.Sprintf("%015d-%x-%s.checkpoint", c.N, c.Hash[:], keyHash(key))
}

// listSeen returns the files of a folder, the smallest trees first.
func (m Memory) listSeen(origin events.Origin, folder string) (all []seenFile, err error) {
	entries, err := os.ReadDir(filepath.Join(m.folder(origin), folder))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") { // another run is writing it
			continue
		}
		parts := strings.Split(strings.TrimSuffix(e.Name(), ".checkpoint"), "-")
		if len(parts) != 3 {
			return nil, fmt.Errorf("the file %s/%s is not named as a checkpoint is", folder,
				e.Name())
		}
		size, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the file %s/%s is not named as a checkpoint is", folder,
				e.Name())
		}
		all = append(all, seenFile{folder, e.Name(), size, parts[1], parts[2]})
	}
	return all, err
}

// SeenAt returns when a checkpoint that is remembered came by the last time, by the clock of this
// machine, and false where that is not known.
func (m Memory) SeenAt(c Checkpoint) (at time.Time, ok bool) {
	origin := events.Origin(c.Origin)
	for _, folder := range []string{comparedFolder, waitingFolder} {
		files, err := m.listSeen(origin, folder)
		if err != nil {
			continue // who reads what is in it is told
		}
		for _, f := range files {
			if f.size != c.N || f.root != fmt.Sprintf("%x", c.Hash[:]) {
				continue
			}
			info, err := os.Stat(filepath.Join(m.folder(origin), folder, f.name))
			if err == nil && info.ModTime().After(at) {
				at, ok = info.ModTime(), true
			}
		}
	}
	return at, ok
}

// openSeen reads a checkpoint that one of the keys has signed; false when none of them is the key
// that its name tells, or when another run has just moved it.
func (m Memory) openSeen(origin events.Origin, f seenFile, keys []string) (c Checkpoint, ok bool,
	err error) {
	i := slices.IndexFunc(keys, func(key string) bool { return keyHash(key) == f.key })
	if i < 0 {
		return c, false, nil
	}
	signed, err := os.ReadFile(filepath.Join(m.folder(origin), f.folder, f.name))
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err == nil {
		c, err = OpenCheckpoint(signed, keys[i])
	}
	if err == nil && nameSeen(c, keys[i]) != f.name {
		err = errors.New("it is not the one that its name tells")
	}
	if err != nil {
		return c, false, fmt.Errorf("the file %s/%s: %w", f.folder, f.name, err)
	}
	return c, true, nil
}

// seenIn reads the checkpoints of a folder that one of the keys has signed.
func (m Memory) seenIn(origin events.Origin, folder string, keys []string) ([]Checkpoint, error) {
	files, err := m.listSeen(origin, folder)
	if err != nil {
		return nil, err
	}
	var all []Checkpoint
	for _, f := range files {
		c, ok, err := m.openSeen(origin, f, keys)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, c)
		}
	}
	return all, nil
}

// Compared returns the checkpoints that are remembered of a ledger, that one of the keys has
// signed, and that were compared. It reads and verifies up to 1,000 files.
func (m Memory) Compared(origin events.Origin, keys ...string) ([]Checkpoint, error) {
	if !origin.Valid() {
		return nil, nil
	}
	all, err := m.seenIn(origin, comparedFolder, keys)
	if err != nil {
		return nil, m.altered(origin, err)
	}
	return all, nil
}

// Hold holds a checkpoint that came from somewhere else than a server against all that is
// remembered of its ledger, and remembers it. The key, in the text form of C2SP signed-note, has
// signed it, and need not be trusted: then it is held against what the same key has signed. The
// answer is [Same] or [NotCompared].
//
// The error is an *[OtherHistory] when another tree of the same size is remembered. It is of kind
// Unavailable when [MaxWaiting] checkpoints wait already.
func (m Memory) Hold(c Checkpoint, key string) (string, error) {
	origin := events.Origin(c.Origin)
	known, err := m.Of(origin)
	if err != nil || c.N == 0 {
		return Same, err
	}
	keys := []string{key}
	if slices.Contains(known.Keys, key) {
		keys = known.Keys
		for _, seen := range known.By {
			if seen.N == c.N && seen.Hash == c.Hash {
				return Same, nil
			}
		}
	} else {
		known.By = nil // of keys that have nothing to do with this one
	}
	same, err := m.againstEqual(c, known, keys)
	if err != nil || same {
		return Same, err
	}
	waiting, err := m.listSeen(origin, waitingFolder)
	if err != nil {
		return "", m.altered(origin, err)
	}
	name := nameSeen(c, key)
	if !slices.ContainsFunc(waiting, func(f seenFile) bool { return f.name == name }) {
		if len(waiting) >= MaxWaiting {
			return "", problem.New(problem.Unavailable,
				"%d checkpoints of the ledger %s wait to be compared, and no more are kept",
				len(waiting), c.Origin).WithHint("have them compared by a server of the ledger, " +
				"with: muster checkpoint --url URL")
		}
		if err := m.writeIn(origin, waitingFolder, name, c.Signed); err != nil {
			return "", err
		}
	}
	// Another run may have written a tree of this size meanwhile: one of the two reads the other's.
	_, err = m.againstEqual(c, known, keys)
	return NotCompared, err
}

// againstEqual holds a checkpoint against those of the same size, and reports whether it is one
// that was compared before.
func (m Memory) againstEqual(c Checkpoint, known Known, keys []string) (same bool, err error) {
	for _, seen := range known.By {
		if seen.N == c.N && seen.Hash != c.Hash {
			return false, otherOfSize(seen, c)
		}
	}
	origin := events.Origin(c.Origin)
	for _, folder := range []string{comparedFolder, waitingFolder} {
		files, err := m.listSeen(origin, folder)
		if err != nil {
			return false, m.altered(origin, err)
		}
		for _, f := range files {
			if f.size != c.N {
				continue
			}
			seen, ok, err := m.openSeen(origin, f, keys)
			switch {
			case err != nil:
				return false, m.altered(origin, err)
			case ok && seen.Hash != c.Hash:
				return false, otherOfSize(seen, c)
			}
			same = same || ok && folder == comparedFolder
		}
	}
	return same, nil
}

func otherOfSize(seen, shown Checkpoint) *OtherHistory {
	return &OtherHistory{Seen: seen, Shown: shown, What: fmt.Sprintf(
		"of the same %d records it shows the root %s, and it was %s", shown.N, shown.Hash,
		seen.Hash)}
}

// CheckExtended makes sure that the tree of next goes on from every one that is known and not
// larger, and that the key of next has signed for no larger one. It is [CheckExtends] for each of
// them, and reads no tile twice. That next is an older state is told where nothing else is wrong,
// of the largest that was seen; when one larger tree could not be compared, no other one is tried.
func (k Known) CheckExtended(ctx context.Context, next Checkpoint, fetch Fetcher) error {
	all := slices.Concat(slices.Collect(maps.Values(k.By)), k.Waiting)
	done := map[tlog.Tree]bool{}
	fetch = once(fetch)
	var older *OlderState
	for _, c := range all {
		if c.N > next.N && c.By != next.By || done[c.Tree] {
			continue
		}
		done[c.Tree] = true
		if c.N > next.N && older != nil && older.NotCompared != nil {
			older = older.orLarger(&OlderState{c, next, older.NotCompared})
			continue
		}
		err := CheckExtends(ctx, c, next, fetch)
		var less *OlderState
		if errors.As(err, &less) {
			older = older.orLarger(less)
		} else if err != nil {
			return err
		}
	}
	if older != nil {
		return older
	}
	return nil
}

// once keeps what was read. It is for one comparison, and not for concurrent use.
func once(fetch Fetcher) Fetcher {
	kept := map[string][]byte{}
	return func(ctx context.Context, path string) ([]byte, error) {
		if data, ok := kept[path]; ok {
			return data, nil
		}
		data, err := fetch(ctx, path)
		if err == nil {
			kept[path] = data
		}
		return data, err
	}
}

// Saw remembers a checkpoint that was verified and goes on from all that was known, as
// [Known.CheckExtended] or a verification of all records shows. Where another run has seen
// something else meanwhile, it waits to be compared. The error is an *[OtherHistory] when that is
// another tree of the same size.
func (m Memory) Saw(next Checkpoint, known Known) error {
	origin := events.Origin(next.Origin)
	now, err := m.Of(origin)
	if err != nil || next.N == 0 {
		return err
	}
	key := ""
	for _, k := range now.Keys {
		if _, err := OpenCheckpoint(next.Signed, k); err == nil {
			key = k
		}
	}
	if key == "" {
		return problem.New(problem.Invalid, "the key %s is not among those that are trusted",
			next.By)
	}
	for _, seen := range now.By {
		was, ok := known.By[seen.By]
		if seen.Tree != next.Tree && (!ok || was.Tree != seen.Tree) {
			_, err := m.Hold(next, key)
			return err
		}
	}
	if _, err := m.againstEqual(next, now, now.Keys); err != nil {
		return err
	}
	if err := m.writeIn(origin, comparedFolder, nameSeen(next, key), next.Signed); err != nil {
		return err
	}
	if err := m.settle(origin, next, known.Waiting); err != nil {
		return err
	}
	if now.By[next.By].N >= next.N {
		return nil
	}
	return m.write(origin, checkpointFile(next.By), next.Signed)
}

// settle moves what waited and is of the history of next, and forgets the smallest where there
// are too many.
func (m Memory) settle(origin events.Origin, next Checkpoint, waited []Checkpoint) error {
	files, err := m.listSeen(origin, waitingFolder)
	if err != nil {
		return m.altered(origin, err)
	}
	for _, f := range files {
		for _, c := range waited {
			if c.N > next.N || f.size != c.N || f.root != fmt.Sprintf("%x", c.Hash[:]) {
				continue
			}
			err := os.Rename(filepath.Join(m.folder(origin), waitingFolder, f.name),
				filepath.Join(m.folder(origin), comparedFolder, f.name))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			break
		}
	}
	files, err = m.listSeen(origin, comparedFolder)
	for i := 0; err == nil && i < len(files)-maxCompared; i++ {
		err = os.Remove(filepath.Join(m.folder(origin), comparedFolder, files[i].name))
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	return err
}
