package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
	"muster/cmd/internal/sshagent"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

// signer reads the key to sign with.
func (a *app) signer() (*events.Signer, error) {
	path := a.key
	if path == "" {
		if a.data == "" {
			return nil, problem.New(problem.Usage, "there is no key to sign with").
				WithHint("name the key's file with --key or MUSTER_KEY, or, on the server's " +
					"machine, its data folder with --data or MUSTER_DATA")
		}
		path = filepath.Join(a.data, server.FounderFile)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, problem.New(problem.NotFound,
				"there is no founder's key in the folder %s", a.data).
				WithHint("the ledger may have been founded elsewhere, or by another server: name " +
					"the file of your own key with --key or MUSTER_KEY")
		}
	}
	return a.readKey(path)
}

// readKey reads a key to sign with from a file, or finds it in an ssh-agent.
func (a *app) readKey(named string) (*events.Signer, error) {
	if sshagent.Named(named) {
		return sshagent.Open(named)
	}
	a.warnExposed(named)
	return files.ReadKey(named)
}

// signerKey returns the public half of the key that was named, if it is the one that is meant.
func (a *app) signerKey(meant events.KeyID) (events.Key, error) {
	signer, err := a.signer()
	if err == nil {
		if id, _ := signer.Key().ID(); id == meant {
			return signer.Key(), nil
		}
	}
	return "", problem.New(problem.Unverified,
		"the statement was recorded before with another signature, and the key %s that verifies "+
			"it is not at hand", meant).WithHint("name the file of that key with --key")
}

// A speaker is what a command needs to say something: the ledger's origin, a key, and the way to
// the server.
type speaker struct {
	origin  events.Origin
	signer  *events.Signer
	to      intake.Submitter
	contact *contact
	// By when what it says is to be recorded.
	deadline *deadline
}

func (a *app) speaker(ctx context.Context) (*speaker, error) {
	signer, err := a.signer()
	if err != nil {
		return nil, err
	}
	to, err := a.submitter(ctx)
	if err != nil {
		return nil, err
	}
	return &speaker{origin: a.contact.origin, signer: signer, to: to, contact: a.contact,
		deadline: &a.deadline}, nil
}

// submitter is the way to the server: over NATS when --nats names servers, else over HTTP.
func (a *app) submitter(ctx context.Context) (intake.Submitter, error) {
	c, err := a.meet(ctx)
	if err == nil {
		err = c.takesStatements()
	}
	if err != nil {
		return nil, err
	}
	if a.nats.Given() {
		nc, err := a.natsAsking()
		return verifyingSubmitter{intake.Gather(intake.NATSClient{Conn: nc}), c, a.signerKey}, err
	}
	url, err := a.serverURL()
	if err != nil {
		return nil, err
	}
	client, err := a.telling(url)
	return verifyingSubmitter{intake.Gather(client), c, a.signerKey}, err
}

// head makes the head of a new statement, which says what its signer has seen, and until when it
// may be recorded.
func (s *speaker) head(t events.Type) events.Header {
	h := events.Header{Type: t, ID: events.NewID(), Ledger: s.origin, Seen: s.contact.saw()}
	s.deadline.head(&h)
	return h
}

// say signs a statement and submits it.
func (s *speaker) say(ctx context.Context, st events.Statement) (intake.Receipt, error) {
	signed, err := events.Sign(st, s.signer)
	if err != nil {
		return intake.Receipt{}, err
	}
	return submitAgain(ctx, s.to, signed)
}

// submitAgain submits the same bytes again, a few times, when it is not known whether they were
// recorded: they count once.
func submitAgain(ctx context.Context, to intake.Submitter,
	s events.Signed) (r intake.Receipt, err error) {
	for pause := 200 * time.Millisecond; ; pause *= 3 {
		r, err = to.Submit(ctx, s)
		if pause > 2*time.Second || !problem.Is(err, problem.Unavailable) {
			return r, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return r, err
		}
	}
}
