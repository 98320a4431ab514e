package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"muster/events"
	"muster/events/problem"
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
	a.policyOf(origin)
	known, err := a.known(origin)
	if err != nil {
		return err
	}
	named, err := a.keysOfPolicy(origin)
	if err != nil {
		return err
	}
	switch {
	case a.checkpointKey != "":
		o.Key.Verifier, err = a.pinned()
		o.Key.Why = "was given with --checkpoint-key"
	case len(named) > 0:
		o.Key = proof.TrustedKey{Verifier: signerAmong(named, signed), Why: "is in the policy"}
	case len(known.Keys) > 0:
		o.Key = proof.TrustedKey{Verifier: signerAmong(known.Keys, signed),
			Why: "is known from an earlier contact"}
	default:
		o.Key = claimed(origin)
	}
	if err != nil {
		return err
	}
	o.Known, err = a.everSeen(c, o.Key.Verifier)
	return err
}

// everSeen is all that is remembered of the ledger of a checkpoint, by the keys that are trusted
// and one more; but not the very same where it waits to be compared.
func (a *app) everSeen(c proof.Checkpoint, key string) ([]proof.Checkpoint, error) {
	origin := events.Origin(c.Origin)
	known, err := a.known(origin, key)
	if err != nil {
		return nil, err
	}
	all := slices.Collect(maps.Values(known.By))
	add := func(some []proof.Checkpoint) {
		for _, c := range some {
			same := func(k proof.Checkpoint) bool { return k.Tree == c.Tree }
			if !slices.ContainsFunc(all, same) {
				all = append(all, c)
			}
		}
	}
	add(slices.DeleteFunc(known.Waiting,
		func(w proof.Checkpoint) bool { return w.Tree == c.Tree }))
	m, err := a.memory()
	if err != nil || a.forgetful {
		return all, nil // which was said
	}
	compared, err := m.Compared(origin, append(known.Keys, key)...)
	add(compared)
	return all, err
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

// rememberVerified keeps the checkpoint of a server of which all records were verified and are
// those of every checkpoint that was known, for the next time.
func (a *app) rememberVerified(r proof.Report, signed []byte, key string,
	known proof.Known) error {
	if !r.OK || r.Checkpoint == nil {
		return nil
	}
	c, err := proof.OpenCheckpoint(signed, key)
	if err != nil {
		return nil // then it was not verified
	}
	if a.checkpointKey != "" || a.policy != nil {
		a.trust(key)
	}
	if last, _ := known.Last(); last.N > c.N {
		return a.hold(sourceIsOf, r, signed, key)
	}
	return a.remember(&contact{}, c, known)
}

// hold remembers the checkpoint of what was verified and is no server.
func (a *app) hold(who string, r proof.Report, signed []byte, key string) error {
	if !r.OK || r.Checkpoint == nil {
		return nil
	}
	c, err := proof.OpenCheckpoint(signed, key)
	if err == nil {
		_, err = a.holdCheckpoint(who, c, key)
	}
	return err
}

// holdCheckpoint holds a checkpoint that was verified and comes from no server against all that is
// remembered, and remembers it. The answer is what became of it, as [proof.Memory.Hold] says.
func (a *app) holdCheckpoint(who string, c proof.Checkpoint, key string) (string, error) {
	m, err := a.memory()
	if err != nil {
		a.cannotRemember(err)
		return proof.NotCompared, nil
	}
	was, err := m.Hold(c, key)
	var other *proof.OtherHistory
	switch {
	case errors.As(err, &other):
		return was, a.otherHistory(who, other)
	case problem.Is(err, problem.Invalid), problem.Is(err, problem.Unavailable):
		return was, err
	case err != nil:
		a.cannotRemember(err)
		return proof.NotCompared, nil
	}
	return was, nil
}
