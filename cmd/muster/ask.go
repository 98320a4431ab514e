package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/web"
)

// serverURL finds the server: --url, or the address that a server on --data has left there, or the
// usual one.
func (a *app) serverURL() (string, error) {
	if a.url != "" {
		return a.url, nil
	}
	if a.data == "" {
		return "http://" + defaultListen, nil
	}
	text, err := os.ReadFile(filepath.Join(a.data, server.AddressFile))
	if err != nil {
		return "", problem.New(problem.Unavailable, "no server runs on the folder %s", a.data).
			WithHint("start it with: muster serve --data %s; or name another server with --url",
				a.data)
	}
	return strings.TrimSpace(string(text)), nil
}

// ask asks a server that shows the history which was seen before.
func (a *app) ask(ctx context.Context, question string, parameters map[string]string,
	answer any) error {
	if _, err := a.meet(ctx); err != nil {
		return err
	}
	if a.verifies && !slices.Contains(notVerifiable, question) {
		return a.askVerified(ctx, question, parameters, answer)
	}
	return a.question(ctx, question, parameters, answer)
}

// An askFunc is [app.ask], or [app.askToSign].
type askFunc func(ctx context.Context, question string, parameters map[string]string,
	answer any) error

// question asks the server a question: over NATS when --nats names servers, else over HTTP.
func (a *app) question(ctx context.Context, question string, parameters map[string]string,
	answer any) error {
	if !a.nats.Given() {
		url, err := a.serverURL()
		if err != nil {
			return err
		}
		client, err := a.asking(url)
		if err != nil {
			return err
		}
		return client.Ask(ctx, question, parameters, answer)
	}
	data, err := web.Parameters(parameters)
	if err != nil {
		return usage("the parameters of %s: %w", question, err)
	}
	nc, err := a.natsAsking()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return intake.Request(ctx, nc, web.SubjectPrefix+question, data, answer)
}

// askTimeout is how long a question over NATS may take.
const askTimeout = 90 * time.Second

// natsConn connects to --nats, once. The connection ends with the process.
func (a *app) natsConn() (nc *nats.Conn, err error) {
	if a.conn == nil {
		for _, file := range a.nats.SecretFiles() {
			a.warnExposed(file)
		}
		a.conn, err = a.nats.ConnectAsGuest()
	}
	return a.conn, err
}
