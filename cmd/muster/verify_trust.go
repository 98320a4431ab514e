package main

import (
	"context"
	"maps"
	"slices"

	"muster/events"
	"muster/ledger/proof"
)

// trustIn says in the options with which key a source's checkpoint must be signed, and what was
// seen of its ledger before: the key that was given; or those of earlier contacts; or, when the
// ledger was never met, what the source itself claims. What it claims counts for nothing where a
// key is known: whoever forges a ledger names a key of his own.
func (a *app) trustIn(o *proof.Options, signed []byte,
	claimed func(events.Origin) proof.TrustedKey) error {
	c, err := proof.ReadCheckpoint(signed)
	if err != nil || !events.Origin(c.Origin).Valid() {
		return nil // the report will say so
	}
	origin := events.Origin(c.Origin)
	known, err := a.known(origin)
	if err != nil {
		return err
	}
	o.Known = slices.Collect(maps.Values(known.By))
	switch {
	case a.checkpointKey != "":
		o.Key.Verifier, err = proof.ParseKey(a.checkpointKey)
		o.Key.Why = "was given with --checkpoint-key"
	case len(known.Keys) > 0:
		o.Key = proof.TrustedKey{Verifier: signerAmong(known.Keys, signed),
			Why: "is known from an earlier contact"}
	default:
		o.Key = claimed(origin)
	}
	return err
}

// signerAmong returns the key that has signed, and the first when none has.
func signerAmong(keys []string, signed []byte) string {
	for _, key := range keys {
		if _, err := proof.OpenCheckpoint(signed, key); err == nil {
			return key
		}
	}
	return keys[0]
}

// claimOf takes a key at its word.
func claimOf(key, why string) func(events.Origin) proof.TrustedKey {
	return func(events.Origin) proof.TrustedKey {
		if _, err := proof.ParseKey(key); err != nil {
			return proof.TrustedKey{}
		}
		return proof.TrustedKey{Verifier: key, Claimed: true, Why: why}
	}
}

// firstContact trusts the key of the server whose data folder was named, or else the key that the
// server tells, as every command does that meets a ledger for the first time. Whatever else serves
// a ledger's tiles tells none.
func (a *app) firstContact(ctx context.Context) func(events.Origin) proof.TrustedKey {
	return func(origin events.Origin) proof.TrustedKey {
		keys, err := a.trustedKeys(ctx, origin, proof.Known{})
		if err != nil {
			return proof.TrustedKey{}
		}
		if keys[0] == a.ownKey(origin) {
			return proof.TrustedKey{Verifier: keys[0], Why: "is that of the data folder " + a.data}
		}
		return proof.TrustedKey{Verifier: keys[0], Claimed: true,
			Why: "is what the server itself says, and trusted from now on"}
	}
}

// rememberVerified keeps the checkpoint of a server that was verified, for the next time.
func (a *app) rememberVerified(r proof.Report, signed []byte, key string) {
	if !r.OK || r.Checkpoint == nil {
		return
	}
	if c, err := proof.OpenCheckpoint(signed, key); err == nil {
		a.remember(c)
	}
}
