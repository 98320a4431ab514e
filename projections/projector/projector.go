package projector

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"muster/events/problem"
	"muster/projections"
	"muster/projections/records"
)

// A Projector keeps a [projections.Picture] up to date with a [records.Source], saves it in a file
// with its cursor, and lets readers look at it. All methods may be called concurrently, except that
// Close comes after Run has returned.
type Projector struct {
	path   string
	source records.Source

	shown atomic.Pointer[shown] // to readers

	// Of the one writer alone, which is Open and then Run, and of Close after it.
	picture   *projections.Picture // as far as it has come; what readers see is a copy of it
	store     *store
	sealed    []records.Segment // rows behind the store's sealed mark
	tail      []records.Row     // rows behind those, which the store has as far as it was saved
	last      []byte            // the last record as it is stored
	unkept    bool              // what was replayed is in no rows: only a snapshot saves it
	snapped   uint64            // the record of the last snapshot
	snapAfter uint64            // how many records are worth another
	// A record was taken in by half: the picture is neither shown nor saved any more.
	broken bool

	applyRow func(*projections.Picture, uint64, *records.Row) error // which in a test has a fault

	discarded error
}

// A shown is what readers see at a time.
type shown struct {
	picture *projections.Picture
	changed chan struct{} // closed when another is shown
	stopped error         // why no more records will come
}

// show shows readers the picture as it is now, and wakes those who wait for it.
func (p *Projector) show(stopped error) {
	var picture *projections.Picture
	if p.broken {
		picture = p.shown.Load().picture
	} else {
		picture = p.picture.Share()
	}
	before := p.shown.Swap(&shown{picture, make(chan struct{}), stopped})
	if before != nil {
		close(before.changed)
	}
}

// saveAfter is how long anything is left unsaved. What was taken in since the last time is decoded
// again after a crash, and costs the start no more than that.
const saveAfter = 5 * time.Second

// snapAfter is how many records are worth a snapshot, when they are an eighth of all, too: to fold
// as many takes no time to speak of.
const snapAfter = 20_000

// Open loads the picture saved at path and takes in what the source has beyond it. A file that is
// damaged, of another form, or of another history than the source's is thrown away, and the picture
// is built from the first record.
func Open(ctx context.Context, path string, source records.Source) (*Projector, error) {
	return open(ctx, path, source, snapAfter)
}

func open(ctx context.Context, path string, source records.Source,
	snapAfter uint64) (*Projector, error) {
	p := &Projector{path: path, source: source, snapAfter: snapAfter,
		applyRow: (*projections.Picture).ApplyRow}
	if err := p.restore(); err != nil {
		return nil, err
	}
	if err := p.replay(ctx); err != nil {
		return nil, errors.Join(err, p.store.close())
	}
	p.show(nil)
	return p, nil
}

// restore opens the store and loads the picture, or begins both anew.
func (p *Projector) restore() (err error) {
	p.store, p.picture, p.snapped, err = openSaved(p.path, p.source)
	if err == nil || !errors.Is(err, errUnsound) {
		return err
	}
	p.discarded = err
	if err := discard(p.path); err != nil {
		return err
	}
	p.picture = projections.NewPicture()
	p.store, err = openStore(p.path)
	return err
}

// openSaved opens the store at path and loads its picture, provided that it is of the source's
// history. Snapped is the record of the snapshot that it was made of, 0 where there is none that
// can be used: then the rows must be all there are.
func openSaved(path string, source records.Source) (s *store, picture *projections.Picture,
	snapped uint64, err error) {
	if s, err = openStore(path); err != nil {
		return nil, nil, 0, err
	}
	if from, err := openSnapshot(snapshotPath(path)); err == nil {
		if err = isOf(source, from.Sequence(), from.Leaf()); err == nil {
			picture, err = s.load(from.Snapshot)
		}
		if err == nil {
			snapped = from.Sequence()
		}
		_ = from.file.Close()
	}
	if snapped == 0 {
		picture, err = s.load(nil)
	}
	if err == nil {
		err = isOf(source, s.saved.cursor, s.saved.leaf)
	}
	if err != nil {
		return nil, nil, 0, errors.Join(err, s.close())
	}
	return s, picture, snapped, nil
}

