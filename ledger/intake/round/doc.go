// Package round turns a pledging round into offers: a table of what allies announced, as somebody
// typed it or as a spreadsheet saved it (CSV), becomes one pledge for each row, with what follows
// from it.
//
// A [Mapping] says what the table's columns and words mean; it comes from a small file, from flags,
// or both. [Help] tells all of it; a short one:
//
//	columns:                     # what a pledge has: the column that holds it
//	  nation: country            # not needed where the column has that name already
//	  quantity: offered
//	  unit: of
//	always:                      # what the table does not say, or leaves empty
//	  operation: isaf
//	  effective: 2009-12-04
//	  from: 2009-12-04
//	  source: AFP, 4 December 2009
//	units:                       # words of the unit's column: what they stand for
//	  police training team: {role: training, unit: team}
//	nations:                     # names that Muster does not know
//	  Elbonia: FRA
//	rules:                       # exceptions, one by one
//	  - when: {column: remark, contains: in reserve}
//	    set: {presence: reserve}
//
// Nothing is guessed: a name, a word or a number that is not understood is refused with its line
// and the remedy, all of them at once, and each cause once. The words that the mapping replaced are
// kept in the pledge's note.
//
// The IDs of the offers follow from the rows, so that a table that is imported twice is there once.
// The package signs and sends nothing.
package round

import _ "embed"

// Help tells people all of the mapping file, in lines of at most 100 characters.
//
//go:embed help.txt
var Help string
