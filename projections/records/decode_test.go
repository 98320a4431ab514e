package records

import (
	"strings"
	"testing"

	"muster/events"
)

// A source of many words does not fill the memory.
func TestDecoderKeepsSomeWords(t *testing.T) {
	d := NewDecoder()
	offered := &events.PledgeOffered{Header: events.Header{Type: "pledge.offered"}}
	rec := events.Record{Signed: events.Signed{Statement: offered}}
	for i := range maxKnown + 10 {
		rec.By = strings.Repeat("x", i+1)
		d.learn(&rec, &Row{})
	}
	if n := len(d.known[memberBy]); n != maxKnown {
		t.Errorf("%d words are kept, and not %d", n, maxKnown)
	}
}
