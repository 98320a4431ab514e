package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/access/feeds"
	"muster/projections/access/session"
	"muster/projections/records"
)

// A Service answers questions from a projector's picture and from the log beside it. It may be used
// concurrently.
type Service struct {
	// Projector keeps the picture of the view that was chosen: see [Service.For].
	Projector access.Pictures
	// Source is where the projector reads from: the log itself, as that view has it.
	Source records.Source
	// Reads says who may ask for which view.
	Reads access.Reading
	// Holds is the view that the records are of, where these are not all: that of a mirror. Nobody
	// is answered in a wider one. It is "" where all records are there.
	Holds events.View
	// Sessions are how members sign in; nil where nobody can.
	Sessions *Sessions
	// Feeds are addresses with a token of their own; nil where none are made.
	Feeds *feeds.Store
	// Languages are those that sentences can be told in; nil for English alone. Set it before
	// Register.
	Languages Languages
	// Views has the pictures of those who may not read all; nil where nobody can ask for them.
	Views *access.Views
	// Now tells the time: questions about no date are about its day, and nobody asks as of a later
	// one.
	Now func() time.Time
	// Version is that of the program: another one may answer in another form.
	Version string
	// CheckpointKey is the public key with which this server signs checkpoints, as it tells it; ""
	// when it signs none.
	CheckpointKey string
	// RootAt is the root of the tree of so many records, in base 64, which files of rows tell; nil
	// where nobody has the tree.
	RootAt func(size uint64) (string, error)

	// Proxies are those that pass requests on and tell whose they are: see X-Forwarded-For.
	Proxies []netip.Prefix
	// Log hears of requests that panic; nil for the program's usual log.
	Log *slog.Logger
	// RefusePage answers with a problem where the address is that of a page, and reports whether it
	// is.
	RefusePage func(w http.ResponseWriter, r *http.Request, err error) bool
	// Bites counts how often a limit has held.
	Bites *Bites

	recordWait time.Duration   // how long a question waits for the record that it asks for
	heartbeat  time.Duration   // how often a stream on which nothing happens says that it is there
	waiting    context.Context // ends when nobody is to wait any more
	stop       context.CancelFunc
	rebuilding chan struct{} // capacity 1: one rebuild at a time
	hashing    chan struct{} // capacity 1: one fingerprint at a time

	lag   time.Duration           // how long a stream waits for a record that its client has seen
	first *atomic.Pointer[string] // the hash of the first record

	view events.View // of those who ask, "" for all

	full access.Pictures // the picture of all
	all  records.Source  // all records

	kept *responseCache // those that were given lately

	feedGuesses *session.Guesses // of tokens of feeds

	slots struct{ short, long, waits, files, streams, statements, messages, bodies *Slots }

	pageSize int // how many entries a page has when the question does not say

	questions []question     // the table
	routes    *http.ServeMux // what it answers over HTTP: see Handler
}

// NewService returns a service on the machine's clock, from which nothing can be read before a view
// was chosen ([Service.For]). Until it is told otherwise, whoever asks may read all.
func NewService(p access.Pictures, s records.Source) *Service {
	waiting, stop := context.WithCancel(context.Background())
	service := &Service{Projector: unchosen{}, Source: unchosen{}, full: p, all: s,
		Reads: access.ReadOpen, Now: time.Now, Bites: new(Bites),
		first:      new(atomic.Pointer[string]),
		recordWait: 10 * time.Second, heartbeat: 15 * time.Second, lag: 2 * time.Second,
		waiting: waiting, stop: stop,
		rebuilding: make(chan struct{}, 1), hashing: make(chan struct{}, 1),
		kept: newResponseCache(), feedGuesses: session.NewGuesses(), pageSize: usualPage,
		questions: slices.Clone(questions)}
	service.openSlots()
	return service
}

// Stop ends all waiting, now and later: whoever follows the log gets the page that there is, and
// whoever waits for a record is told that it is not there. Call it before waiting for the requests
// being worked on.
func (s *Service) Stop() { s.stop() }

// wait returns a context for waiting no longer than that, and no longer than the session of whoever
// asks lasts. The caller ends it, and then asks stillKnown.
func (s *Service) wait(ctx context.Context, atMost time.Duration) (context.Context,
	context.CancelFunc) {
	ctx, end := s.whileKnown(ctx)
	ctx, cancel := context.WithTimeout(ctx, atMost)
	release := context.AfterFunc(s.waiting, cancel)
	return ctx, func() { release(); cancel(); end() }
}

// today returns the date it is now.
func (s *Service) today() events.Date { return events.DateOf(s.Now()) }

// latest returns the latest time as of which a question can be asked: now, or, where another
// server's clock is ahead of this one's, when the last record was recorded.
func (s *Service) latest() time.Time {
	now := s.Now()
	_ = s.Projector.View(func(p *projections.Picture) error {
		if last, ok := p.Recorded(p.Sequence()); ok && last.After(now) {
			now = last
		}
		return nil
	})
	return now
}

