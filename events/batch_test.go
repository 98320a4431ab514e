package events

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is in the statements of a batch, it has as many as are sent.
func TestBatchSize(t *testing.T) {
	for sent, want := range map[string]int{"": 1, "{}": 1, `{"statements":[]}`: 1,
		`{"statements":["\\","\""]}`: 2, `["a","b"]`: 1} {
		if got := BatchSize([]byte(sent)); got != want {
			t.Errorf("%s has %d, want %d", sent, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.String(), 1, MaxBatch+5).Draw(t, "statements")
		sent, err := json.Marshal(map[string][]string{"statements": all})
		if err != nil {
			t.Fatal(err)
		}
		if got := BatchSize(sent); got != min(len(all), MaxBatch) {
			t.Errorf("%s has %d, want %d", sent, got, len(all))
		}
	})
}
