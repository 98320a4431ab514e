package seeded_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/ledger/seeded"
)

// A test that fails says its seed, and with that seed the numbers are the same.
func TestSeedIsToldAndTaken(t *testing.T) {
	t.Setenv(seeded.Variable, "")
	f := &failing{TB: t}
	want := seeded.New(f).Uint64()
	f.end()
	_, seed, told := strings.Cut(f.said, seeded.Variable+"=")
	if !told {
		t.Fatalf("a test that fails says %q", f.said)
	}
	t.Setenv(seeded.Variable, seed)
	if got := seeded.New(t).Uint64(); got != want {
		t.Errorf("with the seed %s the first number is %d, and was %d", seed, got, want)
	}
}

// failing is a test that fails.
type failing struct {
	testing.TB
	end  func()
	said string
}

func (f *failing) Failed() bool                    { return true }
func (f *failing) Cleanup(end func())              { f.end = end }
func (f *failing) Logf(format string, args ...any) { f.said = fmt.Sprintf(format, args...) }
