package access

import (
	"context"

	"muster/events"
	"muster/projections"
	"muster/projections/projector"
)

// A reader has the picture of a view, whichever that is at the time: it may be the picture of all,
// and is another from the first record on that is withheld.
type reader struct {
	views *Views
	view  events.View
}

// now returns the picture of all, when that is the view's as well, and otherwise what keeps the
// view's, as soon as it has all records that there were when it was asked for. So a picture that
// does not go on answers nobody with what was so once.
func (r reader) now(ctx context.Context) (all *projections.Picture, own *projector.Projector,
	err error) {
	for {
		class := events.CoordinatorsView
		_ = r.views.full.View(func(p *projections.Picture) error {
			all, class = p, same(p, r.view)
			return nil
		})
		if class == events.CoordinatorsView {
			return all, nil, nil
		}
		k, err := r.views.pictures(ctx, class)
		if err != nil {
			return nil, nil, err
		}
		k.pace.want(all.Sequence())
		err = k.projector.WaitFor(ctx, all.Sequence())
		switch {
		case err == nil:
			return nil, k.projector, nil
		case ctx.Err() != nil:
			return nil, nil, err
		case r.views.isKept(class, k): // it has stopped by itself
			r.views.leave(class, k)
			return nil, nil, err
		}
	}
}

// View implements [Pictures].
func (r reader) View(look func(*projections.Picture) error) error {
	all, own, err := r.now(r.views.ctx)
	switch {
	case err != nil:
		return err
	case own == nil:
		return look(all)
	}
	return own.View(look)
}

// Sequence implements [Pictures]. It is 0 when there is no picture: then View says why.
func (r reader) Sequence() (last uint64) {
	_ = r.View(func(p *projections.Picture) error {
		last = p.Sequence()
		return nil
	})
	return last
}

// Changed implements [Pictures]. Each record makes another picture of every view, if only by its
// place; it is made when it is looked at.
func (r reader) Changed() <-chan struct{} { return r.views.full.Changed() }

// WaitFor implements [Pictures].
func (r reader) WaitFor(ctx context.Context, seq uint64) error {
	if err := r.views.full.WaitFor(ctx, seq); err != nil {
		return err
	}
	_, _, err := r.now(ctx)
	return err
}
