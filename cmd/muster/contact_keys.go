package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/projections/web"
)

// trust remembers a checkpoint key.
func (a *app) trust(key string) {
	m, err := a.memory()
	if err == nil {
		err = m.Trust(key)
	}
	if err != nil {
		a.cannotRemember(err)
	}
}

// cannotRemember says, once, that the next command will not notice when the server shows another
// history.
func (a *app) cannotRemember(err error) {
	if !a.forgetful {
		a.forgetful = true
		fmt.Fprintf(a.stderr,
			"muster: warning: what the server shows cannot be held against earlier contacts, or "+
				"remembered for later ones: %v\n", err)
	}
}

// pinned is the key that --checkpoint-key gives, "" for none.
func (a *app) pinned() (string, error) {
	if a.checkpointKey == "" {
		return "", nil
	}
	a.keyUsed = true
	return proof.ParseKey(a.checkpointKey)
}

// trustedKeys are the checkpoint keys to believe: the one that --checkpoint-key pins, or those of
// earlier contacts and that of the data folder; and when there is none, the one that the server
// tells.
func (a *app) trustedKeys(ctx context.Context, origin events.Origin,
	known proof.Known) ([]string, error) {
	if key, err := a.pinned(); key != "" || err != nil {
		return []string{key}, err // it is remembered when something was verified with it
	}
	if keys, err := a.keysOfPolicy(origin); err != nil || len(keys) > 0 {
		return keys, err
	}
	keys := known.Keys
	if own := a.ownKey(origin); own != "" && !slices.Contains(keys, own) {
		a.trust(own)
		keys = append(keys, own)
	}
	if len(keys) > 0 {
		return keys, nil
	}
	var l web.Ledger
	if err := a.question(ctx, "ledger", nil, &l); err != nil {
		return nil, err
	}
	key, err := proof.ParseKey(l.CheckpointKey)
	if err != nil {
		return nil, problem.New(problem.Unverified,
			"the server tells no key to check its checkpoints with: %w", err)
	}
	a.trust(key)
	fmt.Fprintf(a.stderr,
		"muster: first contact with the ledger %s: from now on its checkpoints must be signed "+
			"with %s\n", origin, key)
	return []string{key}, nil
}

// ownKey is the checkpoint key of the server whose data folder was named, "" when it is another
// ledger's or cannot be read.
func (a *app) ownKey(origin events.Origin) string {
	if a.data == "" {
		return ""
	}
	secret, err := os.ReadFile(filepath.Join(a.data, server.CheckpointKeyFile))
	if err != nil {
		return ""
	}
	s, err := proof.NewCheckpointSigner(string(secret))
	if err != nil || s.Origin() != origin {
		return ""
	}
	return s.Key()
}
