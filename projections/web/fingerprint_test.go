package web

import (
	"fmt"
	"net/http"
	"testing"

	"muster/projections"
)

// The fingerprint as of any record is that of a replay up to there, also when there are more
// records by now.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for _, asOf := range []uint64{1, 5, l.Last()} {
		p, err := projections.Replay(t.Context(), l.Records(1), asOf, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.Fingerprint(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		got := told[projections.Fingerprints](s, "fingerprint", fmt.Sprint("as_of=", asOf))
		equal(t, fmt.Sprint("as of ", asOf), got.Whole, want.Whole)
		equal(t, "as of", got.AsOf, asOf)
	}
	equal(t, "now", told[projections.Fingerprints](s, "fingerprint", "").AsOf, l.Last())
	equal(t, "not there yet", s.ask("fingerprint", fmt.Sprint("as_of=", l.Last()+1)).status,
		http.StatusNotFound)
}
