package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/witness"
	"muster/projections/web"
)

func (a *app) receiptCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "receipt FILE",
		Short: "Check a saved receipt, without any server",
		Long: `Check a receipt that was saved with --receipt: that the statement is what its signer signed, that the record is in the
tree of the checkpoint, and that a checkpoint key of the ledger has signed that. No server and no network is needed, now or
years later. What the receipt cannot show is said: whose key it is, when nobody has told but the file itself.`,
		Example: "  muster pledge offer --operation mnf-u --role ground --quantity 300 " +
			"--receipt offer.receipt\n  muster receipt offer.receipt",
		Args: args("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := readInput(args[0])
			if err != nil {
				return err
			}
			c, err := a.checkReceipt(text)
			if err != nil {
				return err
			}
			return a.printReceipt(c)
		},
	}
}

// Where the checkpoint key is from with which a receipt was checked.
const (
	keyGiven      = "given"      // with --checkpoint-key
	keyRemembered = "remembered" // from an earlier contact
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
}

func (a *app) checkReceipt(text []byte) (checkedReceipt, error) {
	r, err := proof.ReadReceipt(text)
	if err != nil {
		return checkedReceipt{}, problem.New(problem.Unverified, "this is no receipt: %w", err)
	}
	keys, from, err := a.keysOfReceipt(r)
	if err != nil {
		return checkedReceipt{}, err
	}
	in, err := r.Check(keys...)
	if err != nil {
		return checkedReceipt{},
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
		KeyFrom: from}
	if r.Signer != "" {
		c.SignatureIs = "verified"
	}
	return c, nil
}

// keysOfReceipt are the keys to check a receipt with, and where they are from.
func (a *app) keysOfReceipt(r proof.Receipt) (keys []string, from string, err error) {
	if a.checkpointKey != "" {
		key, err := proof.ParseKey(a.checkpointKey)
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
	known, err := a.known(events.Origin(v.Name()))
	if err == nil && slices.Contains(known.Keys, key) {
		return known.Keys, keyRemembered, nil
	}
	return []string{key}, keyClaimed, err
}

func (a *app) printReceipt(c checkedReceipt) error {
	if a.format != "table" {
		l := listing{c, web.Table{Head: []string{"sequence", "recorded", "signed_by", "signature",
			"origin", "size", "root", "checkpoint_key", "key_from", "statement"}}}
		l.Add(c, fmt.Sprint(c.Sequence), c.Recorded, c.SignedBy, c.SignatureIs, string(c.Origin),
			fmt.Sprint(c.Size), c.Root, c.CheckpointKey, c.KeyFrom, string(c.Statement))
		return l.write(a.format, a.stdout)
	}
	signature := "the signature is that of the signer's key in the receipt"
	if c.SignatureIs != "verified" {
		signature = "the receipt does not have the signer's key, so the signature was not checked"
	}
	whose := map[string]string{
		keyGiven:      "which was given with --checkpoint-key",
		keyRemembered: "which is remembered from earlier contact with the ledger",
		keyClaimed: "which nobody but this receipt says is the ledger's: compare it with the " +
			"ledger's key, or give that with --checkpoint-key",
	}
	_, err := fmt.Fprintf(a.stdout, `Said:        %s
Signed by:   %s; %s
Recorded:    as record %d of the ledger %s, at %s, by the server %s
Proved:      in the tree of %s with the root %s
Checkpoint:  signed with %s, %s
The receipt does not show that the signer was a member then: the ledger does, with muster verify.
`, problem.Line(string(c.Statement)), c.SignedBy, signature, c.Sequence, c.Origin, c.Recorded, serverName(c.By), english.Several(c.Size, "record"), c.Root, c.CheckpointKey, whose[c.KeyFrom])
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

func (a *app) checkpointCmd() *cobra.Command {
	var by witness.Client
	c := &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the ledger's latest checkpoint, checked against all that was seen before",
		Long: `Ask the server for its latest checkpoint, make sure that it is signed with a key that is trusted and goes on from the
last one that was seen, and print it as it was signed: how many records there are, and the root of their Merkle tree. Keep
it, or compare it with what others see: two checkpoints that do not fit are the proof of two histories.

With --witness the witness at that address (muster witness, or any other of C2SP tlog-witness) is asked to sign it too. It
signs only what goes on from all that it has signed before, whoever asked for that: so a server that shows another history
to you than to others who ask the same witness is found out. The checkpoint is printed with the witness's signature.`,
		Example: "  muster checkpoint > 2026-11-23.checkpoint\n  muster verify " +
			"http://127.0.0.1:8080 --since 2026-11-23.checkpoint\n  muster checkpoint --witness " +
			"https://witness.mod.example --witness-key witness.mod.example/fra+1a2b3c4d+BAe…",
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			return a.printCheckpoint(seen)
		},
	}
	witnessFlags(c, &by)
	return c
}

func (a *app) printCheckpoint(c proof.Checkpoint) error {
	if a.format == "table" {
		_, err := exact(a.stdout).Write(c.Signed)
		return err
	}
	value := map[string]any{"origin": c.Origin, "size": c.N, "root": c.Hash.String(), "key": c.By,
		"signed": string(c.Signed)}
	l := listing{value, web.Table{Head: []string{"origin", "size", "root", "key"}}}
	l.Add(value, c.Origin, fmt.Sprint(c.N), c.Hash.String(), c.By)
	return l.write(a.format, a.stdout)
}
