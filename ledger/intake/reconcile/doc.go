// Package reconcile compares the rows of a file with what the ledger has of them, and says what is
// to be said: a file that is sent again, with a few cells restated, is not counted twice.
//
// It takes in the records about some operations ([Known]), and rows that were read as offers
// ([Row]). Each row is one of these ([Outcome]):
//
//	new        the ledger has no such row: it is offered
//	changed    it has the row with other values: they are corrected, or amended, or asked about
//	unchanged  it has the row as it is, and nothing is said
//	alike      it has not the row, but a pledge that the row may restate, which is asked about
//	gone       the file does not have any more what an earlier version of it had
//	refused    nothing can be said of the row
//
// What a row is follows from its key. A mapping has a name, which is that of the tracker and not of
// one file, and says which columns tell its rows apart; then the pledge's ID follows from the
// ledger, the name and these values alone ([IDOf]). Or the row has the ID itself, as in a sheet
// that Muster wrote; or the nation's own reference. Where nothing of the kind is there, the ID is
// that of all that the row says, so that a row is recognised as long as it says the same.
//
// What a row says of its pledge besides, as that its forces are deployed, is known by its kind, and
// what other rows take off it by the day; both are corrected with the row. A list that Muster wrote
// says nothing of these.
//
// A row is compared with what the import has said of it last, and only where that is otherwise with
// what holds: what somebody has corrected in the ledger is not turned back by a file that has not
// changed.
//
// A sheet that Muster wrote is merged cell by cell with what has been recorded since: see [Base].
//
// All that comes from one file is found again by the name of the import, which stands at the end of
// the source: see [events.WithImport].
//
// The package signs and sends nothing, and knows no clock.
package reconcile
