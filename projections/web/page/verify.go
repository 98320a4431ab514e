package page

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// A Ledger is what pages show of how the ledger is kept: the server's own tree, and whether its
// copies agree. It may be used concurrently.
type Ledger interface {
	// CheckUnsigned says whether the ledger's rules would take a statement if somebody signed it
	// now who may make it: nil, or a [problem.Problem]. It is asked in a view, "" for that of all,
	// and records nothing.
	CheckUnsigned(context.Context, events.View, events.Statement) error
	// LeafHashes returns the hashes of records in the tree (RFC 6962), which tell nothing of what
	// is in them.
	LeafHashes(sequences []uint64) ([][sha256.Size]byte, error)
	// RootAt returns the root hash of the tree of the first size records.
	RootAt(size int64) ([sha256.Size]byte, error)
	// Checkpoint returns the last signed checkpoint (C2SP tlog-checkpoint), nil when there is none
	// yet.
	Checkpoint() []byte
	// Receipt returns a record as stored, and its receipt under the last checkpoint, as "muster
	// receipt" reads it.
	Receipt(sequence uint64) (stored, receipt []byte, err error)
	// Witnessed returns of how many records the tree is that witnesses have signed, as the server
	// knows it, how many of how many they are, 0 where it has none, and whether that is as many as
	// its policy asks for.
	Witnessed() (records int64, by, of int, enough bool)
	// Healthy returns why no statement can be taken now, or nil.
	Healthy() error
	// Opened returns when the server has opened the ledger, and the record at which it then found
	// the stream to hold the same as the journal: the journal's last, 0 when it had none.
	Opened() (at time.Time, met uint64)
	// Compared returns through which record, and when, the journal was last compared with the whole
	// stream and found the same; 0 for never since the server started. Compare does it now.
	Compared() (through uint64, at time.Time)
	Compare(context.Context) error
}

// A verifyPage shows what there is to check, and how anybody does.
type verifyPage struct {
	*frame
	Checkpoint string
	Signatures []signature
	Size       string
	TreeRoot   string
	// Opened and Met tell how the server began, as Ledger has it.
	Opened time.Time
	Met    uint64
	// Through and At tell of the last comparison of stream and journal.
	Through uint64
	At      time.Time
	Trouble *problem.Problem
	// Witnessed tells how many records are witnessed, as Ledger has it; Of is 0 where the server
	// has no witnesses.
	Witnessed witnessed
	// Unheard are the keys that were admitted without their nation's word, and Waiting is what
	// waits for a second.
	Unheard []projections.Member
	Waiting []projections.Waiting
	// Compared is why the comparison that was asked for failed.
	Compared *problem.Problem
	// Record is the record to check, 0 for none, Stored its bytes, and Receipt what the server
	// proves it with.
	Record          uint64
	Stored, Receipt string
	// Leaf is the hash of a record that the view withholds, in base 64: then it has no Stored and
	// no Receipt.
	Leaf string
}

type witnessed struct {
	Records int64
	By, Of  int
	Enough  bool
}

// A signature is one of those under a checkpoint.
type signature struct {
	Name string
	ID   string // the hash of name and key, in hexadecimal
	Own  bool   // of the key that this server says is its own
}

