package page

import (
	"net/http/httptest"
	"testing"

	"muster/events"
)

// One thing waits, and several wait; nothing is not told. A unit stands as it goes with its number.
func TestSentencesOfOneAndSeveral(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"en": {"", "1 waits for an allocation", "1,200 wait for an allocation", "+ 1 unknown",
			"+ 2 unknown"},
		"fr": {"", "1 en attente d’affectation", "1\u00a0200 en attente d’affectation",
			"+ 1 inconnu", "+ 2 inconnus"},
	} {
		f := &frame{speaker: words.speakerFor(httptest.NewRequest("GET", "/?lang="+lang, nil))}
		var got []string
		for _, n := range []int64{0, 1, 1200} {
			got = append(got, f.Waiting(events.Unit("ship").Of(n), 0).Said())
		}
		got = append(got, f.Count("cell.unknown", 1), f.Count("cell.unknown", 2))
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %q, want %q", lang, got[i], want[i])
			}
		}
	}
}
