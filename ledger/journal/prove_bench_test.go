package journal

import (
	"errors"
	"path/filepath"
	"testing"
)

// What a receipt costs in a tree of 10,000 records, of which the last 64 were committed together.
func BenchmarkProve(b *testing.B) {
	const size, batch = 10_000, 64
	all, key := manyRecords(b, size), newTestKey(b)
	j, err := Open(filepath.Join(b.TempDir(), "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if err := j.SignCheckpoints(key.sign); err != nil {
		b.Fatal(err)
	}
	if err := j.Append(all); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		if n%batch == 0 {
			j.hashes.Purge()
		}
		if _, _, err := j.Prove(size - uint64(n%batch)); err != nil {
			b.Fatal(err)
		}
	}
}

// What it costs to read one record of 10,000, as for a statement that is sent again.
func BenchmarkRecord(b *testing.B) {
	const size = 10_000
	j, err := Open(filepath.Join(b.TempDir(), "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if err := errors.Join(j.Append(manyRecords(b, size)), j.foldAll()); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		if _, err := j.Record(uint64(n*37%size) + 1); err != nil {
			b.Fatal(err)
		}
	}
}
