package server

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"muster/events/problem"
	"muster/projections/web"
)

// listenAdmin takes the address for whoever watches the server, where there is one, and answers
// there at once: a start may take a while, and shows there that it goes on.
func (s *Server) listenAdmin() (err error) {
	if s.cfg.Admin == "" {
		return nil
	}
	if s.admin, err = listenOn("--admin", s.cfg.Admin); err != nil {
		return err
	}
	if !s.admin.Addr().(*net.TCPAddr).IP.IsLoopback() && !s.cfg.AdminAnyone {
		p := problem.New(problem.Usage, "--admin %s is an address for other machines, and whoever "+
			"reaches it reads how much is recorded and asked, and when", s.cfg.Admin).
			WithHint("name an address of this machine alone, such as 127.0.0.1:9464; or say " +
				"--admin-anyone, where nobody but who watches the server reaches it")
		return errors.Join(p, s.admin.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: adminRequests, Timeout: adminTimeout}))
	mux.HandleFunc("GET "+livePath, func(w http.ResponseWriter, _ *http.Request) {
		status, answer := probe(nil)
		tell(w, status, answer)
	})
	ready := func(w http.ResponseWriter, r *http.Request) {
		status, answer := probe(s.Ready(r.Context()))
		tell(w, status, answer)
	}
	mux.HandleFunc("GET "+readyPath, ready)
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, r *http.Request) {
		if !s.ready.Load() {
			ready(w, r)
			return
		}
		status, answer := s.health()
		tell(w, status, answer)
	})
	server := bounded(web.AnswerOnly(s.names(), mux), s.cfg.Log)
	go func() {
		if err := server.Serve(s.admin); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("nobody is told of metrics any more", "error", err)
		}
	}()
	s.onClose(func() error { return server.end(time.Second) })
	return nil
}

// What whoever watches may ask for at a time, and for how long.
const (
	adminRequests = 8
	adminTimeout  = 10 * time.Second
)

// AdminAt is where metrics are read.
func (s *Server) AdminAt() Place {
	if s.admin == nil {
		return ""
	}
	return Place("http://" + s.admin.Addr().String() + metricsPath)
}

func tell[A any](w http.ResponseWriter, status int, answer A) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // it fails only when nobody is there to be told
}
