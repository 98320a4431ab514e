// Package events holds what can be said in a Muster ledger: the vocabulary, its wire form, and
// nothing that happens to it.
//
// A tour, bottom up. A coalition's business is told in a few closed sorts of word, each a type with
// its own form: [Nation], [Operation], [Role], [Area], [Line], [Unit]; a [Date] and a [Window] of
// dates; a [Quantity], which is a count, an amount of money or unknown; and an [ID], the ULID that
// its maker gave it.
//
// With these, a party makes a [Statement]: "France offers 1,200 personnel for ground, from 1
// January". There is one struct for each kind, and each family of kinds has a file of its own: the
// ledger and its members (ledger.go), scope, operation, requirement, pledge, condition. [Parse]
// reads a statement strictly and tells all the fields that are wrong at once, as a problem of
// package [muster/events/problem], which every face of Muster speaks.
//
// A statement is signed where it is made, by a [Signer], with an event [Key] whose name says for
// whom it speaks ("FRA/paris"). The result, a [Signed], is a signed note: what travels to a server,
// and what nobody ever writes anew.
//
// A server that accepts it gives it a place: a [Record] is the signed statement behind an envelope
// line with the time of recording. Its stored bytes are what the stream and the journal keep and
// what the Merkle tree hashes. FORMAT.md, beside this file, describes all of this for those who
// write a second implementation.
//
// The tour goes on in package [muster/ledger/rules], which says whether a statement may be made, in
// [muster/ledger], which makes records of those that may, and in [muster/projections], which says
// what follows from them.
package events
