package projector

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"muster/projections"
)

// snapshotPath is where the snapshot of a store lies. The store has the rows since then.
func snapshotPath(path string) string { return path + ".snapshot" }

// A savedSnapshot is a snapshot in a file, which it needs until its picture was read.
type savedSnapshot struct {
	*projections.Snapshot
	file *os.File
}

// openSnapshot opens a snapshot, and reads of what it says only how far it goes.
func openSnapshot(path string) (s savedSnapshot, err error) {
	if s.file, err = os.Open(path); err != nil {
		return s, err
	}
	info, err := s.file.Stat()
	if err == nil {
		s.Snapshot, err = projections.OpenSnapshot(s.file, info.Size())
	}
	if err != nil {
		return s, errors.Join(err, s.file.Close())
	}
	return s, nil
}

// writeSnapshot writes a picture, with the leaf of its last record, in a file that is there as a
// whole or not at all.
func writeSnapshot(path string, leaf [sha256.Size]byte, p *projections.Picture) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it has another name by then
	if err = errors.Join(p.WriteSnapshot(f, leaf), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("saving a snapshot of the projections: %w", err)
	}
	return nil
}
