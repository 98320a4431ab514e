package projector

import (
	"bufio"
	"context"
	"fmt"
	"muster/events"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// killedAt is set in a process that is to be killed: the path of its file.
const killedAt = "MUSTER_TEST_KILLED_AT"

// manyOffers is the same ledger in every process.
func manyOffers(t tb) *testLedger {
	l := newTestLedger(t)
	for n := range 600 {
		nation := []events.Nation{"DEU", "FRA", "POL"}[n%3]
		l.amend(l.offer(nation, int64(n+1)), 2+n%20, int64(n+2))
	}
	return l
}

// A process that is killed while it saves leaves a file that has what it had said is saved, and
// nothing wrong.
func TestKilledWhileSaving(t *testing.T) {
	if path := os.Getenv(killedAt); path != "" {
		saveWithoutEnd(t, path)
		return
	}
	l := manyOffers(t)
	path := filepath.Join(t.TempDir(), "projections.db")
	for round := range 5 {
		reported := killSaving(t, path, 2+13*round)
		s, picture, _, err := openSaved(path, l)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if cursor := s.saved.cursor; cursor < reported || cursor != picture.Sequence() ||
			reported == 0 {
			t.Errorf("round %d: %d records are saved, %d are in the picture, and %d were reported",
				round, cursor, picture.Sequence(), reported)
		}
		equal(t, "fingerprint", whole(t, picture), whole(t, l.pictureUpTo(picture.Sequence())))
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killSaving kills a process after it has reported so many saves, in the middle of another, and
// returns what it reported last.
func killSaving(t *testing.T, path string, saves int) (reported uint64) {
	t.Helper()
	cmd := exec.CommandContext(within(t), os.Args[0], "-test.run=^TestKilledWhileSaving$")
	cmd.Env = append(os.Environ(), killedAt+"="+path)
	out := must[interface{ Read([]byte) (int, error) }](t)(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; n < saves && lines.Scan(); n++ {
		if _, err := fmt.Sscan(lines.Text(), &reported); err != nil {
			t.Fatalf("the process says %q", lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process came to an end before it was killed")
	}
	return reported
}

// saveWithoutEnd takes in a few records at a time, saves them and reports how far it has come.
func saveWithoutEnd(t *testing.T, path string) {
	l := manyOffers(t)
	p := must[*Projector](t)(Open(context.Background(), path, l.upTo(1)))
	for at := p.Sequence(); ; at = min(at+7, l.Last()) {
		p.source = l.upTo(max(at, p.Sequence()))
		if err := p.catchUp(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := p.save(); err != nil {
			t.Fatal(err)
		}
		fmt.Println(p.store.saved.cursor)
	}
}

// Wherever a bit of the file is flipped, and wherever the file is cut off, the picture is the one
// of the records: what is saved is used where it is whole, and thrown away where it is not.
func TestSpoiltAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other: the run without the race detector does it")
	}
	l := allKinds(t)
	good := must[[]byte](t)(os.ReadFile(saved(t, l)))
	want := whole(t, l.picture())
	path := filepath.Join(t.TempDir(), "projections.db")
	thrown := map[bool]int{}
	try := func(how string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := Open(context.Background(), path, l)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		thrown[p.Discarded() != nil]++
		if got := whole(t, p.picture); got != want {
			t.Errorf("%s: the fingerprint is another", how)
		}
		if err := p.store.close(); err != nil {
			t.Errorf("%s: %v", how, err)
		}
	}
	for at := 0; at < len(good); at += 97 {
		spoilt := append([]byte{}, good...)
		spoilt[at] ^= 1 << (at % 8)
		try(fmt.Sprintf("a bit of byte %d is flipped", at), spoilt)
		if at%970 == 0 {
			try(fmt.Sprintf("cut off at byte %d", at), good[:at])
		}
	}
	if thrown[true] < 20 || thrown[false] < 20 {
		t.Errorf("%d files were thrown away, and %d used: the test shows little", thrown[true],
			thrown[false])
	}
}
