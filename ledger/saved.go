package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"muster/ledger/rules"
)

// The state is saved now and then, so that a start does not read the whole journal. What is saved
// can be thrown away at any time: the journal has everything.

// load makes what was saved the state, when there is anything to use.
func (l *Ledger) load() error {
	if l.cfg.Saved == "" {
		return nil
	}
	data, err := os.ReadFile(l.cfg.Saved)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the saved state: %w", err)
	}
	s, root, err := rules.LoadState(data)
	if err != nil || s.Last() > l.cfg.Journal.Last() {
		return nil
	}
	if now, err := l.cfg.Journal.RootAt(int64(s.Last())); err != nil || now != root {
		return nil // the journal, which is read from its beginning now, says what is wrong
	}
	l.state = s
	l.saved.Store(s.Last())
	for key := range s.Keys() {
		l.learnKey(key)
	}
	origin := s.Origin()
	l.origin.Store(&origin)
	return nil
}

// How often it is looked whether the state should be saved, and after how many records it is.
const (
	saveEvery = 10 * time.Second
	saveAfter = 20_000
)

// worthSaving reports whether the state has gone far enough since it was last saved, and all of it
// is in the journal.
func (l *Ledger) worthSaving() bool {
	last := l.state.Last()
	return l.cfg.Saved != "" && last >= l.saved.Load()+l.cfg.SaveAfter &&
		last == l.cfg.Journal.Last()
}

// saveSome saves the state beside the appender.
func (l *Ledger) saveSome() {
	if !l.worthSaving() || !l.saving.CompareAndSwap(false, true) {
		return
	}
	s := l.state.Snapshot()
	l.workers.Go(func() {
		defer l.saving.Store(false)
		if err := l.store(s); err != nil { // it is tried again in a while, and at the end
			l.cfg.Faults.Warn("the state cannot be saved: the next start takes longer",
				"error", err)
		}
	})
}

// store saves a state that follows from the journal alone. What cannot be saved costs the next
// start time, and nothing else.
func (l *Ledger) store(s *rules.State) error {
	root, err := l.cfg.Journal.RootAt(int64(s.Last()))
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(l.cfg.Saved), "."+filepath.Base(l.cfg.Saved))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it has another name by then
	_, err = f.Write(s.Save(root))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), l.cfg.Saved); err != nil {
		return err
	}
	l.saved.Store(s.Last())
	return nil
}
