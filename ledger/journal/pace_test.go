package journal

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who reads much waits for the next commit to go to the disk while there are some, not for long
// when none comes, and otherwise not at all.
func TestReadersGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &Journal{resting: make(chan struct{})}
		waits := func(want time.Duration, when string) {
			t.Helper()
			began := time.Now()
			j.giveWay()
			if time.Since(began) != want {
				t.Errorf("%s: it waits for %v, and not for %v", when, time.Since(began), want)
			}
		}
		waits(0, "nothing was ever committed")
		j.committed = time.Now()
		go func() {
			time.Sleep(time.Millisecond)
			j.toDisk()
		}()
		waits(time.Millisecond, "a commit goes to the disk")
		waits(patience, "none does")
		time.Sleep(lately)
		waits(0, "the last was a while ago")
	})
}
