package projections

import (
	"encoding/binary"

	"muster/events"
)

// A coder writes things into a form of few bytes, or reads them out of it: the same calls do both,
// so that the two cannot be different. It is for one goroutine.
//
//	number  varint: zigzag, or plain where it is never negative
//	time    varint: microseconds since the one before, or since 1970
//	word    uvarint: the number of a word; a new word has the next number, then its length and bytes
//	id      16 bytes
//	truth   nothing more than its bit in the mask
//
// A thing with members that may be left out begins with a mask of eight bytes (little endian),
// which says which members are there ([coder.has]), in the order in which they are come to. What a
// coder has written is read with nothing known before. What is read of what was cut or changed is
// of no use, and hasFailed says so.
type coder struct {
	data    []byte // what was written, or what is yet to be read
	reading bool
	failed  bool // in reading: the data is not what was written

	mask, bit uint64
	at        int // where the mask of the thing that is written lies
	recorded  int64
	words     []string          // in reading
	number    map[string]uint64 // in writing: of words
}

// newWriter returns a coder that writes, with room for so many bytes.
func newWriter(room int) *coder {
	return &coder{number: map[string]uint64{}, data: make([]byte, 0, room)}
}

// newReader returns a coder that reads. It keeps nothing of the data.
func newReader(data []byte) *coder {
	return &coder{data: data, reading: true, words: make([]string, 0, 128)}
}

// writeOn has a coder that has read some data write what comes behind the data.
func (c *coder) writeOn(data []byte) {
	c.data, c.reading, c.number = data, false, map[string]uint64{}
	for i, word := range c.words {
		c.number[word] = uint64(i)
	}
}

// isReading tells reading from writing.
func (c *coder) isReading() bool { return c.reading }

// bytes returns what was written, or what is yet to be read.
func (c *coder) bytes() []byte { return c.data }

// hasFailed reports whether what was read is not what was written.
func (c *coder) hasFailed() bool { return c.failed }

// failIf notes that what was read cannot have been written.
func (c *coder) failIf(is bool) { c.failed = c.failed || is }

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

// has reports whether the next member is there, which is known already in writing. In reading,
// nobody looks at what is yet to be set: memory that is new and read before it is written costs the
// system two faults, of which the second interrupts all processors.
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

// integer is a number that may be negative. What is written is left alone: others may be reading
// it.
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

// natural is a number that is never negative.
func natural[N ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, n *N) {
	if c.reading {
		*n = N(c.uvarint(0))
	} else {
		c.uvarint(uint64(*n))
	}
}

// wide16, wide32 and wide64 are numbers in so many bits, little endian. They are for what there is
// most of: twice as many bytes as the shortest form, and a third of the time to read.
func wide16[N ~uint16](c *coder, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(*n))
	} else if data := c.take(2); data != nil {
		*n = N(binary.LittleEndian.Uint16(data))
	}
}

func wide32[N ~int32 | ~uint32](c *coder, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint32(c.data, uint32(*n))
	} else if data := c.take(4); data != nil {
		*n = N(binary.LittleEndian.Uint32(data))
	}
}

func wide64[N ~int64](c *coder, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint64(c.data, uint64(*n))
	} else if data := c.take(8); data != nil {
		*n = N(binary.LittleEndian.Uint64(data))
	}
}

func (c *coder) day(d *events.Date) {
	if n := c.uvarint(uint64(*d)); c.reading {
		*d = events.Date(n)
	}
}

// fixed is so many bytes as there is room for.
func (c *coder) fixed(room []byte) {
	if c.reading {
		copy(room, c.take(uint64(len(room))))
	} else {
		c.data = append(c.data, room...)
	}
}

// within does something that has a mask of its own, in the middle of a thing that has another.
func (c *coder) within(do func()) {
	mask, bit, at := c.mask, c.bit, c.at
	c.begin()
	do()
	c.end()
	c.mask, c.bit, c.at = mask, bit, at
}
