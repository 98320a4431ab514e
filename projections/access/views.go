package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/projector"
	"muster/projections/records"
)

// Limits are how many pictures of single nations are kept at once: at most Nations, of at most
// Records records together, and one at least. A record takes about a kilobyte of a picture. When
// another is asked for, the one that was asked least lately is saved and closed; what was saved
// makes it quick to open again.
type Limits struct{ Nations, Records uint64 }

// Views are the pictures of all views of a ledger. All methods may be called concurrently.
type Views struct {
	// Log hears of pictures that do not go on; nil for nobody. It is set before the first is asked
	// for.
	Log *slog.Logger

	dir  string
	all  records.Source
	full Pictures
	most Limits

	ctx  context.Context // ends when the views are closed
	stop context.CancelFunc

	making  chan struct{} // capacity 1: who has it in may make a picture
	mu      sync.Mutex
	open    map[events.View]*kept
	leaving map[events.View]*kept // those that have yet to let go of their files
	asked   []events.View         // nations in open, the one that was asked last at the end
}

// A kept is the picture of a view while it is kept up to date.
type kept struct {
	pace  *pace
	after *kept // has the file until it is closed; nil for none

	once      sync.Once     // has it made, or finds that it gave way before it was made
	made      chan struct{} // closed when it is, or cannot be
	projector *projector.Projector
	err       error
	stop      context.CancelFunc
	done      chan struct{} // closed when it is no longer followed
	closed    chan struct{} // closed when its file is let go
}

// Open returns the views of the ledger of which all is the source and full has the picture of all.
// What is kept of them lies in the folder dir, which is made when there is need for it, and may be
// removed while nobody has it open: it is made again. Close must be called before full is closed.
func Open(dir string, all records.Source, full Pictures, most Limits) *Views {
	ctx, stop := context.WithCancel(context.Background())
	return &Views{dir: dir, all: all, full: full, most: most, ctx: ctx, stop: stop,
		making: make(chan struct{}, 1), open: map[events.View]*kept{},
		leaving: map[events.View]*kept{}}
}

// Close saves and closes all pictures. Whoever asks for one of them afterwards gets an error.
func (v *Views) Close() error {
	v.stop()
	v.mu.Lock()
	open, leaving := v.open, v.leaving
	v.open, v.leaving, v.asked = map[events.View]*kept{}, map[events.View]*kept{}, nil
	v.mu.Unlock()
	var err error
	for _, k := range open {
		err = errors.Join(err, k.close())
	}
	for _, k := range leaving {
		<-k.closed
	}
	return err
}

var errClosed = errors.New("the views are closed")

// same returns the widest view that is open to the same records as another, as far as a picture of
// all knows: most often there are few.
func same(p *projections.Picture, view events.View) events.View {
	if _, is := view.Nation(); is && equal(p, view, events.CoalitionView) {
		view = events.CoalitionView
	}
	if equal(p, view, events.CoordinatorsView) {
		return events.CoordinatorsView
	}
	return view
}

// equal reports whether every record is open to both views, or to none of them.
func equal(p *projections.Picture, a, b events.View) bool {
	return !slices.ContainsFunc(p.Labels(),
		func(l events.Label) bool { return l.OpenTo(a) != l.OpenTo(b) })
}

// Await waits until the picture of a view is made, which takes a while where it is asked for the
// first time, or until ctx ends. It is made all the same, for whoever asks next.
func (v *Views) Await(ctx context.Context, view events.View) error {
	_, _, err := reader{v, view}.now(ctx)
	return err
}

// IsMade reports whether nobody has to wait for the picture of a view.
func (v *Views) IsMade(view events.View) bool {
	class := events.CoordinatorsView
	_ = v.full.View(func(p *projections.Picture) error {
		class = same(p, view)
		return nil
	})
	if class == events.CoordinatorsView {
		return true
	}
	v.mu.Lock()
	k := v.open[class]
	v.mu.Unlock()
	if k == nil {
		return false
	}
	select {
	case <-k.made:
		return true
	default:
		return false
	}
}

// pictures returns what keeps the picture of a view that is not the coordinators', as soon as it is
// made. One is made at a time: it takes memory, and all processors.
func (v *Views) pictures(ctx context.Context, view events.View) (*kept, error) {
	for {
		k, err := v.opened(ctx, view)
		if err != nil {
			return nil, err
		}
		select {
		case <-k.made:
		case <-ctx.Done():
			return nil, isBeingMade(ctx, view)
		}
		switch {
		case k.err == nil:
			return k, nil
		case k.err != errClosed: // it gave way before it was made
			v.leave(view, k)
			return nil, k.err
		}
	}
}

