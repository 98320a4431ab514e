package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/sync/errgroup"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/intake"
	"muster/ledger/journal"
	"muster/ledger/natsd"
	"muster/ledger/proof"
	"muster/ledger/stream"
	"muster/projections"
	"muster/projections/web"
	"muster/projections/web/page"
)

// The files in a server's data folder.
const (
	founderFile     = "founder.key"    // the founder's secret key, where the ledger was founded
	addressFile     = "address"        // where the server that runs on the folder listens
	journalFile     = "journal.db"     // the second copy: package journal
	stateFile       = "ledger.state"   // the write side's saved state: it can always be read from the journal again
	projectionsFile = "projections.db" // saved projections: they can always be rebuilt
	natsFolder      = "nats"           // the embedded NATS server's
)

// A serverConfig says how a server is put together.
type serverConfig struct {
	dir        string
	listen     string
	hosts      []string // by which this server is named, beside its addresses
	nats       string   // URLs of a NATS cluster; "" for the embedded server
	natsListen string
	service    string // URLs of the same cluster for a user that only answers; "" for the same user
	replicas   int
	name       string // this server's, in its records
	origin     events.Origin
	title      string
	proxies    []netip.Prefix // that tell whose requests they pass on
	newKey     bool           // make a checkpoint key although the folder has had one
	log        *slog.Logger
	patience   time.Duration // with the body of a request; bodyTimeout when 0
}

// A server is everything that runs for one ledger on one machine. The steps of start are in the order of its fields.
type server struct {
	cfg       serverConfig
	natsd     *natsd.Server // nil with an outside cluster
	conn      *nats.Conn
	stream    *stream.Stream
	journal   *journal.Journal
	prepared  func(context.Context, ledger.Log) (*ledger.Ledger, error)
	ledger    *ledger.Ledger
	signer    *proof.CheckpointSigner
	projector *projections.Projector
	questions *web.Service
	listener  net.Listener
	http      *http.Server

	opened time.Time // when journal and stream were brought to the same end
	met    uint64    // the journal's last record before that, which the stream held too

	running   sync.WaitGroup
	projected atomic.Pointer[problem.Problem] // why the projector stopped
	failed    chan error                      // the HTTP server ended by itself
	closing   sync.Mutex                      // for closers
	closers   []func() error                  // what to undo, in reverse order
}

