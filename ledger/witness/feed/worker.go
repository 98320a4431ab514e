package feed

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/ledger/witness"
)

// A worker feeds one witness. What follows its client belongs to the feeder's lock.
type worker struct {
	feeder *Feeder
	of     policy.Witness
	client witness.Client

	answered bool       // or has failed to, since the start
	signed   int64      // how many records it has signed since the start
	at       *time.Time // and when
	failed   *problem.Problem
	parted   *Parted
}

// run feeds the witness until ctx ends.
func (w *worker) run(ctx context.Context) {
	var last proof.Checkpoint
	wait := w.feeder.cfg.Every
	for {
		next, err := w.feeder.next(ctx, last.Signed)
		if err != nil {
			return
		}
		lines, err := w.ask(ctx, last.N, next)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			last, wait = next, w.feeder.cfg.Every
			w.has(next, lines)
			continue
		}
		last = proof.Checkpoint{} // what it holds it says itself, when it is asked again
		if errors.Is(err, errBehind) {
			wait = w.feeder.cfg.Every
		} else {
			w.hasNot(err)
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, maxPause)
	}
}

// ask has the witness sign a checkpoint. The error is a *[Parted] only when this server has not
// come to have, in the time that it may lag, what the witness has signed.
func (w *worker) ask(ctx context.Context, held int64, next proof.Checkpoint) ([]byte, error) {
	tree := w.feeder.cfg.Tree
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	lines, err := w.client.Cosign(asking, held, next, tlog.TileHashReader(next.Tree, tree.Tiles()))
	var ahead *witness.AheadError
	var other *witness.OtherHistoryError
	switch {
	case errors.As(err, &ahead):
		lag, cancel := context.WithTimeout(ctx, w.feeder.cfg.Lag)
		defer cancel()
		if tree.Wait(lag, uint64(ahead.Signed)-1) == nil {
			return nil, errBehind
		}
		return nil, w.partedFrom(ctx, next, ahead.Signed, err)
	case errors.As(err, &other):
		return nil, w.partedFrom(ctx, next, next.N, err)
	}
	return lines, err
}

// errBehind is no fault: somebody else has shown the witness a newer checkpoint of this tree.
var errBehind = errors.New("the witness has seen a newer checkpoint: that is next")

// partedFrom asks the witness for what it has signed, as the proof.
func (w *worker) partedFrom(ctx context.Context, ours proof.Checkpoint, size int64,
	cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p := &Parted{Witness: w.of, Ours: ours, Size: size, cause: cause}
	if signed, ok := w.client.Last(ctx, ours.Origin); ok {
		keys := []string{w.feeder.cfg.Key}
		for _, l := range w.feeder.cfg.Policy.Logs {
			if l.Key != w.feeder.cfg.Key {
				keys = append(keys, l.Key)
			}
		}
		if c, err := proof.OpenCheckpoint(signed, keys...); err == nil && c.Origin == ours.Origin {
			p.Theirs, p.Size = signed, c.N
		}
	}
	return p
}

// has notes that the witness has signed.
func (w *worker) has(c proof.Checkpoint, lines []byte) {
	f := w.feeder
	f.mu.Lock()
	failed := w.failed
	w.answered, w.signed, w.failed, w.parted = true, c.N, nil, nil
	f.collect(c, w.of.Name, lines)
	by, err := f.cfg.Policy.Witnessed(append(c.Signed[:len(c.Signed):len(c.Signed)], lines...))
	if err == nil && len(by.By) > 0 {
		at := by.First()
		w.at = &at
	}
	f.tell()
	f.mu.Unlock()
	if failed != nil {
		f.cfg.Log.Info("the witness signs again", "witness", w.of.Name, "records", c.N)
	}
	f.stands()
}

// hasNot notes why the witness has not signed.
func (w *worker) hasNot(err error) {
	f := w.feeder
	f.mu.Lock()
	was := w.failed
	w.answered, w.failed = true, problem.From(err)
	var parted *Parted
	if errors.As(err, &parted) {
		w.parted = parted
	}
	f.tell()
	f.mu.Unlock()
	if was == nil || was.Detail != w.failed.Detail {
		told := []any{"witness", w.of.Name, "why", err}
		if hint := problem.From(err).Hint; hint != "" {
			told = append(told, "remedy", hint)
		}
		f.cfg.Log.Warn("a witness has not signed", told...)
	}
	f.stands()
}

// stands tells what the witnesses say.
func (f *Feeder) stands() {
	f.telling.Lock()
	defer f.telling.Unlock()
	if f.cfg.Standing != nil {
		f.cfg.Standing(f.Standing())
	}
}
