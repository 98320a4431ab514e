package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"muster/events/problem"
)

// A place is where something lies in the data folder that is not the journal's.
type place struct {
	name   string
	what   string
	folder bool
	remedy string // where something else is in its place
}

const (
	madeAnew = "it holds nothing that the journal does not: move away what is there, and the " +
		"server makes it anew"
	putBackFromJournal = "move away what is there, and leave journal.db: the server makes the " +
		"folder anew and puts every record back into the stream"
)

var places = []place{
	{StateFile, "the saved state of the ledger", false, madeAnew},
	{ProjectionsFile, "the saved projections", false, madeAnew},
	{ViewsFolder, "the saved views", true, madeAnew},
	{FeedsFile, "the file of the feeds' hashes", false, "move away what is there: the feeds in " +
		"it end, and whoever needs one makes another"},
	{HooksFile, "the file of how far the hooks are", false, "move away what is there: each hook " +
		"goes on with the next record, and what it has not been told of by then is in the log"},
	{AddressFile, "the file with this server's address", false,
		"move away what is there: the server writes its address anew at each start"},
	{AddressCertificateFile, "the file with this server's certificate", false,
		"move away what is there: the server writes it anew at each start"},
}

// checkPlaces makes sure that all can be written that the server writes in its folder, before
// anything is begun that may take long. What is not there, it makes.
func (s *Server) checkPlaces() error {
	all := places
	if !s.cfg.NATS.Given() {
		all = append(all[:len(all):len(all)], place{NATSFolder, "the folder of the embedded NATS " +
			"server", true, putBackFromJournal})
	}
	for _, p := range all {
		if err := p.check(filepath.Join(s.cfg.Dir, p.name)); err != nil {
			return err
		}
	}
	return nil
}

func (p place) check(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && info.IsDir() != p.folder:
		is, should := "a file", "a folder"
		if info.IsDir() {
			is, should = should, is
		}
		return problem.New(problem.Unavailable, "%s, %s, must be %s, and %s is there", path, p.what,
			should, is).WithHint("%s", p.remedy)
	case err == nil && p.folder:
		err = writableFolder(path)
	case err == nil:
		err = writableFile(path)
	}
	if err != nil {
		return problem.New(problem.Unavailable, "%s cannot be used: %w", p.what, err).
			WithHint("%s", letWrite(path))
	}
	return nil
}

func letWrite(path string) string {
	return fmt.Sprintf("let the user who runs the server read and write %s: look at its owner "+
		"and its rights, and whether the disk is mounted to be read only", path)
}

// writableFile reports why a file cannot be opened to be written; it is not.
func writableFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// writableFolder reports why no file can be made in a folder. That a disk is full is no reason: it
// may have space again.
func writableFolder(path string) error {
	f, err := os.CreateTemp(path, ".writable")
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return err
	}
	if err != nil {
		return nil
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