// opened returns the picture of a view, which is being made where it was not open.
func (v *Views) opened(ctx context.Context, view events.View) (*kept, error) {
	if k := v.ask(view); k != nil {
		return k, nil
	}
	select {
	case v.making <- struct{}{}:
	case <-ctx.Done():
		return nil, isBeingMade(ctx, view)
	}
	k, gaveWay := v.keep(view)
	if k == nil {
		<-v.making
		return nil, errClosed
	}
	go func() {
		defer func() { <-v.making }()
		if gaveWay != nil {
			v.letGo(gaveWay)
		}
		k.once.Do(func() {
			k.err = v.follow(k, view)
			close(k.made)
		})
	}()
	return k, nil
}

func isBeingMade(ctx context.Context, view events.View) error {
	return problem.New(problem.Unavailable,
		"the picture of what %s may read is being made: %w", view, ctx.Err()).
		WithHint("ask again in a moment")
}

// ask returns the picture of a view that is open, nil for none, and notes that it was asked for.
func (v *Views) ask(view events.View) *kept {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := v.open[view]
	if _, is := view.Nation(); is && k != nil {
		v.forget(view)
		v.asked = append(v.asked, view)
	}
	return k
}

// keep returns the picture of a view, which may still have to be made, nil when the views are
// closed; and one that gives way to it, nil for none.
func (v *Views) keep(view events.View) (k, gaveWay *kept) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ctx.Err() != nil { // which Close ends before it takes the lock
		return nil, nil
	}
	k = v.open[view]
	if k == nil {
		k = &kept{pace: newPace(), after: v.leaving[view], made: make(chan struct{}),
			done: make(chan struct{}), closed: make(chan struct{})}
		v.open[view] = k
	}
	if _, is := view.Nation(); !is {
		return k, nil
	}
	v.forget(view)
	v.asked = append(v.asked, view)
	most := min(v.most.Nations, max(1, v.most.Records/(1+v.full.Sequence())))
	if uint64(len(v.asked)) <= most {
		return k, nil
	}
	oldest := v.asked[0]
	gaveWay = v.open[oldest]
	v.part(oldest)
	return k, gaveWay
}

func (v *Views) forget(view events.View) {
	v.asked = slices.DeleteFunc(v.asked, func(other events.View) bool { return other == view })
}

// part takes a picture out of those that are open. Its file is still its own. The caller has the
// lock.
func (v *Views) part(view events.View) {
	v.leaving[view] = v.open[view]
	delete(v.open, view)
	v.forget(view)
}

// leave parts with a picture that does not go on, unless that was done already: whoever asks next
// has it made anew.
func (v *Views) leave(view events.View, k *kept) {
	v.mu.Lock()
	is := v.open[view] == k
	if is {
		v.part(view)
	}
	v.mu.Unlock()
	if is {
		v.letGo(k)
	}
}

// letGo closes a picture that was parted with.
func (v *Views) letGo(k *kept) {
	_ = k.close() // what was not saved is folded again
	v.mu.Lock()
	defer v.mu.Unlock()
	for view, other := range v.leaving {
		if other == k {
			delete(v.leaving, view)
		}
	}
}

// isKept reports whether a picture has not given way.
func (v *Views) isKept(view events.View, k *kept) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open[view] == k
}

// close waits until the picture is no longer followed, and lets go of its file.
func (k *kept) close() error {
	defer close(k.closed)
	k.once.Do(func() {
		k.err = errClosed
		close(k.made)
	})
	<-k.made
	if k.err != nil {
		return nil
	}
	k.stop()
	<-k.done
	return k.projector.Close()
}

// follow opens the picture of a view, and follows the source from then on.
func (v *Views) follow(k *kept, view events.View) (err error) {
	if k.after != nil {
		<-k.after.closed
		k.after = nil
	}
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return fmt.Errorf("the folder of views: %w", err)
	}
	ctx, stop := context.WithCancel(v.ctx)
	path := filepath.Join(v.dir, string(view)+".db")
	k.projector, err = projector.Open(ctx, path, newSource(v.all, v.full, view, k.pace))
	if err != nil {
		stop()
		return err
	}
	k.stop = stop
	go func() {
		defer close(k.done)
		// Whoever waits is told, too: see reader.now.
		if err := k.projector.Run(ctx); err != nil && v.Log != nil {
			v.Log.Error("the projections of a view have stopped: they are made anew when they "+
				"are asked for", "view", view, "error", err)
		}
	}()
	return nil
}

// Of returns what those may read who have a view: the picture, which is made when it is first
// looked at, and the records.
func (v *Views) Of(view events.View) (Pictures, records.Source) {
	return reader{v, view}, newSource(v.all, v.full, view, nil)
}
