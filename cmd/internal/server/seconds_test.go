package server

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/ledger/rules"
	"muster/projections"
)

// The two halves come to the same members, whatever was proposed and seconded, by whoever: who may
// sign a statement for the one is a member for the other, and what can be seconded waits.
func TestBothHalvesHaveTheSameMembers(t *testing.T) {
	var signers []*events.Signer
	for _, name := range []string{"HQ/a", "HQ/b", "HQ/c", "FRA/a", "FRA/b", "FRA/c", "DEU/a"} {
		secret, _, err := events.NewKey(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := events.NewSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, s)
	}
	seconded, retracted, unheard := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newHalves(t, signers[0], rapid.IntRange(0, 2).Draw(t, "seconds"))
		for range 60 {
			by := rapid.SampledFrom(signers).Draw(t, "by")
			rec, allowed := w.says(t, by, w.draw(t, signers))
			if !allowed {
				continue
			}
			switch rec.Statement.(type) {
			case *events.MemberSeconded:
				seconded++
			case *events.MemberRetracted:
				retracted++
			}
			w.agree(t, signers)
		}
		for _, m := range w.roster(t).Members {
			if m.Unheard {
				unheard++
			}
		}
		if got := len(w.unheard); got != countUnheard(w.roster(t)) {
			t.Fatalf("the rules tell of %v as unheard, and the picture of %d", w.unheard,
				countUnheard(w.roster(t)))
		}
	})
	if seconded == 0 || retracted == 0 || unheard == 0 {
		t.Errorf("%d seconds, %d retractions and %d members unheard: this shows little", seconded,
			retracted, unheard)
	}
}

// halves are the same records in both halves.
type halves struct {
	state   *rules.State
	picture *projections.Picture
	records []events.Record
	unheard []events.Key
}

func newHalves(t *rapid.T, founder *events.Signer, seconds int) *halves {
	w := &halves{state: rules.NewState(), picture: projections.NewPicture()}
	if _, ok := w.says(t, founder, &events.LedgerFounded{Header: events.Header{
		Type: "ledger.founded"}, Title: "test", Founder: founder.Key(), Seconds: seconds}); !ok {
		t.Fatal("the founding is refused")
	}
	return w
}

// says makes a record where the rules allow it.
func (w *halves) says(t *rapid.T, by *events.Signer, st events.Statement) (events.Record, bool) {
	head := st.Head()
	head.Ledger = "muster.example/test"
	head.ID, _ = events.IDAt(uint64(len(w.records))+1, [10]byte{9: byte(len(w.records) + 1)})
	signed, err := events.Sign(st, by)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := events.NewRecord(uint64(len(w.records))+1, time.Unix(1_800_000_000, 0), "test",
		signed)
	if err != nil {
		t.Fatal(err)
	}
	if rules.Decide(w.state, by.Key(), st) != nil {
		return rec, false
	}
	if key := w.state.Unheard(rec); key != "" {
		w.unheard = append(w.unheard, key)
	}
	if _, err := w.state.Apply(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.picture.Apply(rec); err != nil {
		t.Fatalf("record %d, %s by %s: %v", rec.Sequence, head.Type, by.Name(), err)
	}
	w.records = append(w.records, rec)
	return rec, true
}

// draw draws an admission, a revocation, or a second or the retraction of what waits.
func (w *halves) draw(t *rapid.T, signers []*events.Signer) events.Statement {
	key := rapid.SampledFrom(signers).Draw(t, "key").Key()
	waiting := w.roster(t).Waiting
	switch what := rapid.IntRange(0, 6).Draw(t, "what"); {
	case what == 6 && len(waiting) > 0:
		p := rapid.SampledFrom(waiting).Draw(t, "retracted")
		return &events.MemberRetracted{Header: events.Header{Type: "member.retracted"}, Key: p.Key,
			Statement: p.Statement, Reason: "a test"}
	case what > 2 && len(waiting) > 0:
		p := rapid.SampledFrom(waiting).Draw(t, "seconded")
		leaf := w.records[p.Sequence-1].Leaf()
		return &events.MemberSeconded{Header: events.Header{Type: "member.seconded"}, Key: p.Key,
			Statement: p.Statement, Leaf: base64.StdEncoding.EncodeToString(leaf[:])}
	case what == 0:
		return &events.MemberRevoked{Header: events.Header{Type: "member.revoked"}, Key: key,
			Reason: "a test"}
	}
	role := events.Liaison
	if key.Party() == events.HQ {
		role = events.Coordinator
	}
	return &events.MemberAdmitted{Header: events.Header{Type: "member.admitted"}, Key: key,
		Role: role}
}

func (w *halves) roster(t *rapid.T) projections.Roster {
	r, err := w.picture.Members(t.Context(), projections.Moment{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// agree fails where the halves differ.
func (w *halves) agree(t *rapid.T, signers []*events.Signer) {
	r := w.roster(t)
	for _, s := range signers {
		id, _ := s.Key().ID()
		if _, is := w.picture.Member(id); is != w.state.MaySign(id) {
			t.Fatalf("after %d records %s is a member: %v, and may sign: %v", len(w.records), id,
				is, w.state.MaySign(id))
		}
	}
	var open []string
	for _, p := range r.Waiting {
		open = append(open, fmt.Sprint(p.Statement, p.Coordinators, p.Liaison, len(p.Seconded)))
	}
	var want []string
	for _, p := range w.state.Waiting() {
		lack := p.Lacks(w.state.Roll())
		want = append(want, fmt.Sprint(p.Statement, lack.Coordinators, lack.Liaison,
			len(p.Seconded)))
	}
	if !slices.Equal(open, want) {
		t.Fatalf("after %d records the picture has %v waiting, and the rules %v", len(w.records),
			open, want)
	}
}

func countUnheard(r projections.Roster) (n int) {
	for _, m := range r.Members {
		if m.Unheard {
			n++
		}
	}
	return n
}
