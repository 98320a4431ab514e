package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/projections"
)

// Guard stands before all that the server answers over HTTP. It refuses addresses that are too
// long, reads what was sent, gives each request a slot and a time, and answers for what panics: no
// request ends the server, and none waits for another client's for ever.
func (s *Service) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		g := &guarded{ResponseWriter: w, control: http.NewResponseController(w)}
		defer s.rescue(g, r)
		defer context.AfterFunc(s.waiting, g.endSoon)()
		if len(r.RequestURI) > MaxAddress {
			s.Bites.Address.Add(1)
			s.refuse(g, withoutAddress(r), addressTooLong(len(r.RequestURI)))
			return
		}
		done, err := s.receive(g, r)
		if err == nil {
			defer done()
			err = s.serveWithin(g, r, next)
		}
		if err != nil {
			s.refuse(g, r, err)
		}
	})
}

// protect has browsers take an answer for what it says it is, and give it to no page of another
// origin: not as an image or a script either.
func protect(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// serveWithin has a request served when there is a slot for it, within its time.
func (s *Service) serveWithin(g *guarded, r *http.Request, next http.Handler) error {
	does := s.workOf(r)
	if does.time == 0 {
		next.ServeHTTP(g, r)
		return nil
	}
	a := newAsker(s.clientOf(r))
	a.places = max(does.places, 1)
	g.turn = &a.turn
	return s.served(r.Context(), a, does, func(ctx context.Context) error {
		g.within(does.time)
		next.ServeHTTP(g, r.WithContext(ctx))
		return nil
	})
}

// served does a work for an asker, when there is a slot for it, within its time.
func (s *Service) served(ctx context.Context, a *asker, does work,
	do func(context.Context) error) error {
	if err := s.admit(ctx, a, does.slots); err != nil {
		return err
	}
	defer a.leave()
	a.asks = does.asks
	ctx, cancel := s.within(context.WithValue(ctx, askerKey{}, a), does.time)
	defer cancel()
	if a.asks {
		a.turn.take(ctx)
		defer a.turn.give()
	}
	return do(projections.WithBudget(polite{ctx, &a.turn}, does.budget))
}

// admit waits for a slot, and no longer than the server runs.
func (s *Service) admit(ctx context.Context, a *asker, slots *Slots) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(s.waiting, func() { end(errStopping) })()
	return a.enter(ctx, slots)
}

var errStopping = problem.New(problem.Unavailable, "the server stops").
	WithHint("ask again in a moment")

// An asker is a client whose request is under way.
type asker struct {
	client  string
	slots   *Slots // of which it has one
	places  int64  // how many a request takes
	release func()
	asks    bool // with that slot it may ask; otherwise each question takes one of its own
	patient bool // it waits for a slot however long it takes
	turn    turn // of the question
}

func newAsker(client string) *asker {
	return &asker{client: client, places: 1, turn: turn{of: processors}}
}

type askerKey struct{}

func (a *asker) enter(ctx context.Context, slots *Slots) error {
	if slots == nil {
		return nil
	}
	release, err := slots.AcquireSome(ctx, a.client, a.places)
	if err == nil {
		a.slots, a.release = slots, release
	}
	return err
}

// leave gives the slot back, if there is one.
func (a *asker) leave() {
	if a.release != nil {
		a.release()
	}
	a.release = nil
}

// yield gives the slot and the turn of a question up while it waits for a record, and takes a slot
// of those who wait. The function that is returned takes both again.
func (s *Service) yield(ctx context.Context) (goOn func() error, err error) {
	a, ok := ctx.Value(askerKey{}).(*asker)
	if !ok || !a.asks {
		return func() error { return nil }, nil
	}
	slots := a.slots
	a.turn.give()
	a.leave()
	if err := s.admit(ctx, a, s.slots.waits); err != nil {
		return nil, err
	}
	return func() error {
		a.leave()
		err := s.admit(ctx, a, slots)
		if err == nil {
			a.turn.take(ctx)
		}
		return err
	}, nil
}