// startServer starts a server, or undoes what it had started and says why it could not.
func startServer(ctx context.Context, cfg serverConfig) (*server, error) {
	cfg.patience = cmp.Or(cfg.patience, bodyTimeout)
	s := &server{cfg: cfg, failed: make(chan error, 1)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// start does the steps in their order. The journal's lock is that of the folder: nothing else there
// is touched before it is had.
func (s *server) start(ctx context.Context) error {
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.makeFolder(); err != nil {
		return err
	}
	if err := s.openJournal(); err != nil {
		return err
	}
	if err := s.openBothSides(ctx); err != nil {
		return err
	}
	if err := s.follow(ctx); err != nil {
		return err
	}
	if err := s.openAPI(); err != nil {
		return err
	}
	return s.openService()
}

// openBothSides opens what rests on the journal: the write side, and beside it the projections,
// since each may have to read the journal from its beginning. When both fail, the error is always
// that of the write side.
func (s *server) openBothSides(ctx context.Context) error {
	var beside errgroup.Group
	beside.Go(func() error { return s.openProjector(ctx) })
	err := s.openWriteSide(ctx)
	return cmp.Or(err, beside.Wait())
}

// openWriteSide opens the ledger on the stream. What needs the journal alone is done while NATS
// starts, and when both fail, the error is always that of NATS.
func (s *server) openWriteSide(ctx context.Context) error {
	var beside errgroup.Group
	beside.Go(s.prepareLedger)
	err := s.openNATS()
	if err == nil {
		err = s.openStream(ctx)
	}
	if err = cmp.Or(err, beside.Wait()); err != nil {
		return err
	}
	if err := s.openLedger(ctx); err != nil {
		return err
	}
	if err := s.found(ctx); err != nil {
		return err
	}
	return s.openCheckpoints()
}

func (s *server) onClose(f func() error) {
	s.closing.Lock()
	defer s.closing.Unlock()
	s.closers = append(s.closers, f)
}

// close stops everything in reverse order: first nobody new is let in, then what is under way is finished.
func (s *server) close() (err error) {
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	s.closers = nil
	return err
}

// healthy returns why the server cannot do its work now, or nil.
func (s *server) healthy() error {
	if err := s.ledger.Healthy(); err != nil {
		return err
	}
	if p := s.projected.Load(); p != nil {
		return p
	}
	return nil
}

// listen takes the address first: a server that cannot have it founds nothing. Nobody is answered before openAPI.
func (s *server) listen() (err error) {
	if s.listener, err = net.Listen("tcp", s.cfg.listen); err != nil {
		return problem.New(problem.Unavailable, "listening on %s: %w", s.cfg.listen, err).WithHint("name another address with --listen, such as 127.0.0.1:8081")
	}
	s.onClose(func() error {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) { // the HTTP server closes it too
			return err
		}
		return nil
	})
	return nil
}

func (s *server) makeFolder() error {
	if err := os.MkdirAll(s.cfg.dir, 0o700); err != nil {
		return problem.New(problem.Usage, "the data folder: %w", err).WithHint("name another with --data")
	}
	for _, path := range []string{s.cfg.dir, filepath.Join(s.cfg.dir, founderFile), filepath.Join(s.cfg.dir, checkpointKeyFile)} {
		if warning := files.Exposed(path); warning != "" {
			s.cfg.log.Warn(warning)
		}
	}
	return nil
}

func (s *server) openJournal() (err error) {
	s.journal, err = journal.Open(filepath.Join(s.cfg.dir, journalFile))
	if err == nil {
		s.onClose(s.journal.Close)
	}
	return err
}

func (s *server) openNATS() (err error) {
	if s.cfg.nats != "" {
		if s.cfg.natsListen != "" {
			return usage("--nats-listen is for the embedded NATS server, and --nats for another: give one of them")
		}
		s.conn, err = connectNATS(s.cfg.nats, nats.MaxReconnects(-1))
	} else {
		s.natsd, err = natsd.Start(natsd.Config{Dir: filepath.Join(s.cfg.dir, natsFolder), Listen: s.cfg.natsListen, Log: natsLog{s.cfg.log}})
		if err != nil {
			return err
		}
		s.onClose(s.natsd.Shutdown)
		s.conn, err = s.natsd.Connect()
	}
	if err == nil {
		s.onClose(func() error { s.conn.Close(); return nil })
	}
	return err
}

func (s *server) openStream(ctx context.Context) (err error) {
	s.stream, err = stream.Open(ctx, s.conn, stream.Config{Replicas: s.cfg.replicas})
	if err == nil {
		s.onClose(func() error { s.stream.Close(); return nil })
	}
	return err
}

func (s *server) prepareLedger() (err error) {
	s.met = s.journal.Last()
	s.prepared, err = ledger.Prepare(ledger.Config{Journal: s.journal, Name: s.cfg.name, Saved: filepath.Join(s.cfg.dir, stateFile)})
	return err
}

func (s *server) openLedger(ctx context.Context) (err error) {
	s.ledger, err = s.prepared(ctx, s.stream)
	s.opened = time.Now()
	if err == nil {
		s.onClose(s.ledger.Close)
	}
	return err
}

// found makes the first record when there is none: with the founder's key, which is made for it and lies in the folder.
func (s *server) found(ctx context.Context) error {
	if s.ledger.Origin() != "" {
		return s.checkOrigin()
	}
	path := filepath.Join(s.cfg.dir, founderFile)
	if info, err := os.Stat(path); err == nil && info.Size() == 0 { // a first start broke off before the key was written
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	_, err := files.NewKey("HQ/founder", path)
	made := err == nil
	if err != nil && !problem.Is(err, problem.Conflict) { // it is there already after a first start that broke off
		return err
	}
	signer, err := files.ReadKey(path)
	if err != nil {
		return err
	}
	origin := s.cfg.origin
	if origin == "" {
		origin = events.Origin(fmt.Sprintf("muster.local/%08x", signer.KeyHash()))
	}
	signed, err := events.Sign(&events.LedgerFounded{
		Header: events.Header{Type: "ledger.founded", ID: events.NewID(), Ledger: origin},
		Title:  s.cfg.title, Founder: signer.Key(),
	}, signer)
	if err != nil {
		return err
	}
	_, err = s.ledger.Submit(ctx, signed)
	if s.ledger.Origin() != "" && problem.Is(err, problem.Conflict) { // another server on the same stream was faster
		if made {
			err = os.Remove(path)
		}
		return errors.Join(err, s.checkOrigin())
	}
	return err
}

func (s *server) checkOrigin() error {
	if o := s.ledger.Origin(); s.cfg.origin != "" && s.cfg.origin != o {
		return problem.New(problem.Conflict, "this ledger's origin is %s, and --origin says %s: a ledger keeps its name for ever", o, s.cfg.origin).
			WithHint("leave --origin out, or use another data folder and stream")
	}
	return nil
}

func (s *server) openProjector(ctx context.Context) (err error) {
	s.projector, err = projections.Open(ctx, filepath.Join(s.cfg.dir, projectionsFile), s.journal)
	if err != nil {
		return err
	}
	if why := s.projector.Discarded(); why != nil {
		s.cfg.log.Warn("the saved projections were thrown away and built anew", "why", why)
	}
	s.onClose(s.projector.Close)
	return nil
}

// follow has the projections follow the journal, and waits until they have all that it has now.
func (s *server) follow(ctx context.Context) error {
	s.questions = web.NewService(s.projector, s.journal)
	s.questions.Version, s.questions.Log, s.questions.Proxies = version(), s.cfg.log, s.cfg.proxies
	s.questions.CheckpointKey = s.signer.Key()
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(func() {
		if err := s.projector.Run(following); err != nil {
			s.cfg.log.Error("the projections have stopped", "error", err)
			s.projected.Store(problem.New(problem.Unavailable, "the projections have stopped: %w", err))
		}
	})
	s.onClose(func() error {
		stop()
		s.running.Wait()
		return nil
	})
	return s.projector.WaitFor(ctx, s.journal.Last())
}

// How long requests that are under way may take when the server stops.
const shutdownTimeout = 10 * time.Second

func (s *server) openAPI() error {
	mux := http.NewServeMux()
	api := newAPI(mux)
	intake.Register(api, visible{intake.Of(s.ledger), s.projector})
	intake.RegisterTree(mux, s.journal)
	s.questions.Register(api)
	s.registerHealth(api)
	handleSchemas(mux)
	if err := web.HandleDocs(mux, *api.OpenAPI()); err != nil {
		return err
	}
	pages, err := page.New(page.Config{Service: s.questions, Ledger: kept{s}})
	if err != nil {
		return err
	}
	pages.Handle(mux)
	handler := s.questions.Guard(http.NewCrossOriginProtection().Handler(s.questions.Handler(mux)))
	s.http = &http.Server{Handler: timely(s.cfg.patience, web.AnswerOnly(s.names(), handler)),
		ReadHeaderTimeout: web.MaxHeaderTime, IdleTimeout: web.MaxIdle, WriteTimeout: web.MaxWriting,
		MaxHeaderBytes: web.MaxHeader,
		ErrorLog:       slog.NewLogLogger(s.cfg.log.Handler(), slog.LevelWarn)}
	go func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		err := s.http.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) { // somebody was let in and never said anything: the others are done
			err = s.http.Close()
		}
		return errors.Join(err, os.Remove(filepath.Join(s.cfg.dir, addressFile)))
	})
	return files.Replace(filepath.Join(s.cfg.dir, addressFile), 0o600, []byte(s.url()+"\n"))
}