// verify answers the page of checking.
func (p *Pages) verify(f *frame) (any, error) {
	v := &verifyPage{frame: f, Checkpoint: string(p.Ledger.Checkpoint())}
	if f.Has("as_of") {
		if err := f.readPast(); err != nil {
			return nil, err
		}
	}
	if err := p.Ledger.Healthy(); err != nil {
		v.Trouble = problem.From(err)
	}
	w := &v.Witnessed
	w.Records, w.By, w.Of, w.Enough = p.Ledger.Witnessed()
	v.read()
	if err := v.readKeys(); err != nil {
		return nil, err
	}
	v.Opened, v.Met = p.Ledger.Opened()
	v.Through, v.At = p.Ledger.Compared()
	text := f.Get("record")
	if text == "" {
		return v, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 1 || n > f.Ledger.Sequence {
		return nil, f.ofFields(problem.Invalid, []problem.Field{
			f.field("record", text, "problem.record", f.Ledger.Sequence)})
	}
	return v, v.look(n)
}

// readKeys fills in which keys somebody should look at.
func (v *verifyPage) readKeys() error {
	members, err := v.service.Members(v.ctx, &web.MembersQuery{})
	for _, m := range members.Members {
		if m.Unheard {
			v.Unheard = append(v.Unheard, m)
		}
	}
	v.Waiting = members.Waiting
	return err
}

// look fills in the record to check, or its place where the view withholds it.
func (v *verifyPage) look(n uint64) error {
	v.Record = n
	withheld := true
	err := v.service.Projector.View(func(p *projections.Picture) error {
		_, open := p.Label(n)
		withheld = !open
		return nil
	})
	switch {
	case err != nil:
		return err
	case withheld:
		leaves, err := v.pages.Ledger.LeafHashes([]uint64{n})
		if err == nil {
			v.Leaf = base64.StdEncoding.EncodeToString(leaves[0][:])
		}
		return err
	}
	stored, receipt, err := v.pages.Ledger.Receipt(n)
	v.Stored, v.Receipt = string(stored), string(receipt)
	return err
}

// read takes the checkpoint apart for people. Nothing of it is verified here.
func (v *verifyPage) read() {
	text, signatures, _ := strings.Cut(v.Checkpoint, "\n\n")
	if lines := strings.Split(text, "\n"); len(lines) >= 3 {
		v.Size, v.TreeRoot = lines[1], lines[2]
	}
	for line := range strings.Lines(signatures) {
		name, data, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "— ")), " ")
		if raw, err := base64.StdEncoding.DecodeString(data); err == nil && len(raw) > 4 {
			id := hex.EncodeToString(raw[:4])
			v.Signatures = append(v.Signatures,
				signature{name, id, strings.HasPrefix(v.Ledger.CheckpointKey, name+"+"+id+"+")})
		}
	}
}

// compareTime bounds a comparison that is asked for on the page.
const compareTime = time.Minute

// serveCompare compares stream and journal now, one at a time, and shows what came of it.
func (p *Pages) serveCompare(w http.ResponseWriter, r *http.Request) {
	values, err := valuesOf(p.words.speakerFor(r), r)
	k := kindNamed("verify")
	f, hidden := p.frame(r, k, values)
	if err = first(hidden, err); err == nil {
		err = k.unknown(f.speaker, values)
	}
	if err != nil {
		p.refuse(w, f, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), compareTime)
	defer cancel()
	select {
	case p.comparing <- struct{}{}:
		err = p.Ledger.Compare(ctx)
		<-p.comparing
	default:
		err = problem.New(problem.Unavailable, "stream and journal are being compared already").
			WithHint("look again in a moment")
	}
	if err == nil {
		http.Redirect(w, r, string(f.Here()), http.StatusSeeOther)
		return
	}
	content, failed := p.verify(f)
	if failed != nil {
		p.refuse(w, f, failed)
		return
	}
	f.finish()
	v := content.(*verifyPage)
	v.Compared = problem.From(err)
	p.write(w, f, v.Compared.Kind.Status, "verify", v)
}

// Exact is the record's bytes in base 64: what is shown of them is not what is hashed, where they
// have characters that act.
func (v *verifyPage) Exact() string { return base64.StdEncoding.EncodeToString([]byte(v.Stored)) }

// WithView is what a command is told for the view of the page, where it is not the reader's own.
func (v *verifyPage) WithView() string {
	if !v.CanLeave() {
		return ""
	}
	return " --view " + string(v.Counted())
}

// NeedsKey reports whether a command reads what the reader does only when it signs in as well.
func (v *verifyPage) NeedsKey() bool { return v.Who().SignedIn() && !v.IsOpen() }

// Others counts the signatures that are not this server's own.
func (v *verifyPage) Others() (n int) {
	for _, s := range v.Signatures {
		if !s.Own {
			n++
		}
	}
	return n
}
