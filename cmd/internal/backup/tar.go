package backup

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// WriteTar writes the backup in a folder as a tar, the manifest last.
func WriteTar(w io.Writer, dir string, m Manifest) error {
	out := tar.NewWriter(w)
	for _, f := range m.Files {
		if err := addFile(out, dir, f.Name); err != nil {
			return err
		}
	}
	return errors.Join(addFile(out, dir, ManifestFile), out.Close())
}

func addFile(out *tar.Writer, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := &tar.Header{Name: name, Size: info.Size(), Mode: 0o600, ModTime: info.ModTime()}
	if err := out.WriteHeader(head); err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	return err
}
