// Package backup makes copies of a data folder that can be relied on, beside a running server too,
// and data folders of such copies.
//
// A backup is a folder, or the same files in this order as a tar:
//
//	journal.db      all records, in one file that needs no tail, and that says that it is a copy
//	peers.json      of a server on a cluster, the other servers, which are to be heard first
//	founder.key     the secret keys, where they were asked for
//	checkpoint.key
//	backup.json     what the others are (a [Manifest]): without it, it is no backup
//
// It is made under another name, and gets its own when all of it was written, verified and is on
// the disk. So does what is restored.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
)

// ManifestFile is the name of the file that says what a backup is.
const ManifestFile = "backup.json"

// form is the version of a backup's form.
const form = 1

// A Manifest says what a backup is. Its JSON members are added to, never renamed.
type Manifest struct {
	Form    int           `json:"form"`
	Ledger  events.Origin `json:"ledger"`
	Records uint64        `json:"records"`
	// Root is that of the Merkle tree over the records, in base 64.
	Root string `json:"root"`
	// Checkpoint is the last one that the server had signed, as it was signed; "" for none.
	Checkpoint string `json:"checkpoint,omitempty"`
	// CheckpointKey is the public key of the server, as the backup itself says; "" for none.
	CheckpointKey string `json:"checkpoint_key,omitempty"`
	// Taken is when the copy was made, by the clock of the machine.
	Taken time.Time `json:"taken"`
	// By is the version of the program that has made it.
	By string `json:"by"`
	// Secrets are the files that are to be kept secret.
	Secrets []string `json:"secrets"`
	Files   []File   `json:"files"`
}

// A File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// secrets are the secret keys of a data folder.
var secrets = []string{server.FounderFile, server.CheckpointKeyFile}

// names are all files that a backup can have.
var names = append(append([]string{server.JournalFile, server.PeersFile}, secrets...),
	ManifestFile)

// fileOf reads a file in a folder to its end.
func fileOf(dir, name string) (File, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return File{name, n, hex.EncodeToString(sum.Sum(nil))}, err
}

// write writes the manifest into its folder.
func (m Manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(dir, ManifestFile), 0o600, append(data, '\n'))
}

// ReadManifest reads what the backup in a folder says of itself. A folder without a manifest is a
// problem of kind NotFound.
func ReadManifest(dir string) (m Manifest, err error) {
	data, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return m, problem.New(problem.NotFound,
			"this is no backup, or not all of one: it has no %s", ManifestFile).
			WithHint("make a backup with: muster backup DIR; files that were copied by hand " +
				"while no server ran can be used in a data folder as they are")
	}
	if err != nil {
		return m, err
	}
	decode := json.NewDecoder(bytes.NewReader(data))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&m); err != nil {
		return m, altered("%s cannot be read: %w", ManifestFile, err)
	}
	if m.Form != form {
		return m, problem.New(problem.Unavailable,
			"the backup has the form %d, and this program reads %d", m.Form, form).
			WithHint("use the version of muster that has made it: %s", m.By)
	}
	return m, nil
}

// check holds the files in a folder against what the manifest says of them.
func (m Manifest) check(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) != len(m.Files)+1 {
		return altered("it has %d files, and should have %d", len(entries), len(m.Files)+1)
	}
	for _, want := range m.Files {
		got, err := fileOf(dir, want.Name)
		if err != nil {
			return altered("%w", err)
		}
		if got != want {
			return altered("%s is not what was written then", want.Name)
		}
	}
	return nil
}

func altered(format string, args ...any) error {
	return problem.New(problem.Unverified, "the backup was altered or is damaged: %w",
		fmt.Errorf(format, args...)).
		WithHint("keep it to find out what happened, and take another one")
}
