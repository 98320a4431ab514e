package intake_test

import (
	"net/http"
	"sync"
	"testing"

	"muster/events"
	"muster/ledger/intake"
)

// What 64 clients get through over HTTP, with a journal on the disk and the log in memory: where
// the server signs nothing, and where each commit is signed and each receipt has its proof.
func BenchmarkSubmit(b *testing.B) {
	for _, name := range []string{"unsigned", "signed"} {
		b.Run(name, func(b *testing.B) {
			be := newBench(b)
			if name == "signed" {
				be.signing(b)
			}
			to := be.overHTTP(b)
			to.HTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			all := make(chan events.Signed, b.N)
			for range b.N {
				all <- be.admission(b)
			}
			close(all)
			b.ResetTimer()
			submitFrom(b, to, all)
		})
	}
}

func submitFrom(b *testing.B, to intake.Submitter, all <-chan events.Signed) {
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for s := range all {
				if _, err := to.Submit(b.Context(), s); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
