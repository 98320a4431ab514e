package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"muster/events/problem"
	"muster/ledger/intake"
)

// natsHost stands in the addresses of what is asked over NATS, in the place of a server's.
const natsHost = "http://nats.invalid" // RFC 2606

// overNATS takes requests for what a server has under /checkpoint and /tile over NATS.
type overNATS struct{ intake.NATSClient }

// RoundTrip implements http.RoundTripper. What the server refuses is an answer, as over HTTP; what
// cannot be had is an error.
func (o overNATS) RoundTrip(req *http.Request) (*http.Response, error) {
	data, err := o.Fetch(req.Context(), strings.TrimPrefix(req.URL.RequestURI(), "/"))
	p := problem.Of(err)
	switch {
	case err == nil:
		return fromTile(req, data), nil
	case p == nil || p.Kind == problem.Unavailable || p.Kind == problem.TooLarge:
		return nil, err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	resp := fromTile(req, body)
	resp.StatusCode, resp.Status = p.Kind.Status, http.StatusText(p.Kind.Status)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
