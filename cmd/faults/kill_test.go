package main

import (
	"path/filepath"
	"testing"
	"time"

	"muster/ledger/seeded"
)

// rounds is how often a fault is repeated: seldom in a short run, and many times for make faults.
func rounds(short, usual, long int) int {
	switch {
	case often:
		return long
	case testing.Short():
		return short
	}
	return usual
}

// A server is killed under load, again and again, and also while it starts: nothing that was
// acknowledged is lost, nothing is there twice, and the two copies are the same.
func TestKilledUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	random := seeded.New(t)
	p := serve(t, dir)
	tr := begin(t, p)
	for range rounds(3, 8, 100) {
		stop := tr.writing(p.url)
		tr.await(1 + random.IntN(400))
		p.kill()
		stop()
		if random.IntN(4) == 0 {
			starting := launch(t, command(t, serveArgs(dir)...))
			time.Sleep(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
			starting.kill()
		}
		p = serve(t, dir)
		tr.check(p)
	}
	p.stop(t)
	verify(t, dir)
	sent, acknowledged := tr.book.count()
	t.Logf("%d statements were sent, and %d acknowledged", sent, acknowledged)
}
