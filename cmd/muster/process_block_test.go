package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minio/highwayhash"

	"muster/cmd/internal/server"
)

// A blockRecord is a message as JetStream stores it in a block: its length, a sequence, a time, a
// subject, headers, the data, and a checksum (HighwayHash, keyed with the names of stream and
// block) over all but the lengths.
type blockRecord struct {
	sequence, time uint64
	subject        string
	header, data   []byte
}

const blockHead, headerBit = 4 + 8 + 8 + 2, uint32(1) << 31

func blockFile(dir string) string {
	return filepath.Join(dir, server.NATSFolder, "jetstream", "MUSTER", "streams", "MUSTER",
		"msgs", "1.blk")
}

// inBlock changes the stream's records in its file, and makes every checksum right again.
func inBlock(t *testing.T, dir string, edit func([]blockRecord) []blockRecord) {
	t.Helper()
	inBlockFile(t, blockFile(dir), edit)
}

func inBlockFile(t *testing.T, path string, edit func([]blockRecord) []blockRecord) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := readBlock(data)
	if !bytes.Equal(writeBlock(t, all), data) {
		t.Fatal("the block file has not the form that this test knows")
	}
	if err := os.WriteFile(path, writeBlock(t, edit(all)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readBlock(data []byte) (all []blockRecord) {
	le := binary.LittleEndian
	for len(data) > 0 {
		n := le.Uint32(data)
		r := blockRecord{sequence: le.Uint64(data[4:]), time: le.Uint64(data[12:])}
		rest := data[blockHead : n&^headerBit-highwayhash.Size64]
		subject := int(le.Uint16(data[20:]))
		r.subject, rest = string(rest[:subject]), rest[subject:]
		if n&headerBit != 0 {
			header := le.Uint32(rest)
			r.header, rest = rest[4:4+header], rest[4+header:]
		}
		r.data = rest
		all, data = append(all, r), data[n&^headerBit:]
	}
	return all
}

func writeBlock(t *testing.T, all []blockRecord) (data []byte) {
	t.Helper()
	key := sha256.Sum256([]byte("MUSTER-1"))
	hash, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	for _, r := range all {
		n := uint32(blockHead + len(r.subject) + len(r.data) + highwayhash.Size64)
		if r.header != nil {
			n = (n + 4 + uint32(len(r.header))) | headerBit
		}
		head := le.AppendUint16(
			le.AppendUint64(le.AppendUint64(le.AppendUint32(nil, n), r.sequence), r.time),
			uint16(len(r.subject)))
		hash.Reset()
		for _, part := range [][]byte{head[4:20], []byte(r.subject), r.header, r.data} {
			hash.Write(part)
		}
		data = append(append(data, head...), r.subject...)
		if r.header != nil {
			data = append(le.AppendUint32(data, uint32(len(r.header))), r.header...)
		}
		data = hash.Sum(append(data, r.data...))
	}
	return data
}

// Whoever can write the stream's files changes the first copy, checksums and all. The second copy
// tells, and the first is made anew from it; where that was lost too, signatures tell. But where
// the first copy has other records that were signed, a person must look.
func TestTamperedStream(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someStoppedLedger(t)
	for name, c := range map[string]struct {
		edit     func(all []blockRecord) []blockRecord
		words    string
		refused  string // what a server says that does not start
		rebuilds string // what a server says that has lost the journal
	}{
		"altered": {func(all []blockRecord) []blockRecord {
			all[19].data = bytes.Replace(all[19].data, []byte(`"quantity":100`),
				[]byte(`"quantity":900`), 1)
			return all
		}, `record 20: the stream holds another record here than the journal`, ``,
			`sequence 20.*the signature is not that of FRA/paris`},
		"swapped": {func(all []blockRecord) []blockRecord {
			all[19].data, all[20].data = all[20].data, all[19].data
			all[19].subject, all[20].subject = all[20].subject, all[19].subject
			return all
		}, `record 20: the stream holds another record here than the journal`,
			`at sequence 20 the journal and the stream hold different records`, ``},
		"under another subject": {func(all []blockRecord) []blockRecord {
			all[19].subject = all[20].subject
			return all
		}, `record 20: it lies in the stream under the subject muster\.ev\.FRA`, ``,
			`sequence 20.*its subject is`},
		"removed": {func(all []blockRecord) []blockRecord { return slices.Delete(all, 19, 20) },
			`the stream's copy of the records is damaged: .*message 21 follows message 19`, ``,
			`the ledger cannot start: .*behind message 19, and has records up to 43.*message 21 ` +
				`follows message 19`},
	} {
		dir := l.copied(t)
		inBlock(t, dir, c.edit)
		isFound(t, name, c.words, dir)
		if refused := whatIsServed(t, l, dir); (refused == "") != (c.refused == "") ||
			!strings.Contains(refused, c.refused) {
			t.Errorf("%s: a server says %q", name, refused)
		} else if c.refused == "" && name != "under another subject" { // which only the scrub sees
			isMended(t, dir)
		}
		if code, out, _ := says(t, "verify", dir, "--journal-only"); code != 0 ||
			strings.Contains(out, "stream") {
			t.Errorf("%s: the journal alone: exit code %d:\n%s", name, code, out)
		}
		if c.rebuilds == "" {
			continue
		}
		dir = l.copied(t)
		inBlock(t, dir, c.edit)
		remove(t, filepath.Join(dir, server.JournalFile))
		if code, said := launch(t, dir).ends(t); code != 7 || !regexp.MustCompile(c.rebuilds).
			MatchString(said) {
			t.Errorf("%s: a server without its journal: exit code %d:\n%s", name, code, said)
		}
	}
}

// isMended checks that the stream in a folder is whole, and that the damaged one was kept.
func isMended(t *testing.T, dir string) {
	t.Helper()
	if kept, _ := filepath.Glob(filepath.Join(dir, "nats.damaged-*")); len(kept) != 1 {
		t.Errorf("kept are %v", kept)
	}
	if code, out, said := says(t, "verify", dir); code != 0 ||
		!strings.Contains(out, "the stream holds the same 43 records") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
}

// A sequence whose highest bit was flipped has a NATS server make room for all those before.
// Nothing of that happens: the stream is found damaged, and made anew.
func TestStreamWithoutEnd(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someStoppedLedger(t)
	for _, bit := range []byte{0x80, 0x40, 0x20} {
		dir := l.copied(t)
		data, err := os.ReadFile(blockFile(dir))
		if err != nil {
			t.Fatal(err)
		}
		data[4+7] ^= bit
		if err := os.WriteFile(blockFile(dir), data, 0o600); err != nil {
			t.Fatal(err)
		}
		isFound(t, "a sequence", `1\.blk, byte 0, where message 1 should be`, dir)
		if refused := whatIsServed(t, l, dir); refused != "" {
			t.Errorf("a server says %q", refused)
		}
		isMended(t, dir)
	}
}
