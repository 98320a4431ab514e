// Package seeded gives tests random numbers that can be had again: a test that fails says with
// which seed, and MUSTER_SEED gives that seed to the next run.
package seeded

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Variable is the name of the environment variable that gives tests their seed.
const Variable = "MUSTER_SEED"

// New returns random numbers for a test, which must draw them in one goroutine.
func New(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv(Variable); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("%s is no number: %v", Variable, err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to have the same random numbers again, run it with %s=%d", Variable, seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}