// look waits for what the question needs in the picture, and shows it with the moment that the
// parameters name.
func (s *Service) look(ctx context.Context, q MomentQuery, rung projections.Rung,
	answer func(*projections.Picture, projections.Moment) error) error {
	if err := s.await(ctx, s.needed(q)); err != nil {
		return err
	}
	return s.Projector.View(func(p *projections.Picture) error {
		m, err := s.moment(p, q, rung)
		if err != nil {
			return err
		}
		return answer(p, m)
	})
}

// lookOf is look for a question about some operation or role, which must be known.
func (s *Service) lookOf(ctx context.Context, q MomentQuery, rung projections.Rung,
	f projections.Filter, answer func(*projections.Picture, projections.Moment) error) error {
	return s.look(ctx, q, rung, func(p *projections.Picture, m projections.Moment) error {
		if err := known(ctx, p, m, f); err != nil {
			return err
		}
		return answer(p, m)
	})
}

// await waits until a record is in the picture. While it does, others have the question's slot.
func (s *Service) await(ctx context.Context, record uint64) error {
	if record <= s.Projector.Sequence() {
		return nil
	}
	goOn, err := s.yield(ctx)
	if err != nil {
		return err
	}
	waiting, cancel := s.wait(ctx, s.recordWait)
	defer cancel()
	err = s.Projector.WaitFor(waiting, record)
	if ended := s.stillKnown(ctx); ended != nil {
		return ended
	}
	if err != nil {
		return problem.From(err).WithHint("ask again in a moment, or leave min_seq out to see " +
			"what is there; if the record never comes, this is another ledger than the one that " +
			"has it")
	}
	return goOn()
}

// needed returns the record that must be in the picture before a question is answered, 0 for none.
// A question about an old moment needs all that was recorded up to there: its answer is the same
// for ever.
func (s *Service) needed(q MomentQuery) uint64 {
	last := s.Source.Last()
	switch {
	case !q.AsOf.Time.IsZero():
		return max(q.MinSeq, last)
	case q.AsOf.Sequence <= last:
		return max(q.MinSeq, q.AsOf.Sequence)
	}
	return q.MinSeq
}

// moment fills in what a question leaves to the clock and to the ledger.
func (s *Service) moment(p *projections.Picture, q MomentQuery, rung projections.Rung) (
	projections.Moment, error) {
	m := projections.Moment{AsOf: q.AsOf.Sequence, On: q.On, Until: q.Until, Rung: rung,
		WhatIf: &q.WhatIf, View: s.view}
	if err := q.WhatIf.Check(p); err != nil {
		return m, err
	}
	if t := q.AsOf.Time; !t.IsZero() {
		if p.Sequence() == 0 {
			return m, problem.OfField(problem.Invalid, problem.FieldOf("as_of",
				t.UTC().Format(time.RFC3339Nano), "nothing was recorded yet"))
		}
		if m.AsOf = p.SequenceAt(t); m.AsOf == 0 {
			m.Before, m.On = true, cmp.Or(m.On, events.DateOf(t))
		}
	}
	if m.On != 0 {
		return m, nil
	}
	if q.AsOf.IsZero() {
		m.On = s.today() // a question about an old moment is about the day of its last record
	}
	if q.opens {
		return p.Opening(m, cmp.Or(q.of, p.OperationOf(m, q.ofLine)))
	}
	return m, nil
}

// known refuses an operation or role that the ledger does not have as of the moment: an empty
// answer would mislead. A role that comes into the catalogue only later is known, since offers for
// it are.
func known(ctx context.Context, p *projections.Picture, m projections.Moment,
	f projections.Filter) error {
	var operations, roles []string
	for _, on := range []events.Date{m.On, max(m.On, m.Until), events.LastDate} {
		m.On, m.Until = on, 0
		ops, err := p.Operations(ctx, m)
		if err != nil {
			return err
		}
		for _, c := range ops.Operations {
			operations = append(operations, string(c.Operation))
			for _, r := range c.Roles {
				if f.Operation == "" || f.Operation == c.Operation {
					roles = append(roles, string(r.Role))
				}
			}
		}
	}
	switch {
	case f.Operation != "" && !slices.Contains(operations, string(f.Operation)):
		return problem.New(problem.NotFound, "there is no operation %s in this ledger",
			f.Operation).WithHint("%s", thereIs(operations))
	case f.Role == "" || slices.Contains(roles, string(f.Role)):
		return nil
	case f.Operation == "":
		return problem.New(problem.NotFound,
			"there is no role %s in the catalogue of any operation", f.Role).
			WithHint("%s", thereIs(roles))
	}
	return problem.New(problem.NotFound, "there is no role %s in the catalogue of %s", f.Role,
		f.Operation).WithHint("%s", thereIs(roles))
}

// thereIs tells the names that there are, each once.
func thereIs(names []string) phrase.Phrase {
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return phrase.Of("no operation was opened yet")
	}
	return projections.ThereIs(names)
}