// aside gives the turn of a question up while it waits for another question.
func aside(ctx context.Context, wait func() error) error {
	if a, ok := ctx.Value(askerKey{}).(*asker); ok && a.turn.give() {
		defer a.turn.take(ctx)
	}
	return wait()
}

// slot takes a slot and a time for one question of a request that has none yet: one that waits, or
// is told live. The caller ends it. Who asks without a request, inside the server, needs none.
func (s *Service) slot(ctx context.Context) (_ context.Context, done func(), err error) {
	a, ok := ctx.Value(askerKey{}).(*asker)
	if !ok || a.asks {
		return ctx, func() {}, nil
	}
	one := newAsker(a.client)
	for err = one.enter(ctx, s.slots.short); err != nil && a.patient && ctx.Err() == nil; {
		err = one.enter(ctx, s.slots.short)
	}
	if err != nil {
		return ctx, nil, err
	}
	one.asks = true
	ctx, cancel := s.within(context.WithValue(ctx, askerKey{}, one), questionTime)
	one.turn.take(ctx)
	done = func() { one.turn.give(); cancel(); one.leave() }
	return projections.WithBudget(polite{ctx, &one.turn}, budget), done, nil
}

// A polite context has the question that looks at it, as all do now and then, let those go first
// who wait for their turn.
type polite struct {
	context.Context
	turn *turn
}

// Err implements context.Context.
func (p polite) Err() error {
	if err := p.Context.Err(); err != nil {
		return err
	}
	p.turn.pass(p.Context)
	return p.Context.Err()
}

// within bounds the time of a question. It ends, too, some moments after the server stops.
func (s *Service) within(ctx context.Context,
	atMost time.Duration) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stopping := context.AfterFunc(s.waiting, func() {
		time.AfterFunc(graceful, func() { end(errStopping) })
	})
	ctx, cancel := context.WithTimeoutCause(ctx, atMost, problem.New(problem.TooMuch,
		"the answer takes more than %s", atMost).WithHint("ask for less"))
	return ctx, func() { stopping(); cancel(); end(nil) }
}

// WhyEnded returns why a question has ended, for the one who asked, in place of the bare error of a
// context.
func (s *Service) WhyEnded(ctx context.Context, err error) error {
	if problem.Is(err, problem.TooMuch) {
		s.Bites.Budget.Add(1)
	}
	if err == nil || ctx.Err() == nil {
		return err
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		s.Bites.Time.Add(1)
	}
	var why *problem.Problem
	if errors.As(context.Cause(ctx), &why) && !errors.Is(err, why) && errors.Is(err, ctx.Err()) {
		return why
	}
	return err
}

// clientOf tells clients apart by their addresses; of IPv6 by the network of 64 bits, of which one
// client has all.
func (s *Service) clientOf(r *http.Request) string {
	at, err := netip.ParseAddr(s.ClientAddress(r))
	if err != nil {
		return s.ClientAddress(r)
	}
	if at.Is6() {
		if network, err := at.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return at.String()
}

// ClientAddress returns from where a request comes. A proxy that the server was told of tells the
// address itself: the last in X-Forwarded-For that is none of these proxies, since a client can
// write what stands before it.
func (s *Service) ClientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	passed := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, before := range slices.Backward(passed) {
		if !s.isProxy(at) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(before))
		if err != nil {
			break
		}
		at = next
	}
	return at.Unmap().String()
}

func (s *Service) isProxy(at netip.Addr) bool {
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool {
		return p.Contains(at.Unmap())
	})
}

// ParseProxy reads the address of a proxy, or of the network that has some.
func ParseProxy(text string) (netip.Prefix, error) {
	if at, err := netip.ParseAddr(text); err == nil {
		return at.Unmap().Prefix(at.Unmap().BitLen())
	}
	return netip.ParsePrefix(text)
}

func addressTooLong(n int) error {
	p := *problem.New(problem.Usage, "the address has %d bytes, and at most %d are taken",
		n, MaxAddress).
		WithHint("leave out what the question does not need; statements to preview can be posted")
	p.Kind.Status = http.StatusRequestURITooLong
	return &p
}

