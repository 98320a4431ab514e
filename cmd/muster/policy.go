package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
)

// Recorded is what a server says, and signs for. Witnessed is what others have signed too, as many
// as --policy asks for: these words are never used for each other.

// witnesses reads the policy that was named, once; nil where none was.
func (a *app) witnesses() (*policy.Policy, error) {
	if a.policyFile == "" || a.policy != nil {
		return a.policy, nil
	}
	p, err := policy.Read(a.policyFile)
	a.policy = p
	return p, err
}

// policyOf takes the policy that is remembered of a ledger, where none was named.
func (a *app) policyOf(origin events.Origin) {
	if m, err := a.memory(); err == nil && a.policyFile == "" && !a.noPolicy {
		a.policyFile = m.Policy(origin)
	}
}

// keysOfPolicy are the checkpoint keys that the policy names for a ledger; none without a policy,
// and where it leaves them to be known from elsewhere.
func (a *app) keysOfPolicy(origin events.Origin) (keys []string, err error) {
	p, err := a.witnesses()
	if p == nil || err != nil {
		return nil, err
	}
	for _, l := range p.Logs {
		if strings.HasPrefix(l.Key, string(origin)+"+") {
			keys = append(keys, l.Key)
		}
	}
	if len(p.Logs) > 0 && len(keys) == 0 {
		return nil, problem.New(problem.Unverified,
			"the policy %s names other ledgers, and not %s", a.policyFile, origin).
			WithHint("give the policy of this ledger, or ask the server of the other one")
	}
	return keys, nil
}

// A witnessed is a checkpoint with what the witnesses of the policy have signed of it.
type witnessed struct {
	proof.Checkpoint
	by policy.Witnessed
}

// meetWitnesses finds the largest checkpoint of the server that as many witnesses have signed as
// the policy asks for, and makes sure that what the server shows now goes on from it. Where there
// is none, the command ends.
func (a *app) meetWitnesses(ctx context.Context, c *contact) error {
	p, err := a.witnesses()
	if p == nil || err != nil {
		return err
	}
	c.witnessed, err = a.witnessedOf(ctx, p, c)
	if err != nil {
		return err
	}
	w := c.witnessed
	fmt.Fprintf(a.stderr, "muster: %s: %d of the %s that the server shows\n", w.by, w.N,
		english.Several(c.seen.N, "record"))
	if !w.by.Enough {
		return problem.New(problem.Unverified, "what the server shows is recorded, as it says, "+
			"and %s", w.by).WithHint("%s", askAgainForWitnesses)
	}
	return nil
}

const askAgainForWitnesses = "ask again in a moment; if this lasts, see what the server says of " +
	"its witnesses, and ask whoever runs them what they have signed: muster status"

func (a *app) witnessedOf(ctx context.Context, p *policy.Policy, c *contact) (witnessed, error) {
	newest := witnessed{Checkpoint: c.seen}
	by, err := p.Witnessed(c.seen.Signed)
	if err != nil {
		return newest, problem.New(problem.Unverified, "the checkpoint of the server: %w", err).
			WithHint("it was altered: do not rely on what is at this address")
	}
	newest.by = by
	if by.Enough {
		return newest, nil
	}
	signed, err := c.fetch(ctx, intake.WitnessedPath)
	if problem.Is(err, problem.NotFound) {
		return newest, nil
	}
	if err != nil {
		return newest, err
	}
	older, err := proof.OpenCheckpoint(signed, c.keys...)
	if err == nil && older.Origin != string(c.origin) {
		err = fmt.Errorf("it is of the ledger %.100q", older.Origin)
	}
	if err == nil {
		by, err = p.Witnessed(signed)
	}
	if err != nil {
		return newest, problem.New(problem.Unverified,
			"what the server shows as signed by witnesses: %w", err).
			WithHint("do not rely on it: ask another server of the ledger")
	}
	if older.N > c.seen.N { // it has grown since it was asked
		return witnessed{older, by}, a.extends(ctx, c, proof.Known{}, older)
	}
	return witnessed{older, by}, a.goesOnFrom(ctx, serverShows, c, older)
}

// outside says that a record has a time after that of a witness who has signed the tree that it is
// in; it is "" where it has none.
func outside(recorded string, by policy.Witnessed) string {
	at, err := time.Parse(events.RecordedForm, recorded)
	if err != nil {
		return ""
	}
	c, late := by.Outside(at)
	if !late {
		return ""
	}
	return fmt.Sprintf("it says that it was recorded at %s, and the witness %s had signed the "+
		"tree that it is in at %s", recorded, c.Witness, c.At.Format(time.RFC3339))
}

// told says for people which witnesses have signed, and when.
func toldWitnesses(by policy.Witnessed) string {
	var each []string
	for _, c := range by.By {
		each = append(each, fmt.Sprintf("%s at %s", c.Witness, c.At.Format(time.RFC3339)))
	}
	if len(each) == 0 {
		return by.String()
	}
	return fmt.Sprintf("%s (%s)", by, strings.Join(each, ", "))
}

