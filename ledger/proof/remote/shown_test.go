package remote_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// What a server shows is shown on where its tree has it and a key has signed it that an earlier
// record admits.
func TestShown(t *testing.T) {
	s := serve(t, 300)
	admitted, stranger := newSigner(t), newSigner(t)
	founder := s.founder
	s.say(&events.MemberAdmitted{Header: head("member.admitted"), Key: admitted.Key(),
		Role: events.Coordinator})
	s.founder = admitted
	s.open(2)
	s.founder = stranger
	s.open(1)
	s.founder = founder
	s.sign()
	c, err := proof.OpenCheckpoint(s.checkpoint, s.key.Key())
	if err != nil {
		t.Fatal(err)
	}
	members := []events.Record{s.records[0], s.records[301]}
	check := func(recs ...events.Record) error {
		shown := &proof.Shown{
			Fetch: func(_ context.Context, path string) ([]byte, error) { return s.answer(path) },
			Members: func(context.Context, uint64) ([]proof.Entry, error) {
				return entries(members), nil
			},
		}
		if _, err := shown.Check(t.Context(), c, entries(recs)); err != nil {
			return err
		}
		found, err := shown.Check(t.Context(), c, entries(recs)) // with the keys that are known
		if err == nil && !slices.EqualFunc(found, recs, func(a, b events.Record) bool {
			return a.Sequence == b.Sequence && bytes.Equal(a.Stored, b.Stored)
		}) {
			t.Errorf("%d records are not those that were shown", len(found))
		}
		return err
	}
	if err := check(s.records[:304]...); err != nil {
		t.Errorf("all that is right: %v", err)
	}
	if err := check(); err != nil {
		t.Errorf("nothing: %v", err)
	}
	fails := func(what, says string, recs ...events.Record) {
		t.Helper()
		if err := check(recs...); !problem.Is(err, problem.Unverified) ||
			!strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	moved, beyond := s.records[5], s.records[5]
	moved.Sequence, beyond.Sequence = 7, 400
	fails("another place", "record 7 that the ledger does not have", moved)
	fails("behind the end", "the ledger has 305 records", beyond)
	fails("a stranger's", "no record admits the key", s.records[304])
	members = members[:1]
	fails("an admission that is left out", "no record admits the key", s.records[302])
	members = []events.Record{s.records[301]}
	fails("no founding", "no record admits the key", s.records[2])
	forged := s.records[301]
	forged.Stored = []byte(strings.Replace(string(forged.Stored), "coordinator", "importer", 1))
	members = []events.Record{s.records[0], forged}
	fails("a forged admission", "record 302 that the ledger does not have", s.records[302])
}

func entries(recs []events.Record) (all []proof.Entry) {
	for _, rec := range recs {
		all = append(all, proof.Entry{Sequence: rec.Sequence, Stored: rec.Stored})
	}
	return all
}