// isOf reports, with errUnsound, that what was saved at a record is not of the source's history.
func isOf(source records.Source, cursor uint64, leaf [sha256.Size]byte) error {
	if cursor == 0 {
		return nil
	}
	if last := source.Last(); cursor > last {
		return fmt.Errorf("%w: they are of %d records, and there are %d", errUnsound, cursor, last)
	}
	for rec, err := range source.Records(cursor) {
		if err != nil {
			return err
		}
		if sha256.Sum256(rec.Stored) != leaf {
			return fmt.Errorf("%w: they are of another history, in which record %d is another",
				errUnsound, cursor)
		}
		return nil
	}
	return fmt.Errorf("%w: the source has no record %d", errUnsound, cursor)
}

// Discarded returns why Open threw a saved file away and built the picture anew, nil when it did
// not.
func (p *Projector) Discarded() error { return p.discarded }

// Run follows the source until ctx ends, which is no error, and saves now and then and at the end.
// When the source fails or holds what cannot be taken in, Run returns why, and the picture stays as
// it is.
func (p *Projector) Run(ctx context.Context) error {
	err := errors.Join(p.follow(ctx), p.save())
	p.stop(err)
	return err
}

func (p *Projector) follow(ctx context.Context) error {
	_ = p.save() // what Open has replayed
	_ = p.snapIfWorth()
	for {
		if err := p.catchUp(ctx); err != nil {
			return ended(ctx, err)
		}
		switch err := p.wait(ctx); {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			_ = p.save()
		default:
			return ended(ctx, err)
		}
	}
}

// ended makes an ordinary end of an error that ctx has caused.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// wait waits for more records, with anything unsaved no longer than saveAfter.
func (p *Projector) wait(ctx context.Context) error {
	if p.isUnsaved() {
		limited, cancel := context.WithTimeout(ctx, saveAfter)
		defer cancel()
		ctx = limited
	}
	return p.source.Wait(ctx, p.picture.Sequence())
}

// stop tells those who wait that nothing more will come.
func (p *Projector) stop(why error) {
	if p.shown.Load().stopped != nil {
		return
	}
	if why == nil {
		why = errors.New("the projections are closed")
	}
	p.show(why)
}

// Close saves what is unsaved and lets go of the file. Views still work afterwards, on the picture
// as it is.
func (p *Projector) Close() error {
	p.stop(nil)
	return errors.Join(p.save(), p.snapIfWorth(), p.store.close())
}

// View calls look with the picture as it is now, and returns its error. That picture stays as it
// is, whatever comes meanwhile: look may take its time, and hold up nobody, but what it keeps of
// the picture keeps all of it in memory. What the picture answers may be kept.
func (p *Projector) View(look func(*projections.Picture) error) error {
	return look(p.shown.Load().picture)
}

// Sequence returns the last record in the picture.
func (p *Projector) Sequence() uint64 { return p.shown.Load().picture.Sequence() }

// Changed returns a channel that is closed when the next record is taken in, or when none will be
// any more. To miss nothing, call it before looking: many records may come between two looks.
func (p *Projector) Changed() <-chan struct{} { return p.shown.Load().changed }

// WaitFor returns nil as soon as the record seq is in the picture, so that whoever wrote it can
// read it. The error is problem.Unavailable, when ctx ends first or the projector has stopped.
func (p *Projector) WaitFor(ctx context.Context, seq uint64) error {
	for {
		at := p.shown.Load()
		last := at.picture.Sequence()
		switch {
		case last >= seq:
			return nil
		case at.stopped != nil:
			return problem.New(problem.Unavailable,
				"record %d is not in the picture, which stopped at record %d: %w", seq, last,
				at.stopped)
		}
		select {
		case <-at.changed:
		case <-ctx.Done():
			return problem.New(problem.Unavailable,
				"record %d is not in the picture yet, which is at record %d: %w", seq, last,
				ctx.Err())
		}
	}
}
