package server

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/projections/web"
)

// listen takes the address first: a server that cannot have it founds nothing. Nobody is answered
// before openAPI.
func (s *Server) listen() error {
	if err := errors.Join(s.front.listen(), s.secureNATS()); err != nil {
		return err
	}
	if s.cfg.NATSListen != "" && !s.cfg.NATS.Given() { // the NATS server takes it later
		l, err := listenOn("--nats-listen", s.cfg.NATSListen)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return s.listenAdmin()
}

// How long requests that are under way may take when the server stops.
const shutdownTimeout = 10 * time.Second

// openAPI answers over HTTP, and leaves the address in the folder for the commands on this machine.
func (s *Server) openAPI() error {
	health := func(api huma.API) { registerHealth(api, s.health, s.Ready) }
	err := s.answer(faces{tree: s.Journal, to: s.watched(), ledger: pagesLedger{s},
		imports: s.planImport, plans: s.planFile, health: health, around: s.countHTTP})
	if err != nil {
		return err
	}
	return s.writeAddress()
}

// A boundedServer is an HTTP server whose clients take no more time and memory than they need, and
// that ends when who is under way has been answered.
type boundedServer struct {
	http.Server

	mu     sync.Mutex
	silent map[net.Conn]bool // who was let in, and has said nothing yet
}

func bounded(handler http.Handler, to *slog.Logger) *boundedServer {
	b := &boundedServer{silent: make(map[net.Conn]bool)}
	b.Server = http.Server{Handler: handler,
		ReadHeaderTimeout: web.MaxHeaderTime,
		IdleTimeout:       web.MaxIdle,
		WriteTimeout:      web.MaxWriting,
		MaxHeaderBytes:    web.MaxHeader,
		ErrorLog:          log.New(lineLog{to}, "", 0),
		ConnState:         b.changed}
	return b
}

func (b *boundedServer) changed(conn net.Conn, to http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if to == http.StateNew {
		b.silent[conn] = true
	} else {
		delete(b.silent, conn)
	}
}

// silentTimeout is how long a server that ends waits for those who have said nothing. HTTP clients
// dial more often than they have something to say: one that gets a connection back meanwhile keeps
// the new one for later.
const silentTimeout = 500 * time.Millisecond

// end lets nobody new in, and waits for those who are answered, for so long. For who has said
// nothing, [http.Server.Shutdown] alone would wait for some five seconds.
func (b *boundedServer) end(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	hangUp := time.AfterFunc(silentTimeout, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for conn := range b.silent {
			_ = conn.Close()
		}
	})
	defer hangUp.Stop()
	if err := b.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return b.Close()
}
