package proof

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"filippo.io/torchwood"

	"muster/events"
)

const testOrigin events.Origin = "muster.example/test"

const testDay events.Date = 2026_11_23

// A history is a ledger that tests write record by record, whether or not the rules would have it.
type history struct {
	t              testing.TB
	founder, paris *events.Signer
	log            note.Signer // the checkpoint key
	vkey           string
	records        []events.Record
	tree           tree
	next           uint64 // to make ids
}

// newHistory founds a ledger with new keys, opens an operation and admits a liaison: three records.
func newHistory(t testing.TB) *history {
	return historyWith(t, func(name string) string {
		secret, _, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	})
}

// historyWith is newHistory with secret keys from elsewhere.
func historyWith(t testing.TB, secret func(name string) string) *history {
	h := &history{t: t}
	signer := func(name string) *events.Signer {
		s, err := events.NewSigner(secret(name))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	log := signer(string(testOrigin))
	h.founder, h.paris, h.log, h.vkey = signer("HQ/founder"), signer("FRA/paris"), log,
		string(log.Key())
	h.say(&events.LedgerFounded{Header: h.head("ledger.founded"), Title: "a test",
		Founder: h.founder.Key()}, h.founder)
	h.say(&events.OperationOpened{Header: h.head("operation.opened"),
		Dated: events.Dated{Effective: testDay},
		OperationTerms: events.OperationTerms{Operation: "mnf-u", Title: "a test",
			Roles: []events.RoleDefinition{
				{Role: "ground", Title: "troops", Units: []events.Unit{"personnel"}}}}}, h.founder)
	h.say(h.admission(h.paris), h.founder)
	return h
}

func testSigner(t testing.TB, name string) *events.Signer {
	t.Helper()
	secret, _, err := events.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *history) head(typ events.Type) events.Header {
	h.next++
	id, err := events.IDAt(1_795_392_000_000+h.next, [10]byte{1})
	if err != nil {
		h.t.Fatal(err)
	}
	return events.Header{Type: typ, ID: id, Ledger: testOrigin}
}

func (h *history) admission(of *events.Signer) *events.MemberAdmitted {
	return &events.MemberAdmitted{Header: h.head("member.admitted"), Key: of.Key(),
		Role: events.Liaison}
}

func (h *history) revocation(of *events.Signer) *events.MemberRevoked {
	return &events.MemberRevoked{Header: h.head("member.revoked"), Key: of.Key(),
		Reason: "left the service"}
}

func (h *history) offer(quantity int64) *events.PledgeOffered {
	return &events.PledgeOffered{Header: h.head("pledge.offered"),
		Dated: events.Dated{Effective: testDay},
		Place: events.Place{Operation: "mnf-u", Nation: "FRA"},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(quantity),
			Unit: "personnel", Window: events.Window{From: testDay.AddDays(1)}}}
}

// offers lets Paris make n offers.
func (h *history) offers(n int) *history {
	for i := range n {
		h.say(h.offer(int64(i)+1), h.paris)
	}
	return h
}

// say signs a statement and makes the next record of it, a second after the one before.
func (h *history) say(st events.Statement, by *events.Signer) {
	h.t.Helper()
	s, err := events.Sign(st, by)
	if err != nil {
		h.t.Fatal(err)
	}
	h.put(s, time.Unix(1_795_392_000+int64(len(h.records)), 0))
}

func (h *history) put(s events.Signed, at time.Time) {
	h.t.Helper()
	rec, err := events.NewRecord(uint64(len(h.records))+1, at, "test", s)
	if err != nil {
		h.t.Fatal(err)
	}
	h.records = append(h.records, rec)
	h.tree.add(tlog.RecordHash(rec.Stored))
}

// checkpoint signs for the records so far.
func (h *history) checkpoint() []byte {
	h.t.Helper()
	root, _ := h.tree.root(h.tree.size)
	c := torchwood.Checkpoint{Origin: string(testOrigin)}
	c.N, c.Hash = h.tree.size, root
	signed, err := note.Sign(&note.Note{Text: c.String()}, h.log)
	if err != nil {
		h.t.Fatal(err)
	}
	return signed
}

func (h *history) entries() []Entry {
	all := make([]Entry, len(h.records))
	for i, rec := range h.records {
		all[i] = Entry{Sequence: rec.Sequence, Stored: bytes.Clone(rec.Stored),
			Subject: events.Subject(rec.Statement)}
	}
	return all
}

// source is the history with a checkpoint that covers it, holding these entries.
func (h *history) source(entries []Entry) Source {
	return Source{Name: "the test", Entries: entriesOf(entries), Size: int64(len(entries)),
		Checkpoint: h.checkpoint()}
}

func entriesOf(all []Entry) func(context.Context) iter.Seq2[Entry, error] {
	return func(context.Context) iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			for _, e := range all {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

func (h *history) trusted() Options {
	return Options{Key: TrustedKey{Verifier: h.vkey, Why: "was given"}}
}

func verified(t testing.TB, src Source, o Options) Report {
	t.Helper()
	r, err := Verify(t.Context(), src, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcomes are the outcomes of a report's checks, by name.
func outcomes(r Report) map[string]Outcome {
	all := map[string]Outcome{}
	for _, c := range r.Checks {
		all[c.Name] = c.Outcome
	}
	return all
}

func describe(r Report) string {
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s(%d checks)", &b, len(r.Checks))
}
