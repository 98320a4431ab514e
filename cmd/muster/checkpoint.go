package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"muster/cmd/internal/reach"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/ledger/witness"
	"muster/projections/web"
)

func (a *app) checkpointCmd() *cobra.Command {
	var compare string
	var by witness.Client
	c := &cobra.Command{
		Use:   "checkpoint [FILE|URL]",
		Short: "Print the ledger's latest checkpoint, checked against all that was seen before",
		Long: `Ask the server for its latest checkpoint, make sure that it is signed with a key that
is trusted and goes on from the last one that was seen, and print it as it was signed: how many
records there are, and the root of their Merkle tree. Keep it, or compare it with what others see:
two checkpoints that do not fit are the proof of two histories.

With --witness the witness at that address (muster witness, or any other of C2SP tlog-witness) is
asked to sign it too. It signs only what goes on from all that it has signed before, whoever asked
for that: so a server that shows another history to you than to others who ask the same witness is
found out. The checkpoint is printed with the witness's signature.

With --policy, the largest checkpoint is printed that as many witnesses have signed as the policy
asks for: the server has asked them. What it shows now must go on from that.

With --compare FILE, and another file or a server's address behind it, the two are compared. A
file is a checkpoint, a receipt, or a bundle. Two files can be compared when they are of the same
size; else a server must show whether one goes on from the other. Where two cannot both be true,
the exit code is 8, and both are kept.`,
		Example: "  muster checkpoint > 2026-11-23.checkpoint\n  muster verify " +
			"http://127.0.0.1:8080 --since 2026-11-23.checkpoint\n  " +
			"muster checkpoint --compare 2026-11-23.checkpoint http://127.0.0.1:8080\n  " +
			"muster checkpoint --witness https://witness.mod.example --witness-key " +
			"witness.mod.example/fra+1a2b3c4d+BAe…",
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if compare != "" && (by.URL != "" || by.Key != "") {
				return usage("--compare asks no witness: leave --witness out")
			}
			if compare != "" && len(args) == 1 {
				return a.compareCheckpoints(cmd.Context(), compare, args[0])
			}
			if compare != "" || len(args) == 1 {
				return usage("two are compared").
					WithHint("write: muster checkpoint --compare FILE FILE|URL")
			}
			c, err := a.meet(cmd.Context())
			if err != nil {
				return err
			}
			seen := c.seen
			if by.URL != "" || by.Key != "" {
				if seen, err = a.cosigned(cmd.Context(), c, by); err != nil {
					return err
				}
			}
			if c.witnessed.Signed != nil && by.URL == "" {
				return a.printCheckpoint(c.witnessed.Checkpoint, &c.witnessed.by)
			}
			return a.printCheckpoint(seen, nil)
		},
	}
	c.Flags().StringVar(&compare, "compare", "",
		"the file of a checkpoint, a receipt or a bundle, to compare with the one that is named "+
			"behind it")
	witnessFlags(c, &by)
	return c
}

// printCheckpoint prints a checkpoint, with what the witnesses of the policy have signed of it, if
// there is one.
func (a *app) printCheckpoint(c proof.Checkpoint, by *policy.Witnessed) error {
	if a.format == "table" {
		_, err := exact(a.stdout).Write(c.Signed)
		return err
	}
	value := map[string]any{"origin": c.Origin, "size": c.N, "root": c.Hash.String(), "key": c.By,
		"signed": string(c.Signed)}
	said := ""
	if by != nil {
		value["witnessed"], said = by, by.String()
	}
	l := listing{value, web.Table{Head: []string{"origin", "size", "root", "key", "witnessed"}}}
	l.Add(value, c.Origin, fmt.Sprint(c.N), c.Hash.String(), c.By, said)
	return l.write(a.format, a.stdout)
}

// A carried is a checkpoint that a file carries, with the key that has signed it.
type carried struct {
	proof.Checkpoint
	key string
}

// carriedBy reads the checkpoint of a file, and verifies it: with the key that was given, or those
// of earlier contacts, or else the one that the file itself names, which is only its claim.
func (a *app) carriedBy(path string) (carried, error) {
	signed, claim, err := checkpointIn(path)
	if err != nil {
		return carried{}, err
	}
	var o proof.Options
	if err := a.trustIn(&o, signed, claimOf(claim, "is the file's own claim")); err != nil {
		return carried{}, err
	}
	if o.Key.Verifier == "" {
		return carried{}, problem.New(problem.Unverified,
			"no key is known to check the signature of %s with", path).
			WithHint("ask somebody you trust for the ledger's checkpoint key, and give it with " +
				"--checkpoint-key")
	}
	c, err := proof.OpenCheckpoint(signed, o.Key.Verifier)
	if err != nil {
		return carried{}, problem.New(problem.Unverified, "the checkpoint of %s: %w", path, err).
			WithHint("it is not one that the key has signed which %s: it proves nothing", o.Key.Why)
	}
	return carried{c, o.Key.Verifier}, nil
}

// checkpointIn returns the signed checkpoint in a file, and the key that the file names.
func checkpointIn(path string) (signed []byte, claim string, err error) {
	begin, err := beginningOf(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, "", problem.New(problem.NotFound, "there is no file %s", path)
	case err != nil:
		return nil, "", problem.New(problem.Unavailable, "reading %s: %w", path, err)
	case proof.IsBundle(begin):
		head, err := proof.ReadBundleHead(path)
		return head.Checkpoint, head.Key, err
	}
	text, err := readInput(path)
	if err == nil && proof.IsReceipt(begin) {
		r, err := proof.ReadReceipt(text)
		if err != nil {
			return nil, "", problem.New(problem.Unverified, "%s is no receipt: %w", path, err)
		}
		return r.Checkpoint(), r.Key, nil
	}
	return text, "", err
}

