// Package wire is how the problems of package [muster/events/problem] travel: a server answers with
// them over HTTP (problem+json, RFC 9457) and over NATS (the errors of a micro service, ADR-32),
// and a client of either half of the program reads them.
package wire

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
)

// Panicked is the problem of a request whose handling has panicked.
var Panicked = problem.New(problem.Internal, "the request met a fault of this program").
	WithHint("the server's log has more about it: tell whoever runs it")

// HTTP answers with a problem, as problem+json.
func HTTP(w http.ResponseWriter, err error) {
	p := problem.From(err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Kind.Status)
	_, _ = w.Write(encoded(p))
}

// NATS answers with a problem: its status as the error code, and the whole problem+json as the
// data. It may be called after the handler has returned, as req.Error may not: that keeps the error
// for the statistics, which are counted at that very moment.
func NATS(req micro.Request, err error) {
	p := problem.From(err)
	// It fails only when the connection is gone, and the client with it.
	_ = req.Respond(encoded(p), micro.WithHeaders(micro.Headers{
		micro.ErrorHeader:     {p.Error()},
		micro.ErrorCodeHeader: {strconv.Itoa(p.Kind.Status)},
	}))
}

// encoded returns the JSON of a problem, which always has one.
func encoded(p *problem.Problem) []byte {
	data, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	return data
}

// Fetch sends a request to a server, and returns the answer, of which it reads no more than so many
// bytes. Client is http.DefaultClient when nil. The error is a problem: the one that was answered,
// one of the client's own, or that there was no whole answer. Then doubt is the hint, where the
// server may have done something all the same; it is "" for a request that only asks.
func Fetch(client *http.Client, server string, req *http.Request, most int64, doubt string) (
	[]byte, error) {
	resp, err := cmp.Or(client, http.DefaultClient).Do(req)
	if p := problem.Of(err); p != nil { // of the client's own
		return nil, p
	}
	if err != nil {
		p := problem.New(problem.Unavailable, "no answer from %s: %w", server, err)
		if doubt == "" && req.Context().Err() != nil { // the client itself has ended it
			return nil, p
		}
		return nil, p.WithHint("%s", cmp.Or(doubt,
			"is the server running there? start it with: muster serve"))
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if p := problem.Of(err); p != nil { // of the client's own
		if doubt != "" {
			p = p.WithHint("%s", doubt)
		}
		return nil, p
	}
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the answer from %s broke off: %w",
			server, err).
			WithHint("%s", cmp.Or(doubt, "ask again"))
	}
	if resp.StatusCode/100 != 2 {
		return nil, problem.Decode(resp.StatusCode, data)
	}
	return data, nil
}
