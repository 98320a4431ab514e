package server

import (
	"context"
	"crypto/sha256"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/proof"
	"muster/projections/web/page"
)

// pagesLedger is how a server's ledger is kept, as its pages show it.
type pagesLedger struct{ *Server } // whose Healthy the pages ask, too

var _ page.Ledger = pagesLedger{}

// RootAt implements page.Ledger.
func (k pagesLedger) RootAt(size int64) ([sha256.Size]byte, error) {
	root, err := k.Journal.RootAt(size)
	return root, err
}

// LeafHashes implements page.Ledger.
func (k pagesLedger) LeafHashes(sequences []uint64) ([][sha256.Size]byte, error) {
	return plainHashes(k.Journal.LeafHashes(sequences))
}

// plainHashes are hashes for who knows nothing of trees.
func plainHashes(hashes []tlog.Hash, err error) ([][sha256.Size]byte, error) {
	all := make([][sha256.Size]byte, len(hashes))
	for i, h := range hashes {
		all[i] = h
	}
	return all, err
}

// CheckUnsigned implements page.Ledger.
func (k pagesLedger) CheckUnsigned(ctx context.Context, v events.View, st events.Statement) error {
	return k.Ledger.CheckUnsigned(ctx, v, st)
}

// Checkpoint implements page.Ledger.
func (k pagesLedger) Checkpoint() []byte { return k.Journal.Checkpoint() }

// Receipt implements page.Ledger. It does not name the signer's key.
func (k pagesLedger) Receipt(sequence uint64) (stored, receipt []byte, err error) {
	stored, included, err := k.Ledger.Prove(sequence)
	if err != nil {
		return nil, nil, err
	}
	return stored, proof.Receipt{Key: k.signer.Key(), Record: stored, Proof: included}.Text(), nil
}

// Witnessed implements page.Ledger.
func (k pagesLedger) Witnessed() (records int64, by, of int, enough bool) {
	w := k.witnessed()
	if w == nil {
		return 0, 0, 0, false
	}
	return w.Witnessed, len(w.By.By), w.By.Of, w.By.Enough
}

// Opened implements page.Ledger.
func (k pagesLedger) Opened() (at time.Time, met uint64) { return k.opened, k.met }

// Compared implements page.Ledger.
func (k pagesLedger) Compared() (through uint64, at time.Time) {
	c := k.Ledger.Compared()
	return c.Through, c.At
}

// Compare implements page.Ledger.
func (k pagesLedger) Compare(ctx context.Context) error {
	_, err := k.Ledger.Compare(ctx)
	return err
}
