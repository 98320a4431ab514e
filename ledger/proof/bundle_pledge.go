package proof

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// A Said is a statement that a bundle of one pledge shows.
type Said struct {
	Sequence uint64      `json:"sequence"`
	Recorded string      `json:"recorded"`
	Type     events.Type `json:"type"`
	ID       events.ID   `json:"id"`
	Signer   string      `json:"signer"`
	// Statement is the line that was signed.
	Statement string `json:"statement"`
}

// A pledgeVerifier verifies the bundle of one pledge, record by record. The rules of the ledger
// about members are replayed on the records that are about members, which are all of them, if the
// bundle tells the truth; the other rules need records that it does not have.
type pledgeVerifier struct {
	b          *bundleReader
	checkpoint *Checkpoint
	roster     *rules.State
	revoked    map[events.KeyID]uint64
	unheard    []Unheard
	origin     events.Origin
	recorded   string
	sequence   uint64
	records    uint64
	r          *Report
}

func verifyPledge(name string, b *bundleReader, o Options) (Report, error) {
	r := Report{Of: name, View: b.head.View, Said: []Said{}}
	if o.Since != nil {
		return r, problem.New(problem.Usage,
			"--since is for a whole ledger, and %s holds the records of one pledge", name)
	}
	c, bad := openCheckpoint(b.head.Checkpoint, o.Key)
	var wrong *Fault
	if bad != nil {
		wrong = &Fault{Check: "checkpoint", What: "the checkpoint is not good: " + bad.Error()}
		if c, bad = readCheckpoint(b.head.Checkpoint); bad != nil {
			return failedReport(name, notBundle("its checkpoint: %w", bad)), nil
		}
	}
	v := &pledgeVerifier{b: b, checkpoint: c, roster: rules.NewState(),
		revoked: map[events.KeyID]uint64{}, r: &r}
	fault, err := v.all()
	if err != nil {
		return r, err
	}
	if fault == nil && wrong == nil && c.Origin != string(v.origin) {
		wrong = &Fault{Check: "checkpoint",
			What: fmt.Sprintf("the checkpoint is of the ledger %q, and the records are of %s",
				c.Origin, v.origin)}
	}
	v.report(o, fault, wrong)
	return r, nil
}

// all takes every record of the bundle, up to the first fault.
func (v *pledgeVerifier) all() (*Fault, error) {
	for {
		sequence, stored, err := v.b.next("record", 0, v.records)
		if errors.Is(err, io.EOF) {
			if len(v.r.Said) == 0 {
				return &Fault{Check: "file",
						What: "the bundle holds nothing about the pledge " +
							v.b.head.Pledge.String()},
					nil
			}
			return nil, nil
		}
		var proof []byte
		if err == nil {
			_, proof, err = v.b.next("proof", sequence, 0)
		}
		if problem.Is(err, problem.Unverified) {
			return &Fault{Check: "file", What: problem.From(err).Detail}, nil
		}
		if err != nil {
			return nil, err
		}
		fault, err := v.take(sequence, stored, proof)
		if fault != nil || err != nil {
			return fault, err
		}
		v.records++
	}
}

// take checks one record with its proof.
func (v *pledgeVerifier) take(sequence uint64, stored, proof []byte) (*Fault, error) {
	fault := func(check, format string, args ...any) (*Fault, error) {
		return &Fault{Sequence: sequence, Check: check, What: fmt.Sprintf(format, args...)}, nil
	}
	before := v.sequence
	if sequence <= before {
		return fault("records", "it stands after record %d", before)
	}
	v.sequence = sequence
	if err := v.checkProof(sequence, stored, proof); err != nil {
		return fault("proofs", "%s", err)
	}
	rec, err := events.ParseRecord(sequence, stored)
	if problem.Is(err, problem.Unavailable) {
		return nil, err
	}
	if err != nil {
		return fault("records", "%s", problem.From(err).Detail)
	}
	at := rec.Recorded.Format(events.RecordedForm)
	if at < v.recorded {
		return fault("records", "it was recorded at %s, before record %d", at, before)
	}
	v.recorded = at
	if err := rules.InTime(rec.Statement, rec.Recorded); err != nil {
		return fault("records", "%s", problem.From(err).Detail)
	}
	if f := v.checkSigner(rec); f != nil {
		f.Sequence = sequence
		return f, nil
	}
	if v.r.FirstRecorded == "" {
		v.r.FirstRecorded = at
	}
	v.show(rec, at)
	return nil, nil
}

func (v *pledgeVerifier) show(rec events.Record, at string) {
	if isOfRoster(rec.Statement) {
		return
	}
	head := rec.Statement.Head()
	line, _, _ := strings.Cut(string(rec.Note), "\n")
	v.r.Said = append(v.r.Said,
		Said{rec.Sequence, at, head.Type, head.ID, rec.SignedBy().String(), line})
}

// checkProof checks an inclusion proof: C2SP tlog-proof, without the checkpoint, which the bundle
// has once.
func (v *pledgeVerifier) checkProof(sequence uint64, stored, proof []byte) error {
	index, path, rest, err := readProof(proof)
	if err == nil && len(rest) > 0 {
		err = errors.New("there is more behind it")
	}
	if err != nil {
		return fmt.Errorf("its inclusion proof: %w", err)
	}
	if index != int64(sequence)-1 {
		return fmt.Errorf("its inclusion proof is that of record %d", index+1)
	}
	if err := tlog.CheckRecord(path, v.checkpoint.N, v.checkpoint.Hash, index,
		tlog.RecordHash(stored)); err != nil {
		return fmt.Errorf("its inclusion proof does not lead to the root of the checkpoint: the "+
			"record, the proof or the checkpoint was altered (%w)", err)
	}
	return nil
}

