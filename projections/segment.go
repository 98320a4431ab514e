package projections

import (
	"encoding/binary"
	"errors"
	"fmt"

	"muster/events"
)

// A coder writes rows into a segment, which is consecutive rows in their saved form, or reads them out of it. Each row is a mask of eight bytes (little endian), which says which members
// are not zero, and these members in the order in which [coder.row] comes to them:
//
//	number  varint: zigzag, or plain where it is never negative
//	time    varint: microseconds since the row before, or since 1970
//	word    uvarint: the number of a word of this segment; a new word has the next number, and its length and bytes follow
//	id      16 bytes
//	truth   nothing more than its bit in the mask
//
// A segment begins with nothing known, so each can be read without the others, and beside them.
type coder struct {
	data    []byte // what was written, or what is yet to be read
	reading bool
	failed  bool // in reading: the data is no segment

	mask, bit uint64
	at        int // where the mask of the row that is written lies
	recorded  int64
	words     []string
	number    map[string]uint64 // in writing: of words
}

// storedForm is the version of the saved form. Whoever changes the type row, or what coder.row does with it, raises it, and every
// saved file is thrown away and built anew from the source.
const storedForm = 4

var errSegment = errors.New("the saved rows are damaged")

// A segment is rows in their saved form.
type segment struct {
	rows int
	data []byte
}

func encodeRows(rows []row) segment {
	c := &coder{number: map[string]uint64{}, data: make([]byte, 0, 72*len(rows))}
	for i := range rows {
		c.row(&rows[i])
	}
	return segment{len(rows), c.data}
}

// decodeRows appends the rows of a segment.
func decodeRows(rows []row, data []byte) ([]row, error) {
	c := &coder{data: data, reading: true, words: make([]string, 0, 128)}
	for len(c.data) > 0 {
		rows = append(rows, row{})
		if c.row(&rows[len(rows)-1]); c.failed {
			return rows, fmt.Errorf("%w at row %d of a segment", errSegment, len(rows))
		}
	}
	return rows, nil
}

// row writes a row, or reads one, so that the two cannot be different. Members that most rows have come first.
func (c *coder) row(r *row) {
	c.begin()
	c.time(&r.Recorded)
	c.word((*string)(&r.Type))
	c.word(&r.Signer)
	c.date(&r.Effective)
	c.word((*string)(&r.Operation))
	c.word((*string)(&r.Nation))
	c.id(&r.Thing)
	c.id(&r.Statement)
	c.count(&r.Number)
	c.word((*string)(&r.Unit))
	c.word(&r.Text)
	c.word((*string)(&r.Role))
	c.word((*string)(&r.Area))
	c.date(&r.From)
	c.date(&r.Until)
	c.truth(&r.New)
	c.ofPledge(r)
	c.ofPlan(r)
	c.end()
}

func (c *coder) ofPledge(r *row) {
	c.word(&r.Source)
	c.word((*string)(&r.Presence))
	c.word((*string)(&r.Release))
	c.truth(&r.Unknown)
	if c.has(r.Notice != nil) {
		if c.reading {
			r.Notice = new(int)
		}
		integer(c, r.Notice)
	}
	c.date(&r.Expires)
	c.id(&r.Predecessor)
	c.id(&r.Successor)
	if c.has(r.Elsewhere != nil) {
		each(c, &r.Elsewhere, c.plain)
	}
	c.id(&r.Corrects)
	c.truth(&r.Struck)
	c.word(&r.Reason)
	c.id(&r.Allocation)
	c.word((*string)(&r.Line))
	c.word((*string)(&r.Kind))
	c.word(&r.Title)
}

func (c *coder) ofPlan(r *row) {
	priority := int64(r.Priority)
	c.count(&priority)
	r.Priority = int(priority)
	c.truth(&r.Essential)
	if c.has(r.Roles != nil) {
		each(c, &r.Roles, func(role *rowRole) {
			c.plain((*string)(&role.Role))
			c.plain(&role.Title)
			each(c, &role.Units, func(unit *events.Unit) { c.plain((*string)(unit)) })
		})
	}
	c.truth(&r.Unlimited)
	c.word((*string)(&r.Key))
	c.word((*string)(&r.Member))
	c.word((*string)(&r.Origin))
}

