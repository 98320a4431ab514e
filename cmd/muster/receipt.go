package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/cmd/internal/reach"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/projections/web"
)

func (a *app) receiptCmd() *cobra.Command {
	var at string
	var renew bool
	c := &cobra.Command{
		Use:   "receipt FILE",
		Short: "Check a saved receipt, without any server or against one",
		Long: `Check a receipt that was saved with --receipt: that the statement is what its signer
signed, that the record is in the tree of the checkpoint, and that a checkpoint key of the ledger
has signed that. No server and no network is needed, now or years later. What the receipt cannot
show is said: whose key it is, when nobody has told but the file itself.

Its checkpoint is held against all that was seen of the ledger before, and remembered. Another
tree of the same size is the proof of two histories: the exit code is then 8, and both
checkpoints are kept. Whether trees of other sizes belong together a server must show: until one
was asked, the receipt is "not compared". With --at, the server is asked whether the record is
still there, and whether its ledger goes on from the receipt's checkpoint.

A receipt says that the statement is recorded. That it is witnessed too, it says with --policy:
when as many witnesses as the policy asks for have signed its checkpoint, or, with --at, one that
the server shows, in which the record is. They are asked after the record was made, so that a
receipt that is minutes old has few of their signatures or none: with --at and --renew the file is
written anew, with the signatures that there are by now.`,
		Example: "  muster pledge offer --operation mnf-u --role ground --quantity 300 " +
			"--receipt offer.receipt\n  muster receipt offer.receipt\n  muster receipt " +
			"offer.receipt --at https://muster.example\n  muster receipt offer.receipt --at " +
			"https://muster.example --renew --policy witnesses.policy",
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readInput(args[0])
			if err != nil {
				return err
			}
			c, in, err := a.checkReceipt(text)
			if err == nil && at != "" {
				err = a.stillThere(cmd.Context(), at, in, &c)
			}
			if err == nil && renew {
				err = a.renewReceipt(cmd.Context(), args[0], at, text, in)
			}
			if err == nil {
				err = c.isWitnessed()
			}
			if err != nil {
				return err
			}
			return a.printReceipt(c)
		},
	}
	c.Flags().StringVar(&at, "at", "",
		"the address of a server: is the record still there, and nothing else in its place?")
	c.Flags().BoolVar(&renew, "renew", false,
		"with --at: write the file anew, with the signatures of witnesses that there are by now")
	return c
}

// Where the checkpoint key is from with which a receipt was checked.
const (
	keyGiven      = "given"      // with --checkpoint-key
	keyRemembered = "remembered" // from an earlier contact
	keyOfPolicy   = "policy"     // named by the policy
	keyClaimed    = "claimed"    // by the receipt alone
)

// A checkedReceipt is what a good receipt shows. Its JSON members are added to, never renamed.
type checkedReceipt struct {
	OK            bool            `json:"ok"`
	Sequence      uint64          `json:"sequence"`
	Recorded      string          `json:"recorded"`
	By            string          `json:"by"`
	Statement     json.RawMessage `json:"statement"`
	SignedBy      string          `json:"signed_by"`
	SignatureIs   string          `json:"signature"` // verified, or not checked
	Origin        events.Origin   `json:"origin"`
	Size          int64           `json:"size"`
	Root          string          `json:"root"`
	CheckpointKey string          `json:"checkpoint_key"`
	KeyFrom       string          `json:"key_from"`
	// Compared is what became of holding the checkpoint against those that were seen before: same,
	// consistent, or not compared.
	Compared string `json:"compared"`
	// At is the server that was asked, and PresentSize of how many records its tree was.
	At          string `json:"at,omitempty"`
	PresentSize int64  `json:"present_size,omitempty"`
	// Witnessed is what the witnesses of the policy have signed of a tree with the record in it, of
	// WitnessedSize records; absent without a policy.
	Witnessed     *policy.Witnessed `json:"witnessed,omitempty"`
	WitnessedSize int64             `json:"witnessed_size,omitempty"`
	others        int               // signatures of its checkpoint that nobody looked at
}

