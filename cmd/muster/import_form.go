package main

import (
	"context"
	"path/filepath"
	"strings"

	"muster/events"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/round"
)

// open looks what the file is, and whether it can come back as was said.
func (how *importing) open(data []byte, m round.Mapping) (*imported.File, error) {
	f, err := imported.Open(data, how.isBook, m, today())
	if err == nil && f.Form != nil && how.returned != "" && !isXLSX(how.returned) {
		err = usage("a form comes back as a workbook: name a file with --returned that ends in " +
			".xlsx")
	}
	return f, err
}

func isXLSX(file string) bool { return strings.EqualFold(filepath.Ext(file), ".xlsx") }

// recorded reads what is recorded of the pledges that the rows may be; and, for a form, what was
// when it was filled in.
func (a *app) recorded(ctx context.Context, f *imported.File, r *round.Round,
	origin events.Origin) (*imported.Recorded, error) {
	with := f.NewRecorded(origin, today())
	last, err := a.takeRecords(ctx, f.Operation(r), func(rec events.Record) { with.Take(f, rec) })
	if err == nil {
		err = f.Whole(last)
	}
	return with, err
}
