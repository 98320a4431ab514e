package proof_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/proof"
)

// An auditor has got a bundle, and has the ledger's checkpoint key from elsewhere. No server takes
// part: the file shows all.
func ExampleVerifyBundle() {
	dir, err := os.MkdirTemp("", "bundle")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.muster")
	key := exportTo(path)

	trusted := proof.TrustedKey{Verifier: key, Why: "was read out over the telephone"}
	report, err := proof.VerifyBundle(context.Background(), path, proof.Options{Key: trusted})
	if err != nil {
		log.Fatal(err) // nothing could be verified
	}
	fmt.Println("records:", report.Records, "all good:", report.OK)

	// Somebody alters a letter of a statement in it.
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	data = bytes.Replace(data, []byte("A ledger"), []byte("B ledger"), 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		log.Fatal(err)
	}
	report, err = proof.VerifyBundle(context.Background(), path, proof.Options{Key: trusted})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("altered: record", report.Fault.Sequence, "fails the", report.Fault.Check)

	// Output:
	// records: 1 all good: true
	// altered: record 1 fails the signatures
}

// exportTo writes the bundle of a ledger with one record, and returns its checkpoint key. On a
// server it is `muster export bundle` that does this.
func exportTo(path string) (key string) {
	const origin = "muster.example/berlin"
	secret, founder, err := events.NewKey("HQ/founder")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := events.Sign(&events.LedgerFounded{
		Header: events.Header{Type: "ledger.founded", ID: events.NewID(), Ledger: origin},
		Title:  "A ledger", Founder: founder,
	}, signer)
	if err != nil {
		log.Fatal(err)
	}
	rec, err := events.NewRecord(1, time.Now(), "berlin", signed)
	if err != nil {
		log.Fatal(err)
	}

	if secret, err = proof.NewCheckpointKey(origin); err != nil {
		log.Fatal(err)
	}
	server, err := proof.NewCheckpointSigner(secret)
	if err != nil {
		log.Fatal(err)
	}
	// The root of a tree with one leaf is the leaf's hash.
	checkpoint, err := server.Sign(tlog.Tree{N: 1, Hash: tlog.RecordHash(rec.Stored)})
	if err != nil {
		log.Fatal(err)
	}
	source := proof.Source{
		Name:       "the example",
		Checkpoint: checkpoint,
		Entries: func(context.Context) iter.Seq2[proof.Entry, error] {
			return func(yield func(proof.Entry, error) bool) {
				yield(proof.Entry{Sequence: rec.Sequence, Stored: rec.Stored}, nil)
			}
		},
	}
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	trusted := proof.TrustedKey{Verifier: server.Key()}
	if _, err := proof.ExportLedger(context.Background(), file, source, trusted, nil); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
	return server.Key()
}
