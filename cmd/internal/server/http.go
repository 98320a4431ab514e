package server

import (
	"errors"
	"log"
	"log/slog"
	"net/http"
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
		imports: s.planImport, health: health, around: s.countHTTP})
	if err != nil {
		return err
	}
	return s.writeAddress()
}

// bounded is an HTTP server whose clients take no more time and memory than they need.
func bounded(handler http.Handler, to *slog.Logger) *http.Server {
	return &http.Server{Handler: handler,
		ReadHeaderTimeout: web.MaxHeaderTime,
		IdleTimeout:       web.MaxIdle,
		WriteTimeout:      web.MaxWriting,
		MaxHeaderBytes:    web.MaxHeader,
		ErrorLog:          log.New(lineLog{to}, "", 0)}
}
