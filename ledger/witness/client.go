package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/proof"
)

// A Client asks a witness for its cosignature. It may be used concurrently.
type Client struct {
	// URL is the witness's submission prefix, without "/add-checkpoint".
	URL string
	// Key is the witness's public key, as [Witness.Key] has it: other signatures are not believed.
	Key string
	// HTTP is what it is asked over; its time limit bounds each request.
	HTTP *http.Client
}

// maxHeld is more records than any ledger can have, which no witness can have signed.
const maxHeld = 1e15 - 1

// maxAnswer is the most that is read of a witness's answer.
const maxAnswer = 16 << 10

// An AheadError is the error of a witness that has signed a larger tree of the ledger than the one
// that it was asked to sign: the server shows an old state, or has lost records.
type AheadError struct {
	Witness string // its name
	Signed  int64  // the records that the witness has signed
	Shown   int64  // the records of the checkpoint that it was asked to sign
}

// Error implements error.
func (e *AheadError) Error() string {
	return fmt.Sprintf("the witness %s has signed %d records of this ledger, and it is shown %d",
		e.Witness, e.Signed, e.Shown)
}

// OtherHistoryError is the error of a witness that has signed another history of the ledger.
type OtherHistoryError struct {
	Witness string
	Why     string // the witness's own words, which nobody has verified
}

// Error implements error.
func (e *OtherHistoryError) Error() string {
	return fmt.Sprintf("the witness %s has signed another history of this ledger than the one "+
		"that is shown: %s", e.Witness, e.Why)
}

// Cosign has the witness sign a checkpoint that was verified, with the proof that it goes on from
// what the witness has signed before, which is made of the hashes of the checkpoint's tree. It
// returns the lines of the witness's signature, which stand below those of the checkpoint. Held is
// how many records the witness has signed, where that is known: 0 costs a question more.
//
// The error is an *[AheadError] or an *[OtherHistoryError] when the witness has signed what cannot
// be, and a problem when it cannot be asked or its answer is none.
func (c Client) Cosign(ctx context.Context, held int64, next proof.Checkpoint,
	hashes tlog.HashReader) (lines []byte, err error) {
	v, err := torchwood.NewCosignatureVerifier(strings.TrimSpace(c.Key))
	if err != nil {
		return nil, problem.New(problem.Usage, "%.100q is no key of a witness: %w", c.Key, err).
			WithHint("a witness prints its key when it starts")
	}
	// What the witness holds it says itself when it is asked from 0, and again when somebody else
	// has asked meanwhile.
	old := held
	if old > next.N {
		old = 0
	}
	for range 5 {
		body, err := request(old, next, hashes)
		if err != nil {
			return nil, err
		}
		status, kind, answer, err := c.post(ctx, body)
		if err != nil {
			return nil, err
		}
		switch {
		case status == http.StatusOK:
			return verified(next, answer, v)
		case status == http.StatusConflict && kind == "text/x.tlog.size":
			held, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64)
			switch {
			case err != nil || held < 0 || held > maxHeld:
				return nil, c.odd("answers %.100q to the size %d", answer, old)
			case held > next.N:
				return nil, &AheadError{v.Name(), held, next.N}
			case held == old:
				return nil, &OtherHistoryError{v.Name(), fmt.Sprintf(
					"it holds another root of %d records", held)}
			}
			old = held
		case status == http.StatusConflict:
			return nil, &OtherHistoryError{v.Name(), printable(answer)}
		case status == http.StatusUnprocessableEntity:
			return nil, &OtherHistoryError{v.Name(), printable(answer)}
		default:
			return nil, c.odd("refuses with status %d: %s", status, printable(answer))
		}
	}
	return nil, c.odd("says each time that it holds another size")
}

// Last returns the last checkpoint that the witness has signed of a ledger, as it has it, and false
// where it does not tell: nobody has to.
func (c Client) Last(ctx context.Context, origin string) (signed []byte, ok bool) {
	url := strings.TrimSuffix(c.URL, "/") + "/" + nameOf(origin) + "/checkpoint"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, false
	}
	got, err := c.HTTP.Do(r)
	if err != nil {
		return nil, false
	}
	defer got.Body.Close()
	signed, err = io.ReadAll(io.LimitReader(got.Body, proof.MaxCheckpoint+1))
	return signed, err == nil && got.StatusCode == http.StatusOK
}

func (c Client) odd(format string, args ...any) error {
	return problem.New(problem.Unavailable, "the witness at %s %s", c.URL,
		fmt.Sprintf(format, args...)).
		WithHint("ask whoever runs the witness: is it one of this ledger, with all of the " +
			"ledger's checkpoint keys?")
}

// printable is what a witness says, in one line.
func printable(answer []byte) string {
	return strconv.QuoteToASCII(strings.TrimSpace(string(answer[:min(len(answer), 200)])))
}

func request(old int64, next proof.Checkpoint, hashes tlog.HashReader) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	if 0 < old && old < next.N {
		p, err := tlog.ProveTree(next.N, old, hashes)
		if err != nil {
			return nil, err
		}
		for _, h := range p {
			fmt.Fprintln(&b, h)
		}
	}
	b.WriteByte('\n')
	b.Write(next.Signed)
	return b.Bytes(), nil
}

func (c Client) post(ctx context.Context, body []byte) (status int, kind string, answer []byte,
	err error) {
	url := strings.TrimSuffix(c.URL, "/") + "/add-checkpoint"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, problem.New(problem.Usage, "%.100q is no address of a witness", c.URL)
	}
	var got *http.Response
	if got, err = c.HTTP.Do(r); err == nil {
		defer got.Body.Close()
		answer, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	}
	if err != nil {
		return 0, "", nil, problem.New(problem.Unavailable, "the witness cannot be asked: %w", err).
			WithHint("see that it runs, and that this machine reaches it")
	}
	return got.StatusCode, got.Header.Get("Content-Type"), answer, nil
}

// verified returns those lines of an answer that the witness's key has signed.
func verified(c proof.Checkpoint, answer []byte, v note.Verifier) ([]byte, error) {
	text, _, _ := strings.Cut(string(c.Signed), "\n\n")
	n, err := note.Open([]byte(text+"\n\n"+string(answer)), note.VerifierList(v))
	if err != nil {
		return nil, errors.Join(problem.New(problem.Unverified,
			"what the witness has answered is not its signature of the checkpoint").
			WithHint("is the key that of this witness?"), err)
	}
	var lines bytes.Buffer
	for _, s := range n.Sigs {
		fmt.Fprintf(&lines, "— %s %s\n", s.Name, s.Base64)
	}
	return lines.Bytes(), nil
}
