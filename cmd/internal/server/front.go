package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/ledger/intake"
	"muster/projections/access"
	"muster/projections/projector"
	"muster/projections/records"
	"muster/projections/web"
	"muster/projections/web/page"
)

// A front is what a server and a mirror have in common. Both have a verified copy of a ledger, and
// answer over HTTP what follows from it.
type front struct {
	Projector *projector.Projector
	Questions *web.Service

	cfg         Config
	certificate *certificate // nil where TLS is not spoken
	listener    net.Listener
	access      *accessLog     // nil for none
	routes      *http.ServeMux // what is answered over HTTP
	http        *boundedServer

	stopping  atomic.Bool // nobody new is let in any more
	running   sync.WaitGroup
	projected atomic.Pointer[problem.Problem] // why the projector stopped
	failed    chan error                      // the HTTP server ended by itself
	closing   sync.Mutex                      // for closers
	closers   []func() error                  // what to undo, in reverse order
}

// newFront returns a front that logs to log, and is nowhere yet.
func newFront(cfg Config, log *slog.Logger) front {
	cfg.BodyTime = cmp.Or(cfg.BodyTime, web.MaxBodyTime)
	cfg.Log = log
	return front{cfg: cfg, failed: make(chan error, 1)}
}

func (f *front) onClose(undo func() error) {
	f.closing.Lock()
	defer f.closing.Unlock()
	f.closers = append(f.closers, undo)
}

// Close stops everything in reverse order: first nobody new is let in, at any face, then what is
// under way is finished.
func (f *front) Close() (err error) {
	f.stopping.Store(true)
	if f.Questions != nil {
		f.Questions.Stop()
	}
	for i := len(f.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, f.closers[i]())
	}
	f.closers = nil
	return err
}

// Failed tells why the server answers over HTTP no more, though nobody has closed it. It has still
// to be closed.
func (f *front) Failed() <-chan error { return f.failed }

// listen reads the certificate, and takes the address.
func (f *front) listen() (err error) {
	if f.cfg.TLSCert != "" || f.cfg.TLSKey != "" {
		f.certificate, err = readCertificate(f.cfg.TLSCert, f.cfg.TLSKey, f.cfg.Log)
		if err != nil {
			return err
		}
	}
	if f.listener, err = listenOn("--listen", f.cfg.Listen); err != nil {
		return err
	}
	f.onClose(func() error {
		// The HTTP server closes it, too.
		if err := f.listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return f.secure("--listen "+f.cfg.Listen, !f.ListensToOthers())
}

// openProjector opens the picture of a copy, of which the saved form lies in a folder.
func (f *front) openProjector(ctx context.Context, dir string, of records.Source) (err error) {
	f.Projector, err = projector.Open(ctx, filepath.Join(dir, ProjectionsFile), of)
	if err != nil {
		return err
	}
	if why := f.Projector.Discarded(); why != nil {
		f.cfg.Log.Warn("the saved projections were thrown away and built anew", "why", why)
	}
	f.onClose(f.Projector.Close)
	return nil
}

// A verifiedCopy is a copy of a ledger of which everything was verified: a journal, or a mirror.
type verifiedCopy interface {
	records.Source
	// RootAt returns the root that the tree had when it was of that size.
	RootAt(size int64) (tlog.Hash, error)
}

// ask has questions answered from the picture of a copy, and those of all views, of which the saved
// form lies in a folder. The key is the one that has signed the checkpoints.
func (f *front) ask(dir string, of verifiedCopy, key string, reads access.Reading) {
	f.Questions = web.NewService(f.Projector, of)
	f.Questions.Views = access.Open(filepath.Join(dir, ViewsFolder), of, f.Projector,
		web.ViewLimits())
	f.Questions.Views.Log = f.cfg.Log
	f.Questions.Version, f.Questions.Log = f.cfg.Version, f.cfg.Log
	f.Questions.Proxies = f.cfg.Proxies
	f.Questions.CheckpointKey = key
	f.Questions.RootAt = func(size uint64) (string, error) {
		root, err := of.RootAt(int64(size))
		return root.String(), err
	}
	f.Questions.Reads = reads
}

// project has the picture follow the copy, and waits until it has a record.
func (f *front) project(ctx context.Context, last uint64) error {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.running.Go(func() {
		if err := f.Projector.Run(following); err != nil {
			f.cfg.Log.Error("the projections have stopped", "error", err)
			if fault := (*projector.Fault)(nil); errors.As(err, &fault) {
				f.cfg.Log.Error("the fault", "panic", fault.Panic, "stack", fault.Stack)
			}
			f.projected.Store(problem.New(problem.Unavailable,
				"the projections have stopped: %w", err))
		}
	})
	f.onClose(func() error {
		stop()
		f.running.Wait()
		return nil
	})
	f.onClose(f.Questions.Views.Close) // before what they follow ends
	return f.Projector.WaitFor(ctx, last)
}

// reading says who may read what, where nobody reaches it over NATS: see [Server.reading].
func (f *front) reading() access.Reading {
	switch {
	case f.cfg.Read != "":
		return f.cfg.Read
	case f.listener != nil && !f.ListensToOthers() && !f.isPassedOn():
		return access.ReadOpen
	}
	return access.ReadReleased
}

// isPassedOn reports whether the server was told of something that passes requests of other
// machines on to it, although it listens to this one alone.
func (f *front) isPassedOn() bool {
	return len(f.cfg.Hosts) > 0 || len(f.cfg.Proxies) > 0 || f.cfg.Plaintext
}

// sessions are how members sign in, at the addresses at which they reach the server.
func (f *front) sessions(origin events.Origin) *web.Sessions {
	ss := web.NewSessions(origin, f.Projector)
	ss.Hosts, ss.TLS, ss.PassedOn = f.names(), f.certificate != nil, f.isPassedOn()
	ss.Port = strconv.Itoa(f.listener.Addr().(*net.TCPAddr).Port)
	return ss
}

// faces are what is answered over HTTP beside the questions.
type faces struct {
	tree   intake.Tree
	to     intake.Submitter
	ledger page.Ledger
	health func(huma.API)
	// beside takes what is no part of the API, and passes the rest on; nil for nothing.
	beside func(http.Handler) http.Handler
	// around counts what is asked; nil where nobody does.
	around func(http.Handler) http.Handler
	// imports says what a file comes to, and plans a plan file; nil for a mirror.
	imports page.Importer
	plans   page.Planner
	// mirror is what pages say of a mirror; nil for a server.
	mirror func() *page.Mirror
}

// answer begins to answer over HTTP.
func (f *front) answer(with faces) error {
	mux := http.NewServeMux()
	f.routes = mux
	pages, err := page.New(page.Config{Service: f.Questions, Ledger: with.ledger,
		Mirror: with.mirror, Import: with.imports, Plan: with.plans, WritePlan: writePlan})
	if err != nil {
		return err
	}
	api := newAPI(mux, f.cfg.Version, f.cfg.Base, pages.Tell)
	intake.Register(api, with.to)
	intake.RegisterTree(mux, with.tree, f.Questions)
	f.Questions.Register(api)
	with.health(api)
	handleSchemas(mux, f.cfg.Version)
	if err := web.HandleDocs(mux, *api.OpenAPI()); err != nil {
		return err
	}
	pages.Handle(mux)
	handler := f.whileOpen(f.Questions.Guard(
		http.NewCrossOriginProtection().Handler(f.Questions.Handler(mux))))
	if with.beside != nil {
		handler = with.beside(handler)
	}
	door := func(inside http.Handler) http.Handler {
		inside = web.AnswerOnly(f.names(), f.onlyTLS(inside))
		if with.around != nil {
			inside = with.around(inside)
		}
		return f.access.overHTTP(f.Questions.ClientAddress, inside)
	}
	handler = f.cfg.Base.Handler(door(handler), door(http.HandlerFunc(f.cfg.Base.Elsewhere)))
	f.http = bounded(timely(f.cfg.BodyTime, handler), f.cfg.Log)
	go func() {
		if err := f.serve(); !errors.Is(err, http.ErrServerClosed) {
			f.failed <- err
		}
	}()
	f.onClose(f.shutDown)
	return nil
}

// whileOpen tells whoever comes to a server that stops so, before anything that they send is read:
// there may be many, and what is under way needs the processors to end.
func (f *front) whileOpen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.stopping.Load() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", "5")
		wire.HTTP(w, errStopping)
	})
}

