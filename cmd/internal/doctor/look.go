package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/control"
	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/journal"
)

// Look gathers what the checks look at, of a data folder and the server that runs there, if one
// does. It writes a small file into the folder some times, and takes that away. The error is a
// problem of kind NotFound where the folder is none of a server.
func Look(ctx context.Context, dir string, backupWithin time.Duration) (*Facts, error) {
	path := filepath.Join(dir, server.JournalFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.NotFound, "the folder %s is not a server's: it has no %s",
			dir, server.JournalFile).
			WithHint("name the data folder with --data")
	}
	f := &Facts{Dir: dir, Now: time.Now(), BackupWithin: backupWithin}
	st, err := server.AskState(ctx, dir)
	switch {
	case err == nil:
		f.Server = &st
		f.lookAtAddresses(ctx)
	case control.NobodyListens(err):
		f.lookAtStopped(path)
	default:
		f.NoAnswer = err
	}
	f.lookAtFiles()
	f.Disk, f.Speed = diskOf(dir), speedOf(dir)
	f.Backup, f.HasBackup, f.BackupErr = backup.ReadLast(dir)
	return f, nil
}

// dialTime is how long an address of this machine may take to answer.
const dialTime = 3 * time.Second

func (f *Facts) lookAtAddresses(ctx context.Context) {
	f.Closed = map[string]string{}
	for _, address := range []string{f.Server.URL, f.Server.NATS} {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err == nil {
			var conn net.Conn
			dialer := net.Dialer{Timeout: dialTime}
			if conn, err = dialer.DialContext(ctx, "tcp", u.Host); err == nil {
				err = conn.Close()
			}
		}
		if err != nil {
			f.Closed[address] = err.Error()
		}
	}
}

func (f *Facts) lookAtStopped(path string) {
	j, err := journal.OpenReadOnly(path)
	if errors.Is(err, journal.ErrInUse) {
		f.NoAnswer = err
		return
	}
	f.Stopped = &Stopped{Err: err}
	if err != nil {
		return
	}
	defer func() { _ = j.Close() }() // it was only read
	s := f.Stopped
	s.Records = j.Last()
	s.Copied, s.IsCopy = j.Copied()
	if s.Records == 0 {
		return
	}
	first, err1 := j.Record(1)
	last, err2 := j.Record(s.Records)
	s.First, s.Last, s.Err = first.Recorded, last.Recorded, errors.Join(err1, err2)
}

func (f *Facts) lookAtFiles() {
	for _, name := range []string{"", server.FounderFile, server.CheckpointKeyFile} {
		if warning := files.Exposed(filepath.Join(f.Dir, name)); warning != "" {
			f.Exposed = append(f.Exposed, warning)
		}
	}
	_, err := os.Stat(filepath.Join(f.Dir, server.CheckpointKeyFile))
	f.NoKey = errors.Is(err, fs.ErrNotExist)
	// The folder may be a link, as systemd makes one for a user of its own (DynamicUser): whose
	// that is says nothing.
	owner, known := ownerOf(f.Dir + string(filepath.Separator) + ".")
	entries, err := os.ReadDir(f.Dir)
	if err != nil || !known {
		return
	}
	for _, e := range entries {
		is, known := ownerOf(filepath.Join(f.Dir, e.Name()))
		if known && is != owner && e.Name() != server.BackupFile {
			f.Foreign = append(f.Foreign, e.Name())
		}
	}
}

// How the speed of the disk is measured: as often as this, so much as a small commit has.
const (
	writes    = 32
	writeSize = 1 << 10
)

// speedOf measures how long small writes take to come to the disk, appended as commits are.
func speedOf(dir string) Speed {
	f, err := os.CreateTemp(dir, ".doctor")
	if err != nil {
		return Speed{Err: err}
	}
	defer func() { _ = os.Remove(f.Name()) }()
	defer f.Close()
	data, took := make([]byte, writeSize), make([]time.Duration, writes)
	for i := range took {
		begun := time.Now()
		if _, err := f.Write(data); err != nil {
			return Speed{Err: err}
		}
		if err := syncData(f); err != nil {
			return Speed{Err: err}
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return Speed{Writes: writes, Middle: took[writes/2], Slowest: took[writes-1]}
}
