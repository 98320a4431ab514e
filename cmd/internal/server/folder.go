package server

import (
	"os"
	"path/filepath"

	"muster/cmd/internal/files"
	"muster/events/problem"
)

// The files in a server's data folder.
const (
	FounderFile       = "founder.key"    // the founder's secret key, where the ledger was founded
	CheckpointKeyFile = "checkpoint.key" // the secret key with which the server signs checkpoints
	AddressFile       = "address"        // where the server that runs on the folder listens
	// AddressCertificateFile has the certificate that this server shows, if it speaks TLS.
	AddressCertificateFile = "address.pem"
	JournalFile            = "journal.db" // the second copy: package journal
	// What the write side saves, to read less of the journal.
	StateFile       = "ledger.state"
	ProjectionsFile = "projections.db" // saved projections: they can always be rebuilt
	ViewsFolder     = "views"          // the same of those who may not read all: likewise
	NATSFolder      = "nats"           // the embedded NATS server's
	PeersFile       = "peers.json"     // which other servers there are on a cluster: package peers
	// FeedsFile has the hashes of the tokens of feeds: package feeds.
	FeedsFile = "feeds.json"
	// HooksFile has how far the receivers of hooks are: package hooks.
	HooksFile = "hooks.json"
	// BackupFile says of the last backup of the folder when it was made, and where.
	BackupFile = "last-backup.json"
	// RestoringFolder is there while a backup is restored into the folder.
	RestoringFolder = "restoring"
)

// makeFolder makes the folder where there is none, and warns of what others may read or write.
func (s *Server) makeFolder() error {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return problem.New(problem.Usage, "the data folder: %w", err).
			WithHint("name another with --data")
	}
	if _, err := os.Lstat(filepath.Join(s.cfg.Dir, RestoringFolder)); err == nil {
		return problem.New(problem.Conflict,
			"a backup is being restored into %s, or that broke off", s.cfg.Dir).
			WithHint("wait for it; or, where it broke off, remove the folder and restore it "+
				"anew: muster restore BACKUP %s", s.cfg.Dir)
	}
	founder := filepath.Join(s.cfg.Dir, FounderFile)
	checkpoints := filepath.Join(s.cfg.Dir, CheckpointKeyFile)
	for _, path := range []string{s.cfg.Dir, founder, checkpoints} {
		if warning := files.Exposed(path); warning != "" {
			s.cfg.Log.Warn(warning)
		}
	}
	return nil
}
