package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"muster/ledger/intake"
	"muster/projections/web"
	"muster/projections/web/page"
)

// listen takes the address first: a server that cannot have it founds nothing. Nobody is answered
// before openAPI.
func (s *Server) listen() (err error) {
	if s.cfg.TLSCert != "" || s.cfg.TLSKey != "" {
		s.certificate, err = readCertificate(s.cfg.TLSCert, s.cfg.TLSKey, s.cfg.Log)
		if err != nil {
			return err
		}
	}
	if s.listener, err = listenOn("--listen", s.cfg.Listen); err != nil {
		return err
	}
	s.onClose(func() error {
		// The HTTP server closes it, too.
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	if err := errors.Join(s.secure("--listen "+s.cfg.Listen, !s.ListensToOthers()),
		s.secureNATS()); err != nil {
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
	mux := http.NewServeMux()
	s.routes = mux
	api := newAPI(mux, s.cfg.Version)
	intake.Register(api, s.watched())
	intake.RegisterTree(mux, s.Journal, s.Questions)
	s.Questions.Register(api)
	s.registerHealth(api)
	handleSchemas(mux, s.cfg.Version)
	if err := web.HandleDocs(mux, *api.OpenAPI()); err != nil {
		return err
	}
	pages, err := page.New(page.Config{Service: s.Questions, Ledger: pagesLedger{s}})
	if err != nil {
		return err
	}
	pages.Handle(mux)
	handler := s.Questions.Guard(http.NewCrossOriginProtection().Handler(s.Questions.Handler(mux)))
	handler = web.AnswerOnly(s.names(), s.onlyTLS(handler))
	handler = s.access.overHTTP(s.Questions.ClientAddress, s.countHTTP(handler))
	s.http = bounded(timely(s.cfg.BodyTime, handler), s.cfg.Log)
	go func() {
		if err := s.serve(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	addressed := s.writeAddress()
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		err := s.http.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.http.Close() // on who was let in and never said anything: the others are done
		}
		return err
	})
	return addressed
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

// serve answers until the server is closed.
func (s *Server) serve() error {
	if s.certificate == nil {
		return s.http.Serve(s.listener)
	}
	s.http.TLSConfig = s.certificate.config()
	return s.http.ServeTLS(s.listener, "", "")
}

// onlyTLS has browsers ask for the names that the server was given over TLS alone from then on
// (RFC 6797), where it speaks TLS. It leaves out the names of this machine, even where it was given
// one of them: browsers apply that to all ports, and other servers there may not speak TLS.
func (s *Server) onlyTLS(next http.Handler) http.Handler {
	if s.certificate == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if web.IsNamed(r, s.cfg.Hosts) && !web.IsThisMachine(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
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
	scheme := "http://"
	if s.certificate != nil {
		scheme = "https://"
	}
	addr := s.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("%s127.0.0.1:%d", scheme, addr.Port)
	}
	return scheme + addr.String()
}
