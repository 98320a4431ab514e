package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/rules"
)

// found makes the first record when there is none: of the statement that the configuration has, or
// of one that is signed with the founder's key, which is made for it and lies in the folder.
func (s *Server) found(ctx context.Context) error {
	switch {
	case s.cfg.Founding != nil:
		return s.foundWith(ctx, *s.cfg.Founding)
	case s.Ledger.Origin() != "":
		return s.checkOrigin()
	}
	return s.foundWithKey(ctx)
}

// foundWith makes the first record of a statement that was signed elsewhere, or makes sure that it
// is the first record already: another server may have been faster.
func (s *Server) foundWith(ctx context.Context, founding events.Signed) error {
	var err error
	if s.Ledger.Origin() == "" {
		err = s.submitFirst(ctx, founding)
	}
	if s.Ledger.Origin() == "" || err != nil && !problem.Is(err, problem.Conflict) {
		return err
	}
	first, err := s.Journal.Record(1)
	if err != nil || first.SaysTheSame(founding) {
		return err
	}
	head := first.Statement.Head()
	return problem.New(problem.Conflict,
		"this ledger was founded as %s by %s, in a statement with the id %s, and --founding has "+
			"another one", head.Ledger, first.SignedBy(), head.ID).
		WithHint("a ledger has one beginning: leave --founding out to go on with this one, or " +
			"use another data folder and stream for the other")
}

// ReadFounding reads the statement that founds a ledger, as muster found writes it, and verifies
// its signature.
func ReadFounding(note []byte) (founding events.Signed, err error) {
	founding, err = events.ParseSigned(note)
	if err != nil {
		return founding, err
	}
	st, ok := founding.Statement.(*events.LedgerFounded)
	if !ok {
		return founding, problem.New(problem.Invalid, "it is a %s, and founds no ledger",
			founding.Statement.Head().Type)
	}
	if founding.VerifiedBy(st.Founder) != nil {
		return founding, rules.BadSignature(founding.SignedBy())
	}
	return founding, nil
}

func (s *Server) foundWithKey(ctx context.Context) error {
	path := filepath.Join(s.cfg.Dir, FounderFile)
	// A file without a key is of a first start that broke off before the key was written, and a key
	// without a ledger of one that broke off after it.
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	_, err := files.NewKey("HQ/founder", path)
	made := err == nil
	if err != nil && !problem.Is(err, problem.Conflict) {
		return err
	}
	signer, err := files.ReadKey(path)
	if err != nil {
		return err
	}
	origin := s.cfg.Origin
	if origin == "" {
		origin = OriginOf(signer)
	}
	signed, err := events.Sign(&events.LedgerFounded{
		Header: events.Header{Type: "ledger.founded", ID: events.NewID(), Ledger: origin},
		Title:  s.cfg.Title, Founder: signer.Key(),
	}, signer)
	if err != nil {
		return err
	}
	err = s.submitFirst(ctx, signed)
	if s.Ledger.Origin() != "" && problem.Is(err, problem.Conflict) { // another server was faster
		if made {
			err = os.Remove(path)
		}
		return errors.Join(err, s.checkOrigin())
	}
	return err
}

// foundingPatience is how long a server waits at its first start for the others of a new cluster.
const foundingPatience = 20 * time.Second

// submitFirst submits what founds a ledger. Where others have to be heard before anything is
// recorded it waits for that: one of them may be founding the ledger at this moment.
func (s *Server) submitFirst(ctx context.Context, founding events.Signed) error {
	for until := time.Now().Add(foundingPatience); ; {
		_, err := s.Ledger.Submit(ctx, founding)
		if p := problem.Of(err); p == nil || p.Code != ledger.Unheard || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// OriginOf is how a ledger is called whose founder has given it no name.
func OriginOf(founder *events.Signer) events.Origin {
	return events.Origin(fmt.Sprintf("muster.local/%08x", founder.KeyHash()))
}

// checkOrigin refuses a ledger of another name than the server was told.
func (s *Server) checkOrigin() error {
	if o := s.Ledger.Origin(); s.cfg.Origin != "" && s.cfg.Origin != o {
		return problem.New(problem.Conflict,
			"this ledger's origin is %s, and --origin says %s: a ledger keeps its name for ever",
			o, s.cfg.Origin).
			WithHint("leave --origin out, or use another data folder and stream")
	}
	return nil
}
