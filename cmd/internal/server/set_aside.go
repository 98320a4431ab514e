package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"muster/ledger/stream/filestore"
)

// damagedPrefix begins the names of the folders in which damaged streams are kept, in the data
// folder. The rest is when each was found, in UTC.
const damagedPrefix = NATSFolder + ".damaged-"

// damageFile is the file in such a folder that says what was wrong.
const damageFile = "damage.txt"

// dropIndex takes away what the NATS server makes anew from the blocks.
func (s *Server) dropIndex() error {
	err := os.Remove(s.indexFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Server) indexFile() string {
	return filepath.Join(s.streamStore().Dir, filepath.FromSlash(filestore.IndexFile))
}

// setIndexAside keeps a damaged index.
func (s *Server) setIndexAside(f finding) error {
	to, err := s.aside(f.what(), func(to string) error {
		return os.Rename(s.indexFile(), filepath.Join(to, filepath.Base(s.indexFile())))
	})
	if err == nil {
		s.cfg.Log.Error("the index of the stream was damaged: it was set aside, and is made anew "+
			"from the stream, which is whole", "what", f.what(), "kept", to)
	}
	return err
}

// setStreamAside keeps a damaged stream, and leaves none in its place.
func (s *Server) setStreamAside(f finding) error {
	to, err := s.aside(f.what(), func(to string) error { return moveAll(s.natsDir(), to) })
	if err != nil {
		return err
	}
	last := s.Journal.Last()
	s.cfg.Log.Error("the stream was damaged: it was set aside, and is made anew from the journal, "+
		"which is whole", "what", f.what(), "kept", to, "records", last)
	if f.known() > last {
		s.cfg.Log.Error("the damaged stream tells of records that the journal does not have: they "+
			"are given up", "from", last+1, "to", f.known(), "kept", to)
	}
	return nil
}

// aside has what is damaged moved into a new folder, in which it says what was wrong. The folder is
// in the data folder, or in that of the stream, where this is on another disk.
func (s *Server) aside(what error, move func(to string) error) (to string, err error) {
	for _, in := range []string{s.cfg.Dir, s.natsDir()} {
		if to, err = newAside(in, what); err == nil {
			err = move(to)
		}
		if !errors.Is(err, syscall.EXDEV) {
			break
		}
		err = errors.Join(err, os.RemoveAll(to)) // nothing was moved there
	}
	if err != nil {
		return "", fmt.Errorf("setting the damaged stream aside: %w", err)
	}
	return to, nil
}

// newAside makes a folder for what is damaged.
func newAside(in string, what error) (to string, err error) {
	name := damagedPrefix + time.Now().UTC().Format("20060102T150405Z")
	for n := 1; ; n++ {
		to = filepath.Join(in, name)
		if n > 1 {
			to = fmt.Sprintf("%s-%d", to, n)
		}
		err = os.Mkdir(to, 0o700)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	return to, os.WriteFile(filepath.Join(to, damageFile), []byte(what.Error()+"\n"), 0o600)
}

// moveAll moves what is in a folder, but for what was set aside before.
func moveAll(from, to string) error {
	entries, err := os.ReadDir(from)
	for _, e := range entries {
		if kept, _ := filepath.Match(damagedPrefix+"*", e.Name()); kept || err != nil {
			continue
		}
		err = os.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
	}
	return err
}
