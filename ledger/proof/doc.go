// Package proof makes a ledger checkable by those who do not trust its server: checkpoints,
// receipts, what a client has seen, and the verification of a whole ledger or of a part of it.
//
// The forms are those of C2SP, so that other software can check them too: a [Checkpoint] is a
// tlog-checkpoint (a signed note with the size and the root of the RFC 6962 Merkle tree over the
// records), a [Receipt] holds a tlog-proof, and servers show their trees as tlog-tiles. There is no
// Merkle tree and no signature of our own in here: golang.org/x/mod/sumdb has them, and
// github.com/transparency-dev/formats what is written of them.
//
// # Keys
//
// Each server signs checkpoints with a key of its own, a [CheckpointSigner], which is an Ed25519
// note key whose name is the ledger's origin. Servers that share one ledger sign the same trees
// with keys that differ in their hash, and further signatures, of other servers or of cosigners,
// may stand below. The keys of statements (package [muster/events]) are named after parties,
// FRA/paris; no origin has that form, so that neither key is ever taken for the other.
//
// # What a client remembers
//
// A [Memory] keeps for each ledger which checkpoint keys are trusted, and the last checkpoint that
// was verified. A server whose next checkpoint does not extend that one shows another history than
// before, [OtherHistory]; or what it was at an earlier time, [OlderState], which proves nothing
// against it, and is not what the ledger is.
//
// # Verification
//
// [Verify] reads all records of a [Source], which is a running server (package
// [muster/ledger/proof/remote]), a journal's file ([OfJournal]) or a bundle ([VerifyBundle]), and
// checks all that can be checked without trusting it: the tree and its checkpoint, every signature,
// and every rule of package [muster/ledger/rules], replayed. [ExportLedger] and [ExportPledge]
// write bundles. What was found is a [Report], which names the first record that is wrong.
// FORMAT.md says exactly what is checked.
//
// Those who may not read all have the leaf hash of what is withheld ([Entry.Withhold]), in tiles of
// what is released ([CutReleased]) and in bundles. They verify the same tree as everybody, and of
// the rules what [rules.Part] can; the report says how many records could not be read.
package proof
