package witness

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"muster/ledger/proof"
)

// The most hashes that a proof may have, and the most bytes of a request with them.
const (
	maxProof   = 63
	maxRequest = proof.MaxCheckpoint + (maxProof+1)*64
)

// An add is a request to sign a checkpoint.
type add struct {
	old    int64
	proof  tlog.TreeProof
	signed []byte
	claims proof.Checkpoint // what the checkpoint says; nobody has verified it
}

// A refusal says why a checkpoint is not signed.
type refusal struct {
	status int
	why    string
	size   int64 // of a conflict: what the witness holds
	other  bool  // two histories
}

// Error implements error.
func (r *refusal) Error() string { return r.why }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, why: fmt.Sprintf(format, args...)}
}

// parseAdd reads the body of a request. The forms of numbers and hashes are the only ones that they
// have, so that nothing is read in two ways.
func parseAdd(body []byte) (a add, err error) {
	bad := func(format string, args ...any) (add, error) {
		return a, refuse(http.StatusBadRequest, format, args...)
	}
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return bad("no empty line stands before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	a.old, err = strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || a.old < 0 || strconv.FormatInt(a.old, 10) != size {
		return bad(`the first line is not "old" with a size`)
	}
	if len(lines)-1 > maxProof {
		return bad("a proof has at most %d hashes, and this one has %d", maxProof, len(lines)-1)
	}
	for i, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return bad("line %d is no hash", i+2)
		}
		a.proof = append(a.proof, h)
	}
	a.signed = signed
	if a.claims, err = proof.ReadCheckpoint(signed); err != nil {
		return bad("what stands behind the empty line is no checkpoint: %v", err)
	}
	return a, nil
}
