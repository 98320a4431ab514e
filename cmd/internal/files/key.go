package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"muster/events"
	"muster/events/problem"
)

// NewKey makes an event key of this name, and writes the secret to a new file that only its owner
// may read. A file that is there already is a problem.Conflict, and stays as it is.
func NewKey(name, file string) (events.Key, error) {
	secret, public, err := events.NewKey(name)
	if err != nil {
		return "", problem.New(problem.Invalid, "%w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return "", problem.New(problem.Conflict,
			"the file %s is there already, and a key is never written over", file).
			WithHint("name another with --file")
	}
	if err != nil {
		return "", fmt.Errorf("writing the key: %w", err)
	}
	_, err = f.WriteString(secret + "\n")
	return public, errors.Join(err, f.Sync(), f.Close())
}

// ReadKey reads the secret of an event key, to sign with.
func ReadKey(path string) (*events.Signer, error) {
	secret, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, problem.New(problem.NotFound, "the key file %s is not there", path).
			WithHint("make a key with: muster key new NAME")
	}
	if err != nil {
		return nil, problem.New(problem.Usage, "reading the key: %w", err)
	}
	s, err := events.NewSigner(string(secret))
	if err != nil {
		return nil, problem.New(problem.Invalid, "the file %s holds %w", path, err)
	}
	return s, nil
}

// WriteSecret writes a new file as a whole, or not at all, and returns when it is on the disk. Only
// its owner may read it. Where a file is there already, it fails.
func WriteSecret(path, text string) error {
	// Unlike a renaming, a link never writes over a key.
	err := create(path, 0o600, os.Link, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
