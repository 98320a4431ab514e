//go:build !postgres

package main

import (
	"context"

	"muster/events"
)

// Without the tag postgres, which make bench sets, the driver is left out: it takes as long to
// build as the rest of this program, and who tests needs it for nothing.

type postgres struct{}

func startPostgres(context.Context, string, int) (*postgres, error) {
	return nil, absent{"this program was built without PostgreSQL's driver (-tags postgres)"}
}

func openPostgres(ctx context.Context, dir string, _ *generated, writers int) (taker,
	func() error, error) {
	_, err := startPostgres(ctx, dir, writers)
	return nil, nil, err
}

func (*postgres) stop() error { return nil }

func (*postgres) fill(context.Context, []events.Record) error { return nil }

func (*postgres) readAll(context.Context, func(data []byte) error) error { return nil }
