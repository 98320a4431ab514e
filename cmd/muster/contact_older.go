package main

import (
	"context"
	"errors"
	"slices"

	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
)

// extendsSmaller makes sure that next, which is smaller than what was seen last, goes on from all
// that was ever seen and is not larger.
func (a *app) extendsSmaller(ctx context.Context, c *contact, known proof.Known,
	next proof.Checkpoint) error {
	if err := a.extends(ctx, c, knownUpTo(known, next.N), next); err != nil {
		return err
	}
	m, err := a.memory()
	if err != nil {
		return err
	}
	all, err := m.Compared(c.origin, c.keys...)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(k proof.Checkpoint) bool { return k.N > next.N })
	return a.extends(ctx, c, proof.Known{Waiting: all}, next)
}

// isBehind is the error of a server that goes on showing less than was seen.
func (a *app) isBehind(ctx context.Context, c *contact, known proof.Known,
	next proof.Checkpoint) error {
	if err := a.extendsSmaller(ctx, c, known, next); err != nil {
		return err
	}
	if own, _ := known.LastBy(next.By); own.N > next.N {
		return a.extends(ctx, c, known, next)
	}
	last, _ := known.Last()
	return problem.New(problem.Unavailable,
		"this server lags: it shows %s, and %d were seen of the ledger before",
		english.Several(next.N, "record"), last.N).
		WithHint("ask again in a moment, or ask another server; if this lasts, this " +
			"server is cut off from the others, or has another ledger of the same name")
}

// olderStateCode is the code of a problem of kind Unavailable: what is shown was true once, and is
// not what the ledger is now.
const olderStateCode = "older-state"

// olderHint is what to do about an older state.
const olderHint = "what was seen stays remembered, and nothing was sent. Ask again in a moment, " +
	"over another line: a proxy or a cache may show what it has kept. If it lasts, ask the " +
	"ledger's administrator whether an old copy of it was put back: then what was acknowledged " +
	"after that copy may be lost, so keep your receipts, bundles and mirrors"

// olderState says that what is shown is an older state of the ledger than was seen.
func (a *app) olderState(e *proof.OlderState) *problem.Problem {
	when := ""
	if m, err := a.memory(); err == nil {
		if at, ok := m.SeenAt(e.Seen); ok {
			when = " on " + at.UTC().Format("2006-01-02 15:04 UTC")
		}
	}
	compared := "these are the first of them"
	if e.NotCompared != nil {
		compared = "whether these are the first of them is not known, for nobody shows their tree"
	}
	return problem.New(problem.Unavailable, "THE SERVER SHOWS AN OLDER STATE of the ledger %s "+
		"than was seen%s, or somebody between does: %w; %s", e.Seen.Origin, when, e, compared).
		WithCode(olderStateCode).WithHint(olderHint)
}

// compareOlder compares, with the tiles of a server, what was verified of it with the larger trees
// that its key has signed before. Where it does not show these, they stay uncompared.
func (a *app) compareOlder(ctx context.Context, r *proof.Report, signed []byte, key string,
	known proof.Known) error {
	fetch, err := a.fetcher()
	if err != nil {
		return err
	}
	shown, err := proof.OpenCheckpoint(signed, key)
	if err != nil {
		return err
	}
	var other *proof.OtherHistory
	var older *proof.OlderState
	switch err := known.CheckExtended(ctx, shown, fetch); {
	case errors.As(err, &older):
		r.Begins = older.NotCompared == nil
	case errors.As(err, &other):
		r.OK, r.Other, r.Fault = false, other, &proof.Fault{Check: "known", What: other.What}
		r.Add("known", proof.Failed, "%s", r.Fault)
	}
	return nil
}
