package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/nats-io/nats.go"

	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/natsd"
	"muster/ledger/proof"
	"muster/ledger/stream"
	"muster/projections"
	"muster/projections/web"
)

// A muster is a server as `muster serve` puts it together, without its HTTP API: a real NATS server, a real journal, on a real disk.
type muster struct {
	dir       string
	natsd     *natsd.Server
	conn      *nats.Conn
	stream    *stream.Stream
	journal   *journal.Journal
	prepared  func(context.Context, ledger.Log) (*ledger.Ledger, error)
	ledger    *ledger.Ledger
	projector *projections.Projector
	service   *web.Service
	closers   []func() error
}

func (m *muster) onClose(f func() error) { m.closers = append(m.closers, f) }

func (m *muster) close() (err error) {
	for i := len(m.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, m.closers[i]())
	}
	m.closers = nil
	return err
}

// startMuster starts a server on a folder, and returns when it is ready: it takes statements, and has all of the journal in its picture.
func startMuster(ctx context.Context, dir string) (m *muster, err error) {
	m = &muster{dir: dir}
	if err := m.openJournal(ctx); err != nil {
		return nil, err
	}
	prepared, projected := make(chan error, 1), make(chan error, 1)
	go func() { prepared <- m.prepareLedger() }()
	go func() { projected <- m.openProjector(ctx) }()
	err = m.openStream(ctx)
	if err = errors.Join(err, <-prepared); err == nil {
		err = m.openLedger(ctx)
	}
	err = errors.Join(err, <-projected)
	if m.projector != nil {
		m.onClose(m.projector.Close)
	}
	if err == nil {
		err = m.follow(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

func (m *muster) openJournal(context.Context) (err error) {
	if m.journal, err = journal.Open(filepath.Join(m.dir, "journal.db")); err == nil {
		m.onClose(m.journal.Close)
	}
	return err
}

func (m *muster) openStream(ctx context.Context) (err error) {
	if m.natsd, err = natsd.Start(natsd.Config{Dir: filepath.Join(m.dir, "nats")}); err != nil {
		return err
	}
	m.onClose(m.natsd.Shutdown)
	if m.conn, err = m.natsd.Connect(); err != nil {
		return err
	}
	m.onClose(func() error { m.conn.Close(); return nil })
	if m.stream, err = stream.Open(ctx, m.conn, stream.Config{}); err == nil {
		m.onClose(func() error { m.stream.Close(); return nil })
	}
	return err
}

func (m *muster) prepareLedger() (err error) {
	m.prepared, err = ledger.Prepare(ledger.Config{Journal: m.journal, Name: "bench", Saved: filepath.Join(m.dir, "ledger.state")})
	return err
}

func (m *muster) openLedger(ctx context.Context) (err error) {
	if m.ledger, err = m.prepared(ctx, m.stream); err == nil {
		m.onClose(m.ledger.Close)
	}
	return err
}

// sign has each commit sign a checkpoint, as the server does from the founding on.
func (m *muster) sign() error {
	secret, err := proof.NewCheckpointKey(m.ledger.Origin())
	if err != nil {
		return err
	}
	signer, err := proof.NewCheckpointSigner(secret)
	if err != nil {
		return err
	}
	return m.journal.SignCheckpoints(signer.Sign)
}

func (m *muster) openProjector(ctx context.Context) (err error) {
	m.projector, err = projections.Open(ctx, filepath.Join(m.dir, "projections.db"), m.journal)
	return err
}

func (m *muster) follow(ctx context.Context) error {
	m.service = web.NewService(m.projector, m.journal)
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- m.projector.Run(following) }()
	m.onClose(func() error {
		stop()
		return <-ended
	})
	return m.projector.WaitFor(ctx, m.journal.Last())
}
