package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"muster/cmd/internal/server"
	"muster/events/problem"
)

// Restore makes a data folder of a backup: of the folder that has it, or else of a tar. The data
// folder is made, or must be empty. The files get their places in it when they are what the
// manifest says, and verify; the error is a problem, of kind Unverified where they do not. Then,
// and when ctx ends, nothing is left of them. What a kill leaves, no server starts on.
func Restore(ctx context.Context, folder string, tar io.Reader, data string, o Options) (
	Manifest, error) {
	isNew, err := makeEmpty(data)
	if err != nil {
		return Manifest{}, err
	}
	unfinished := filepath.Join(data, server.RestoringFolder)
	m, err := restore(ctx, folder, tar, unfinished, o)
	if err == nil {
		err = finish(unfinished, data, m)
	}
	if err != nil {
		_ = os.RemoveAll(unfinished) // a server refuses the folder where that fails
		if isNew {
			_ = os.Remove(data)
		}
	}
	return m, restoring(err)
}

// restoring makes an error of the system a problem.
func restoring(err error) error {
	if err == nil || problem.Of(err) != nil {
		return err
	}
	return problem.New(problem.Unavailable, "the backup cannot be restored: %w", err).
		WithHint("nothing is left of it in the data folder, and the backup is as it was")
}

// makeEmpty makes the data folder, and in it the one in which all is prepared.
func makeEmpty(data string) (isNew bool, err error) {
	err = os.Mkdir(data, 0o700)
	isNew = err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, problem.New(problem.NotFound, "the data folder: %w", err).
			WithHint("name a folder in one that is there, and that you may write to")
	}
	there, err := os.ReadDir(data)
	if err != nil {
		return isNew, err
	}
	isFull := slices.ContainsFunc(there, func(e fs.DirEntry) bool { return e.Name() != lostFound })
	if isFull && there[0].Name() == server.RestoringFolder && len(there) == 1 {
		return false, problem.New(problem.Conflict,
			"another backup is being restored into %s, or that broke off", data).
			WithHint("where it broke off, remove the folder, and restore again")
	}
	if isFull {
		return false, problem.New(problem.Conflict,
			"the folder %s is not empty, and a backup is never written over a ledger", data).
			WithHint("name a new folder; what is in this one may be newer than the backup, and " +
				"is needed if the backup lacks records: keep it")
	}
	return isNew, os.Mkdir(filepath.Join(data, server.RestoringFolder), 0o700)
}

// lostFound is in the root of a new file system, and of no ledger.
const lostFound = "lost+found"

// restore brings the files of a backup into an empty folder, and verifies them.
func restore(ctx context.Context, folder string, tar io.Reader, dir string, o Options) (
	m Manifest, err error) {
	if folder != "" {
		err = copyFolder(folder, dir)
	} else if err = unpack(tar, dir, isOfBackup); err != nil && !isOfDisk(err) {
		err = altered("it is no whole tar of one: %w", err)
	}
	if err != nil {
		return m, err
	}
	if m, err = ReadManifest(dir); err != nil {
		return m, err
	}
	if err := m.check(dir); err != nil {
		return m, err
	}
	r, err := o.Verify(ctx, dir, m.CheckpointKey)
	switch {
	case err != nil:
		return m, err
	case !r.OK:
		return m, altered("%s", r.Fault)
	case r.Records != m.Records || r.Root != m.Root || r.Origin != m.Ledger:
		return m, altered("it holds %d records of the ledger %s with the root %s, and says that "+
			"it has %d of %s with %s", r.Records, r.Origin, r.Root, m.Records, m.Ledger, m.Root)
	}
	return m, nil
}

func isOfBackup(name string) bool { return slices.Contains(names, name) }

// copyFolder copies the files of a backup, and what else is in its folder is not left unsaid.
func copyFolder(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !isOfBackup(e.Name()) || !e.Type().IsRegular() {
			return problem.New(problem.Conflict, "%s has %s in it, which no backup has", from,
				e.Name()).
				WithHint("give the folder that the backup was made in; if a server has run on " +
					"it since, it is a data folder itself")
		}
		if err := copyFile(from, to, e.Name()); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to, name string) error {
	f, err := os.Open(filepath.Join(from, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return create(to, name, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

// finish gives the files their places in the data folder. While the folder is there from which they
// come, no server starts.
func finish(unfinished, data string, m Manifest) error {
	for _, f := range m.Files {
		if err := os.Rename(filepath.Join(unfinished, f.Name),
			filepath.Join(data, f.Name)); err != nil {
			return err
		}
	}
	if err := syncFolder(data); err != nil {
		return err
	}
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	return errors.Join(syncFolder(data), syncFolder(filepath.Dir(data)))
}
