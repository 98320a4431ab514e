// Package imported says what a file of pledges comes to, row by row, before any of it is recorded:
// a form that Muster wrote, or a table with a mapping (packages form and round), beside what the
// ledger has of it (package reconcile).
//
//	[Open]            what the file is
//	[File.Read]       its rows, as what they say by themselves
//	[File.Compare]    what of that is new, changed, gone, refused, or to be asked about first
//	[Batch.Chains]    what is to be said, in chains that do not rest on each other
//	[Batch.Refusals]  what the ledger would refuse of that, when it was asked
//	[Batch.Returned]  the file again, with what is wrong beside each row
//
// It signs, sends and records nothing, and knows no clock: so the command line and the page come to
// the same.
package imported
