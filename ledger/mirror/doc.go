// Package mirror keeps a copy of a ledger that somebody else serves, in a folder of files: what is
// left of the ledger when its servers are gone.
//
// A [Mirror] believes no server. It takes in what a signed checkpoint covers, record by record:
//
//	checkpoint    signed with a key that is trusted, and goes on from the one that is held
//	leaf hashes   read from the server's tiles, and checked against the checkpoint's root
//	records       each is the leaf in its place, and is what [muster/ledger/proof.Growing] says
//	the folder    tiles of records and of hashes, on the disk before the checkpoint is
//
// What does not fit is not stored, and what is held stays as it was.
//
// The folder has what C2SP tlog-tiles asks a web server for, under the same names, so that any web
// server can publish it, and any client of that specification can read it (proof/FORMAT.md):
//
//	checkpoint              the last checkpoint, with the signatures that came with it
//	witnessed.checkpoint    the largest that witnesses have signed, where there is one
//	tile/0/…, tile/1/…      hashes
//	tile/entries/…          records, where it holds all of them
//	tile/released/…         records, and the leaf hashes of those withheld, where it does not
//	mirror.json             of which ledger it is, for whom, and whom it follows
//	stopped.json            why it follows no more, where it does not
//	local/                  what is nobody else's: a lock, pictures, a witness's key, damaged tiles
//
// Every file is replaced as a whole. A tile that is not full has its width in its name, and the one
// before it is removed only when the checkpoint needs it no more: so whatever the moment is at
// which the process or the machine stops, the folder has what its checkpoint covers. [Open] reads
// and verifies all of it.
package mirror
