package page

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A nationMatrix shows who gives what: nations by roles, or, of many operations, by operation.
type nationMatrix struct {
	Columns []nationColumn
	Rows    []nationRow
	Totals  [][]projections.StrengthRow // by column
	// The first later day on which anything is there, where nothing is.
	Next events.Date
}

// A nationColumn is a unit of a role of an operation, or of an operation: units are never added.
type nationColumn struct {
	Operation events.Operation
	Role      events.Role // "" for all of it
	Unit      events.Unit
}

// A nationGroup is the columns of one operation.
type nationGroup struct {
	Operation events.Operation
	Columns   []nationColumn
}

// Groups are the columns by operation.
func (m *nationMatrix) Groups() (all []nationGroup) {
	for _, c := range m.Columns {
		n := len(all)
		if n == 0 || all[n-1].Operation != c.Operation {
			all, n = append(all, nationGroup{Operation: c.Operation}), n+1
		}
		all[n-1].Columns = append(all[n-1].Columns, c)
	}
	return all
}

// A nationRow is what one nation gives: by column, a sum for each unit.
type nationRow struct {
	Nation events.Nation
	Cells  [][]projections.StrengthRow
}

// maxColumns is the most columns for which each role has its own.
const maxColumns = 16

func (c *coverage) readNations() (*nationMatrix, error) {
	for _, by := range []string{"nation,operation,role", "nation,operation"} {
		s, err := ask(c.frame, web.Read[web.StrengthQuery], c.service.Strength, "by", by)
		if err != nil {
			return nil, err
		}
		m := matrixOf(s.Rows)
		if len(m.Columns) > maxColumns && strings.HasSuffix(by, "role") &&
			severalOperations(m.Columns) {
			continue
		}
		totals, err := ask(c.frame, web.Read[web.StrengthQuery], c.service.Strength, "by",
			strings.TrimPrefix(by, "nation,"))
		if err != nil {
			return nil, err
		}
		m.total(totals.Rows)
		m.Next = s.Next
		return m, nil
	}
	return nil, nil
}

func severalOperations(all []nationColumn) bool {
	return slices.ContainsFunc(all, func(c nationColumn) bool {
		return c.Operation != all[0].Operation
	})
}

func matrixOf(rows []projections.StrengthRow) *nationMatrix {
	m := &nationMatrix{}
	for _, r := range rows {
		if c := (nationColumn{r.Operation, r.Role, r.Unit}); !slices.Contains(m.Columns, c) {
			m.Columns = append(m.Columns, c)
		}
	}
	slices.SortFunc(m.Columns, func(a, b nationColumn) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Role, b.Role),
			cmp.Compare(a.Unit, b.Unit))
	})
	at := map[events.Nation]int{}
	for _, r := range rows {
		i, ok := at[r.Nation]
		if !ok {
			i = len(m.Rows)
			at[r.Nation] = i
			m.Rows = append(m.Rows,
				nationRow{r.Nation, make([][]projections.StrengthRow, len(m.Columns))})
		}
		column := slices.Index(m.Columns, nationColumn{r.Operation, r.Role, r.Unit})
		m.Rows[i].Cells[column] = append(m.Rows[i].Cells[column], r)
	}
	slices.SortFunc(m.Rows, func(a, b nationRow) int {
		return strings.Compare(string(a.Nation), string(b.Nation))
	})
	return m
}

func (m *nationMatrix) total(rows []projections.StrengthRow) {
	m.Totals = make([][]projections.StrengthRow, len(m.Columns))
	for _, r := range rows {
		if i := slices.Index(m.Columns, nationColumn{r.Operation, r.Role, r.Unit}); i >= 0 {
			m.Totals[i] = append(m.Totals[i], r)
		}
	}
}
