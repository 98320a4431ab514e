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
//	segment.go     rows in their saved form, of [muster/events/compact]
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
