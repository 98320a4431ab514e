package proof

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	formats "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/rules"
)

// A Receipt holds all that shows, without any server, that a statement is in a ledger: the record,
// and the proof that it is a leaf of a tree that a checkpoint key has signed. Its text form is
// described in FORMAT.md.
type Receipt struct {
	// Key is the checkpoint key that the receipt names. Whoever made the receipt may have written
	// any: it proves something only to those who know from elsewhere that it is the ledger's.
	Key string
	// Signer is the key of the member that signed the statement, "" when whoever saved the receipt
	// did not know it.
	Signer events.Key
	// Record is the record as it is stored, byte for byte.
	Record []byte
	// Proof is a C2SP tlog-proof, with the checkpoint in it.
	Proof []byte
}

// receiptHead is the first line of a receipt's text.
const receiptHead = "muster receipt v1\n"

// maxReceipt is the most bytes that the text of a receipt may have.
const maxReceipt = 256 << 10

// recordLines is how many lines a record has: the envelope, the statement, an empty line, and the
// signature.
const recordLines = 4

// IsReceipt reports whether data begins as the text of a receipt does.
func IsReceipt(data []byte) bool { return bytes.HasPrefix(data, []byte("muster receipt ")) }

// Text writes the receipt as it is saved in a file.
func (r Receipt) Text() []byte {
	var b bytes.Buffer
	b.WriteString(receiptHead)
	fmt.Fprintf(&b, "key %s\n", r.Key)
	if r.Signer != "" {
		fmt.Fprintf(&b, "signer %s\n", r.Signer)
	}
	fmt.Fprintf(&b, "\n%s\n%s", r.Record, r.Proof)
	return b.Bytes()
}

// ReadReceipt reads the text of a receipt. It checks the form, of which there is one only for each
// receipt, and nothing else.
func ReadReceipt(text []byte) (r Receipt, err error) {
	if len(text) > maxReceipt {
		return r, fmt.Errorf("it has %d bytes: no receipt is so long", len(text))
	}
	rest, ok := strings.CutPrefix(string(text), receiptHead)
	if !ok {
		return r, fmt.Errorf("it does not begin with the line %q", strings.TrimSpace(receiptHead))
	}
	head, rest, ok := strings.Cut(rest, "\n\n")
	if !ok {
		return r, errors.New("it breaks off in its head")
	}
	for i, line := range strings.Split(head, "\n") {
		name, value, _ := strings.Cut(line, " ")
		switch {
		case i == 0 && name == "key":
			r.Key = value
		case i == 1 && name == "signer":
			r.Signer = events.Key(value)
		default:
			return r, fmt.Errorf(
				"line %d of its head, %.50q, is neither the key nor the signer, or not in its "+
					"place", i+1, line)
		}
	}
	lines := strings.SplitAfterN(rest, "\n", recordLines+2)
	if len(lines) < recordLines+2 || lines[recordLines] != "\n" {
		return r, errors.New("it breaks off in its record, or the record is of another form")
	}
	r.Record = []byte(strings.Join(lines[:recordLines], ""))
	r.Proof = []byte(lines[recordLines+1])
	if again := r.Text(); !bytes.Equal(again, text) {
		return r, errors.New("it is not written as receipts are")
	}
	return r, nil
}

// An Inclusion is what a good receipt shows.
type Inclusion struct {
	// Record is what was said, by which key, when and where it was recorded.
	Record events.Record
	// Checkpoint is the tree that the record is in, and the key that has signed it.
	Checkpoint Checkpoint
}

