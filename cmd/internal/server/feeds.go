package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"muster/cmd/internal/files"
	"muster/events/problem"
	"muster/projections/access/feeds"
)

// openFeeds opens the feeds of the folder. A file of them that is not whole is set aside: they have
// ended then, and nothing else has.
func (s *Server) openFeeds() error {
	path := filepath.Join(s.cfg.Dir, FeedsFile)
	save := func(data []byte) error {
		return errors.Join(files.Replace(path, 0o600, data), syncFolder(s.cfg.Dir))
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.Unavailable, "the feeds of this server: %w", err).
			WithHint("%s", letWrite(path))
	}
	if warning := files.Exposed(path); err == nil && warning != "" {
		s.cfg.Log.Warn(warning)
	}
	s.Questions.Feeds, err = feeds.Open(data, s.Projector, save)
	if err == nil {
		return nil
	}
	aside := unusedName(path + ".damaged")
	s.cfg.Log.Error("the feeds of this server are damaged and were set aside: their addresses "+
		"have ended, and whoever needs one makes another", "file", aside, "error", err)
	if err := os.Rename(path, aside); err != nil {
		return problem.New(problem.Unavailable, "the feeds of this server: %w", err).
			WithHint("%s", letWrite(path))
	}
	s.Questions.Feeds, err = feeds.Open(nil, s.Projector, save)
	return err
}

// unusedName returns a path at which nothing is: the one that is asked for, or one with a number.
func unusedName(path string) string {
	free := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// syncFolder has the names in a folder written to the disk: what was revoked must not come back
// with the power.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
