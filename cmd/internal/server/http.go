package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"muster/cmd/internal/files"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/web"
	"muster/projections/web/page"
)

// listen takes the address first: a server that cannot have it founds nothing. Nobody is answered
// before openAPI.
func (s *Server) listen() (err error) {
	if s.listener, err = net.Listen("tcp", s.cfg.Listen); err != nil {
		return problem.New(problem.Unavailable, "listening on %s: %w", s.cfg.Listen, err).
			WithHint("name another address with --listen, such as 127.0.0.1:8081")
	}
	s.onClose(func() error {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) { // the HTTP server closes it too
			return err
		}
		return nil
	})
	return nil
}

// How long requests that are under way may take when the server stops.
const shutdownTimeout = 10 * time.Second

// openAPI answers over HTTP, and leaves the address in the folder for the commands on this machine.
func (s *Server) openAPI() error {
	mux := http.NewServeMux()
	api := newAPI(mux, s.cfg.Version)
	intake.Register(api, visible{intake.Of(s.Ledger), s.Projector})
	intake.RegisterTree(mux, s.Journal)
	s.Questions.Register(api)
	s.registerHealth(api)
	handleSchemas(mux, s.cfg.Version)
	if err := web.HandleDocs(mux, *api.OpenAPI()); err != nil {
		return err
	}
	pages, err := page.New(page.Config{Service: s.Questions, Ledger: kept{s}})
	if err != nil {
		return err
	}
	pages.Handle(mux)
	handler := s.Questions.Guard(http.NewCrossOriginProtection().Handler(s.Questions.Handler(mux)))
	s.http = &http.Server{Handler: timely(s.cfg.BodyTime, web.AnswerOnly(s.names(), handler)),
		ReadHeaderTimeout: web.MaxHeaderTime, IdleTimeout: web.MaxIdle, WriteTimeout: web.MaxWriting,
		MaxHeaderBytes: web.MaxHeader,
		ErrorLog:       slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn)}
	go func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		err := s.http.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.http.Close() // on who was let in and never said anything: the others are done
		}
		return errors.Join(err, os.Remove(filepath.Join(s.cfg.Dir, AddressFile)))
	})
	return files.Replace(filepath.Join(s.cfg.Dir, AddressFile), 0o600, []byte(s.URL()+"\n"))
}

// names returns the hosts that the server is named by: those that it was told, and the one that it
// was told to listen on.
func (s *Server) names() []string {
	host, _, err := net.SplitHostPort(s.cfg.Listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		return s.cfg.Hosts
	}
	return append(slices.Clone(s.cfg.Hosts), host)
}

// ListensToOthers reports whether other machines reach the server.
func (s *Server) ListensToOthers() bool { return !s.listener.Addr().(*net.TCPAddr).IP.IsLoopback() }

// URL is the address of the HTTP API, as a client on this machine writes it.
func (s *Server) URL() string {
	addr := s.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + addr.String()
}
