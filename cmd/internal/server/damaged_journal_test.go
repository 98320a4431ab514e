package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/events/problem"
)

// A record in the journal was altered on the disk, and the stream is whole: the server says that it
// is the journal, and not that both are damaged; and whoever puts back a copy, as the hint says,
// has all records again. Where the stream is not whole, or has fewer, both have to be looked at.
func TestDamagedJournalBesideTheStream(t *testing.T) {
	l := aStopped(t, 40)
	path, before := filepath.Join(l.dir, JournalFile), l.copied(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, l.stored[20])
	if at < 0 {
		t.Fatal("the record is not in the journal as it is stored")
	}
	data[at+len(l.stored[20])/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	torn, without := l.copied(t), l.copied(t)

	_, err = Start(t.Context(), Config{Dir: l.dir, Inside: true})
	p := problem.From(err)
	if !problem.Is(err, problem.Unverified) || strings.Contains(err.Error(), "both") ||
		!strings.Contains(p.Hint, "Put back journal.db") {
		t.Fatalf("got %v, with the hint %q", err, p.Hint)
	}
	whole, err := os.ReadFile(filepath.Join(before.dir, JournalFile))
	if err == nil {
		err = os.WriteFile(path, whole, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.comesBack(t, "a copy of the journal was put back")

	block := filepath.Join(torn.dir, NATSFolder, "jetstream", "MUSTER", "streams", "MUSTER", "msgs",
		"1.blk")
	stream, err := os.ReadFile(block)
	if err == nil {
		err = os.WriteFile(block, stream[:len(stream)*3/4], 0o600)
	}
	if err == nil {
		err = os.RemoveAll(filepath.Join(without.dir, NATSFolder))
	}
	if err != nil {
		t.Fatal(err)
	}
	for what, l := range map[string]*stopped{"is torn": torn, "is lost": without} {
		_, err = Start(t.Context(), Config{Dir: l.dir, Inside: true})
		if p := problem.From(err); !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(), "both") || !strings.Contains(p.Hint, "copy the folder") {
			t.Errorf("the stream %s, too: got %v, with the hint %q", what, err, p.Hint)
		}
	}
}
