package projector

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/events/problem"
	"muster/projections"
	"muster/projections/records"
)

// running opens a projector and runs it until the test ends. The result of Run comes on the
// channel.
func running(t *testing.T, source records.Source) (*Projector, context.CancelFunc, <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := must[*Projector](t)(Open(ctx, filepath.Join(t.TempDir(), "projections.db"), source))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return p, cancel, done
}

// within is long enough for a machine that is busy; nothing that works takes it.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestReadYourWrites(t *testing.T) {
	l := newTestLedger(t)
	p, cancel, done := running(t, l)
	for i := range 20 {
		pledge := l.offer("FRA", int64(i+1))
		if err := p.WaitFor(within(t), pledge.seq); err != nil {
			t.Fatal(err)
		}
		err := p.View(func(picture *projections.Picture) error {
			_, err := picture.Pledge(t.Context(), projections.Moment{}, pledge.id)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	equal(t, "sequence", p.Sequence(), l.Last())
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run ended with %v", err)
	}
	if err := p.WaitFor(within(t), l.Last()+1); !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), "closed") {
		t.Errorf("waiting for what will not come: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A record at which the program has a fault stops the projector, and ends no process: what was
// shown before stays to be read, and nothing that may be half of a record is saved.
func TestRecordWithAFault(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 1)
	p := must[*Projector](t)(Open(t.Context(), filepath.Join(t.TempDir(), "projections.db"), l))
	p.applyRow = func(*projections.Picture, uint64, *records.Row) error { panic("a fault") }
	seen := l.Last()
	l.offer("DEU", 2)
	err := p.Run(within(t))
	fault := &Fault{}
	if !errors.As(err, &fault) || fault.Record != 4 || !strings.Contains(fault.Stack,
		"TestRecordWithAFault") ||
		strings.Contains(err.Error(), "goroutine") {
		t.Errorf("Run ended with %v", err)
	}
	if err := p.WaitFor(within(t), l.Last()); !problem.Is(err, problem.Unavailable) {
		t.Errorf("waiting for the record: %v", err)
	}
	equal(t, "shown", p.Sequence(), seen)
	equal(t, "fingerprint", whole(t, p.shown.Load().picture), whole(t, l.pictureUpTo(seen)))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	again := must[*Projector](t)(Open(t.Context(), p.path, l))
	equal(t, "opened again", whole(t, again.shown.Load().picture),
		whole(t, l.pictureUpTo(l.Last())))
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// What was taken in while running is saved when it ends.
func TestRunSaves(t *testing.T) {
	l := newTestLedger(t)
	p, cancel, done := running(t, l)
	l.offer("FRA", 1)
	if err := p.WaitFor(within(t), 3); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	equal(t, "saved at the end of Run", p.store.saved.cursor, 3)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	s, picture, _, err := openSaved(p.path, l)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	equal(t, "saved", picture.Sequence(), 3)
}

// A segment that is full is saved at once, and what comes behind it later.
func TestSavesFullSegments(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	l := newTestLedger(t)
	rec := l.All[1]
	for len(l.All) < sealedRows+10 {
		rec.Sequence++
		l.All = append(l.All, rec)
	}
	for name, source := range map[string]records.Source{"stored": l, "plain": plainSource{l}} {
		t.Run(name, func(t *testing.T) {
			p := &Projector{source: source, picture: projections.NewPicture(),
				applyRow: (*projections.Picture).ApplyRow}
			p.store = must[*store](t)(openStore(filepath.Join(t.TempDir(), "projections.db")))
			defer p.store.close()
			if err := p.catchUp(context.Background()); err != nil {
				t.Fatal(err)
			}
			equal(t, "saved", p.store.saved.cursor, sealedRows)
			equal(t, "unsaved", len(p.tail), 10)
		})
	}
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	l := newTestLedger(t)
	p := openAt(t, filepath.Join(t.TempDir(), "projections.db"), l)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := p.WaitFor(ctx, 3)
	if !problem.Is(err, problem.Unavailable) || !errors.Is(err, context.Canceled) ||
		!strings.Contains(err.Error(), "record 3 is not in the picture yet, which is at record 2") {
		t.Errorf("waiting without hope: %v", err)
	}
	if err := p.WaitFor(ctx, 2); err != nil {
		t.Errorf("waiting for what is there: %v", err)
	}
}

func TestChanged(t *testing.T) {
	l := newTestLedger(t)
	p, cancel, done := running(t, l)
	changed := p.Changed()
	select {
	case <-changed:
		t.Error("something changed before anything was said")
	default:
	}
	l.offer("FRA", 1)
	select {
	case <-changed:
	case <-within(t).Done():
		t.Fatal("nothing has changed")
	}
	changed = p.Changed()
	cancel()
	select {
	case <-changed: // nothing will change any more
	case <-within(t).Done():
		t.Fatal("the end was not told")
	}
	if err := errors.Join(<-done, p.Close()); err != nil {
		t.Error(err)
	}
}

// A source that fails, or a record that cannot be, ends Run and is told to those who wait. What is
// there can still be read.
func TestRunStopsAtWhatCannotBe(t *testing.T) {
	for name, spoil := range map[string]func(*testLedger){
		"a failing source": func(l *testLedger) { l.Fail(errClosed) },
		"a false record":   func(l *testLedger) { l.reportNothing() },
	} {
		t.Run(name, func(t *testing.T) {
			l := newTestLedger(t)
			p, cancel, done := running(t, l)
			defer cancel()
			spoil(l)
			err := <-done
			if err == nil {
				t.Fatal("Run ended without an error")
			}
			if waited := p.WaitFor(within(t), 3); !problem.Is(waited, problem.Unavailable) ||
				!strings.Contains(waited.Error(), err.Error()) {
				t.Errorf("who waits is told %v, and the reason is %v", waited, err)
			}
			equal(t, "sequence", p.Sequence(), 2)
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenTellsWhyItCannot(t *testing.T) {
	l := newTestLedger(t)
	path := filepath.Join(t.TempDir(), "projections.db")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, path, l); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	l.Fail(errClosed)
	if _, err := Open(context.Background(), path, l); !errors.Is(err, errClosed) {
		t.Errorf("a source that fails: %v", err)
	}
}

// Readers see whole pictures while records come in. Run with -race.
func TestManyReaders(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	p, cancel, done := running(t, l)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for p.Sequence() < 53 {
				err := p.View(func(picture *projections.Picture) error {
					c, err := picture.Coverage(t.Context(), projections.Moment{On: on.AddDays(19)},
						projections.CoverageFilter{})
					if err == nil && len(c.Lines) > 0 &&
						uint64(len(c.Lines[0].Counted)) != c.AsOf-3 {
						t.Errorf("as of %d, %d pledges count", c.AsOf, len(c.Lines[0].Counted))
					}
					return err
				})
				if err == nil {
					err = p.WaitFor(within(t), min(53, p.Sequence()+1))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 50 {
		l.offer("FRA", 1)
	}
	readers.Wait()
	cancel()
	if err := errors.Join(<-done, p.Close()); err != nil {
		t.Error(err)
	}
}

// A reader who looks for long sees the picture as it was, and holds up neither the records that
// come nor the readers who look for them.
func TestLongViewHoldsUpNobody(t *testing.T) {
	l := newTestLedger(t)
	p, cancel, done := running(t, l)
	err := p.View(func(picture *projections.Picture) error {
		was := whole(t, picture)
		for range 3 {
			if err := p.WaitFor(within(t), l.offer("FRA", 1).seq); err != nil {
				return err
			}
		}
		equal(t, "what others see", p.Sequence(), 5)
		equal(t, "what it sees", picture.Sequence(), 2)
		equal(t, "fingerprint", whole(t, picture), was)
		return nil
	})
	cancel()
	if err := errors.Join(err, <-done, p.Close()); err != nil {
		t.Error(err)
	}
}

// Readers of whom there is always one, though none looks for long, do not keep records out.
func TestManyReadersKeepNoRecordOut(t *testing.T) {
	l := newTestLedger(t)
	p, cancel, done := running(t, l)
	enough := make(chan struct{})
	var readers sync.WaitGroup
	var looks atomic.Int64
	for range 8 {
		readers.Go(func() {
			for {
				select {
				case <-enough:
					return
				default:
					_ = p.View(func(*projections.Picture) error {
						time.Sleep(2 * time.Millisecond) // as a question takes
						looks.Add(1)
						return nil
					})
				}
			}
		})
	}
	for range 5 {
		if err := p.WaitFor(within(t), l.offer("FRA", 1).seq); err != nil {
			t.Fatal(err)
		}
	}
	if n := looks.Load(); n > 8*1000 { // as many as they take in two seconds
		t.Errorf("five records were kept out for %d looks", n)
	}
	close(enough)
	readers.Wait()
	cancel()
	if err := errors.Join(<-done, p.Close()); err != nil {
		t.Error(err)
	}
}
