package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/peers"
	"muster/ledger/proof"
)

// Options say how a backup is made, or restored.
type Options struct {
	// Verify verifies the records in a folder, as muster verify does. Key is the checkpoint key
	// that is claimed to be the ledger's, for who knows none; "" for none.
	Verify func(ctx context.Context, dir, key string) (proof.Report, error)
	// Keys has the secret keys copied.
	Keys bool
	// Version is the program's.
	Version string
}

// Make makes a backup of a data folder, and the folder to for it, which must not be there. Where a
// server runs on the data folder, the server is asked; it takes records meanwhile, and all that it
// has acknowledged before are in the backup. The error is a problem: of kind Unverified where the
// copy is not whole; then, and when ctx ends, nothing is left of it.
func Make(ctx context.Context, data, to string, o Options) (Manifest, error) {
	if _, err := os.Lstat(to); err == nil {
		return Manifest{}, problem.New(problem.Conflict,
			"%s is there already, and a backup is never written over", to).
			WithHint("name a folder that is not there yet, such as %s",
				filepath.Join(to, time.Now().UTC().Format("2006-01-02T1504")))
	}
	parent := filepath.Dir(filepath.Clean(to))
	partial, err := os.MkdirTemp(parent, "."+filepath.Base(to)+".partial-")
	if err != nil {
		return Manifest{}, problem.New(problem.NotFound, "the backup's folder: %w", err).
			WithHint("name a folder in one that is there, and that you may write to")
	}
	defer func() { _ = os.RemoveAll(partial) }() // it has another name by then
	m, err := fill(ctx, data, partial, o)
	if err == nil {
		err = errors.Join(syncFolder(partial), os.Rename(partial, to), syncFolder(parent))
	}
	return m, writing(err)
}

// writing makes an error of the system a problem.
func writing(err error) error {
	if err == nil || problem.Of(err) != nil {
		return err
	}
	return problem.New(problem.Unavailable, "the backup cannot be written: %w", err).
		WithHint("nothing is left of it; where space is short, name a folder on another disk")
}

// fill makes a backup in an empty folder.
func fill(ctx context.Context, data, dir string, o Options) (m Manifest, err error) {
	taken := time.Now().UTC().Truncate(time.Second)
	of, err := copyJournal(ctx, data, dir)
	if err != nil {
		return m, err
	}
	checkpoint, err := seal(dir, of, taken)
	if err != nil {
		return m, err
	}
	m = Manifest{Form: form, Checkpoint: string(checkpoint), Taken: taken, By: o.Version,
		Secrets: []string{}, CheckpointKey: keyIn(data)}
	also, err := copyPeers(data, dir)
	if err != nil {
		return m, err
	}
	if o.Keys {
		if m.Secrets, err = copySecrets(data, dir); err != nil {
			return m, err
		}
	}
	r, err := verified(ctx, dir, m.CheckpointKey, o)
	if err != nil {
		return m, err
	}
	m.Ledger, m.Records, m.Root = r.Origin, r.Records, r.Root
	for _, name := range slices.Concat([]string{server.JournalFile}, also, m.Secrets) {
		f, err := fileOf(dir, name)
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, f)
	}
	return m, m.write(dir)
}

// seal makes one file of the parts of a journal, as a start after a crash does, and has it say that
// it is a copy. It returns the last checkpoint that was signed.
func seal(dir string, of journalCopy, taken time.Time) (checkpoint []byte, err error) {
	j, err := journal.Open(filepath.Join(dir, server.JournalFile))
	if err == nil {
		copied := journal.Copied{Records: j.Last(), At: taken, NoTail: of.noTail}
		checkpoint, err = j.Checkpoint(), j.MarkCopy(copied)
		if tree := j.Tree(); err == nil && tree != of.tree {
			err = fmt.Errorf("it is of %d records, and was to be of %d", tree.N, of.tree.N)
		}
		err = errors.Join(err, j.Close())
	}
	if err != nil && isOfDisk(err) {
		return nil, err
	}
	if err != nil {
		return nil, problem.New(problem.Unverified,
			"the copy of the journal is not sound, and was thrown away: %w", err).
			WithHint("if it happens again, the journal itself is damaged: stop the server, " +
				"keep all files, and look with: muster verify DIR")
	}
	return checkpoint, nil
}

// isOfDisk reports whether the system has refused to write.
func isOfDisk(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// verified verifies the records in a folder, and what fails is a problem.
func verified(ctx context.Context, dir, key string, o Options) (proof.Report, error) {
	r, err := o.Verify(ctx, dir, key)
	if err == nil && !r.OK {
		err = problem.New(problem.Unverified, "the copy does not verify, and was thrown away: %s",
			r.Fault).
			WithHint("what it was made of does not verify either: keep all its files, and look " +
				"with: muster verify DIR")
	}
	return r, err
}

// keyIn is the public half of the checkpoint key in a data folder, "" where there is none.
func keyIn(data string) string {
	secret, err := os.ReadFile(filepath.Join(data, server.CheckpointKeyFile))
	if err != nil {
		return ""
	}
	key, err := proof.KeyOfSecret(string(secret))
	if err != nil {
		return ""
	}
	return key
}

// copySecrets copies the secret keys that a data folder has, and returns their names.
func copySecrets(data, dir string) (copied []string, err error) {
	for _, name := range secrets {
		secret, err := os.ReadFile(filepath.Join(data, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = files.WriteSecret(filepath.Join(dir, name), string(secret))
		}
		if err != nil {
			return nil, err
		}
		copied = append(copied, name)
	}
	if len(copied) == 0 {
		return nil, problem.New(problem.NotFound, "the folder %s holds no secret keys", data).
			WithHint("leave --keys out")
	}
	return copied, nil
}

// copyPeers copies which other servers there are, of a folder that knows some.
func copyPeers(data, dir string) (copied []string, err error) {
	path := filepath.Join(data, server.PeersFile)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	text, err := peers.ForBackup(path)
	if err == nil {
		err = files.Replace(filepath.Join(dir, server.PeersFile), 0o600, text)
	}
	return []string{server.PeersFile}, err
}

// A Last says of the last backup of a data folder when it was made, of how many records, and where.
type Last struct {
	Taken   time.Time `json:"taken"`
	Records uint64    `json:"records"`
	To      string    `json:"to"` // "-" for a tar
}

// Note leaves in a data folder that a backup was made.
func Note(data string, m Manifest, to string) error {
	text, err := json.Marshal(Last{m.Taken, m.Records, to})
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(data, server.BackupFile), 0o600, append(text, '\n'))
}

// ReadLast returns the last backup that was made of a data folder; false for none.
func ReadLast(data string) (l Last, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(data, server.BackupFile))
	if errors.Is(err, fs.ErrNotExist) {
		return l, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	return l, err == nil, err
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
