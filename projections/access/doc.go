// Package access shows each of those who read a ledger what they may read, and nothing of the rest.
//
// Who may read a record follows from the records: it is the record's label, which
// [muster/projections.Picture.Label] derives. What some may read is their view. A view is a fold of
// its own: its picture takes in the records that are open to it, and of all others nothing but that
// they are there. So no question can tell what is withheld, whatever it sums, compares or lists,
// since the picture that answers it was never given it:
//
//	record  type                  label                 all   coalition  FRA   POL
//	1       ledger.founded        public                take  take       take  take
//	2       operation.opened      coalition             take  take       take  take
//	3       pledge.offered (FRA)  coordinators FRA      take  place      take  place
//	4       pledge.accepted       coordinators FRA      take  place      take  place
//	5       pledge.disclosed      coalition             take  begin      take  begin
//
// Two views that are open to the same are one picture. As long as nothing is withheld from the
// coalition, that is the picture of all, which costs nothing; a nation that nobody confided
// anything to, and that confided nothing, has the coalition's.
package access
