// Package form writes workbooks in which a liaison fills in what a nation pledges, and reads them
// when they come back, from Excel, LibreOffice or another program.
//
// A form has these sheets:
//
//	Pledges        the nation's pledges as they were recorded, and room for new ones
//	Requirements   what the operation asks for, and what is missing
//	Examples       rows as they may be filled in
//	lists          (hidden) what the drop-downs offer
//	muster         (hidden) what the form is, and what it was filled in with: see [Form]
//
// A workbook is known as a form by its last sheet. Of the sheet of pledges the row of tags alone
// matters: the sheet may have another name, its columns another order, and what stands above the
// head may be gone. A form has a name of its own, which is that of the import, so that all that
// came from it is found by one name, and the pledges that were added are undone by it.
//
// What the form was filled in with, what it says now and what is recorded now are merged cell by
// cell by package reconcile.
package form
