// Package records is what the journal's bytes are to the read side: where records come from, and
// the row that is taken from each. It knows nothing of what follows from the rows; that is package
// [muster/projections].
//
//	source.go      where records come from
//	row.go         what the read side takes from a record
//	log.go         which records a listing of the log shows
//	prefetch.go    rows in batches, made on all processors ahead of the one who takes them
//	decode.go      rows of nearly all records in one pass (scan.go, scan_value.go), of the rest as
//	               [events.ParseRecord] reads them
//	segment.go     rows in their saved form, which codec.go writes and reads
//
// The codec is not the one with which package rules of the ledger saves its state, since the two
// share no more than encoding/binary's varints and the taking of so many bytes: here, words stand
// where they first occur, numbers are zigzag and masks say what is left out, and one codec for both
// would be both of them behind a switch.
//
// What it buys to decode in one pass, and what holds it to the strict parser, is told at [Decoder].
// Before and after, of one record:
//
//	{"v":1,"recorded":"2026-11-23T16:13:43.159013Z","by":"berlin"}
//	{"type":"pledge.offered","id":"01M8…","ledger":"…","effective":"2026-01-15","operation":"mnf-u",
//	 "nation":"NLD","role":"ground","quantity":1500,"unit":"personnel","area":"west",
//	 "from":"2026-03-01"}
//
//	— HQ/founder 5UZG…
//
//	Row{Type: "pledge.offered", Recorded: 1795450423159013, Signer: "HQ/founder",
//	    Effective: 20260115, Operation: "mnf-u", Nation: "NLD", Thing: 01M8…, New: true,
//	    Role: "ground", Number: 1500, Unit: "personnel", Area: "west", From: 20260301}
package records
