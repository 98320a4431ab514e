package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/ledger/intake"
	"muster/projections/access/session"
	"muster/projections/web"
)

// visitorOver asks at the server at an address over HTTP, with a client that does not sign in.
func (a *app) visitorOver(at string, client *http.Client) (*visitor, error) {
	address, err := session.Address(at)
	if err != nil {
		return nil, err
	}
	plain := *client
	at = strings.TrimSuffix(at, "/")
	name, err := nameOf(at)
	return &visitor{app: a, name: name, door: httpDoor{at, address, &plain}}, err
}

// nameOf is the address of a server with the path below which it answers. Other servers may answer
// below others of the same host, and are never given its tokens.
func nameOf(at string) (string, error) {
	address, err := session.Address(at)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	return address + strings.TrimSuffix(u.Path, "/"), nil
}

// An httpDoor is where one signs in over HTTP.
type httpDoor struct {
	url, at string
	client  *http.Client
}

const (
	sessionPath = web.Root + "/session"
	maxSession  = 1 << 16 // bytes of an answer
)

// address implements door.
func (d httpDoor) address(events.Origin) (string, error) { return d.at, nil }

// canBeHeard implements door: nobody listens within one machine.
func (d httpDoor) canBeHeard() bool {
	u, err := url.Parse(d.at)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// do implements door.
func (d httpDoor) do(ctx context.Context, what act, token string, note []byte) ([]byte, error) {
	method, path := http.MethodPost, sessionPath
	switch what {
	case askNonce:
		path += "/nonce"
	case askWho:
		method = http.MethodGet
	case signOut:
		method = http.MethodDelete
	}
	var body io.Reader
	if note != nil {
		body = bytes.NewReader(note)
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, body)
	if err != nil {
		return nil, problem.New(problem.Usage, "the server's address %q: %w", d.url, err)
	}
	if note != nil {
		req.Header.Set("Content-Type", intake.ContentType)
	}
	bear(req, token)
	data, err := wire.Fetch(d.client, d.url, req, maxSession, "")
	if problem.Is(err, problem.NotFound) && (what == askNonce || what == askWho) {
		return nil, errNoDoor
	}
	return data, err
}

func bear(req *http.Request, token string) {
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
}

// asVisitor does requests as the visitor of their server: with its token, and once more when that
// has ended.
type asVisitor struct {
	http.RoundTripper
	visitor *visitor
}

// RoundTrip implements http.RoundTripper.
func (s asVisitor) RoundTrip(req *http.Request) (*http.Response, error) {
	if at, err := nameOf(req.URL.String()); err != nil || isForAll(req) ||
		!strings.HasPrefix(at+"/", s.visitor.name+"/") {
		return s.RoundTripper.RoundTrip(req)
	}
	token, err := s.visitor.tokenFor(req.Context())
	if err != nil && !(isSubmission(req) && (isRefusal(err) || errors.Is(err, errNoDoor))) {
		return nil, err
	}
	resp, err := s.RoundTripper.RoundTrip(borne(req, token, req.Body))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || token == "" {
		return resp, err
	}
	again := req.Body
	if again != nil {
		if req.GetBody == nil {
			return resp, nil
		}
		if again, err = req.GetBody(); err != nil {
			return resp, nil
		}
	}
	_ = resp.Body.Close()
	if token, err = s.visitor.renew(req.Context(), token); err != nil && !isSubmission(req) {
		return nil, err
	}
	return s.RoundTripper.RoundTrip(borne(req, token, again))
}

// borne returns a request with a token and a body.
func borne(req *http.Request, token string, body io.ReadCloser) *http.Request {
	req = req.Clone(req.Context())
	req.Body = body
	bear(req, token)
	return req
}

// isSubmission reports whether a request hands in statements, each of which says by itself whose it
// is.
func isSubmission(req *http.Request) bool {
	return req.Method == http.MethodPost && (strings.HasSuffix(req.URL.Path, intake.Path) ||
		strings.HasSuffix(req.URL.Path, intake.BatchPath))
}

// isForAll reports whether a request is for what every server shows to everybody: what proves that
// the ledger was not changed.
func isForAll(req *http.Request) bool {
	path := req.URL.Path
	return strings.HasSuffix(path, "/healthz") || strings.HasSuffix(path, "/checkpoint") ||
		strings.Contains(path, "/tile/") &&
			!strings.Contains(path, "/tile/entries/") && !strings.Contains(path, "/tile/released/")
}
