package web

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/projector"
)

func TestMain(m *testing.M) {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, msg string, _ ...error) huma.StatusError {
		return problem.New(problem.Internal, "huma has refused with %d: %s", status, msg)
	}
	os.Exit(m.Run())
}

// patient is long enough for a machine that is busy; nothing that works takes it.
const patient = 30 * time.Second

// The questions are asked on this day.
var today = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)

// A testServer answers on both faces, over real connections.
type testServer struct {
	t         *testing.T
	service   *Service
	projector *projector.Projector
	source    *watched
	api       huma.API
	url       string
	nc        *nats.Conn
	stopNATS  func() // stops the micro service and waits, as a server does
	follow    func() // lets the projector follow the log, from now on

	validating sync.Mutex
}

// newServer starts a server whose projector follows the log.
func newServer(t *testing.T, l *testLog) *testServer {
	t.Helper()
	s := newStillServer(t, l)
	s.follow()
	return s
}

// newStillServer starts a server whose picture stays behind the log until follow is called.
func newStillServer(t *testing.T, l *testLog) *testServer {
	t.Helper()
	s := &testServer{t: t, source: &watched{testLog: l, waits: make(chan uint64, 100)}}
	s.startProjector(l)
	s.service = NewService(s.projector, s.source)
	views := access.Open(filepath.Join(t.TempDir(), "views"), s.source, s.projector, ViewLimits())
	s.service.Views = views
	t.Cleanup(func() {
		if err := views.Close(); err != nil {
			t.Error(err)
		}
	})
	s.service.Now = func() time.Time { return today }
	s.service.recordWait = patient
	s.startHTTP()
	s.startNATS()
	return s
}

func (s *testServer) startProjector(l *testLog) {
	p, err := projector.Open(context.Background(), filepath.Join(s.t.TempDir(), "projections.db"),
		l)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ended <- nil
	s.projector, s.follow = p, func() {
		<-ended
		go func() { ended <- p.Run(ctx) }()
	}
	s.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && l.fail == nil {
			s.t.Error(err)
		}
		if err := p.Close(); err != nil {
			s.t.Error(err)
		}
	})
}

func (s *testServer) startHTTP() {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Muster", "test")
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.RejectUnknownQueryParameters = true
	DescribeWords(config.Components.Schemas)
	s.api = humago.New(mux, config)
	s.service.Register(s.api)
	srv := httptest.NewServer(s.service.Guard(s.service.Handler(mux)))
	s.t.Cleanup(srv.Close)
	s.url = srv.URL
}

func (s *testServer) startNATS() {
	srv, err := server.NewServer(&server.Options{DontListen: true, NoLog: true, NoSigs: true})
	if err != nil {
		s.t.Fatal(err)
	}
	srv.Start()
	s.t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(patient) {
		s.t.Fatal("the NATS server does not start")
	}
	if s.nc, err = nats.Connect("", nats.Timeout(patient), nats.InProcessServer(srv)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.nc.Close)
	svc, err := micro.AddService(s.nc, micro.Config{Name: "muster", Version: "0.0.1"})
	if err != nil {
		s.t.Fatal(err)
	}
	wait, err := s.service.RegisterNATS(svc)
	if err != nil {
		s.t.Fatal(err)
	}
	s.stopNATS = func() {
		if err := svc.Stop(); err != nil {
			s.t.Error(err)
		}
		wait()
	}
	s.t.Cleanup(s.stopNATS)
}

// A watched source tells what the service does with it; the projector has the log itself.
type watched struct {
	*testLog
	waits   chan uint64   // after which record the service has begun to wait
	entered chan struct{} // the service has begun to read, when it is not nil
	gate    chan struct{} // and goes on when this is closed
}

func (w *watched) Wait(ctx context.Context, after uint64) error {
	w.waits <- after
	return w.testLog.Wait(ctx, after)
}

func (w *watched) Records(from uint64) iter.Seq2[events.Record, error] {
	if w.entered != nil {
		w.entered <- struct{}{}
		<-w.gate
	}
	return w.testLog.Records(from)
}

// waiting returns when the service waits for the record after a sequence, so many times.
func (s *testServer) waiting(after uint64, times int) {
	s.t.Helper()
	for times > 0 {
		select {
		case got := <-s.source.waits:
			if got == after {
				times--
			}
		case <-time.After(patient):
			s.t.Fatalf("nobody waits for what comes after record %d", after)
		}
	}
}

// soon returns what comes on the channel.
func soon[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patient):
		t.Fatal("nothing comes")
	}
	return v
}

// equal fails the test when got is not want.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// paths is where each question is asked over HTTP, after Root.
var paths = func() map[string]string {
	all := map[string]string{}
	for _, q := range questions {
		all[q.name] = q.path
	}
	return all
}()