func (a *app) checkReceipt(text []byte) (checkedReceipt, proof.Inclusion, error) {
	r, err := proof.ReadReceipt(text)
	if err != nil {
		return checkedReceipt{}, proof.Inclusion{},
			problem.New(problem.Unverified, "this is no receipt: %w", err)
	}
	if c, err := proof.ReadCheckpoint(r.Checkpoint()); err == nil {
		a.policyOf(events.Origin(c.Origin))
	}
	keys, from, err := a.keysOfReceipt(r)
	if err != nil {
		return checkedReceipt{}, proof.Inclusion{}, err
	}
	in, err := r.Check(keys...)
	if err != nil {
		return checkedReceipt{}, in,
			problem.New(problem.Unverified,
				"the receipt does not hold, with the key that is %s: %w", from, err).
				WithHint("it was altered, or is not of the ledger whose key that is: do not " +
					"rely on it")
	}
	rec := in.Record
	statement, _, _ := strings.Cut(string(rec.Note), "\n")
	c := checkedReceipt{OK: true, Sequence: rec.Sequence,
		Recorded: rec.Recorded.Format(events.RecordedForm), By: rec.By,
		Statement: json.RawMessage(statement), SignedBy: rec.SignedBy().String(),
		SignatureIs: "not checked", Origin: events.Origin(in.Checkpoint.Origin),
		Size: in.Checkpoint.N, Root: in.Checkpoint.Hash.String(), CheckpointKey: in.Checkpoint.By,
		KeyFrom: from, others: in.Checkpoint.Others}
	if p, err := a.witnesses(); err != nil {
		return c, in, err
	} else if p != nil {
		by, err := p.Witnessed(in.Checkpoint.Signed)
		if err != nil {
			return c, in, problem.New(problem.Unverified, "the receipt does not hold: %w", err).
				WithHint("it was altered: do not rely on it")
		}
		c.Witnessed, c.WitnessedSize = &by, c.Size
	}
	if r.Signer != "" {
		c.SignatureIs = "verified"
	}
	c.Compared, err = a.holdCheckpoint(receiptIsOf, in.Checkpoint,
		signerAmong(keys, in.Checkpoint.Signed))
	return c, in, err
}

// stillThere asks a server whether a receipt's record is in its present tree, at its place, and
// whether that tree goes on from the receipt's. Nothing that it answers is believed unproved.
func (a *app) stillThere(ctx context.Context, url string, in proof.Inclusion,
	r *checkedReceipt) error {
	a.url, a.nats = url, reach.NATS{}
	c, err := a.meet(ctx)
	if err != nil {
		return err
	}
	if c.origin != r.Origin {
		return problem.New(problem.NotFound,
			"the server at %s has the ledger %s, and the receipt is of %s", url, c.origin,
			r.Origin).
			WithHint("name a server of the receipt's ledger with --at")
	}
	if err := a.goesOnFrom(ctx, receiptIsOf, c, in.Checkpoint); err != nil {
		return err
	}
	if err := proof.CheckStill(ctx, in.Record, c.seen, c.fetch); err != nil {
		return err
	}
	r.Compared, r.At, r.PresentSize = proof.Consistent, url, c.seen.N
	if r.Witnessed == nil || r.Witnessed.Enough || c.witnessed.N < int64(r.Sequence) {
		return nil
	}
	if err := proof.CheckStill(ctx, in.Record, c.witnessed.Checkpoint, c.fetch); err != nil {
		return err
	}
	r.Witnessed, r.WitnessedSize = &c.witnessed.by, c.witnessed.N
	return nil
}

// renewReceipt writes the file of a receipt anew, under the checkpoint that enough witnesses have
// signed, where that has the record, and else under the newest.
func (a *app) renewReceipt(ctx context.Context, file, at string, text []byte,
	in proof.Inclusion) error {
	if at == "" {
		return usage("--renew asks a server: name it with --at")
	}
	c, err := a.meet(ctx)
	if err != nil {
		return err
	}
	under := c.witnessed.Checkpoint
	if under.N < int64(in.Record.Sequence) {
		under = c.seen
	}
	r, err := proof.ReadReceipt(text)
	if err == nil {
		r.Proof, err = proof.Prove(ctx, in.Record, under, c.fetch)
	}
	if err != nil {
		return err
	}
	r.Key = signerAmong(c.keys, under.Signed)
	if err := saveReceipt(file, r.Text()); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "muster: %s is written anew, under the checkpoint of %s\n", file,
		english.Several(under.N, "record"))
	return nil
}

// isWitnessed is the error of a receipt that is not, with a policy, or that has a time which cannot
// be.
func (c checkedReceipt) isWitnessed() error {
	if c.Witnessed == nil {
		return nil
	}
	if what := outside(c.Recorded, *c.Witnessed); what != "" {
		return problem.New(problem.Unverified, "the receipt does not hold: %s", what).
			WithHint("keep it, and ask whoever runs the server and the witness for their clocks")
	}
	if c.Witnessed.Enough {
		return nil
	}
	return problem.New(problem.Unverified, "the statement is recorded as %d, and %s", c.Sequence,
		c.Witnessed).WithHint("ask the server for what witnesses have signed since, and keep " +
		"that: muster receipt FILE --at URL --renew")
}

