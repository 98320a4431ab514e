package events

import (
	"crypto/rand"
	"fmt"

	"github.com/oklog/ulid/v2"

	"muster/events/problem"
)

// An ID is a statement's ULID (github.com/ulid/spec), made by whoever makes the statement. It is
// how a submitter asks again without saying it twice. In text it is 26 capitals and digits of
// Crockford's base 32.
type ID [16]byte

// NewID returns an ID of the present moment. It may be called concurrently; IDs made within a
// millisecond ascend. Besides the moment an ID is made with crypto/rand, so that nobody who knows
// one can guess another.
func NewID() ID {
	for {
		id, err := ulid.New(ulid.Now(), entropy)
		if err == nil {
			return ID(id)
		}
		// This millisecond has no higher ID left, which is rare: the next one has.
	}
}

// maxStep is the most by which an ID is higher than the one before in the same millisecond: 56 bits
// that nobody can guess, and small enough beside the 80 bits of an ID that a millisecond has
// millions of steps.
const maxStep = 1 << 56

// The generator that ulid.Make uses is seeded with the time: whoever knows about when a process
// started can guess its IDs.
var entropy = &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, maxStep)}

// IDAt returns an ID made of a time in Unix milliseconds and ten bytes that the caller chose.
// Importers derive both from what they import, so that the same line of the same file has the same
// ID every time.
func IDAt(ms uint64, entropy [10]byte) (ID, error) {
	var u ulid.ULID
	if err := u.SetTime(ms); err != nil {
		return ID{}, fmt.Errorf("time of an id: %w", err)
	}
	err := u.SetEntropy(entropy[:])
	return ID(u), err
}

var errID = remedy(
	"not an id: write a ULID, 26 digits and capitals without I, L, O and U, the first from 0 to " +
		"7, such as 01KAQ7Z0V4T5W9J8M3N2P6R1XC")

// ParseID reads the canonical text of an ID: 26 characters, in capitals, not all of them 0.
func ParseID(s string) (ID, error) {
	id, err := parseID(s)
	if err != nil {
		return ID{}, fmt.Errorf("%q: %w", problem.Shorten(s), err)
	}
	return id, nil
}

func parseID(s string) (ID, error) {
	u, err := ulid.ParseStrict(s)
	if err != nil || u.String() != s || u.IsZero() {
		return ID{}, errID
	}
	return ID(u), nil
}

// IsZero reports whether no ID was given.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the canonical text.
func (id ID) String() string { return ulid.ULID(id).String() }

// MarshalText writes the canonical text.
func (id ID) MarshalText() ([]byte, error) { return ulid.ULID(id).MarshalText() }

// UnmarshalText reads the canonical text.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = parseID(string(text))
	return err
}
