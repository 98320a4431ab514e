package tabular

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// rowGroup is how many rows are kept in memory before they are written.
const rowGroup = 20_000

// A parquetWriter writes Parquet, in groups of rows.
type parquetWriter struct {
	to      *parquet.GenericWriter[any]
	columns []Column
	waiting int // rows of the group
}

// NewParquet begins a Parquet file (parquet.apache.org), compressed with Snappy. The facts are its
// key-value metadata. An amount is a DECIMAL(18, 2), and has a column "NAME unknown" behind it.
func NewParquet(w io.Writer, columns []Column, facts []Fact) (Writer, error) {
	fields := ordered{Group: parquet.Group{}}
	add := func(name string, n parquet.Node) error {
		if fields.Group[name] != nil {
			return fmt.Errorf("two columns are named %q", name)
		}
		fields.names = append(fields.names, name)
		fields.Group[name] = parquet.Optional(n)
		return nil
	}
	for _, c := range columns {
		if err := add(c.Name, nodes[c.Kind]()); err != nil {
			return nil, err
		}
		if c.Kind == Amount {
			if err := add(c.Name+" "+unknown, parquet.Leaf(parquet.BooleanType)); err != nil {
				return nil, err
			}
		}
	}
	options := []parquet.WriterOption{parquet.NewSchema("rows", fields),
		parquet.Compression(&parquet.Snappy)}
	for _, f := range facts {
		options = append(options, parquet.KeyValueMetadata(f.Name, f.Value))
	}
	return &parquetWriter{to: parquet.NewGenericWriter[any](w, options...), columns: columns}, nil
}

var nodes = map[Kind]func() parquet.Node{
	Text:    parquet.String,
	Mixed:   parquet.String,
	Count:   func() parquet.Node { return parquet.Int(64) },
	Percent: func() parquet.Node { return parquet.Int(64) },
	Amount:  func() parquet.Node { return parquet.Decimal(2, 18, parquet.Int64Type) },
	Day:     parquet.Date,
	Moment:  func() parquet.Node { return parquet.Timestamp(parquet.Microsecond) },
}

// An ordered group has its columns in the order in which they are shown.
type ordered struct {
	parquet.Group
	names []string
}

// Fields implements parquet.Node.
func (o ordered) Fields() []parquet.Field {
	by := map[string]parquet.Field{}
	for _, f := range o.Group.Fields() {
		by[f.Name()] = f
	}
	all := make([]parquet.Field, len(o.names))
	for i, name := range o.names {
		all[i] = by[name]
	}
	return all
}

// Write implements [Writer].
func (p *parquetWriter) Write(rows [][]string) error {
	for _, cells := range rows {
		row, err := p.row(cells)
		if err != nil {
			return err
		}
		if _, err := p.to.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
		p.waiting++
		if p.waiting < rowGroup {
			continue
		}
		p.waiting = 0
		if err := p.to.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [Writer].
func (p *parquetWriter) Close() error { return p.to.Close() }

// Discard implements [Writer]: nothing is kept but memory.
func (*parquetWriter) Discard() {}

func (p *parquetWriter) row(cells []string) (row parquet.Row, err error) {
	add := func(v parquet.Value, there bool) {
		level := 0
		if there {
			level = 1
		} else {
			v = parquet.NullValue()
		}
		row = append(row, v.Level(0, level, len(row)))
	}
	for i, c := range p.columns {
		v, err := value(c.Kind, cells[i])
		if err != nil {
			return nil, fmt.Errorf("the column %q: %w", c.Name, err)
		}
		there := cells[i] != ""
		if c.Kind != Amount {
			add(v, there)
			continue
		}
		isUnknown := cells[i] == unknown
		add(v, there && !isUnknown)
		add(parquet.BooleanValue(isUnknown), there)
	}
	return row, nil
}

// value is what a cell says; it is not used of one that is empty, or unknown.
func value(k Kind, cell string) (v parquet.Value, err error) {
	if cell == "" || k == Amount && cell == unknown {
		return v, nil
	}
	switch k {
	case Count, Percent:
		var n int64
		n, err = strconv.ParseInt(strings.TrimSuffix(cell, "%"), 10, 64)
		v = parquet.Int64Value(n)
	case Amount:
		var n int64
		n, err = hundredths(cell)
		v = parquet.Int64Value(n)
	case Day:
		var day time.Time
		day, err = time.Parse(time.DateOnly, cell)
		v = parquet.Int32Value(int32(day.Unix() / (24 * 60 * 60)))
	case Moment:
		var at time.Time
		at, err = moment(cell)
		v = parquet.Int64Value(at.UnixMicro())
	default:
		v = parquet.ByteArrayValue([]byte(cell))
	}
	return v, err
}
