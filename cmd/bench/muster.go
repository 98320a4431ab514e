package main

import (
	"context"

	"muster/cmd/internal/server"
	"muster/events"
)

// startMuster starts a server on a folder as `muster serve` does, without what answers over HTTP
// and NATS: a real NATS server, a real journal, on a real disk. It returns when it takes
// statements, and has all of the journal in its picture. The founding is that of a ledger that is
// not there yet.
func startMuster(ctx context.Context, dir string, founding *events.Record) (*server.Server, error) {
	cfg := server.Config{Dir: dir, Inside: true, Name: "bench"}
	if founding != nil {
		cfg.Founding = &founding.Signed
	}
	return server.Start(ctx, cfg)
}