// begin and end put the mask before the members of a row.
func (c *coder) begin() {
	c.mask, c.bit, c.at = 0, 1, len(c.data)
	if !c.reading {
		c.data = append(c.data, make([]byte, 8)...)
	} else if mask := c.take(8); !c.failed {
		c.mask = binary.LittleEndian.Uint64(mask)
	}
}

func (c *coder) end() {
	if !c.reading {
		binary.LittleEndian.PutUint64(c.data[c.at:], c.mask)
	} else if c.mask >= c.bit {
		c.failed = true // there are members that nobody knows
	}
}

// has reports whether the next member is there, which is known already in writing. In reading, nobody looks at what is yet to be set: memory
// that is new and read before it is written costs the system two faults, of which the second interrupts all processors.
func (c *coder) has(is bool) bool {
	bit := c.bit
	c.bit <<= 1
	if c.reading {
		return c.mask&bit != 0
	}
	if is {
		c.mask |= bit
	}
	return is
}

func (c *coder) truth(is *bool) {
	if there := c.has(*is); c.reading {
		*is = there
	}
}

func (c *coder) word(s *string) {
	if c.has(!c.reading && *s != "") {
		c.plain(s)
	}
}

// plain is a word that is always there.
func (c *coder) plain(s *string) {
	if c.reading {
		*s = c.readWord()
		return
	}
	n, known := c.number[*s]
	if !known {
		n = uint64(len(c.number))
		c.number[*s] = n
	}
	if c.uvarint(n); !known {
		c.uvarint(uint64(len(*s)))
		c.data = append(c.data, *s...)
	}
}

func (c *coder) readWord() string {
	n := c.uvarint(0)
	if n < uint64(len(c.words)) {
		return c.words[n]
	}
	word := string(c.take(c.uvarint(0)))
	if n != uint64(len(c.words)) {
		c.failed = true
	}
	c.words = append(c.words, word)
	return word
}

func (c *coder) id(id *events.ID) {
	switch {
	case !c.has(!c.reading && !id.IsZero()):
	case c.reading:
		copy(id[:], c.take(uint64(len(id))))
	default:
		c.data = append(c.data, id[:]...)
	}
}

func (c *coder) time(at *int64) {
	if c.has(!c.reading && *at != 0) {
		c.recorded += c.varint(*at - c.recorded)
		*at = c.recorded
	}
}

func (c *coder) date(d *int32) {
	if c.has(!c.reading && *d != 0) {
		if n := c.uvarint(uint64(*d)); c.reading {
			*d = int32(n)
		}
	}
}

func (c *coder) count(n *int64) {
	if c.has(!c.reading && *n != 0) {
		integer(c, n)
	}
}

// integer is a number that may be negative. What is written is left alone: others may be reading it.
func integer[N ~int | ~int64](c *coder, n *N) {
	if m := c.varint(int64(*n)); c.reading {
		*n = N(m)
	}
}

// each is a list: one more than its length, or 0 for none, and what do does with each.
func each[T any](c *coder, all *[]T, do func(*T)) {
	n := uint64(0)
	if *all != nil {
		n = uint64(len(*all)) + 1
	}
	n = c.uvarint(n)
	if c.reading && n > 0 {
		if n-1 > uint64(len(c.data)) {
			c.failed = true
			return
		}
		*all = make([]T, n-1)
	}
	for i := range *all {
		do(&(*all)[i])
	}
}

// uvarint and varint write a number and return it, or return the one that is read.
func (c *coder) uvarint(n uint64) uint64 {
	if !c.reading {
		c.data = binary.AppendUvarint(c.data, n)
		return n
	}
	if len(c.data) > 0 && c.data[0] < 0x80 {
		n, c.data = uint64(c.data[0]), c.data[1:]
		return n
	}
	n, size := binary.Uvarint(c.data)
	if size <= 0 {
		c.failed = true
		return 0
	}
	c.data = c.data[size:]
	return n
}

func (c *coder) varint(n int64) int64 {
	u := c.uvarint(uint64(n)<<1 ^ uint64(n>>63))
	return int64(u>>1) ^ -int64(u&1)
}

// take reads so many bytes. They are not to be kept.
func (c *coder) take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.failed = true
		return nil
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}
