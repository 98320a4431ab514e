package proof

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// Shown makes sure of the records that a server shows before anybody is shown them: each is in the
// tree of a checkpoint that was verified, at its place and byte for byte, and its signature is that
// of a key which an earlier record of the same tree admits. That the rules of the ledger were kept,
// and that nothing was left out, is not looked at: that takes all records, see [Verify].
//
// It is not for concurrent use.
type Shown struct {
	// Fetch reads the server's tree.
	Fetch Fetcher
	// Members returns the founding and the records about members from a sequence on, in their
	// order, as the server has them. They are checked as all others are.
	Members func(ctx context.Context, from uint64) ([]Entry, error)

	keys map[events.KeyID]admitted
	read uint64 // the last record about members that is known
}

// An admitted is a key, and the record that has admitted it.
type admitted struct {
	verifier note.Verifier
	since    uint64
}

// Check makes sure of records, of which nothing is known but their places and bytes, and returns
// what they say. The error is of kind Unverified when one of them is not what it should be, and
// else the fetcher's. It takes a hash tile for every 256 places, and 50 µs on one core for each
// record.
func (s *Shown) Check(ctx context.Context, c Checkpoint, shown []Entry) ([]events.Record, error) {
	recs, err := s.inTree(ctx, c, shown)
	if err == nil {
		err = s.learn(ctx, c, recs)
	}
	if err == nil {
		err = s.allSigned(ctx, recs)
	}
	if err != nil {
		return nil, err
	}
	return recs, nil
}

// allSigned makes sure of the signatures of records, on all cores.
func (s *Shown) allSigned(ctx context.Context, shown []events.Record) error {
	var checking sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	wrong := make([]error, len(shown))
	for core := range cores {
		checking.Go(func() {
			for i := core; i < len(shown) && ctx.Err() == nil; i += cores {
				wrong[i] = s.signed(shown[i])
			}
		})
	}
	checking.Wait()
	for _, err := range wrong { // the first one is told
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// inTree looks for the leaf hashes of records in the tree of a checkpoint, and reads those that are
// there.
func (s *Shown) inTree(ctx context.Context, c Checkpoint, shown []Entry) ([]events.Record, error) {
	places := make([]int64, len(shown))
	for i, rec := range shown {
		if rec.Sequence == 0 || rec.Sequence > uint64(c.N) {
			return nil, unproved(rec.Sequence, "the ledger has %d records", c.N)
		}
		places[i] = tlog.StoredHashIndex(0, int64(rec.Sequence)-1)
	}
	if len(places) == 0 {
		return nil, nil
	}
	leaves, err := Hashes(ctx, c, s.Fetch).ReadHashes(places)
	if err != nil {
		return nil, err
	}
	recs := make([]events.Record, len(shown))
	for i, e := range shown {
		if leaves[i] != tlog.RecordHash(e.Stored) {
			return nil, unproved(e.Sequence, "it is not the one in the tree of %d records that "+
				"the server has signed", c.N)
		}
		if recs[i], err = events.ParseRecord(e.Sequence, e.Stored); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// learn sees to it that the keys are known that have signed records.
func (s *Shown) learn(ctx context.Context, c Checkpoint, shown []events.Record) error {
	unknown := func(rec events.Record) bool {
		_, known := s.keys[rec.SignedBy()]
		return !known
	}
	if !slices.ContainsFunc(shown, unknown) {
		return nil
	}
	told, err := s.Members(ctx, s.read+1)
	if err != nil {
		return err
	}
	members, err := s.inTree(ctx, c, told)
	for _, rec := range members {
		if err == nil {
			err = s.admit(rec)
		}
	}
	return err
}

// admit takes in the key that a record admits, which a key has signed that is known. The first
// record is signed with the key that it names.
func (s *Shown) admit(rec events.Record) error {
	var key events.Key
	switch st := rec.Statement.(type) {
	case *events.LedgerFounded:
		key = st.Founder
	case *events.MemberAdmitted:
		key = st.Key
	default:
		return nil
	}
	id, _ := key.ID()
	v, err := key.Verifier()
	if err != nil {
		return unproved(rec.Sequence, "it admits a key that is none: %v", err)
	}
	_, known := s.keys[id]
	if s.keys == nil && rec.Sequence == 1 {
		s.keys = map[events.KeyID]admitted{id: {v, 1}}
	}
	if err := s.signed(rec); err != nil {
		return err
	}
	if !known {
		s.keys[id] = admitted{v, rec.Sequence}
	}
	s.read = max(s.read, rec.Sequence)
	return nil
}

// signed makes sure of a record's signature.
func (s *Shown) signed(rec events.Record) error {
	by, known := s.keys[rec.SignedBy()]
	switch {
	case !known:
		return unproved(rec.Sequence, "no record admits the key %s that has signed it",
			rec.SignedBy())
	case by.since >= rec.Sequence && by.since > 1:
		return unproved(rec.Sequence, "the key %s that has signed it was admitted with record %d",
			rec.SignedBy(), by.since)
	}
	if err := rec.VerifiedWith(by.verifier); err != nil {
		return unproved(rec.Sequence, "%v", err)
	}
	return nil
}

const notToRely = "do not rely on this server, or on what stands before it, and ask another; all " +
	"that a server has is checked with: muster verify URL"

func unproved(sequence uint64, why string, args ...any) error {
	return problem.New(problem.Unverified,
		"the server shows a record %d that the ledger does not have: "+why,
		append([]any{sequence}, args...)...).WithHint("%s", notToRely)
}
