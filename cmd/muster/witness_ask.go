package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/internal/reach"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/witness"
)

// witnessTime is how long a witness may take for an answer.
const witnessTime = 20 * time.Second

func witnessFlags(c *cobra.Command, by *witness.Client) {
	c.Flags().StringVar(&by.URL, "witness", "",
		"the address of a witness to have the checkpoint signed by too, such as "+
			"https://witness.mod.example")
	c.Flags().StringVar(&by.Key, "witness-key", "", "the witness's key, as it prints it")
	c.MarkFlagsRequiredTogether("witness", "witness-key")
}

// cosigned returns the checkpoint that a contact has shown, with a witness's signature below it.
func (a *app) cosigned(ctx context.Context, c *contact, by witness.Client) (
	proof.Checkpoint, error) {
	seen := c.seen
	client, err := reach.HTTP(by.URL, reach.Trust{Authorities: a.ca}, a.limits)
	if err != nil {
		return seen, err
	}
	client.Timeout = witnessTime
	by.HTTP = client
	lines, err := by.Cosign(ctx, 0, seen, proof.Hashes(ctx, seen, c.fetch))
	var ahead *witness.AheadError
	var other *witness.OtherHistoryError
	switch {
	case errors.As(err, &ahead):
		return seen, problem.New(problem.Unverified, "%w", err).
			WithHint("ask again in a moment, or ask another server of the ledger; if this lasts, " +
				"the server hides records, or has lost them: do not rely on it, and tell the " +
				"others")
	case errors.As(err, &other):
		return seen, a.witnessedOther(ctx, c, by, err)
	case err != nil:
		return seen, err
	}
	seen.Signed = append(seen.Signed[:len(seen.Signed):len(seen.Signed)], lines...)
	return seen, nil
}

// witnessedOther is the error of a witness that has signed another history. Where the witness shows
// the checkpoint that it has signed, and the ledger's key has signed that too, the two are kept:
// together they are the proof.
func (a *app) witnessedOther(ctx context.Context, c *contact, by witness.Client, err error) error {
	if signed, ok := by.Last(ctx, string(c.origin)); ok {
		if held, bad := proof.OpenCheckpoint(signed, c.keys...); bad == nil {
			return a.otherHistory(serverShows,
				&proof.OtherHistory{Seen: held, Shown: c.seen, What: err.Error()})
		}
	}
	return problem.New(problem.Unverified, "%w", err).
		WithHint("ask whoever runs the witness for the checkpoint that it has signed, and do not " +
			"rely on the server until the two were compared")
}
