// Package damage damages files by chance, as disks, power cuts and people do, for tests of whatever
// has to notice it.
package damage

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Any damages one of the files in a folder and those below, and returns what it has done, for who
// reads of a test that failed. The same random numbers do the same to the same files. It may do
// nothing to a file that is empty.
func Any(dir string, random *rand.Rand) (what string, err error) {
	path, err := pick(dir, random)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return "", err
	}
	did := ""
	switch n := random.IntN(10); {
	case n == 0:
		return "removed " + name, os.Remove(path)
	case n == 1:
		data, did = nil, "emptied"
	case n == 2:
		data, did = cut(data, random)
	case n == 3:
		did = zero(data, random)
	case n <= 5 && strings.HasSuffix(path, ".blk"):
		did = flipSequence(data, random)
	default:
		did = flip(data, random)
	}
	return did + " " + name, os.WriteFile(path, data, 0o600)
}

// pick returns one of the files.
func pick(dir string, random *rand.Rand) (string, error) {
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("there is no file in %s", dir)
	}
	if err != nil {
		return "", err
	}
	return all[random.IntN(len(all))], nil
}

func cut(data []byte, random *rand.Rand) ([]byte, string) {
	at := random.IntN(len(data) + 1)
	return data[:at], fmt.Sprintf("cut at byte %d of %d", at, len(data))
}

// zero writes a sector of zeros.
func zero(data []byte, random *rand.Rand) string {
	at := random.IntN(len(data)+1) &^ 511
	clear(data[at:min(at+512, len(data))])
	return fmt.Sprintf("a sector of zeros at byte %d of", at)
}

func flip(data []byte, random *rand.Rand) string {
	if len(data) == 0 {
		return "left as it is"
	}
	at, bit := random.IntN(len(data)), random.IntN(8)
	data[at] ^= 1 << bit
	return fmt.Sprintf("flipped bit %d of byte %d of %d of", bit, at, len(data))
}

// flipSequence flips one of the highest bits of the sequence of a message in a block of JetStream
// (package muster/ledger/stream/filestore has its form).
func flipSequence(data []byte, random *rand.Rand) string {
	for at, skip := 0, random.IntN(40); at+22 <= len(data); skip-- {
		size := int(binary.LittleEndian.Uint32(data[at:]) &^ (1 << 31))
		if skip == 0 {
			bit := random.IntN(32)
			data[at+4+4+bit/8] ^= 1 << (bit % 8)
			return fmt.Sprintf("flipped bit %d of the sequence at byte %d of", 32+bit, at)
		}
		at += max(size, 22)
	}
	return flip(data, random)
}