var errStopping = problem.New(problem.Unavailable, "the server is stopping").
	WithHint("ask another server, or this one when it has started again")

// serve answers until the server is closed.
func (f *front) serve() error {
	if f.certificate == nil {
		return f.http.Serve(f.listener)
	}
	f.http.TLSConfig = f.certificate.config()
	return f.http.ServeTLS(f.listener, "", "")
}

// shutDown lets nobody new in, and waits for those who are answered: nobody waits for more.
func (f *front) shutDown() error {
	f.Questions.Stop()
	return f.http.end(shutdownTimeout)
}

// onlyTLS has browsers ask for the names that the server was given over TLS alone from then on
// (RFC 6797), where it speaks TLS. It leaves out the names of this machine, even where it was given
// one of them: browsers apply that to all ports, and other servers there may not speak TLS.
func (f *front) onlyTLS(next http.Handler) http.Handler {
	if f.certificate == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if web.IsNamed(r, f.cfg.Hosts) && !web.IsThisMachine(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// names returns the hosts that the server is named by: those that it was told, and the one that it
// was told to listen on.
func (f *front) names() []string {
	host, _, err := net.SplitHostPort(f.cfg.Listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		return f.cfg.Hosts
	}
	return append(slices.Clone(f.cfg.Hosts), host)
}

// ListensToOthers reports whether other machines reach the server.
func (f *front) ListensToOthers() bool { return !f.listener.Addr().(*net.TCPAddr).IP.IsLoopback() }

// URL is the address of the HTTP API, as a client on this machine writes it, with the base.
func (f *front) URL() string { return f.At().URL() }

// At is where the HTTP API listens, with the base.
func (f *front) At() Place {
	scheme := "http://"
	if f.certificate != nil {
		scheme = "https://"
	}
	return Place(scheme + f.listener.Addr().String() + string(f.cfg.Base))
}

// knownAt is the address by which people know the server, with the base: the first name that it was
// told, and else its own. Where it was told a name and does not speak TLS, a proxy before it does.
func (f *front) knownAt() string {
	if len(f.cfg.Hosts) == 0 {
		return f.URL()
	}
	host := f.cfg.Hosts[0]
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := f.listener.Addr().(*net.TCPAddr).Port
	if f.certificate != nil && len(f.cfg.Proxies) == 0 && port != 443 {
		host += ":" + strconv.Itoa(port)
	}
	return "https://" + host + string(f.cfg.Base)
}

// openAccessLog opens the access log, where one is kept. It is closed when nobody is answered any
// more.
func (f *front) openAccessLog() (err error) {
	if f.cfg.AccessLog == "" {
		return nil
	}
	if f.access, err = newAccessLog(f.cfg.AccessLog, f.cfg.Log); err == nil {
		f.onClose(f.access.close)
	}
	return err
}

// ReopenAccessLog has the access log opened anew by its name, for who has moved the old one away.
func (f *front) ReopenAccessLog() {
	if f.access != nil {
		f.access.reopen()
	}
}
