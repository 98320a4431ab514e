package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/ledger"
)

// measureJoin measures how long a new server takes that begins with an empty folder, where a NATS
// server has the whole log: it reads and checks every record, and keeps it in its journal.
func measureJoin(o *options) ([]row, error) {
	g, err := o.generate(o.records, o.pledges, 40)
	if err != nil {
		return nil, err
	}
	s, err := o.store(g, "join")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	g.records = nil
	at, stop, err := startNATS(s.dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	first, err := joinMuster(s.dir, at) // which puts into the stream what the journal has
	if err != nil {
		return nil, err
	}
	defer first.Close()
	const reading = "reading the stream"
	return o.interleave(fmt.Sprintf("a new server, on a cluster with %d records", s.n), reading,
		way{reading, func(int) (sample, error) {
			return timed(s.n, func() error {
				return first.Stream.Read(context.Background(), 1,
					func(ledger.Message) error { return nil })
			})
		}},
		way{"muster, until it is ready", func(int) (took sample, err error) {
			dir, remove, err := o.folder("joining")
			if err != nil {
				return sample{}, err
			}
			defer remove()
			var m *server.Server
			took, err = timed(s.n, func() (err error) {
				m, err = joinMuster(dir, at)
				return err
			})
			if err != nil {
				return took, err
			}
			if last := m.Journal.Last(); last != uint64(s.n) {
				err = fmt.Errorf("it has %d records", last)
			}
			return took, errors.Join(err, m.Close())
		}})
}

// startNATS starts a NATS server that takes clients on this machine, with its files in a folder.
func startNATS(dir string) (at reach.NATS, stop func(), err error) {
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1",
		Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		return at, nil, err
	}
	s.Start()
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
	}
	if !s.ReadyForConnections(20 * time.Second) {
		stop()
		return at, nil, errors.New("the NATS server does not take connections")
	}
	return reach.NATS{URLs: s.ClientURL()}, stop, nil
}

func joinMuster(dir string, at reach.NATS) (*server.Server, error) {
	return server.Start(context.Background(),
		server.Config{Dir: dir, Inside: true, Name: "bench", NATS: at, Replicas: 1})
}
