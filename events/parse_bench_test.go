package events

import (
	"os"
	"testing"
)

// What a record costs that comes from outside or from the stream, where nothing vouches for it.
func BenchmarkParseRecord(b *testing.B) {
	for _, g := range goldens(b) {
		if g.statement.Head().Type != "pledge.offered" {
			continue
		}
		stored, err := os.ReadFile(g.file())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(stored)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseRecord(1, stored); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.Fatal("there is no offer among the golden files")
}
