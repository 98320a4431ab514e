package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/cmd/internal/control"
	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/journal"
)

// A journalCopy is what was copied of a journal.
type journalCopy struct {
	tree   tlog.Tree
	noTail bool // it was a copy itself, and had no tail
}

// How long the server of a folder may neither answer nor let go of the journal: it is starting or
// stopping then.
const (
	between      = 10 * time.Second
	betweenPause = 200 * time.Millisecond
)

// copyJournal copies the parts of the journal in a data folder: from the server that runs on it, or
// from its files where none does.
func copyJournal(ctx context.Context, data, dir string) (of journalCopy, err error) {
	for until := time.Now().Add(between); ; {
		if of, err = askServer(ctx, data, dir); !control.NobodyListens(err) {
			return of, err
		}
		if of, err = copyStopped(data, dir); !errors.Is(err, journal.ErrInUse) {
			return of, err
		}
		if time.Now().After(until) {
			return of, problem.New(problem.Unavailable,
				"a server has %s open, and does not answer on %s", data, control.File).
				WithHint("if it is starting or stopping, try again in a moment; if its version " +
					"is one that makes no backups, stop it first")
		}
		select {
		case <-time.After(betweenPause):
		case <-ctx.Done():
			return of, ctx.Err()
		}
	}
}

// copyStopped copies the journal of a folder that no server runs on; none may start meanwhile.
func copyStopped(data, dir string) (of journalCopy, err error) {
	path := filepath.Join(data, server.JournalFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return of, problem.New(problem.NotFound, "the folder %s is not a server's: it has no %s",
			data, server.JournalFile)
	}
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		return of, err
	}
	defer func() { _ = j.Close() }() // it was only read
	s, err := j.Snapshot()
	if err != nil {
		return of, err
	}
	defer func() { _ = s.Close() }()
	copied, _ := j.Copied()
	of = journalCopy{s.Tree, copied.NoTail}
	for _, part := range s.Parts() {
		if err := create(dir, part.Name, part.Write); err != nil {
			return of, err
		}
	}
	return of, nil
}

// askServer has the server on a folder give its journal.
func askServer(ctx context.Context, data, dir string) (of journalCopy, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, control.URL+server.BackupPath, nil)
	if err != nil {
		return of, err
	}
	resp, err := control.Client(data).Do(req)
	if err != nil {
		return of, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // or a part of it
		return of, problem.Decode(resp.StatusCode, text)
	}
	if of.tree, err = treeIn(resp.Header); err != nil {
		return of, err
	}
	err = unpack(resp.Body, dir, func(name string) bool {
		return filepath.Base(name) == name // the owner's own server, to which all is left
	})
	if err != nil && !isOfDisk(err) {
		err = problem.New(problem.Unavailable, "what the server gives broke off: %w", err).
			WithHint("nothing is left of the backup: make it again; the server's log may say why")
	}
	return of, err
}

func treeIn(h http.Header) (tree tlog.Tree, err error) {
	n, err1 := strconv.ParseInt(h.Get(server.RecordsHeader), 10, 64)
	root, err2 := tlog.ParseHash(h.Get(server.RootHeader))
	return tlog.Tree{N: n, Hash: root}, errors.Join(err1, err2)
}

// unpack writes the files of a tar into a folder, those that may be there.
func unpack(from io.Reader, dir string, may func(name string) bool) error {
	for in := tar.NewReader(from); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if head.Typeflag != tar.TypeReg || !may(head.Name) {
			return fmt.Errorf("it has %q, which no backup has", head.Name)
		}
		if err := create(dir, head.Name, func(w io.Writer) error {
			_, err := io.Copy(w, in)
			return err
		}); err != nil {
			return err
		}
	}
}

// create makes a new file in a folder, lets write fill it, and returns when it is on the disk.
func create(dir, name string, write func(io.Writer) error) error {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	return errors.Join(err, f.Sync(), f.Close())
}
