package natsd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// JetStream gives up for good when the disk is full, or one of its writes fails: it disables
// itself, or answers no append to that stream any more, until its server is started anew. A person
// would do that when there is space again. This server is inside another program, which is not
// started anew for it; so it is done here.

// Disabled reports whether the server runs without JetStream, or not at all.
func (s *Server) Disabled() bool { return !s.srv.Load().JetStreamEnabled() }

// probe is how much must find room before the server is started anew: for less, it would soon
// disable itself again.
const probe = 256 << 10

// Writable returns why nothing can be written into the server's folder, nil when it can.
func (s *Server) Writable() (err error) {
	f, err := os.CreateTemp(s.cfg.Dir, ".writable")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	data := make([]byte, probe)
	_, _ = rand.Read(data) // it does not fail; a file system may keep zeros without room for them
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Restart starts the server anew, at the same address, and returns when it takes connections. Those
// inside this process connect again by themselves, and clients from outside may. What JetStream has
// not written is lost: the journal puts it back.
func (s *Server) Restart() error { return s.RestartAfter(func() error { return nil }) }

// RestartAfter is Restart, which calls between while the server's files are closed. The server is
// started also when that has failed.
func (s *Server) RestartAfter(between func() error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.shutdown(); err != nil {
		return err
	}
	err := between()
	if failed := s.start(); failed != nil {
		err = errors.Join(err, fmt.Errorf("starting the NATS server in %s anew: %w",
			filepath.Base(s.cfg.Dir), failed))
	}
	return err
}