// witnessedReport adds to a report what the witnesses of the policy have signed of the checkpoint
// that was verified, or of an older one of which the records are the same.
func (a *app) witnessedReport(r *proof.Report, signed []byte, older *proof.Checkpoint) error {
	p, err := a.witnesses()
	if p == nil || err != nil || r.Fault != nil || r.Checkpoint == nil {
		return err
	}
	size := r.Checkpoint.Size
	by, err := p.Witnessed(signed)
	if err == nil && !by.Enough && older != nil {
		size = older.N
		by, err = p.Witnessed(older.Signed)
	}
	fault := ""
	switch {
	case err != nil:
		fault = err.Error()
	case !by.Enough:
		fault = fmt.Sprintf("what is recorded is %s", by)
	case uint64(size) >= r.Records:
		fault = outside(r.LastRecorded, by)
	}
	if fault != "" {
		r.Fault, r.OK = &proof.Fault{Check: "witnessed", What: fault}, false
		r.Add("witnessed", proof.Failed, "%s", fault)
		return nil
	}
	r.Add("witnessed", proof.Verified, "the tree of %s is %s", english.Several(size, "record"),
		toldWitnesses(by))
	return nil
}

// boundTimes adds to the options when witnesses of the policy have signed for trees of the ledger:
// the one that is verified, the one to begin with, and all that are remembered.
func (a *app) boundTimes(o *proof.Options, signed []byte) error {
	p, err := a.witnesses()
	if p == nil || err != nil {
		return err
	}
	all := slices.Clone(o.Known)
	for _, signed := range [][]byte{signed, o.Since} {
		if c, err := proof.OpenCheckpoint(signed, o.Key.Verifier); err == nil {
			all = append(all, c)
		}
	}
	for _, c := range all {
		by, err := p.Witnessed(c.Signed)
		if err != nil {
			continue // the report says what is wrong with the checkpoint that is verified
		}
		for _, w := range by.By {
			o.Bounds = append(o.Bounds, proof.Bound{Size: c.N, By: "the witness " + w.Witness,
				At: w.At})
		}
	}
	return nil
}

// olderWitnessed is the checkpoint that a server shows as signed by witnesses, if there is one that
// the key has signed. That its records are the same is still to be verified.
func (a *app) olderWitnessed(ctx context.Context, url, key string) (*proof.Checkpoint, error) {
	if p, err := a.witnesses(); p == nil || err != nil || key == "" {
		return nil, err
	}
	client, err := a.telling(url)
	if err != nil {
		return nil, err
	}
	signed, err := client.Fetch(ctx, intake.WitnessedPath)
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := proof.OpenCheckpoint(signed, key)
	if err != nil {
		return nil, problem.New(problem.Unverified,
			"what the server shows as signed by witnesses: %w", err).
			WithHint("do not rely on it: ask another server of the ledger")
	}
	return &c, nil
}

// underWitnessed has a source be under a checkpoint that as many witnesses have signed as the
// policy asks for: its own, or else the larger one of those that its server shows at the address.
// That the records are those of it is still to be verified.
func (a *app) underWitnessed(ctx context.Context, src *proof.Source, url, key string) error {
	p, err := a.witnesses()
	if p == nil || err != nil {
		return err
	}
	by, wrong := p.Witnessed(src.Checkpoint)
	if wrong == nil && !by.Enough && url != "" {
		older, err := a.olderWitnessed(ctx, url, key)
		if err != nil {
			return err
		}
		if older != nil {
			src.Checkpoint = older.Signed
			by, wrong = p.Witnessed(older.Signed)
		}
	}
	switch {
	case wrong != nil:
		return problem.New(problem.Unverified, "the checkpoint of %s: %w", src.Name, wrong).
			WithHint("it was altered: do not rely on it")
	case !by.Enough:
		return problem.New(problem.Unverified, "what %s has is recorded, and %s", src.Name, by).
			WithHint("%s", askAgainForWitnesses)
	}
	return nil
}

// A witnessedReceipt is the receipt of a submission with what witnesses have signed of it so far.
type witnessedReceipt struct {
	intake.Receipt
	Witnessed policy.Witnessed `json:"witnessed"`
}

// witnessedSoFar says of receipts that were verified what the witnesses of the policy have signed
// by now; the list is empty without a policy.
func (a *app) witnessedSoFar(all []intake.Receipt) (by []witnessedReceipt, err error) {
	p, err := a.witnesses()
	if p == nil || err != nil {
		return nil, err
	}
	for _, r := range all {
		w, err := p.Witnessed(proof.Receipt{Proof: []byte(r.Proof)}.Checkpoint())
		if err != nil {
			return nil, problem.New(problem.Unverified, "the receipt of record %d: %w", r.Sequence,
				err).WithHint("it is recorded; ask another server of the ledger for its receipt")
		}
		by = append(by, witnessedReceipt{r, w})
	}
	return by, nil
}

// fewest returns the receipt that the fewest witnesses have signed.
func fewest(all []witnessedReceipt) witnessedReceipt {
	return slices.MinFunc(all, func(x, y witnessedReceipt) int {
		return len(x.Witnessed.By) - len(y.Witnessed.By)
	})
}
