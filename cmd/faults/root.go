package main

import "crypto/sha256"

// rootOf computes the root of the Merkle tree over records (RFC 6962, section 2.1) in the plainest
// way there is, and with no code of the ledger or of its libraries: what it is held against comes
// from those. It takes two hashes a record.
func rootOf(stored [][]byte) [sha256.Size]byte {
	switch n := len(stored); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, stored[0]...))
	default:
		left := 1 // the largest power of two below n
		for left*2 < n {
			left *= 2
		}
		l, r := rootOf(stored[:left]), rootOf(stored[left:])
		return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
	}
}
