package page

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/events/problem"
)

// A Ledger is what pages show of how the ledger is kept: the server's own tree, and whether its copies agree. It may be used concurrently.
type Ledger interface {
	// RootAt returns the root hash of the tree of the first size records.
	RootAt(size int64) ([sha256.Size]byte, error)
	// Checkpoint returns the last signed checkpoint (C2SP tlog-checkpoint), nil when there is none yet.
	Checkpoint() []byte
	// Prove returns a record as stored, and its tlog-proof (C2SP).
	Prove(sequence uint64) (stored, proof []byte, err error)
	// Healthy returns why no statement can be taken now, or nil.
	Healthy() error
	// Compared returns through which record, and when, the journal was last compared with the whole stream and found the same; 0 for
	// never since the server started. Compare does it now.
	Compared() (through uint64, at time.Time)
	Compare(context.Context) error
}

// A verifyPage shows what there is to check, and how anybody does.
type verifyPage struct {
	*frame
	Checkpoint string
	Signatures []string // the names of the keys
	Size       string
	TreeRoot   string
	// Through and At tell of the last comparison of stream and journal.
	Through uint64
	At      time.Time
	Trouble *problem.Problem
	// Compared is why the comparison that was asked for failed.
	Compared *problem.Problem
	// Record is the record to check, 0 for none, Stored and Proof the record and what the server proves it with.
	Record        uint64
	Stored, Proof string
}

// verify answers the page of checking.
func (p *Pages) verify(f *frame) (any, error) {
	v := &verifyPage{frame: f, Checkpoint: string(p.Ledger.Checkpoint())}
	if err := p.Ledger.Healthy(); err != nil {
		v.Trouble = problem.From(err)
	}
	if lines := strings.Split(v.Checkpoint, "\n"); len(lines) > 3 {
		v.Size, v.TreeRoot = lines[1], lines[2]
		for _, line := range lines[3:] {
			if rest, ok := strings.CutPrefix(line, "— "); ok {
				name, _, _ := strings.Cut(rest, " ")
				v.Signatures = append(v.Signatures, name)
			}
		}
	}
	v.Through, v.At = p.Ledger.Compared()
	text := f.Get("record")
	if text == "" {
		return v, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 1 || n > f.Ledger.Sequence {
		return nil, problem.OfFields([]problem.Field{{Location: "record", Value: text, Message: "there is no such record: write a number from 1 to " + strconv.FormatUint(f.Ledger.Sequence, 10)}})
	}
	stored, proof, err := p.Ledger.Prove(n)
	v.Record, v.Stored, v.Proof = n, string(stored), string(proof)
	return v, err
}

// compareTime bounds a comparison that is asked for on the page.
const compareTime = time.Minute

// serveCompare compares stream and journal now, one at a time, and shows what came of it.
func (p *Pages) serveCompare(w http.ResponseWriter, r *http.Request) {
	f := p.frame(r, kindNamed("verify"), r.URL.Query())
	ctx, cancel := context.WithTimeout(r.Context(), compareTime)
	defer cancel()
	var err error
	select {
	case p.comparing <- struct{}{}:
		err = p.Ledger.Compare(ctx)
		<-p.comparing
	default:
		err = problem.New(problem.Unavailable, "stream and journal are being compared already").WithHint("look again in a moment")
	}
	if err == nil {
		http.Redirect(w, r, string(f.Here()), http.StatusSeeOther)
		return
	}
	content, failed := p.verify(f)
	if failed != nil {
		f.Problem = problem.From(failed)
		p.write(w, f.Problem.Kind.Status, problemPage.Name, f)
		return
	}
	f.finish()
	v := content.(*verifyPage)
	v.Compared = problem.From(err)
	p.write(w, v.Compared.Kind.Status, "verify", v)
}

// Cosigners counts the signatures beside the server's own.
func (v *verifyPage) Cosigners() int { return max(0, len(v.Signatures)-1) }
