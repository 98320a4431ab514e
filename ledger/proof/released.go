package proof

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A tile of what is released holds the records that one may read among stubs of those that one may
// not. Each begins with a byte that says which of the two follows: FORMAT.md describes it.
const (
	releasedEntry = 0x00 // then the length in 16 bits, big endian, and the record
	withheldEntry = 0x01 // then the leaf hash of the record
)

// ReleasedPath begins the path of a tile of what is released, where entries of C2SP tlog-tiles have
// tile/entries/.
const ReleasedPath = "tile/released/"

// AppendReleased appends a record to a tile of what is released.
func AppendReleased(tile, stored []byte) ([]byte, error) {
	if len(stored) > maxRecord {
		return nil, fmt.Errorf("a record of %d bytes is too long for a tile", len(stored))
	}
	tile = append(tile, releasedEntry)
	return append(binary.BigEndian.AppendUint16(tile, uint16(len(stored))), stored...), nil
}

// AppendWithheld appends the stub of a record that may not be read.
func AppendWithheld(tile []byte, leaf tlog.Hash) []byte {
	return append(append(tile, withheldEntry), leaf[:]...)
}

// CutReleased splits the next entry from a tile of what is released: the record, nil for one that
// is withheld, its leaf hash, and the rest of the tile. It is what torchwood's client takes with
// WithCutEntry.
func CutReleased(tile []byte) (stored []byte, leaf tlog.Hash, rest []byte, err error) {
	if len(tile) == 0 {
		return nil, leaf, nil, errors.New("the tile ends before it")
	}
	kind, rest := tile[0], tile[1:]
	switch {
	case kind == withheldEntry && len(rest) >= tlog.HashSize:
		copy(leaf[:], rest)
		return nil, leaf, rest[tlog.HashSize:], nil
	case kind == releasedEntry && len(rest) >= 2:
		n := int(binary.BigEndian.Uint16(rest))
		if rest = rest[2:]; len(rest) >= n && n > 0 {
			return rest[:n:n], tlog.RecordHash(rest[:n]), rest[n:], nil
		}
	case kind > withheldEntry:
		return nil, leaf, nil,
			fmt.Errorf("it begins with the byte %#02x, which means nothing", kind)
	}
	return nil, leaf, nil, errors.New("the tile ends in the middle of it")
}
