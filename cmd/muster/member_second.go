package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) memberSecondCmd() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "second ID|KEY|NAME",
		Short: "Give a second word to an admission or a revocation that waits for one",
		Long: `Second what another has signed, in a ledger whose founding asks for that (muster
found --seconds): by the id of the admission or revocation, or by the key that it is about, or
that key's name. "muster member list" shows what waits, and for whose word.

The record is read, and what is signed names it by its hash: what you second is what is told here,
whatever else a server shows to others. Look at the key: have its holder tell it to you, in person
or over a line that you trust.

What waits counts for nothing without a second. It can be seconded until its signer takes it back
(muster member retract), until the key that signed it is revoked, or until another statement has
said the same.`,
		Args: args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submitOne(cmd.Context(), dryRun, func(s *speaker) (events.Statement, error) {
				rec, key, err := a.showProposal(cmd.Context(), args[0])
				if err != nil {
					return nil, err
				}
				leaf := rec.Leaf()
				return &events.MemberSeconded{Header: s.head("member.seconded"), Key: key,
					Statement: rec.Statement.Head().ID,
					Leaf:      base64.StdEncoding.EncodeToString(leaf[:])}, nil
			})
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be signed, and send nothing")
	return c
}

func (a *app) memberRetractCmd() *cobra.Command {
	var reason string
	var dryRun bool
	c := &cobra.Command{
		Use:   "retract ID|KEY|NAME",
		Short: "Take back an admission or a revocation that waits for a second",
		Long: `Take back an admission or a revocation that your own key has signed, and that waits
for a second still, as when it is about the wrong key: by its id, or by the key that it is about, or
that key's name. "muster member list" shows what waits. From then on it cannot be seconded; that it
was said, and taken back, stays in the record. What counts already is not taken back: revoke the
key, or admit another.`,
		Args: args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usage("--reason is missing: say why, for those who read the record later")
			}
			return a.submitOne(cmd.Context(), dryRun, func(s *speaker) (events.Statement, error) {
				rec, key, err := a.showProposal(cmd.Context(), args[0])
				if err != nil {
					return nil, err
				}
				return &events.MemberRetracted{Header: s.head("member.retracted"), Key: key,
					Statement: rec.Statement.Head().ID, Reason: reason}, nil
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why (required)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be signed, and send nothing")
	return c
}

// showProposal finds the record of what a person means by an id, a key or a name, and tells what it
// says: it is that of the key which is returned.
func (a *app) showProposal(ctx context.Context, arg string) (events.Record, events.Key, error) {
	rec, err := a.proposal(ctx, arg)
	if err != nil {
		return rec, "", err
	}
	key, told := proposed(rec)
	if events.Key(arg) != key && arg != key.Name() && arg != rec.Statement.Head().ID.String() {
		return rec, "", problem.New(problem.Unverified, "the server shows a record about the key "+
			"%s, and not about what was asked for", key)
	}
	fmt.Fprintf(a.stderr, "muster: record %d, signed by %s: %s\n", rec.Sequence, rec.SignedBy(),
		told)
	return rec, key, nil
}

// proposal finds the record of what a person means by an id, a key or a name.
func (a *app) proposal(ctx context.Context, arg string) (events.Record, error) {
	var roster projections.Roster
	if err := a.ask(ctx, "members", nil, &roster); err != nil {
		return events.Record{}, err
	}
	var found []projections.Waiting
	for _, w := range roster.Waiting {
		if w.Statement.String() == arg || string(w.Key) == arg || w.Name == arg {
			found = append(found, w)
		}
	}
	switch {
	case len(found) == 0:
		return events.Record{}, problem.New(problem.NotFound, "nothing about %s waits for a second",
			arg).WithHint("see what does, and what counts by now: muster member list")
	case len(found) > 1:
		return events.Record{}, problem.New(problem.Conflict,
			"%d admissions and revocations of %s wait for a second", len(found), arg).
			WithHint("write the id of the one that is meant, as it is listed by: muster member " +
				"list")
	}
	rec, err := a.record(ctx, strconv.FormatUint(found[0].Sequence, 10))
	if err == nil && rec.Statement.Head().ID != found[0].Statement {
		err = problem.New(problem.Unverified, "the server shows another record as %d than the one "+
			"that waits", rec.Sequence)
	}
	return rec, err
}

// proposed returns the key that a record proposes to admit or to revoke, and tells what it says.
func proposed(rec events.Record) (key events.Key, told string) {
	switch st := rec.Statement.(type) {
	case *events.MemberAdmitted:
		told = fmt.Sprintf("admit %s as %s", st.Key, st.Role)
		if st.Clearance != "" {
			told += fmt.Sprintf(", cleared for %s", st.Clearance)
		}
		return st.Key, told + inBrackets(st.Note)
	case *events.MemberRevoked:
		return st.Key, fmt.Sprintf("revoke %s", st.Key) + inBrackets(st.Reason)
	}
	return "", "no admission and no revocation"
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + problem.Line(text) + ")"
}

// waits tells to whoever has proposed something, or seconded it, whose word is still lacking.
func (a *app) waits(ctx context.Context, st events.Statement) []string {
	id := st.Head().ID
	switch st := st.(type) {
	case *events.MemberAdmitted, *events.MemberRevoked:
	case *events.MemberSeconded:
		id = st.Statement
	default:
		return nil
	}
	var roster projections.Roster
	if a.question(ctx, "members", nil, &roster) != nil {
		return nil // it is recorded, and the list tells
	}
	for _, w := range roster.Waiting {
		if w.Statement != id {
			continue
		}
		told := []string{fmt.Sprintf("It does not count yet, and waits to be seconded by %s: "+
			"muster member second %s", web.Lacks(w), id)}
		if id == st.Head().ID {
			told = append(told, fmt.Sprintf("Until then you can take it back, as when it is about "+
				"the wrong key: muster member retract %s --reason TEXT", id))
		}
		return told
	}
	return nil
}