// keysOfReceipt are the keys to check a receipt with, and where they are from.
func (a *app) keysOfReceipt(r proof.Receipt) (keys []string, from string, err error) {
	if key, err := a.pinned(); key != "" || err != nil {
		return []string{key}, keyGiven, err
	}
	key, err := proof.ParseKey(r.Key)
	if err != nil {
		return nil, keyClaimed, problem.New(problem.Unverified, "the receipt's key: %w", err)
	}
	v, err := proof.CheckpointVerifier(key)
	if err != nil {
		return nil, keyClaimed, err
	}
	if named, err := a.keysOfPolicy(events.Origin(v.Name())); err != nil || len(named) > 0 {
		return named, keyOfPolicy, err
	}
	known, err := a.known(events.Origin(v.Name()))
	if err == nil && slices.Contains(known.Keys, key) {
		return known.Keys, keyRemembered, nil
	}
	return []string{key}, keyClaimed, err
}

func (a *app) printReceipt(c checkedReceipt) error {
	if a.format != "table" {
		present, witnessedBy, witnessedSize := "", "", ""
		if c.Witnessed != nil {
			witnessedBy, witnessedSize = c.Witnessed.String(), fmt.Sprint(c.WitnessedSize)
		}
		if c.At != "" {
			present = fmt.Sprint(c.PresentSize)
		}
		l := listing{c, web.Table{Head: []string{"sequence", "recorded", "signed_by", "signature",
			"origin", "size", "root", "checkpoint_key", "key_from", "statement",
			"compared", "at", "present_size", "witnessed", "witnessed_size"}}}
		l.Add(c, fmt.Sprint(c.Sequence), c.Recorded, c.SignedBy, c.SignatureIs, string(c.Origin),
			fmt.Sprint(c.Size), c.Root, c.CheckpointKey, c.KeyFrom, string(c.Statement),
			c.Compared, c.At, present, witnessedBy, witnessedSize)
		return l.write(a.format, a.stdout)
	}
	signature := "the signature is that of the signer's key in the receipt"
	if c.SignatureIs != "verified" {
		signature = "the receipt does not have the signer's key, so the signature was not checked"
	}
	whose := map[string]string{
		keyGiven:      "which was given with --checkpoint-key",
		keyOfPolicy:   "which is in the policy",
		keyRemembered: "which is remembered from earlier contact with the ledger",
		keyClaimed: "which nobody but this receipt says is the ledger's: compare it with the " +
			"ledger's key, or give that with --checkpoint-key",
	}
	_, err := fmt.Fprintf(a.stdout, `Said:        %s
Signed by:   %s; %s
Recorded:    as record %d of the ledger %s, at %s, by the server %s
Proved:      in the tree of %s with the root %s
Checkpoint:  signed with %s, %s
Witnessed:   %s
Compared:    %s
The receipt does not show that the signer was a member then: the ledger does, with muster verify.
`,
		problem.Line(string(c.Statement)), c.SignedBy, signature, c.Sequence, c.Origin, c.Recorded,
		serverName(c.By), english.Several(c.Size, "record"), c.Root, c.CheckpointKey,
		whose[c.KeyFrom], c.witnessed(), c.compared())
	return err
}

// serverName quotes the name that a server has given itself in an envelope, unless it is one: what
// is no name could say that something was verified.
func serverName(by string) string {
	if events.Origin(by).Valid() {
		return by
	}
	return strconv.QuoteToGraphic(by)
}

// witnessed says for people what the witnesses have signed, which is another thing than that the
// statement is recorded.
func (c checkedReceipt) witnessed() string {
	switch {
	case c.Witnessed != nil:
		return fmt.Sprintf("the tree of %s is %s", english.Several(c.WitnessedSize, "record"),
			toldWitnesses(*c.Witnessed))
	case c.others > 0:
		return fmt.Sprintf("not checked: the checkpoint has %s beside the server's: say whose "+
			"they are to be, with --policy", english.Several(c.others, "signature"))
	}
	return "not by anybody: the checkpoint has no other signature than the server's"
}

// compared says for people what became of holding the checkpoint against others.
func (c checkedReceipt) compared() string {
	switch {
	case c.At != "":
		return fmt.Sprintf("the record is still there: %s shows %s now, with this one in its "+
			"place, and goes on from the receipt's tree", c.At,
			english.Several(c.PresentSize, "record"))
	case c.Compared == proof.Same:
		return "the tree is one that was seen before"
	}
	return "not compared with what servers have shown: ask one, with --at URL"
}