// withoutAddress returns the request without what is too long in it, so that nothing repeats it.
func withoutAddress(r *http.Request) *http.Request {
	short := r.Clone(r.Context())
	short.RequestURI, short.URL.RawQuery, short.URL.RawPath = "", "", ""
	if len(short.URL.Path) > problem.MaxShown {
		short.URL.Path = "/"
	}
	return short
}

// refuse answers with a problem: as a page, where a page was asked for.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch p := problem.From(err); p.Kind.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfterText)
	}
	if s.RefusePage == nil || !s.RefusePage(w, r, err) {
		wire.HTTP(w, err)
	}
}

// rescue answers for a request that panics, in place of net/http, which would hang up.
func (s *Service) rescue(g *guarded, r *http.Request) {
	broken := recover()
	if broken == nil {
		return
	}
	if broken == http.ErrAbortHandler {
		panic(broken)
	}
	s.Panicked(r.Method+" "+problem.Shorten(ShownPath(r.URL.Path)), broken)
	if g.written {
		panic(http.ErrAbortHandler) // nobody may take for whole what has broken off
	}
	wire.HTTP(g, wire.Panicked)
}

// Panicked counts and logs a panic. It is called where the panic is recovered from.
func (s *Service) Panicked(where string, broken any) {
	s.Bites.Panicked.Add(1)
	log := s.Log
	if log == nil {
		log = slog.Default()
	}
	log.Error("a request has panicked", "request", where, "panic", broken, "stack",
		string(debug.Stack()))
}

// A guarded answer must be read at some speed, so that nobody keeps a slot by not reading.
type guarded struct {
	http.ResponseWriter
	control *http.ResponseController
	turn    *turn     // of the question that is answered; nil for none
	bounded bool      // it has a deadline, and this sets it
	begun   time.Time // when it was begun to be written
	sent    int
	written bool
	ended   atomic.Bool // the server has stopped: nothing more is written
}

// writePiece is how much is written in one go, within one deadline.
const writePiece = 256 << 10

// within bounds the time in which the answer must be begun, and from then on its speed.
func (g *guarded) within(d time.Duration) {
	g.bounded = true
	g.until(time.Now().Add(d + slowest))
}

// until sets the deadline of the connection; what cannot have one is none.
func (g *guarded) until(t time.Time) { _ = g.SetWriteDeadline(t) }

// SetWriteDeadline is for http.ResponseController: no deadline is later than the end.
func (g *guarded) SetWriteDeadline(t time.Time) error {
	err := g.control.SetWriteDeadline(t)
	if err == nil && g.ended.Load() {
		return g.control.SetWriteDeadline(time.Now())
	}
	return err
}

// endSoon ends an answer some moments after the server stops, also of a client that does not read.
func (g *guarded) endSoon() {
	time.AfterFunc(graceful, func() {
		g.ended.Store(true)
		_ = g.SetWriteDeadline(time.Now())
	})
}

// WriteHeader implements http.ResponseWriter.
func (g *guarded) WriteHeader(status int) {
	if g.written {
		return // what is begun cannot become a problem any more
	}
	g.written = status >= http.StatusOK
	g.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (g *guarded) Write(data []byte) (n int, err error) {
	g.written = true
	if g.begun.IsZero() {
		g.begun = time.Now()
	}
	for first := true; first || len(data) > 0; first = false {
		piece := data[:min(len(data), writePiece)]
		if g.bounded {
			g.until(g.begun.Add(slowest + time.Duration(g.sent)*time.Second/leastSpeed))
		}
		m, err := g.writeOne(piece)
		n += m
		if err != nil {
			return n, err
		}
		data = data[len(piece):]
		g.sent += m
	}
	return n, nil
}

// writeOne writes a piece. While its client reads it, another question has the turn.
func (g *guarded) writeOne(piece []byte) (int, error) {
	if g.turn != nil && g.turn.give() {
		defer g.turn.take(context.Background())
	}
	return g.ResponseWriter.Write(piece)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (g *guarded) Unwrap() http.ResponseWriter { return g.ResponseWriter }
