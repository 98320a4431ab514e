package stream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/events/problem"
)

// How long it is tried to find the stream when a server starts, and how long each time: a NATS
// server that has just been started may not have heard the first question, and the nodes of a
// cluster that have all been started need some seconds to choose who leads.
const (
	openPatience = 30 * time.Second
	openTry      = 2 * time.Second
	openPause    = 50 * time.Millisecond
)

// await finds the stream, or creates it, once there is somebody who answers.
func (s *Stream) await(ctx context.Context) (jetstream.Stream, error) {
	for late := time.Now().Add(openPatience); ; {
		once, cancel := context.WithTimeout(ctx, openTry)
		found, err := s.findOrCreate(once)
		cancel()
		unheard := isNoLeader(err) || errors.Is(err, nats.ErrReconnectBufExceeded)
		switch {
		case err == nil || ctx.Err() != nil || !unheard:
			return found, err
		case time.Now().After(late):
			return nil, problem.New(problem.Unavailable, "NATS gives no answer about it: %w", err).
				WithHint("see that the NATS nodes run, reach each other and have chosen who " +
					"leads (nats server report jetstream), and start this server again")
		}
		if err := pause(ctx, openPause); err != nil {
			return nil, err
		}
	}
}

func (s *Stream) findOrCreate(ctx context.Context) (jetstream.Stream, error) {
	found, err := s.js.Stream(ctx, s.cfg.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		found, err = s.js.CreateStream(ctx, s.wanted())
		// Another server was faster, with another configuration.
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			found, err = s.js.Stream(ctx, s.cfg.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	return found, s.saw(found.CachedInfo())
}
