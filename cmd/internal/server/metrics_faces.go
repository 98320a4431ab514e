package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
)

// countHTTP counts what is asked over HTTP, and how it was answered. A stream is counted when it
// ends. Statements are counted where they are submitted.
func (s *Server) countHTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := s.Questions.KindOf(r.URL.Path)
		if kind == "" {
			next.ServeHTTP(w, r)
			return
		}
		begun, noted := time.Now(), &notedAnswer{ResponseWriter: w}
		defer func() {
			s.metrics.asked(kind, "http", resultOf(noted.status, noted.told), begun)
		}()
		next.ServeHTTP(noted, r)
	})
}

// resultOf is ok, or the kind of the problem that was told.
func resultOf(status int, told []byte) string {
	if status == 0 {
		return "none" // it has broken off
	}
	if status < http.StatusBadRequest {
		return resultOK
	}
	p := &problem.Problem{}
	if json.Unmarshal(told, p) == nil && p.Kind.Slug != "" {
		return p.Kind.Slug
	}
	for _, k := range problem.Kinds() { // a page that tells one has its status alone
		if k.Status == status {
			return k.Slug
		}
	}
	return strconv.Itoa(status)
}

// countNATS counts what is asked of a micro service, and how it was answered.
func (s *Server) countNATS(svc micro.Service) micro.Service { return countedService{svc, s} }

type countedService struct {
	micro.Service
	server *Server
}

// AddEndpoint implements micro.Service.
func (c countedService) AddEndpoint(name string, h micro.Handler, opts ...micro.EndpointOpt) error {
	kind := c.server.Questions.KindOverNATS(name)
	if kind == "" {
		return c.Service.AddEndpoint(name, h, opts...)
	}
	return c.Service.AddEndpoint(name, micro.HandlerFunc(func(req micro.Request) {
		h.Handle(&countedRequest{req, kind, time.Now(), c.server.metrics})
	}), opts...)
}

// A countedRequest is counted when it is answered, which each is once.
type countedRequest struct {
	micro.Request
	kind    string
	begun   time.Time
	metrics *counters
}

// Respond implements micro.Request.
func (r *countedRequest) Respond(data []byte, opts ...micro.RespondOpt) error {
	err := r.Request.Respond(data, opts...)
	if err != nil {
		return err // it is answered otherwise, or the connection is gone
	}
	answer, status := &nats.Msg{Header: nats.Header{}}, http.StatusOK
	for _, opt := range opts {
		opt(answer)
	}
	if code := answer.Header.Get(micro.ErrorCodeHeader); code != "" {
		status, _ = strconv.Atoi(code)
	}
	r.metrics.asked(r.kind, "nats", resultOf(status, data), r.begun)
	return nil
}
