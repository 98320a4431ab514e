package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"muster/events"
	"muster/projections"
	"muster/projections/records"
)

// MaxNations is how many pictures of single nations are kept at once. When another is asked for, the
// one that was asked least lately is saved and closed; what it was saved as makes it quick to open
// again.
const MaxNations = 8

// Views are the pictures of all views of a ledger. All methods may be called concurrently.
type Views struct {
	dir  string
	all  records.Source
	full Pictures

	ctx  context.Context // ends when the views are closed
	stop context.CancelFunc

	mu     sync.Mutex
	open   map[events.View]*kept
	asked  []events.View // nations, the one that was asked last at the end
	closed bool
}

// A kept is the picture of a view while it is kept up to date.
type kept struct {
	once      sync.Once
	projector *projections.Projector
	err       error
	stop      context.CancelFunc
	done      chan struct{} // closed when it has stopped
}

// Open returns the views of the ledger of which all is the source and full has the picture of all.
// What is kept of them lies in the folder dir, which is made when there is need for it, and may be
// removed while nobody has it open: it is made again. Close must be called before full is closed.
func Open(dir string, all records.Source, full Pictures) *Views {
	ctx, stop := context.WithCancel(context.Background())
	return &Views{dir: dir, all: all, full: full, ctx: ctx, stop: stop, open: map[events.View]*kept{}}
}

// Close saves and closes all pictures. Nothing may be asked of them afterwards.
func (v *Views) Close() error {
	v.stop()
	v.mu.Lock()
	v.closed = true
	open := v.open
	v.open = map[events.View]*kept{}
	v.mu.Unlock()
	var err error
	for _, k := range open {
		err = errors.Join(err, k.close())
	}
	return err
}

// close waits until the picture is no longer followed, and lets go of its file.
func (k *kept) close() error {
	k.once.Do(func() { k.err = errClosed })
	if k.err != nil {
		return nil
	}
	k.stop()
	<-k.done
	return k.projector.Close()
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
	for _, label := range p.Labels() {
		if label.OpenTo(a) != label.OpenTo(b) {
			return false
		}
	}
	return true
}

// pictures returns what keeps the picture of a view that is not the coordinators'. The first who asks
// waits until it is made.
func (v *Views) pictures(view events.View) (*projections.Projector, error) {
	for {
		k, err := v.kept(view)
		if err != nil {
			return nil, err
		}
		k.once.Do(func() { k.err = v.follow(k, view) })
		switch k.err {
		case nil:
			return k.projector, nil
		case errClosed: // it gave way before it was made
		default:
			v.forget(view, k)
			return nil, k.err
		}
	}
}

// kept returns the picture of a view, which may still have to be made.
func (v *Views) kept(view events.View) (*kept, error) {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return nil, errClosed
	}
	k := v.open[view]
	if k == nil {
		k = &kept{done: make(chan struct{})}
		v.open[view] = k
	}
	leaves := v.touch(view)
	v.mu.Unlock()
	if leaves != nil {
		_ = leaves.close() // what was not saved is folded again
	}
	return k, nil
}

// forget has a picture that could not be made tried again by whoever asks next.
func (v *Views) forget(view events.View, k *kept) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open[view] == k {
		delete(v.open, view)
	}
}

// touch notes that a nation was asked for, and returns the one that gives way to it, nil for none.
func (v *Views) touch(view events.View) (leaves *kept) {
	if _, is := view.Nation(); !is {
		return nil
	}
	for i, other := range v.asked {
		if other == view {
			v.asked = append(append(v.asked[:i:i], v.asked[i+1:]...), view)
			return nil
		}
	}
	v.asked = append(v.asked, view)
	if len(v.asked) <= MaxNations {
		return nil
	}
	oldest := v.asked[0]
	v.asked = v.asked[1:]
	leaves = v.open[oldest]
	delete(v.open, oldest)
	return leaves
}

// follow opens the picture of a view, and follows the source from then on.
func (v *Views) follow(k *kept, view events.View) (err error) {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return fmt.Errorf("the folder of views: %w", err)
	}
	ctx, stop := context.WithCancel(v.ctx)
	path := filepath.Join(v.dir, string(view)+".db")
	k.projector, err = projections.Open(ctx, path, newSource(v.all, v.full, view))
	if err != nil {
		stop()
		return err
	}
	k.stop = stop
	go func() {
		defer close(k.done)
		_ = k.projector.Run(ctx) // whoever waits is told
	}()
	return nil
}

// Kept returns the views that have a picture of their own at the moment, in no order.
func (v *Views) Kept() (all []events.View) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for view := range v.open {
		all = append(all, view)
	}
	return all
}

// Of returns what those may read who have a view: the picture, which is made when it is first looked
// at, and the records.
func (v *Views) Of(view events.View) (Pictures, records.Source) {
	return reader{v, view}, newSource(v.all, v.full, view)
}

// A reader has the picture of a view, whichever that is at the time: it may be the picture of all, and
// is another from the first record on that is withheld.
type reader struct {
	views *Views
	view  events.View
}

// now returns the picture of all, when that is the view's as well, and otherwise what keeps another.
func (r reader) now() (all *projections.Picture, own *projections.Projector, err error) {
	class := events.CoordinatorsView
	_ = r.views.full.View(func(p *projections.Picture) error {
		all, class = p, same(p, r.view)
		return nil
	})
	if class == events.CoordinatorsView {
		return all, nil, nil
	}
	own, err = r.views.pictures(class)
	return nil, own, err
}

// View implements [Pictures].
func (r reader) View(look func(*projections.Picture) error) error {
	all, own, err := r.now()
	switch {
	case err != nil:
		return err
	case own == nil:
		return look(all)
	}
	return own.View(look)
}

// Sequence implements [Pictures].
func (r reader) Sequence() (last uint64) {
	_ = r.View(func(p *projections.Picture) error {
		last = p.Sequence()
		return nil
	})
	return last
}

// Changed implements [Pictures].
func (r reader) Changed() <-chan struct{} {
	changed := r.views.full.Changed() // before it is looked at
	if _, own, err := r.now(); err == nil && own != nil {
		return own.Changed()
	}
	return changed
}

// WaitFor implements [Pictures].
func (r reader) WaitFor(ctx context.Context, seq uint64) error {
	if err := r.views.full.WaitFor(ctx, seq); err != nil {
		return err
	}
	_, own, err := r.now()
	if err != nil || own == nil {
		return err
	}
	return own.WaitFor(ctx, seq)
}
