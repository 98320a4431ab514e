package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
)

// cells FROM TO CELL=VALUE…: writes a workbook as somebody has changed it in a spreadsheet: cells
// of the sheet Pledges, numbers as numbers; or, as -N, without the row N. With no change, it prints
// the cells.
func scriptCells(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: cells FROM [TO CELL=VALUE…]")
	}
	const sheet = "Pledges"
	f, err := excelize.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	defer func() { _ = f.Close() }()
	if len(args) == 1 {
		rows, err := f.GetRows(sheet)
		ts.Check(err)
		for i, row := range rows {
			text := strings.ReplaceAll(strings.Join(row, " | "), "\n", " / ")
			fmt.Fprintf(ts.Stdout(), "%d %s\n", i+1, text)
		}
		return
	}
	for _, change := range args[2:] {
		if row, err := strconv.Atoi(change); err == nil {
			ts.Check(f.RemoveRow(sheet, -row))
			continue
		}
		cell, text, _ := strings.Cut(change, "=")
		var value any = text
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			value = n
		}
		ts.Check(f.SetCellValue(sheet, cell, value))
	}
	ts.Check(f.SaveAs(ts.MkAbs(args[1])))
}
