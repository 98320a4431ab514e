package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
)

// found makes the first record when there is none: of the statement that the configuration has, or
// of one that is signed with the founder's key, which is made for it and lies in the folder.
func (s *Server) found(ctx context.Context) error {
	if s.Ledger.Origin() != "" {
		return s.checkOrigin()
	}
	if s.cfg.Founding != nil {
		_, err := s.Ledger.Submit(ctx, *s.cfg.Founding)
		return err
	}
	return s.foundWithKey(ctx)
}

func (s *Server) foundWithKey(ctx context.Context) error {
	path := filepath.Join(s.cfg.Dir, FounderFile)
	// A file without a key is of a first start that broke off before the key was written, and a key
	// without a ledger of one that broke off after it.
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	_, err := files.NewKey("HQ/founder", path)
	made := err == nil
	if err != nil && !problem.Is(err, problem.Conflict) {
		return err
	}
	signer, err := files.ReadKey(path)
	if err != nil {
		return err
	}
	origin := s.cfg.Origin
	if origin == "" {
		origin = events.Origin(fmt.Sprintf("muster.local/%08x", signer.KeyHash()))
	}
	signed, err := events.Sign(&events.LedgerFounded{
		Header: events.Header{Type: "ledger.founded", ID: events.NewID(), Ledger: origin},
		Title:  s.cfg.Title, Founder: signer.Key(),
	}, signer)
	if err != nil {
		return err
	}
	_, err = s.Ledger.Submit(ctx, signed)
	if s.Ledger.Origin() != "" && problem.Is(err, problem.Conflict) { // another server was faster
		if made {
			err = os.Remove(path)
		}
		return errors.Join(err, s.checkOrigin())
	}
	return err
}

// checkOrigin refuses a ledger of another name than the server was told.
func (s *Server) checkOrigin() error {
	if o := s.Ledger.Origin(); s.cfg.Origin != "" && s.cfg.Origin != o {
		return problem.New(problem.Conflict,
			"this ledger's origin is %s, and --origin says %s: a ledger keeps its name for ever",
			o, s.cfg.Origin).
			WithHint("leave --origin out, or use another data folder and stream")
	}
	return nil
}
