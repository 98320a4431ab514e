package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"muster/cmd/internal/files"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof"
)

// openCheckpoints begins to sign checkpoints, with the server's key, which is made at the first
// start. From then on each commit signs.
func (s *Server) openCheckpoints() (err error) {
	path := filepath.Join(s.cfg.Dir, CheckpointKeyFile)
	secret, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		secret, err = s.makeCheckpointKey(path)
	}
	if problem.Of(err) != nil {
		return err
	}
	if err != nil {
		return problem.New(problem.Unavailable, "the checkpoint key %s cannot be read: %w", path,
			err).WithHint("let the user who runs the server read it; if it is not this " +
			"server's key, put the right file back from a copy")
	}
	if s.signer, err = proof.NewCheckpointSigner(string(secret)); err != nil {
		return problem.New(problem.Invalid, "the file %s holds %w", path, err).
			WithHint("put the right file back from a copy")
	}
	if origin := s.Ledger.Origin(); s.signer.Origin() != origin {
		return problem.New(problem.Conflict, "the key in %s is for the ledger %s, and this is %s",
			path, s.signer.Origin(), origin).
			WithHint("put the right file back from a copy")
	}
	return s.Journal.SignCheckpoints(s.signer.Sign)
}

// makeCheckpointKey makes the key where there is none, and none is missing.
func (s *Server) makeCheckpointKey(path string) ([]byte, error) {
	if c, err := proof.ReadCheckpoint(s.Journal.Checkpoint()); err == nil &&
		!s.cfg.NewCheckpointKey {
		return nil, problem.New(problem.NotFound, "the checkpoint key %s is missing: "+
			"the journal's last checkpoint, of %d records, was signed with one", path, c.N).
			WithHint("put it back from a copy; if it is lost, or this folder is to be another " +
				"server's, start once with --new-checkpoint-key, and tell everybody the new key, " +
				"or they will not believe this server")
	}
	secret, err := proof.NewCheckpointKey(s.Ledger.Origin())
	if err != nil {
		return nil, err
	}
	if err := files.WriteSecret(path, secret+"\n"); err != nil {
		return nil, fmt.Errorf("writing the checkpoint key: %w", err)
	}
	return []byte(secret), nil
}

// publishCheckpoints publishes over NATS what is signed, until the server stops.
func (s *Server) publishCheckpoints() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		intake.PublishCheckpoints(ctx, s.telling, s.Journal, s.Journal.Wait, s.Journal.Last)
	}()
	s.onClose(func() error {
		stop()
		<-done
		return nil
	})
}
