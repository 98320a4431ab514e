package proof

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/events"
	"muster/events/problem"
)

// A Remembered is what a [Memory] has of one ledger, for people.
type Remembered struct {
	Origin events.Origin
	Known
	// Evidence are the files of checkpoints that could not both be true.
	Evidence []string
	// Damage is why what is remembered cannot be used, nil where it can.
	Damage error
}

// policyFile has the witnesses of a ledger, and how many are asked for (C2SP tlog-policy).
const policyFile = "policy"

// Policy returns the file of the policy that is remembered of a ledger, "" where none is, and where
// the folder cannot be entered: nothing that is remembered can be used then, as [Memory.Of] says.
func (m Memory) Policy(origin events.Origin) string {
	file := filepath.Join(m.folder(origin), policyFile)
	if _, err := os.Stat(file); !origin.Valid() || err != nil {
		return ""
	}
	return file
}

// KeepPolicy remembers the text of a policy, in the place of any before.
func (m Memory) KeepPolicy(origin events.Origin, text []byte) error {
	return m.write(origin, policyFile, text)
}

// All returns what is remembered of every ledger, by their names. A ledger of which a file is not
// what it should be is among them, with its damage. It verifies every signature that is kept of the
// last checkpoints, and of those that wait.
func (m Memory) All() ([]Remembered, error) {
	folders, err := os.ReadDir(m.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var all []Remembered
	for _, f := range folders {
		origin := events.Origin(strings.NewReplacer("%2F", "/", "%3A", ":").Replace(f.Name()))
		if !f.IsDir() || !origin.Valid() || filepath.Base(m.folder(origin)) != f.Name() {
			continue
		}
		r := Remembered{Origin: origin}
		r.Known, r.Damage = m.Of(origin)
		found, globErr := filepath.Glob(filepath.Join(escaped(m.folder(origin)),
			evidencePrefix+"*.checkpoint"))
		r.Evidence = found
		err = errors.Join(err, globErr)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Remembered) int {
		return strings.Compare(string(a.Origin), string(b.Origin))
	})
	return all, err
}

// escaped is a path as a pattern that only it matches.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// Distrust takes a key off those that are trusted. What it has signed and was seen is kept: should
// it be trusted again, its checkpoints must go on from that. The error is of kind NotFound when the
// key is not among them.
func (m Memory) Distrust(key string) error {
	v, err := CheckpointVerifier(key)
	if err != nil {
		return err
	}
	origin := events.Origin(v.Name())
	known, err := m.Of(origin)
	if err != nil {
		return err
	}
	i := slices.Index(known.Keys, strings.TrimSpace(key))
	if i < 0 {
		return problem.New(problem.NotFound, "the key %s is not among those that are trusted",
			KeyID(v)).WithHint("see: muster trust list")
	}
	rest := slices.Delete(slices.Clone(known.Keys), i, i+1)
	return m.write(origin, keysFile, []byte(strings.Join(append(rest, ""), "\n")))
}

// SetAside moves all that is remembered of a ledger, with what is evidence, to a folder beside it
// that nothing reads, and returns that folder. The next contact with the ledger is the first. The
// error is of kind NotFound when nothing is remembered.
func (m Memory) SetAside(origin events.Origin, now time.Time) (string, error) {
	from := m.folder(origin)
	info, err := os.Stat(from)
	if !origin.Valid() || errors.Is(err, os.ErrNotExist) || err == nil && !info.IsDir() {
		return "", problem.New(problem.NotFound, "nothing is remembered of the ledger %.100q",
			string(origin)).WithHint("see: muster trust list")
	}
	if err != nil {
		return "", err
	}
	to := filepath.Join(m.Dir, ".removed", filepath.Base(from)+"-"+
		now.UTC().Format("20060102T150405.000000Z"))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	return to, os.Rename(from, to)
}
