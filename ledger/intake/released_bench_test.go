package intake_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"muster/ledger/intake"
)

// The tiles of what is released are read about as fast as those of all records, whatever part of
// them is withheld.
func BenchmarkTiles(b *testing.B) {
	bench, mux := newBench(b), http.NewServeMux()
	bench.signing(b)
	for bench.journal.Last() < 256 {
		if _, err := bench.ledger.Submit(b.Context(), bench.admission(b)); err != nil {
			b.Fatal(err)
		}
	}
	intake.RegisterTree(mux, bench.journal, sparing{bench.journal})
	for _, path := range []string{"entries/000", "released/000", "released/000?view=few"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, httptest.NewRequest("GET", "/tile/"+path, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
				b.SetBytes(int64(w.Body.Len()))
			}
			b.ReportMetric(float64(b.N*256)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