// Check verifies the receipt's proof under one of the checkpoint keys that the caller trusts; the
// key that the receipt names itself is used only when the caller gives it. When the receipt names
// its signer, the statement's signature is verified too. That the signer was a member then, the
// receipt does not show: the server has checked it, and whoever reads the ledger from its beginning
// can.
func (r Receipt) Check(keys ...string) (Inclusion, error) {
	index, _, _, err := readProof(r.Proof)
	if err != nil {
		return Inclusion{}, fmt.Errorf("the proof: %w", err)
	}
	rec, err := events.ParseRecord(uint64(index)+1, r.Record)
	if err != nil {
		return Inclusion{}, err
	}
	c, err := CheckIncluded(rec, r.Proof, func(signed []byte) (Checkpoint, error) {
		return OpenCheckpoint(signed, keys...)
	})
	if err != nil {
		return Inclusion{}, err
	}
	if r.Signer != "" {
		if err := rec.VerifiedBy(r.Signer); err != nil {
			return Inclusion{}, err
		}
		if !strings.HasPrefix(string(r.Signer), rec.SignedBy().String()+"+") {
			return Inclusion{}, fmt.Errorf("the signer's key %s is not written as keys are",
				r.Signer)
		}
	}
	return Inclusion{rec, c}, nil
}

// CheckIncluded verifies a tlog-proof of a record: that it is at its sequence, byte for byte, in
// the tree of the checkpoint in the proof, which open verifies and returns; and that it was
// recorded by when its signer wanted it to be.
func CheckIncluded(rec events.Record, proof []byte,
	open func(signed []byte) (Checkpoint, error)) (Checkpoint, error) {
	index, path, signed, err := readProof(proof)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the proof: %w", err)
	}
	if uint64(index)+1 != rec.Sequence {
		return Checkpoint{}, fmt.Errorf("the proof is of record %d, and not of %d",
			index+1, rec.Sequence)
	}
	c, err := open(signed)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint: %w", err)
	}
	if err := tlog.CheckRecord(path, c.N, c.Hash, index, tlog.RecordHash(rec.Stored)); err != nil {
		return Checkpoint{}, fmt.Errorf(
			"the proof does not lead from the record to the checkpoint's root: %w", err)
	}
	if origin := rec.Statement.Head().Ledger; string(origin) != c.Origin {
		return Checkpoint{}, fmt.Errorf(
			"the statement is for the ledger %s, and the checkpoint is of %s", origin, c.Origin)
	}
	if err := rules.InTime(rec.Statement, rec.Recorded); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// formatProof writes a tlog-proof.
func formatProof(index int64, path tlog.RecordProof, checkpoint []byte) []byte {
	hashes := make([][tlog.HashSize]byte, len(path))
	for i, h := range path {
		hashes[i] = h
	}
	return formats.TLogProof{Index: uint64(index), Hashes: hashes, Checkpoint: checkpoint}.Marshal()
}

// readProof takes a tlog-proof apart. It takes no form but the one that [formatProof] writes.
func readProof(proof []byte) (index int64, path tlog.RecordProof, checkpoint []byte, err error) {
	head, checkpoint, ok := bytes.Cut(proof, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "index ") {
		return 0, nil, nil, errors.New("it has not the form of a C2SP tlog-proof")
	}
	for _, line := range lines[2:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, nil, fmt.Errorf("the line %.60q is no hash", line)
		}
		path = append(path, h)
	}
	index, err = strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 62)
	if err != nil || index < 0 || !bytes.Equal(formatProof(index, path, checkpoint), proof) {
		return 0, nil, nil, errors.New("it is not written as C2SP tlog-proofs are")
	}
	return index, path, checkpoint, canonicalSignatures(checkpoint)
}

// canonicalSignatures refuses signatures whose base 64 has loose bits, and those that are there
// twice: one receipt has one form.
func canonicalSignatures(checkpoint []byte) error {
	_, signatures, _ := strings.Cut(string(checkpoint), "\n\n")
	seen := map[string]bool{}
	for line := range strings.Lines(signatures) {
		if seen[line] {
			return errors.New("a signature of its checkpoint is there twice")
		}
		seen[line] = true
		text := strings.TrimSuffix(line[strings.LastIndex(line, " ")+1:], "\n")
		if data, err := base64.StdEncoding.DecodeString(text); err != nil ||
			base64.StdEncoding.EncodeToString(data) != text {
			return errors.New("a signature of its checkpoint is not in canonical base 64")
		}
	}
	return nil
}
