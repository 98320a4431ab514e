package ledger_test

import (
	"context"
	"path/filepath"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
)

// onePeer is another server, which answers with its journal's end.
type onePeer struct {
	journal *journal.Journal
	breaks  uint64
}

func (p *onePeer) Answer(func() uint64)  {}
func (p *onePeer) News() <-chan struct{} { return nil }
func (p *onePeer) Breaks() uint64        { return p.breaks }
func (p *onePeer) Trust() bool           { return false }
func (p *onePeer) Ask() ledger.Question  { return p }

func (p *onePeer) Ends(context.Context) ([]ledger.End, []string, error) {
	return []ledger.End{{Name: "other", Reach: p.journal.Last()}}, nil, nil
}

// A watchedLog lets something happen once, when it has been read.
type watchedLog struct {
	*logtest.View
	read func()
}

func (w *watchedLog) Read(ctx context.Context, from uint64,
	yield func(ledger.Message) error) error {
	err := w.View.Read(ctx, from, yield)
	if then := w.read; then != nil {
		w.read = nil
		then()
	}
	return err
}

// A server looks where the log ends. Then another one records, the log loses that, and the line is
// broken; and only then does the first go on. It must not take the other's place, but wait until
// that has put back what it has.
func TestLineBreaksWhileCatchingUp(t *testing.T) {
	path, mem, k := someLedger(t, 10)
	other, theirs := newLedger(t, filepath.Join(t.TempDir(), "other.db"), mem.View())
	log, peer := &watchedLog{View: mem.View()}, &onePeer{journal: theirs}
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: log, Name: "a", Peers: peer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	awaits(t, "the scrub, which reads the log too", func() bool {
		return l.Scrubbing().Whole.Through == 10
	})
	log.read = func() {
		submitAll(t, other, []events.Signed{k.offer(t, 2)})
		mem.Truncate(10)
		peer.breaks++
	}
	mine := k.offer(t, 1)
	if r, err := l.Submit(t.Context(), mine); err == nil && r.Sequence == 11 {
		t.Fatalf("it is recorded in the place of another: %+v", r)
	}
	submitAll(t, other, []events.Signed{k.offer(t, 3)}) // which puts back what the log has lost
	if r := submitUntil(t, l, mine); r.Sequence < 12 {
		t.Errorf("it is record %d", r.Sequence)
	}
	waitFor(t, theirs, 13)
	sameAsLog(t, theirs, mem.View())
}

// A server that waits for others may lack what they have: a member, or the tree that somebody has
// seen. So it refuses nothing meanwhile, and says that it takes nothing.
func TestNothingIsRefusedWhileWaiting(t *testing.T) {
	_, mem, k := someLedger(t, 10)
	_, theirs := newLedger(t, filepath.Join(t.TempDir(), "other.db"), mem.View())
	waitFor(t, theirs, 10)
	mem.Truncate(1) // the founding alone
	j, err := journal.Open(filepath.Join(t.TempDir(), "behind.db"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "b",
		Peers: &onePeer{journal: theirs}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, j, 1)
	root, err := theirs.RootAt(10)
	if err != nil {
		t.Fatal(err)
	}
	offer := k.offer(t, 1)
	seen := *offer.Statement.(*events.PledgeOffered)
	seen.ID, seen.Seen = events.NewID(), &events.Seen{Size: 10, Root: root.String()}
	for name, st := range map[string]events.Signed{"of a member that was admitted": offer,
		"upon a tree that was seen": sign(t, &seen, k.paris)} {
		_, submitted := l.Submit(t.Context(), st)
		for how, err := range map[string]error{"submit": submitted,
			"check":          l.Check(t.Context(), st),
			"check unsigned": l.CheckUnsigned(t.Context(), "", st.Statement)} {
			if !problem.Is(err, problem.Unavailable) {
				t.Errorf("%s, %s: %v", name, how, err)
			}
		}
	}
}
