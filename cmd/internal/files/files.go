// Package files writes the files that others rely on, and keys in files: what a server and the
// commands beside it have in common.
//
// Such a file is written beside its place, under a name that is not there yet, and gets its own
// name when it is whole and on the disk. So a reader never meets half of one, and what somebody
// else has put in the place, such as a symbolic link, is not written through.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Replace writes a file in the place of what is there, if anything is.
func Replace(path string, mode fs.FileMode, data []byte) error {
	return create(path, mode, os.Rename, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// ReplaceWith is Replace for a file that write fills, and that only its owner may read.
func ReplaceWith(path string, write func(io.Writer) error) error {
	return create(path, 0o600, os.Rename, write)
}

// create lets write fill a file and has put give it its name: os.Rename takes the place of what is
// there, os.Link refuses.
func create(
	path string, mode fs.FileMode, put func(from, to string) error, write func(io.Writer) error,
) error {
	// Made with O_EXCL, and with the mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it has another name by then
	if err = write(f); err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return put(f.Name(), path)
}

// Exposed says which rights others than the owner have on a file or folder that they should have
// none on, and the remedy; it returns "" when they have none, when nothing is there, and where the
// system has no such rights.
func Exposed(path string) string {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" {
		return ""
	}
	what, mode := "", "600"
	switch perm := info.Mode().Perm(); {
	case perm&0o066 == 0:
		return ""
	case perm&0o022 == 0:
		what = "read"
	case perm&0o044 == 0:
		what = "write"
	default:
		what = "read and write"
	}
	if info.IsDir() {
		mode = "700"
	}
	return fmt.Sprintf("others than the owner may %s %s: chmod %s %s", what, path, mode, path)
}
