package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/natsd"
	"muster/projections/access"
	"muster/projections/web"
)

// A Publication is a view of which each record is told over NATS, in one sentence, on the subject
// that [events.ChangedSubject] has for it.
type Publication struct {
	// View may be the name of a nation, or of an organisation, in a configuration.
	View events.View
	// NKeys are the public keys of those guests of the embedded NATS server who may listen there;
	// where there are none, all guests may, as far as they may read the view.
	NKeys []string
}

// How many views a server publishes at most, to how many nkeys each.
const maxPublications, maxListeners = 16, 64

// ParsePublication reads a view and the nkeys of those who may listen: VIEW or VIEW=NKEY,NKEY…
// Which view is meant is known when the server starts, from its records.
func ParsePublication(text string) (Publication, error) {
	view, keys, named := strings.Cut(text, "=")
	p := Publication{View: events.View(view)}
	if named {
		p.NKeys = strings.Split(keys, ",")
	}
	for _, key := range p.NKeys {
		if !natsd.IsGuest(key) {
			return p, fmt.Errorf("%s is no public nkey of a user, which begins with U",
				problem.Name(key))
		}
	}
	if len(p.NKeys) > maxListeners {
		return p, fmt.Errorf("it has %d nkeys, and %d may listen at most", len(p.NKeys),
			maxListeners)
	}
	return p, nil
}

// checkPublications refuses what nobody would hear, or somebody who may not. Guests of the embedded
// NATS server come without signing in: they hear what may be read so, and those who are named hear
// more. On a cluster its own configuration says who hears what.
func (s *Server) checkPublications() error {
	embedded, seen, reads := !s.cfg.NATS.Given(), map[events.View]bool{}, s.cfg.Read
	if embedded {
		reads = s.reading()
	}
	if n := len(s.cfg.Changed); n > maxPublications {
		return problem.New(problem.Usage, "--changed names %d views, and %d are published at most",
			n, maxPublications)
	}
	for _, p := range s.cfg.Changed {
		wrong := func(hint, format string, args ...any) error {
			return problem.New(problem.Usage, "--changed %s: "+format,
				append([]any{p.View}, args...)...).WithHint("%s", hint)
		}
		switch {
		case seen[p.View]:
			return wrong("name all nkeys at once, with commas between", "it is named twice")
		case embedded && s.cfg.NATSListen == "":
			return wrong("give --nats-listen, too", "nobody reaches the embedded NATS server")
		case !embedded && len(p.NKeys) > 0:
			return wrong("leave out the nkeys", "who may listen on a cluster is said in its own "+
				"configuration")
		case len(p.NKeys) == 0 && reads == access.ReadMembers && p.View == events.PublicView,
			len(p.NKeys) == 0 && embedded && !opensTo(reads, p.View):
			return wrong("name who may listen: --changed "+string(p.View)+"=NKEY, by their "+
				"public nkeys", "with --read %s guests may not read it", reads)
		}
		seen[p.View] = true
	}
	return nil
}

// opensTo reports whether somebody reads a view who has not signed in.
func opensTo(reads access.Reading, v events.View) bool {
	widest, err := reads.Widest(access.Reader{})
	return err == nil && v.Within(widest)
}

// heardBy returns the subjects that guests of the embedded NATS server may listen to.
func (s *Server) heardBy() (all []string, named map[string][]string) {
	named = map[string][]string{}
	for _, p := range s.cfg.Changed {
		subjects := events.ChangedPrefix + string(p.View) + ".>"
		if len(p.NKeys) == 0 {
			all = append(all, subjects)
		}
		for _, key := range p.NKeys {
			named[key] = append(named[key], subjects)
		}
	}
	return all, named
}

// A publisher tells what is recorded over NATS, each view in a goroutine of its own:
//
//	next record that the view shows and this server has recorded → sentence → its subject
//
// Of the servers of a cluster each tells what it has recorded itself, so that each record is told
// once, whichever of them are down.
type publisher struct {
	*Server
	told map[events.View]*atomic.Uint64
}

// openTelling opens the connection for what guests listen to: NATS slows down who publishes faster
// than somebody listens, and that must not be who keeps the log. That it is lost is told of that
// one.
func (s *Server) openTelling() (err error) {
	if s.natsd != nil {
		s.telling, err = s.natsd.Connect(s.natsErrors())
	} else {
		s.telling, err = s.cfg.NATS.Connect("_MUSTER",
			append(s.lasts(), nats.ReconnectBufSize(-1))...)
	}
	if err == nil {
		s.onClose(func() error { s.telling.Close(); return nil })
	}
	return err
}

// openChanged has published what is recorded from then on, once begin is called: when questions may
// be asked.
func (s *Server) openChanged() (begin func(), err error) {
	if s.natsd == nil {
		if err := s.nameViews(); err != nil {
			return nil, err
		}
	}
	if len(s.cfg.Changed) == 0 {
		return func() {}, nil
	}
	p := &publisher{Server: s, told: map[events.View]*atomic.Uint64{}}
	ctx, stop := context.WithCancel(context.Background())
	last, ended := s.Journal.Last(), sync.WaitGroup{}
	for _, one := range s.cfg.Changed {
		p.told[one.View] = new(atomic.Uint64)
	}
	s.changed = p
	s.onClose(func() error {
		stop()
		ended.Wait()
		return nil
	})
	return func() {
		for view, told := range p.told {
			ended.Go(func() { p.publish(ctx, view, told, last) })
		}
	}, nil
}

// How long is waited after what could not be told.
const publishAgain = time.Second

// publish tells the records of a view after another one, until ctx ends. What cannot be told now is
// tried again, and said once.
func (p *publisher) publish(ctx context.Context, view events.View, told *atomic.Uint64,
	after uint64) {
	w := web.Watch{View: view, By: p.cfg.Name, Server: p.knownAt()}
	for failing := false; ctx.Err() == nil; {
		sequence, err := p.tell(ctx, w, after)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			after, failing = sequence, false
			told.Add(1)
			continue
		case !failing:
			p.cfg.Log.Error("what is recorded cannot be told over NATS now", "view", view,
				"after", after, "error", err)
		}
		failing = true
		select {
		case <-time.After(publishAgain):
		case <-ctx.Done():
		}
	}
}

// tell waits for the next record and publishes what is told of it.
func (p *publisher) tell(ctx context.Context, w web.Watch, after uint64) (sequence uint64,
	err error) {
	n, err := p.Questions.Next(ctx, w, after)
	if err != nil {
		return 0, err
	}
	m := nats.NewMsg(n.Subject)
	m.Header.Set(nats.MsgIdHdr, fmt.Sprintf("%s-%d", w.View, n.Sequence))
	if m.Data, err = json.Marshal(n.Message); err == nil {
		err = p.telling.PublishMsg(m)
	}
	return n.Sequence, err
}

var changedTold = prometheus.NewDesc("muster_changed_messages_total",
	"Records that were told over NATS, by the view.", []string{"view"}, nil)

// Describe implements prometheus.Collector.
func (*publisher) Describe(to chan<- *prometheus.Desc) { to <- changedTold }

// Collect implements prometheus.Collector.
func (p *publisher) Collect(to chan<- prometheus.Metric) {
	for view, told := range p.told {
		to <- prometheus.MustNewConstMetric(changedTold, prometheus.CounterValue,
			float64(told.Load()), string(view))
	}
}
