package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// Run with: go test -run '^$' -bench . -cpu 2 ./ledger/proof
//
// Each figure is in records a second. What Verify does is measured beside what it cannot do
// without, on the same records and on as many cores: Ed25519 of the standard library, and SHA-256.

const benchRecords = 20_000

var benchHistory = sync.OnceValue(func() *history {
	return newHistory(&testing.B{}).offers(benchRecords - 3)
})

func BenchmarkVerify(b *testing.B)         { benchVerify(b, false) }
func BenchmarkVerifyTreeOnly(b *testing.B) { benchVerify(b, true) }

func benchVerify(b *testing.B, treeOnly bool) {
	h := benchHistory()
	src, o := h.source(h.entries()), h.trusted()
	o.treeOnly = treeOnly
	b.ResetTimer()
	for b.Loop() {
		if r := verified(b, src, o); !r.OK && !treeOnly {
			b.Fatal(describe(r))
		}
	}
	perSecond(b)
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(benchRecords)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(0, "ns/op")
}

// onAllCores calls f for each record, spread over the cores.
func onAllCores(records int, f func(i int)) {
	cores := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for c := range cores {
		wg.Go(func() {
			for i := c; i < records; i += cores {
				f(i)
			}
		})
	}
	wg.Wait()
}

func BenchmarkReferenceEd25519(b *testing.B) {
	h := benchHistory()
	keys, texts, sigs := make([]ed25519.PublicKey, benchRecords), make([][]byte, benchRecords),
		make([][]byte, benchRecords)
	for i, rec := range h.records {
		key := h.paris.Key()
		if i < 3 {
			key = h.founder.Key()
		}
		parts := strings.SplitN(string(key), "+", 3)
		data, err1 := base64.StdEncoding.DecodeString(parts[2])
		n, err2 := openNote(rec.Note)
		sig, err3 := base64.StdEncoding.DecodeString(n.UnverifiedSigs[0].Base64)
		if err1 != nil || err2 != nil || err3 != nil {
			b.Fatal(err1, err2, err3)
		}
		keys[i], texts[i], sigs[i] = data[1:], []byte(n.Text), sig[4:]
	}
	b.ResetTimer()
	for b.Loop() {
		onAllCores(benchRecords, func(i int) {
			if !ed25519.Verify(keys[i], texts[i], sigs[i]) {
				b.Error("a signature is wrong")
			}
		})
	}
	perSecond(b)
}

func openNote(msg []byte) (*note.Note, error) {
	_, err := note.Open(msg, note.VerifierList())
	return err.(*note.UnverifiedNoteError).Note, nil
}

func BenchmarkReferenceSHA256(b *testing.B) {
	h := benchHistory()
	for b.Loop() {
		onAllCores(benchRecords, func(i int) {
			if sum := sha256.Sum256(h.records[i].Stored); bytes.Equal(sum[:], h.records[i].Stored) {
				b.Error("no hash")
			}
		})
	}
	perSecond(b)
}