// checkSigner checks who has signed, with the roster as the bundle shows it.
func (v *pledgeVerifier) checkSigner(rec events.Record) *Fault {
	id := rec.SignedBy()
	key, known := v.roster.KeyOf(id)
	if founded, ok := rec.Statement.(*events.LedgerFounded); ok {
		key, known, v.origin = founded.Founder, rec.Sequence == 1, founded.Ledger
	}
	switch {
	case !known:
		return &Fault{Check: "roster", Code: "not-admitted",
			What: fmt.Sprintf("no earlier record of the bundle admits its signer %s", id)}
	case v.revoked[id] > 0:
		return &Fault{Check: "roster", Code: "revoked",
			What: fmt.Sprintf("the key %s was revoked by record %d", id, v.revoked[id])}
	case rec.Statement.Head().Ledger != v.origin:
		return &Fault{Check: "roster", Code: "other-ledger",
			What: fmt.Sprintf("it was said to the ledger %s, and this is %s",
				rec.Statement.Head().Ledger, v.origin)}
	case rec.VerifiedBy(key) != nil:
		return &Fault{Check: "signatures", Code: "bad-signature",
			What: fmt.Sprintf("the signature is not that of %s", id)}
	}
	if isOfRoster(rec.Statement) {
		return v.replay(rec, key)
	}
	if !isAbout(rec.Statement, v.b.head.Pledge) {
		return &Fault{Check: "records",
			What: "it is not about the pledge " + v.b.head.Pledge.String()}
	}
	if nation, _ := events.About(rec.Statement); key.Party() != nation && key.Party() != events.HQ {
		return &Fault{Check: "roster", Code: "speaks-for-itself",
			What: fmt.Sprintf("%s cannot speak for %s", id, nation)}
	}
	return nil
}

// replay takes a record about members into the roster. Its place there is its place among those of
// its kind.
func (v *pledgeVerifier) replay(rec events.Record, key events.Key) *Fault {
	if err := rules.Decide(v.roster, key, rec.Statement); err != nil {
		return &Fault{Check: "roster", Code: problem.From(err).Code,
			What: "the rules about members refuse it (" + problem.From(err).Code + ")"}
	}
	sequence := rec.Sequence
	v.unheard = heard(v.unheard, v.roster, sequence, rec)
	rec.Sequence = v.roster.Last() + 1
	if _, err := v.roster.Apply(rec); err != nil {
		return &Fault{Check: "records", What: err.Error()}
	}
	var revoked events.Key // or perhaps: a second may be lacking
	switch st := rec.Statement.(type) {
	case *events.MemberRevoked:
		revoked = st.Key
	case *events.MemberSeconded:
		revoked = st.Key
	}
	id, _ := revoked.ID()
	if _, known := v.roster.KeyOf(id); known && !v.roster.MaySign(id) && v.revoked[id] == 0 {
		v.revoked[id] = sequence
	}
	return nil
}

func (v *pledgeVerifier) report(o Options, fault, wrong *Fault) {
	r := v.r
	r.Origin, r.Records, r.LastRecorded = v.origin, v.records, v.recorded
	for _, c := range []struct{ name, text string }{
		{"records", fmt.Sprintf("%d about the pledge %s and %d about members, in order",
			len(r.Said), v.b.head.Pledge, v.records-uint64(len(r.Said)))},
		{"proofs", fmt.Sprintf(
			"every record has its place in the tree of %d records with the root %s", v.checkpoint.N,
			v.checkpoint.Hash)},
		{"signatures", "every record is signed with the key that it names"},
		{"roster", "every signer was admitted before it signed, up to the founder, and not " +
			"revoked by then"},
	} {
		switch {
		case fault != nil && fault.Check == c.name:
			r.Add(c.name, Failed, "%s", fault)
		case fault != nil:
			r.Add(c.name, Verified, "%s, as far as the %d records before", c.text, v.records)
		default:
			r.Add(c.name, Verified, "%s", c.text)
		}
	}
	if fault != nil && fault.Check == "file" {
		r.Add("file", Failed, "%s", fault)
	}
	v.reportCheckpoint(o, wrong)
	r.tellUnheard(v.unheard)
	r.Add("rules", NotChecked,
		"whether the statements about the pledge were allowed takes the records of the whole "+
			"ledger")
	r.Fault = cmp.Or(fault, wrong)
	if r.Fault == nil {
		r.compareAlone(*v.checkpoint, o.Known)
	}
	r.OK = r.Fault == nil
	r.CannotShow = append(cannotShow(r.Of, o.Key, v.checkpoint),
		"that nothing was left out: there may be more records about this pledge, and more that "+
			"revoke a key",
		"that the rules of the ledger were kept")
	if r.View != "" {
		r.CannotShow = append(r.CannotShow,
			fmt.Sprintf("what was said about this pledge before the "+
				"view %s could read it", r.View))
	}
}

func (v *pledgeVerifier) reportCheckpoint(o Options, wrong *Fault) {
	switch {
	case wrong != nil:
		v.r.Add("checkpoint", Failed, "%s", wrong)
	case v.checkpoint.By == "":
		v.r.Add("checkpoint", NotChecked,
			"no key is known to check its signature with: give one with --checkpoint-key")
	default:
		v.r.Checkpoint = covered(v.checkpoint, o.Key)
		v.r.Add("checkpoint", Verified, "%s has signed for the tree; the key %s%s", v.checkpoint.By,
			o.Key.Why, v.checkpoint.otherSignatures())
	}
}
