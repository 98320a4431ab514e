package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/projections"
	"muster/projections/access"
)

// confidedShare is of how many pledges one is for the coordinators alone, or for one more nation
// too, where views are measured.
const confidedShare = 10

// fiveViews are the coalition's, and those of the first four nations that have confided something
// in the records: no two of them are open to the same.
func fiveViews(records []events.Record) []events.View {
	views := []events.View{events.CoalitionView}
	for i := range records {
		offer, is := records[i].Statement.(*events.PledgeOffered)
		if !is || offer.Release != events.CoordinatorsOnly {
			continue
		}
		if v := events.View(offer.Nation); len(views) < 5 && !slices.Contains(views, v) {
			views = append(views, v)
		}
	}
	return views
}

// measureViews asks what it costs that some may not read all: a start, the memory of each further
// picture, the coverage, and what goes on beside appends.
func measureViews(o *options) ([]row, error) {
	o.confided = confidedShare
	g, err := o.generate(o.records, o.pledges, 40)
	if err != nil {
		return nil, err
	}
	yet := g.setAside(2 * news * o.rounds) // for each of two ways
	s, err := o.store(g, "views")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	views := fiveViews(g.records)
	g.records, s.slab = nil, nil
	var all []row
	for _, measure := range []func() ([]row, error){
		func() ([]row, error) { return o.measureViewStart(s) },
		func() ([]row, error) { return measureViewMemory(s, views) },
		func() ([]row, error) { return o.measureViewTiles(s) },
		func() ([]row, error) { return o.measureViewCoverage(s, yet) },
		o.measureViewAppends,
	} {
		rows, err := measure()
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// picturesOf returns what has the picture of a view.
func picturesOf(m *server.Server, view events.View) access.Pictures {
	pictures, _ := m.Questions.Views.Of(view)
	return pictures
}

// isThere makes sure that the picture of a view is there, and has every record.
func isThere(m *server.Server, view events.View) error {
	if got, want := picturesOf(m, view).Sequence(), m.Journal.Last(); got != want {
		return fmt.Errorf("the view %s has %d of %d records", view, got, want)
	}
	return nil
}

// measureViewStart asks how long a first question about the coalition's view waits after a start.
func (o *options) measureViewStart(s *stored) ([]row, error) {
	first := func(view events.View, saved bool) func(int) (sample, error) {
		return func(int) (took sample, err error) {
			m, err := startMuster(context.Background(), s.dir, nil)
			if err != nil {
				return took, err
			}
			if !saved {
				err = os.RemoveAll(filepath.Join(s.dir, server.ViewsFolder))
			}
			if err == nil {
				took, err = timed(s.n, func() error { return isThere(m, view) })
			}
			return took, errors.Join(err, m.Close())
		}
	}
	// So that there is something saved.
	if _, err := first(events.CoalitionView, false)(0); err != nil {
		return nil, err
	}
	return o.interleave(fmt.Sprintf("first question after a start with %d records", s.n), "",
		way{"the coalition's view, saved", first(events.CoalitionView, true)},
		way{"the coalition's view, made anew", first(events.CoalitionView, false)})
}

// measureViewMemory tells how much the picture of each view takes beside that of all.
func measureViewMemory(s *stored, views []events.View) (rows []row, err error) {
	m, err := startMuster(context.Background(), s.dir, nil)
	if err != nil {
		return nil, err
	}
	_ = heap() // what was needed to start is let go
	before := heap()
	for _, view := range views {
		if err := isThere(m, view); err != nil {
			return nil, errors.Join(err, m.Close())
		}
		now := heap()
		r := row{Name: fmt.Sprintf("memory of each further view, %d records", s.n),
			Way: "the view " + string(view), Bytes: (now - before) / float64(s.n)}
		if r.Bytes < 1 {
			r.Note = "it shares another's, or one has given way to it"
		}
		rows = append(rows, r)
		before = now
	}
	return rows, m.Close()
}

// measureViewCoverage asks for the coverage of one view beside that of all.
func (o *options) measureViewCoverage(s *stored, yet *[]events.Record) ([]row, error) {
	m, err := startMuster(context.Background(), s.dir, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	everything := access.Pictures(m.Projector)
	coalition := picturesOf(m, events.CoalitionView)
	if err := isThere(m, events.CoalitionView); err != nil {
		return nil, err
	}
	rows, err := o.interleave(fmt.Sprintf("coverage now of a view, of %d records",
		m.Journal.Last()),
		"of all, each time after another record",
		way{"of all, each time after another record", func(int) (sample, error) {
			return askAfterNews(m, everything, yet)
		}},
		way{"of the coalition's view, each time after another record", func(int) (sample, error) {
			return askAfterNews(m, coalition, yet)
		}},
		way{"of all, while nothing changes", func(int) (sample, error) {
			return ask(everything, 400, now)
		}},
		way{"of the coalition's view, while nothing changes", func(int) (sample, error) {
			return ask(coalition, 400, now)
		}})
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(3, 4))
	some := func(p *projections.Picture) error {
		last := p.Sequence()
		return covers(p, projections.Moment{AsOf: last/10 + random.Uint64N(last*9/10),
			On: firstDay.AddDays(random.IntN(700))})
	}
	past, err := o.interleave(
		fmt.Sprintf("coverage of a view at a random as_of and on, of %d records",
			m.Journal.Last()), "of all",
		way{"of all", func(int) (sample, error) { return ask(everything, 100, some) }},
		way{"of the coalition's view", func(int) (sample, error) {
			return ask(coalition, 100, some)
		}})
	return append(rows, past...), err
}

// measureViewAppends asks whether the pictures of five views, which are kept up to date, hold up
// who appends.
func (o *options) measureViewAppends() ([]row, error) {
	n := max(2*confidedBefore, o.ops)
	g, err := o.generate(n+300, n, 40) // offers alone: see measureAppend
	if err != nil {
		return nil, err
	}
	views := fiveViews(g.records[:g.preamble+confidedBefore])
	const alone = "muster, no view but that of all"
	var all []row
	for _, writers := range []int{16, 64} {
		beside := func(views []events.View, asked bool) func(int) (sample, error) {
			return func(int) (sample, error) {
				return o.appendWithViews(g, writers, n, views, asked)
			}
		}
		rows, err := o.interleave(fmt.Sprintf("append, %d writers, beside views", writers), alone,
			way{alone, beside(nil, false)}, way{"muster, with five views", beside(views, false)},
			way{"muster, with five views, each asked ten times a second", beside(views, true)})
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// confidedBefore is how many offers there are before it is measured: some of them only some may
// read.
const confidedBefore = 200

// appendWithViews has writers take n offers, with the pictures of views open that somebody has
// asked before, and who may be asked all the time.
func (o *options) appendWithViews(g *generated, writers, n int, views []events.View,
	asked bool) (sample, error) {
	dir, remove, err := o.folder("views-append")
	if err != nil {
		return sample{}, err
	}
	defer remove()
	ctx := context.Background()
	m, err := newMuster(ctx, dir, g)
	if err != nil {
		return sample{}, err
	}
	offers := g.records[g.preamble:min(len(g.records), g.preamble+n)]
	for i := range confidedBefore {
		if _, err := m.Ledger.Submit(ctx, offers[i].Signed); err != nil {
			return sample{}, errors.Join(err, m.Close())
		}
	}
	if err := m.Projector.WaitFor(ctx, m.Journal.Last()); err != nil {
		return sample{}, errors.Join(err, m.Close())
	}
	for _, view := range views {
		if err := isThere(m, view); err != nil {
			return sample{}, errors.Join(err, m.Close())
		}
	}
	offers = offers[confidedBefore:]
	asking, rest := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, view := range views {
		if asked {
			all.Go(func() { askAlways(asking, picturesOf(m, view), 10) })
		}
	}
	s, err := timed(len(offers), func() error {
		return each(writers, len(offers), func(i int) error {
			_, err := m.Ledger.Submit(ctx, offers[i].Signed)
			return err
		})
	})
	rest()
	all.Wait()
	began := time.Now()
	err = errors.Join(err, m.Projector.WaitFor(ctx, m.Journal.Last()))
	for _, view := range views {
		err = errors.Join(err, isThere(m, view))
	}
	s.note = fmt.Sprintf("all pictures have the last record %s after",
		time.Since(began).Round(time.Millisecond))
	return s, errors.Join(err, m.Close())
}
