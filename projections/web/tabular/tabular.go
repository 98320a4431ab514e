// Package tabular writes rows as files that keep what their cells are: workbooks (XLSX, ECMA-376)
// for whoever calculates in a spreadsheet, and Parquet for whoever loads them into a program. A
// number is a number there, a day is a day, and what is unknown is never 0:
//
//	cell          in a workbook            in Parquet
//	1200          a number                 1200.00
//	2500000.00    a number                 2500000.00
//	unknown       the word                 null, and the column "… unknown" beside it is true
//	93%           93 %                     93
//	2026-07-01    a day                    a DATE
//	10:11:12.5Z   to the second, UTC       to the microsecond, UTC
//	(nothing)     nothing                  null
//
// What all rows rest on, such as the record as of which they are, is told once: on a sheet of its
// own, or in the metadata of the file.
package tabular

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Kind is what the cells of a column are. Each may be empty.
type Kind int

const (
	// Text is any text.
	Text Kind = iota
	// Count is a whole number of at most 15 digits.
	Count
	// Amount is a quantity: a whole number, an amount of money with two decimals, or "unknown".
	Amount
	// Mixed is an amount in most rows, and in others a word in its place: text in Parquet.
	Mixed
	// Percent is a part in whole percent: 93%, or 93.
	Percent
	// Day is a date, such as 2026-07-01.
	Day
	// Moment is a time in UTC: RFC 3339, or 2006-01-02 15:04:05.
	Moment
)

// A Column is a column's name, and what is in it.
type Column struct {
	Name string
	Kind Kind
}

// A Fact is something that all rows rest on.
type Fact struct{ Name, Value string }

// A Writer writes rows, each with a cell for each column. The file is whole after Close. Who
// leaves it before that calls Discard, which does nothing after Close. It is for one goroutine; an
// error of any call is that of the file.
type Writer interface {
	Write(rows [][]string) error
	Close() error
	Discard()
}

// unknown is what an amount is of which nobody has said how much it is.
const unknown = "unknown"

// hundredths reads an amount that is known.
func hundredths(cell string) (int64, error) {
	whole, cents, money := strings.Cut(cell, ".")
	if !money {
		cents = "00"
	}
	if len(cents) != 2 {
		return 0, fmt.Errorf("%q is no amount", cell)
	}
	n, err := strconv.ParseInt(whole+cents, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no amount", cell)
	}
	return n, nil
}

// moment reads a time.
func moment(cell string) (time.Time, error) {
	for _, form := range []string{time.RFC3339Nano, time.DateTime} {
		if at, err := time.Parse(form, cell); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", cell)
}
