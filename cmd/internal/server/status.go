package server

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/ledger/intake"
	"muster/projections/web"
)

// Copies is what a server knows of its two copies of the records: its journal, and the stream. All
// of both is read and compared twice an hour, and after each start.
type Copies struct {
	Through uint64           `json:"through" doc:"The record up to which journal and stream were last read and found whole and the same; 0 for not since this server started"`
	At      *time.Time       `json:"at,omitempty" doc:"When that was"`
	Reading uint64           `json:"reading,omitempty" doc:"While they are being read: the last record that was compared"`
	Problem *problem.Problem `json:"problem,omitempty" doc:"What was wrong when they were read last"`
	Kept    []string         `json:"kept,omitempty" doc:"The folders in which damaged streams of this server were kept, beside its other files"`
}

func (s *Server) copies() Copies {
	now := s.Ledger.Scrubbing()
	c := Copies{Through: now.Whole.Through, Reading: now.At, Problem: now.Problem, Kept: s.kept()}
	if !now.Whole.At.IsZero() {
		at := now.Whole.At.UTC().Truncate(time.Second)
		c.At = &at
	}
	return c
}

// kept returns the names of the folders in which damaged streams were kept, the latest last.
func (s *Server) kept() (names []string) {
	for _, in := range []string{s.cfg.Dir, s.natsDir()} {
		found, _ := filepath.Glob(filepath.Join(in, damagedPrefix+"*")) // the pattern is right
		for _, path := range found {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return names
}

// StatusSubject is where a server tells over NATS what it tells over HTTP at /healthz.
const StatusSubject = intake.SubjectPrefix + "status"

// registerStatus answers at StatusSubject.
func (s *Server) registerStatus(svc micro.Service) error {
	return svc.AddEndpoint("status", micro.HandlerFunc(func(req micro.Request) {
		_, health := s.health()
		data, err := json.Marshal(health)
		if err != nil {
			wire.NATS(req, err)
			return
		}
		_ = req.Respond(data) // it fails only when the connection is gone
	}), micro.WithEndpointSubject(StatusSubject), micro.WithEndpointMetadata(web.Metadata(
		"How the server is, and when its copies were last whole", reflect.TypeFor[Health]())))
}

// mendRunning makes the stream of the embedded NATS server anew while it runs: see
// [ledger.Config]. What is in flight is decided again.
func (s *Server) mendRunning(ctx context.Context, found error) error {
	if s.natsd == nil {
		return errors.New("the stream is not this server's own")
	}
	if err := s.prepared.CheckJournal(ctx); err != nil {
		return err
	}
	f := finding{journal: s.Journal.Last()}
	f.Damage = found
	return s.natsd.RestartAfter(func() error { return s.setStreamAside(f) })
}