// names returns the hosts that the server is named by: those that it was told, and the one that it
// was told to listen on.
func (s *server) names() []string {
	host, _, err := net.SplitHostPort(s.cfg.listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		return s.cfg.hosts
	}
	return append(slices.Clone(s.cfg.hosts), host)
}

// listensToOthers reports whether other machines reach the server.
func (s *server) listensToOthers() bool { return !s.listener.Addr().(*net.TCPAddr).IP.IsLoopback() }

// openService registers the micro service (NATS ADR-32), so that the ordinary nats command finds it.
func (s *server) openService() error {
	conn, err := s.serviceConn()
	if err != nil {
		return err
	}
	svc, err := micro.AddService(conn, micro.Config{Name: "muster", Version: version(), Description: "A coalition's ledger of pledges",
		Metadata: map[string]string{"origin": string(s.ledger.Origin()), "server": s.cfg.name}})
	if err != nil {
		return fmt.Errorf("the NATS micro service: %w", err)
	}
	waitSubmits, err1 := intake.RegisterNATS(svc, visible{intake.Of(s.ledger), s.projector})
	waitQuestions, err2 := s.questions.RegisterNATS(svc)
	err3 := intake.RegisterTreeNATS(svc, s.journal)
	s.publishCheckpoints()
	s.onClose(func() error {
		err := svc.Stop()
		waitSubmits()
		waitQuestions()
		return err
	})
	return errors.Join(err1, err2, err3, conn.Flush()) // only then is it there for whoever asks
}

// serviceConn returns the connection that answers over NATS: with the embedded server one of its own, since whoever asks
// says where the answer goes; with an outside cluster that of --nats-service.
func (s *server) serviceConn() (conn *nats.Conn, err error) {
	switch {
	case s.natsd != nil:
		conn, err = s.natsd.ConnectService()
	case s.cfg.service != "":
		conn, err = connectNATS(s.cfg.service, nats.CustomInboxPrefix("_SERVICE"), nats.MaxReconnects(-1))
	default:
		s.cfg.log.Warn("who asks over NATS is answered with this server's own rights, and says where the answer goes: " +
			"give --nats-service a user that may publish to _INBOX.> only (deploy/nats-server.conf)")
		return s.conn, nil
	}
	if err == nil {
		s.onClose(func() error { conn.Close(); return nil })
	}
	return conn, err
}

// url is the address of the HTTP API, as a client on this machine writes it.
func (s *server) url() string {
	addr := s.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + addr.String()
}

// natsLog passes on what the embedded NATS server reports and a person should see.
type natsLog struct{ *slog.Logger }

func (l natsLog) Noticef(string, ...any) {}
func (l natsLog) Debugf(string, ...any)  {}
func (l natsLog) Tracef(string, ...any)  {}
func (l natsLog) Warnf(format string, v ...any) {
	if strings.Contains(format, "Plaintext passwords") {
		return // the only password is made at random at each start and never leaves the process
	}
	l.Warn("nats: " + fmt.Sprintf(format, v...))
}
func (l natsLog) Errorf(format string, v ...any) { l.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l natsLog) Fatalf(format string, v ...any) { l.Error("nats: " + fmt.Sprintf(format, v...)) }
