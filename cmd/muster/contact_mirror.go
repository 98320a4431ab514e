package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"muster/cmd/internal/server"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
)

// A mirror shows checkpoints that its server has signed, and is behind it by a moment, or for good
// when the server is gone. What it lacks it does not deny; but nobody can tell a mirror from a
// server that hides its newest records. So who asks is told, each time, how many these are.

// mirrorThere says how it goes with the mirror at the other end; nil where there is none, as far as
// it can be asked.
func (a *app) mirrorThere(ctx context.Context) *server.Following {
	if a.nats.Given() {
		return nil
	}
	h, err := a.status(ctx)
	if err != nil {
		return nil
	}
	return h.Mirror
}

// isOlder makes sure that what a mirror shows goes on from all that is known and not larger, and
// says what it lacks.
func (a *app) isOlder(ctx context.Context, c *contact, known proof.Known,
	next proof.Checkpoint) error {
	last, _ := known.Last()
	c.older = true
	if err := a.extendsSmaller(ctx, c, known, next); err != nil {
		return err
	}
	if !a.toldOlder {
		a.toldOlder = true
		fmt.Fprintf(a.stderr, "muster: warning: this mirror has %s, and %d were seen of the "+
			"ledger before: what is told here is as of then, and the newer ones are not in it\n",
			english.Several(next.N, "record"), last.N)
	}
	return nil
}

// takesStatements refuses to send anything to what has fewer records than were seen: a mirror takes
// none, and a server that has gone back only says that it is one.
func (c *contact) takesStatements() error {
	if !c.older {
		return nil
	}
	return problem.New(problem.Misdirected, "nothing was sent: this is a mirror, which takes no "+
		"statements, and has fewer records than were seen of the ledger before").
		WithHint("name a server of the ledger with --url")
}

// comparedWith is what a checkpoint goes on from that was met: all that is known, or, where it is
// older than some of that, the rest. Then it waits to be compared with what is newer.
func (c *contact) comparedWith(known proof.Known) proof.Known {
	if !c.older {
		return known
	}
	return knownUpTo(known, c.seen.N)
}

// knownUpTo is what is known of trees that are not larger.
func knownUpTo(known proof.Known, size int64) proof.Known {
	larger := func(k proof.Checkpoint) bool { return k.N > size }
	known.By = maps.Clone(known.By)
	maps.DeleteFunc(known.By, func(_ string, k proof.Checkpoint) bool { return larger(k) })
	known.Waiting = slices.DeleteFunc(slices.Clone(known.Waiting), larger)
	return known
}
