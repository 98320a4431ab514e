package proof

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// A Memory is what a client keeps in a folder, from one run to the next: for each ledger a folder
// named after its origin (with %2F for a slash), with a file "keys" of the checkpoint keys that are
// trusted, one a line, and for each key the last checkpoint that was verified with it, as it was
// signed, in a file such as "1a2b3c4d.checkpoint", a file "first" with the hash of its first
// record, and, where there is one, a file "policy" with its witnesses. In "compared" and "waiting"
// are the checkpoints that came by, from servers and from elsewhere. Everything in it is text in
// standard forms, and may be edited.
type Memory struct{ Dir string }

// A Known is what a Memory has of one ledger.
type Known struct {
	// Keys are the trusted checkpoint keys, in the order in which they were learned.
	Keys []string
	// By has, for each key that has signed one, the last checkpoint that was verified.
	By map[string]Checkpoint
	// Waiting are the checkpoints that came from elsewhere, such as a receipt, and that nobody
	// has compared yet with those of By.
	Waiting []Checkpoint
	// First is the hash of the first record, as [First] returns it; "" when it is not known.
	First string
}

// Last returns the largest checkpoint that was verified, also one that waits, and false when there
// is none.
func (k Known) Last() (last Checkpoint, ok bool) { return k.largest("") }

// LastBy is [Known.Last] of one key, named as signatures do.
func (k Known) LastBy(key string) (last Checkpoint, ok bool) { return k.largest(key) }

func (k Known) largest(by string) (last Checkpoint, ok bool) {
	for _, c := range slices.Concat(slices.Collect(maps.Values(k.By)), k.Waiting) {
		if (by == "" || c.By == by) && (!ok || c.N > last.N) {
			last, ok = c, true
		}
	}
	return last, ok
}

// FolderOf is the folder of a ledger, which need not be there.
func (m Memory) FolderOf(origin events.Origin) string { return m.folder(origin) }

func (m Memory) folder(origin events.Origin) string {
	return filepath.Join(m.Dir, strings.NewReplacer("/", "%2F", ":", "%3A").Replace(string(origin)))
}

const (
	keysFile  = "keys"
	firstFile = "first"
)

// Of returns what is known of a ledger: nothing, when there is no folder. What waits and is signed
// with a key that is trusted or one of those that are given is part of it. A file that is not what
// it should be is an error, of kind Invalid: it is not passed over, for that would forget what was
// seen.
func (m Memory) Of(origin events.Origin, keys ...string) (Known, error) {
	k := Known{By: map[string]Checkpoint{}}
	if !origin.Valid() { // it comes from a server, and becomes the name of a folder
		return k, problem.New(problem.Invalid, "%.100q is no origin of a ledger", string(origin))
	}
	path := filepath.Join(m.folder(origin), keysFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return k, fmt.Errorf("the trusted keys: %w", err)
	}
	err = m.loadFirst(&k, origin)
	for key := range strings.Lines(string(text)) {
		if key = strings.TrimSpace(key); err == nil && key != "" && !slices.Contains(k.Keys, key) {
			err = m.load(&k, origin, key)
		}
	}
	if err == nil {
		k.Waiting, err = m.seenIn(origin, waitingFolder, append(slices.Clone(k.Keys), keys...))
	}
	if err != nil {
		return k, m.altered(origin, err)
	}
	return k, nil
}

// altered says that what is remembered is not what was written.
func (m Memory) altered(origin events.Origin, err error) error {
	return problem.New(problem.Invalid, "what is remembered of the ledger %s in %s: %w",
		origin, m.folder(origin), err).
		WithHint("look who has changed it, and put the folder back from a copy; to " +
			"begin anew with this ledger, move it away")
}

