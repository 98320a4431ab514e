package server

import (
	"path/filepath"

	"muster/events/problem"
	"muster/ledger/journal"
	"muster/projections/projector"
)

// The folder remembers in its saved projections how many records its journal once had. So when an
// older copy of the journal is put back, or it was moved away, and the stream has lost its end too,
// that is not taken for all there is: the sequences of the lost records are given to nobody.

// noteSaved notes how far the journal came before, as what is saved beside it tells.
func (s *Server) noteSaved() {
	s.saved = projector.SavedThrough(filepath.Join(s.cfg.Dir, ProjectionsFile))
}

// lacks reports whether the journal has fewer records than it had once.
func (s *Server) lacks() bool { return s.Journal.Last() < s.saved }

// checkWhole refuses to go on without records that the folder once had, after all that the stream
// has was taken in.
func (s *Server) checkWhole() error {
	if !s.lacks() {
		return nil
	}
	last := s.Journal.Last()
	if last > 0 && last == s.cfg.RestoredAsOf {
		return s.giveUp(journal.Copied{Records: last})
	}
	return problem.New(problem.Unverified,
		"journal and stream have %d records, and this folder once had %d, as %s tells: those "+
			"after record %d were acknowledged, and are missing", last, s.saved,
		ProjectionsFile, last).
		WithHint("nothing was recorded. Put back what has them, from a copy: journal.db, with "+
			"journal.db.tail0 and .tail1 where there are any, or the stream; or start another "+
			"server of the ledger that has them, which puts them back into the stream, and then "+
			"this one again. "+lostForGood, last, last)
}
