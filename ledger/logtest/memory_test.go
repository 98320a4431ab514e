package logtest

import (
	"testing"

	"muster/ledger"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) (a, b ledger.Log) {
		m := NewMemory(0)
		return m.View(), m.View()
	})
}

// A rude log carries out some appends without saying so, and says of none that it failed which it
// has carried out.
func TestRudeMemory(t *testing.T) {
	m := NewMemory(7)
	v := m.View()
	next, unknown, landed := uint64(1), 0, 0
	for range 1000 {
		err := v.Append(group(int(next), int(next)), nil).Wait()
		last, _ := v.Last(t.Context())
		if err != nil {
			unknown++
			if last == next {
				landed++
			}
		}
		next = last + 1
	}
	if unknown < 50 || landed == 0 || landed == unknown {
		t.Fatalf("of 1000 appends %d had no answer, and %d of these were carried out: not rude "+
			"enough", unknown, landed)
	}
}