func (m Memory) load(k *Known, origin events.Origin, key string) error {
	v, err := CheckpointVerifier(key)
	if err != nil {
		return err
	}
	if v.Name() != string(origin) {
		return fmt.Errorf("the key %s is of another ledger", KeyID(v))
	}
	k.Keys = append(k.Keys, key)
	file := checkpointFile(KeyID(v))
	signed, err := os.ReadFile(filepath.Join(m.folder(origin), file))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := OpenCheckpoint(signed, key)
	if err != nil {
		return fmt.Errorf("the file %s: %w", file, err)
	}
	k.By[c.By] = c
	return nil
}

func (m Memory) loadFirst(k *Known, origin events.Origin) error {
	text, err := os.ReadFile(filepath.Join(m.folder(origin), firstFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		k.First = strings.TrimSpace(string(text))
		_, err = tlog.ParseHash(k.First)
	}
	if err != nil {
		return fmt.Errorf("the file %s: %w", firstFile, err)
	}
	return nil
}

// Began remembers the hash of a ledger's first record.
func (m Memory) Began(origin events.Origin, first string) error {
	return m.write(origin, firstFile, []byte(first+"\n"))
}

func checkpointFile(by string) string { return by[strings.LastIndex(by, "+")+1:] + ".checkpoint" }

// Trust adds a checkpoint key to those of its ledger.
func (m Memory) Trust(key string) error {
	v, err := CheckpointVerifier(key)
	if err != nil {
		return err
	}
	origin := events.Origin(v.Name())
	known, err := m.Of(origin)
	if err != nil || slices.Contains(known.Keys, key) {
		return err
	}
	return m.write(origin, keysFile, []byte(strings.Join(append(known.Keys, key), "\n")+"\n"))
}

// MaxEvidence is how many pairs of checkpoints of two histories are kept of a ledger.
const MaxEvidence = 100

// Evidence keeps the two checkpoints of another history in files that nothing else is ever written
// to, and returns their paths: beside what is remembered or, where that cannot be written, in the
// working folder. Two that are kept already stay where they are. It is an error when [MaxEvidence]
// others are.
func (m Memory) Evidence(e *OtherHistory, now time.Time) (seen, shown string, err error) {
	dirs := []string{m.folder(events.Origin(e.Seen.Origin)), "."}
	for _, dir := range dirs {
		kept, err := evidenceIn(dir)
		if err != nil {
			return "", "", err
		}
		for _, seen := range kept {
			shown := strings.TrimSuffix(seen, seenSuffix) + shownSuffix
			if holds(seen, e.Seen.Signed) && holds(shown, e.Shown.Signed) {
				return seen, shown, nil
			}
		}
		if len(kept) >= MaxEvidence {
			return "", "", fmt.Errorf("%d pairs of checkpoints are kept in %s already",
				len(kept), dir)
		}
	}
	for _, dir := range dirs {
		stem := filepath.Join(dir, evidencePrefix+now.UTC().Format("20060102T150405.000000Z"))
		seen, shown = stem+seenSuffix, stem+shownSuffix
		if err = errors.Join(writeNew(seen, e.Seen.Signed),
			writeNew(shown, e.Shown.Signed)); err == nil {
			return seen, shown, nil
		}
	}
	return "", "", err
}

// The names of files of evidence: "other-history-20261129T101500.000000Z-seen.checkpoint".
const (
	evidencePrefix = "other-history-"
	seenSuffix     = "-seen.checkpoint"
	shownSuffix    = "-shown.checkpoint"
)

// evidenceIn returns the first file of each pair in a folder.
func evidenceIn(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(escaped(dir), evidencePrefix+"*"+seenSuffix))
}

func holds(path string, data []byte) bool {
	kept, err := os.ReadFile(path)
	return err == nil && bytes.Equal(kept, data)
}

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// write replaces a file as a whole.
func (m Memory) write(origin events.Origin, name string, data []byte) error {
	return m.writeIn(origin, "", name, data)
}

// writeIn replaces a file of a folder in that of the ledger.
func (m Memory) writeIn(origin events.Origin, folder, name string, data []byte) error {
	dir := filepath.Join(m.folder(origin), folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
