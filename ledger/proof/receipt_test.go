package proof_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/proof"
)

// A shelf is a journal that signs, with statements of one key.
type shelf struct {
	*journal.Journal
	server *proof.CheckpointSigner
	signer *events.Signer
}

func newShelf(t *testing.T, server *proof.CheckpointSigner) *shelf {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	secret, _, err := events.NewKey("FRA/paris")
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{Journal: j, server: server}
	if s.signer, err = events.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	if err := j.SignCheckpoints(server.Sign); err != nil {
		t.Fatal(err)
	}
	return s
}

// add appends n records, in one commit.
func (s *shelf) add(t *testing.T, n int, reason string) {
	t.Helper()
	var all []events.Record
	for i := range n {
		signed, err := events.Sign(
			&events.MemberRevoked{Header: events.Header{Type: "member.revoked", ID: events.NewID(),
				Ledger: checkpointOrigin},
				Key: s.signer.Key(), Reason: reason}, s.signer)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := events.NewRecord(s.Last()+uint64(i)+1, time.Unix(int64(i), 0), "test", signed)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	if err := s.Append(all); err != nil {
		t.Fatal(err)
	}
}

func (s *shelf) receipt(t *testing.T, sequence uint64) proof.Receipt {
	t.Helper()
	stored, text, err := s.Prove(sequence)
	if err != nil {
		t.Fatal(err)
	}
	return proof.Receipt{Key: s.server.Key(), Signer: s.signer.Key(), Record: stored, Proof: text}
}

// last returns the shelf's checkpoint, verified.
func (s *shelf) last(t *testing.T) proof.Checkpoint {
	t.Helper()
	c, err := proof.OpenCheckpoint(s.Checkpoint(), s.server.Key())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fetch serves the shelf's tiles.
func (s *shelf) fetch(_ context.Context, path string) ([]byte, error) {
	if path == "checkpoint" {
		return s.Checkpoint(), nil
	}
	tile, err := torchwood.ParseTilePath(path)
	if err != nil {
		return nil, err
	}
	return s.Tile(tile)
}

func TestReceiptOfEveryRecord(t *testing.T) {
	s := newShelf(t, newCheckpointSigner(t, checkpointOrigin))
	s.add(t, 5, "five")
	for sequence := uint64(1); sequence <= 5; sequence++ {
		text := s.receipt(t, sequence).Text()
		r, err := proof.ReadReceipt(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		in, err := r.Check(s.server.Key())
		if err != nil || in.Record.Sequence != sequence || in.Checkpoint.N != 5 ||
			in.Checkpoint.By != keyID(t, s.server.Key()) || in.Record.KeyName != "FRA/paris" {
			t.Errorf("%+v, %v", in, err)
		}
		again, err := proof.ReadReceipt(r.Text())
		if err != nil || !bytes.Equal(again.Text(), text) {
			t.Errorf("written again: %v\n%s", err, again.Text())
		}
	}
	if _, err := s.receipt(t, 1).Check(newCheckpointSigner(t, checkpointOrigin).Key()); err == nil {
		t.Error("accepted with another server's key")
	}
	if _, err := s.receipt(t, 1).Check(); err == nil {
		t.Error("accepted without a key")
	}
}

// No byte of a receipt can be changed, taken away or doubled, and no line be left out, without a
// refusal: there is one form.
func TestReceiptTampered(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	s := newShelf(t, newCheckpointSigner(t, checkpointOrigin))
	s.add(t, 5, "five")
	good := s.receipt(t, 3).Text()
	check := func(what string, text []byte) {
		r, err := proof.ReadReceipt(text)
		if err == nil {
			_, err = r.Check(s.server.Key())
		}
		// The key that a receipt names is its own claim: whoever checks with the ledger's key is
		// not misled by another.
		if err == nil && r.Key == s.server.Key() {
			t.Errorf("%s: accepted\n%s", what, text)
		}
	}
	for i := range good {
		for bit := range 8 {
			altered := bytes.Clone(good)
			altered[i] ^= 1 << bit
			check(fmt.Sprintf("byte %d, bit %d", i, bit), altered)
		}
		check(fmt.Sprintf("byte %d taken out", i), append(bytes.Clone(good[:i]), good[i+1:]...))
		check(fmt.Sprintf("cut at %d", i), good[:i])
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	for i := range lines[:len(lines)-1] {
		if strings.HasPrefix(string(lines[i]), "signer ") {
			continue // a receipt may have none
		}
		check(fmt.Sprintf("without line %d", i+1),
			bytes.Join(append(append([][]byte(nil), lines[:i]...), lines[i+1:]...), nil))
		check(fmt.Sprintf("line %d twice", i+1),
			bytes.Join(append(append([][]byte(nil), lines[:i+1]...), lines[i:]...), nil))
	}
	other := s.receipt(t, 4)
	other.Proof = s.receipt(t, 3).Proof
	check("the proof of another record", other.Text())
}

func TestCheckExtends(t *testing.T) {
	server := newCheckpointSigner(t, checkpointOrigin)
	s, fork := newShelf(t, server), newShelf(t, server)
	var seen []proof.Checkpoint
	for _, n := range []int{1, 1, 254, 1, 300, 1} {
		s.add(t, n, "as it was")
		seen = append(seen, s.last(t))
	}
	next := s.last(t)
	for _, last := range seen {
		if err := proof.CheckExtends(t.Context(), last, next, s.fetch); err != nil {
			t.Errorf("from %d to %d: %v", last.N, next.N, err)
		}
	}
	fork.add(t, int(next.N)+5, "as it was not")
	for _, last := range seen {
		shown := fork.last(t)
		err := proof.CheckExtends(t.Context(), last, shown, fork.fetch)
		var other *proof.OtherHistory
		if !errors.As(err, &other) || !bytes.Equal(other.Seen.Signed, last.Signed) ||
			!bytes.Equal(other.Shown.Signed, shown.Signed) ||
			!strings.Contains(err.Error(), "are not those that were there before, with the root "+
				last.Hash.String()) {
			t.Errorf("from %d to the fork: %v", last.N, err)
		}
		// The tiles of another tree.
		if err := proof.CheckExtends(t.Context(), last, shown, s.fetch); err == nil ||
			errors.As(err, &other) {
			t.Errorf("from %d to the fork, with tiles that are not its own: %v", last.N, err)
		}
	}
	same := newShelf(t, server)
	same.add(t, int(next.N), "of the same size")
	var two *proof.OtherHistory
	if err := proof.CheckExtends(t.Context(), next, same.last(t), same.fetch); !errors.As(err,
		&two) {
		t.Errorf("another root of %d records: %v", next.N, err)
	}
	gone := errors.New("no such tile today")
	err := proof.CheckExtends(t.Context(), seen[0], next,
		func(context.Context, string) ([]byte, error) { return nil, gone })
	var other *proof.OtherHistory
	if !errors.Is(err, gone) || errors.As(err, &other) {
		t.Errorf("without tiles: %v", err)
	}
	short := func(ctx context.Context, path string) ([]byte, error) {
		data, err := s.fetch(ctx, path)
		return data[:len(data)/2], err
	}
	if err := proof.CheckExtends(t.Context(), seen[0], next, short); !isNotSigned(err) {
		t.Errorf("with tiles that are cut: %v", err)
	}
}

// A smaller tree is an older state, whoever shows it; and another history only where the tiles of
// the larger one prove that.
func TestOlderStateIsNoOtherHistory(t *testing.T) {
	server := newCheckpointSigner(t, checkpointOrigin)
	s, fork := newShelf(t, server), newShelf(t, server)
	for _, h := range []*shelf{s, fork} {
		h.add(t, 10, "in both")
	}
	shared := s.last(t)
	s.add(t, 300, "as it was")
	before := s.last(t)
	s.add(t, 300, "as it was")
	now := s.last(t)
	fork.add(t, 300, "as it was not")
	gone := errors.New("no such tile today")
	no := func(context.Context, string) ([]byte, error) { return nil, gone }
	for what, c := range map[string]struct {
		shown           proof.Checkpoint
		fetch           proof.Fetcher
		compared, other bool
	}{
		"the beginning":                     {before, s.fetch, true, false},
		"the beginning of both":             {shared, s.fetch, true, false},
		"nothing yet":                       {proof.Checkpoint{}, no, true, false},
		"the beginning, without tiles":      {before, no, false, false},
		"the beginning, with others' tiles": {before, fork.fetch, false, false},
		"a fork":                            {fork.last(t), s.fetch, true, true},
		"a fork, with its own tiles":        {fork.last(t), fork.fetch, false, false},
	} {
		known := proof.Known{By: map[string]proof.Checkpoint{now.By: now}}
		c.shown.Origin, c.shown.By = now.Origin, now.By
		for _, err := range []error{proof.CheckExtends(t.Context(), now, c.shown, c.fetch),
			known.CheckExtended(t.Context(), c.shown, c.fetch)} {
			var older *proof.OlderState
			var other *proof.OtherHistory
			if errors.As(err, &other) != c.other || errors.As(err, &older) == c.other {
				t.Errorf("%s: %v", what, err)
			}
			if older != nil && (older.NotCompared == nil) != c.compared {
				t.Errorf("%s: %v, not compared: %v", what, err, older.NotCompared)
			}
		}
	}
	// What is wrong with a smaller one is told first.
	known := proof.Known{By: map[string]proof.Checkpoint{now.By: now},
		Waiting: []proof.Checkpoint{before}}
	var other *proof.OtherHistory
	if err := known.CheckExtended(t.Context(), fork.last(t), fork.fetch); !errors.As(err, &other) {
		t.Errorf("a fork as large as one that waits: %v", err)
	}
}

// isNotSigned reports whether an error accuses nobody of a second history: whoever is between can
// have edited what is not signed.
func isNotSigned(err error) bool {
	var other *proof.OtherHistory
	p := problem.Of(err)
	return !errors.As(err, &other) && p != nil && p.Kind == problem.Unverified &&
		p.Code == proof.NotSigned
}

func TestMemory(t *testing.T) {
	m := proof.Memory{Dir: filepath.Join(t.TempDir(), "not", "there", "yet")}
	a, b := newCheckpointSigner(t, checkpointOrigin), newCheckpointSigner(t, checkpointOrigin)
	if k, err := m.Of(checkpointOrigin); err != nil || len(k.Keys) != 0 {
		t.Fatalf("%+v, %v", k, err)
	}
	sees := func(s *proof.CheckpointSigner, n int64) {
		c, err := proof.OpenCheckpoint(signedTree(t, s,
			tlog.Tree{N: n, Hash: tlog.RecordHash([]byte(fmt.Sprint(n)))}), s.Key())
		if err := errors.Join(err, m.Trust(s.Key()), m.Saw(c, proof.Known{})); err != nil {
			t.Fatal(err)
		}
	}
	sees(a, 7)
	sees(b, 9)
	sees(a, 5) // another run was faster
	k, err := m.Of(checkpointOrigin)
	last, ok := k.Last()
	if err != nil || fmt.Sprint(k.Keys) != fmt.Sprint([]string{a.Key(), b.Key()}) || !ok ||
		last.N != 9 || k.By[keyID(t, a.Key())].N != 7 {
		t.Errorf("%+v, %v", k, err)
	}
	if k, err := m.Of("muster.example/paris"); err != nil || len(k.Keys) != 0 {
		t.Errorf("another ledger: %+v, %v", k, err)
	}
	for _, origin := range []events.Origin{"..", "../x", "", "a/../b"} {
		if _, err := m.Of(origin); err == nil {
			t.Errorf("%q was looked up", origin)
		}
	}
	seen, shown, err := m.Evidence(&proof.OtherHistory{Seen: last, Shown: k.By[keyID(t, a.Key())]},
		time.Now())
	if err != nil || filepath.Dir(seen) != filepath.Join(m.Dir, "muster.example%2Fberlin") ||
		seen == shown {
		t.Errorf("%s, %s, %v", seen, shown, err)
	}
}