// A comparison is what two checkpoints are to each other. Its JSON members are added to, never
// renamed.
type comparison struct {
	Outcome string        `json:"outcome"` // same, or consistent
	Origin  events.Origin `json:"origin"`
	Smaller treeNamed     `json:"smaller"`
	Larger  treeNamed     `json:"larger"`
}

type treeNamed struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
	Key  string `json:"key"`
}

func (a *app) compareCheckpoints(ctx context.Context, file, with string) error {
	first, err := a.carriedBy(file)
	if err != nil {
		return err
	}
	if _, err := a.holdCheckpoint(checkpointIsOf, first.Checkpoint, first.key); err != nil {
		return err
	}
	var second proof.Checkpoint
	if strings.Contains(with, "://") {
		second, err = a.compareAt(ctx, first, with)
	} else {
		second, err = a.compareFile(first, with)
	}
	if err != nil {
		return err
	}
	return a.printComparison(first.Checkpoint, second)
}

// compareAt asks a server whether its ledger goes on from a checkpoint.
func (a *app) compareAt(ctx context.Context, first carried, url string) (proof.Checkpoint, error) {
	a.url, a.nats = url, reach.NATS{}
	c, err := a.meet(ctx)
	if err != nil {
		return proof.Checkpoint{}, err
	}
	if string(c.origin) != first.Origin {
		return c.seen, otherLedgers(first.Origin, string(c.origin))
	}
	return c.seen, a.goesOnFrom(ctx, checkpointIsOf, c, first.Checkpoint)
}

func otherLedgers(one, other string) error {
	return problem.New(problem.Invalid, "one is of the ledger %s, and the other of %s: there is "+
		"nothing to compare", one, other).WithHint("give two of the same ledger")
}

// goesOnFrom makes sure that the server's present tree goes on from a checkpoint, or is the
// beginning of its tree.
func (a *app) goesOnFrom(ctx context.Context, who string, c *contact,
	from proof.Checkpoint) error {
	err := proof.CheckExtends(ctx, from, c.seen, c.fetch)
	var other *proof.OtherHistory
	var older *proof.OlderState
	switch {
	case errors.As(err, &other):
		return a.otherHistory(who, other)
	case errors.As(err, &older) && older.NotCompared == nil:
		return nil // they are of one history, and which is the larger one is told
	case errors.As(err, &older):
		return problem.New(problem.Unavailable,
			"not compared: this server shows %s, and %d are to be compared",
			english.Several(c.seen.N, "record"), from.N).
			WithHint("ask again in a moment, or ask another server of the ledger")
	}
	return err
}

// compareFile compares the checkpoints of two files.
func (a *app) compareFile(first carried, path string) (proof.Checkpoint, error) {
	second, err := a.carriedBy(path)
	if err != nil {
		return second.Checkpoint, err
	}
	if second.Origin != first.Origin {
		return second.Checkpoint, otherLedgers(first.Origin, second.Origin)
	}
	if second.N == first.N && second.Hash != first.Hash {
		return second.Checkpoint, a.otherHistory(checkpointIsOf, &proof.OtherHistory{
			Seen: first.Checkpoint, Shown: second.Checkpoint, What: fmt.Sprintf(
				"of the same %d records one has the root %s, and the other %s", first.N, first.Hash,
				second.Hash)})
	}
	if _, err := a.holdCheckpoint(checkpointIsOf, second.Checkpoint, second.key); err != nil {
		return second.Checkpoint, err
	}
	if second.N != first.N {
		return second.Checkpoint, problem.New(problem.Unavailable,
			"not compared: one is of %s, and the other of %d, and no file shows whether one goes "+
				"on from the other", english.Several(first.N, "record"), second.N).
			WithHint("ask a server of the ledger about each: muster checkpoint --compare FILE URL")
	}
	return second.Checkpoint, nil
}

func (a *app) printComparison(one, other proof.Checkpoint) error {
	if one.N > other.N {
		one, other = other, one
	}
	c := comparison{Outcome: proof.Consistent, Origin: events.Origin(one.Origin),
		Smaller: treeNamed{one.N, one.Hash.String(), one.By},
		Larger:  treeNamed{other.N, other.Hash.String(), other.By}}
	if one.N == other.N {
		c.Outcome = proof.Same
	}
	if a.format != "table" {
		l := listing{c, web.Table{Head: []string{"outcome", "origin", "smaller_size",
			"smaller_root", "larger_size", "larger_root"}}}
		l.Add(c, c.Outcome, one.Origin, fmt.Sprint(one.N), c.Smaller.Root, fmt.Sprint(other.N),
			c.Larger.Root)
		return l.write(a.format, a.stdout)
	}
	text := fmt.Sprintf("Consistent: the tree of %s goes on from that of %d.\n",
		english.Several(other.N, "record"), one.N)
	if c.Outcome == proof.Same {
		text = fmt.Sprintf("Same: both are of %s with the root %s.\n",
			english.Several(one.N, "record"), one.Hash)
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
}
