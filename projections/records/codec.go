package records

import (
	"encoding/binary"

	"muster/events"
)

// A Codec writes things into a form of few bytes, or reads them out of it: the same calls do both,
// so that the two cannot be different. It is for one goroutine, and changes nothing of what it
// writes, which others may read meanwhile.
//
//	number  varint: zigzag, or plain where it is never negative
//	time    varint: microseconds since the one before, or since 1970
//	word    uvarint: the number of a word; a new word has the next number, then its length and bytes
//	id      16 bytes
//	truth   nothing more than its bit in the mask
//
// A thing with members that may be left out begins with a mask of eight bytes (little endian),
// which says which members are there ([Codec.Has]), in the order in which they are come to. What a
// codec has written is read with nothing known before. What is read of what was cut or changed is
// of no use, and Failed says so.
type Codec struct {
	data    []byte // what was written, or what is yet to be read
	reading bool
	failed  bool // in reading: the data is not what was written

	mask, bit uint64
	at        int // where the mask of the thing that is written lies
	recorded  int64
	words     []string          // in reading
	number    map[string]uint64 // in writing: of words
}

// NewWriter returns a codec that writes, with room for so many bytes.
func NewWriter(room int) *Codec {
	return &Codec{number: map[string]uint64{}, data: make([]byte, 0, room)}
}

// NewReader returns a codec that reads data, of which it keeps nothing.
func NewReader(data []byte) *Codec {
	return &Codec{data: data, reading: true, words: make([]string, 0, 128)}
}

// WriteOn has a codec that has read some data write what comes behind the data.
func (c *Codec) WriteOn(data []byte) {
	c.data, c.reading, c.number = data, false, map[string]uint64{}
	for i, word := range c.words {
		c.number[word] = uint64(i)
	}
}

// Reading tells reading from writing.
func (c *Codec) Reading() bool { return c.reading }

// Bytes returns what was written, or what is yet to be read.
func (c *Codec) Bytes() []byte { return c.data }

// Failed reports whether what was read is not what was written.
func (c *Codec) Failed() bool { return c.failed }

// FailIf notes that what was read cannot have been written.
func (c *Codec) FailIf(is bool) { c.failed = c.failed || is }

// Begin begins a thing with members that may be left out.
func (c *Codec) Begin() {
	c.mask, c.bit, c.at = 0, 1, len(c.data)
	if !c.reading {
		c.data = append(c.data, make([]byte, 8)...)
		return
	}
	mask := c.Take(8)
	if !c.failed {
		c.mask = binary.LittleEndian.Uint64(mask)
	}
}

// End ends what Begin began: its mask is complete.
func (c *Codec) End() {
	if !c.reading {
		binary.LittleEndian.PutUint64(c.data[c.at:], c.mask)
	} else if c.mask >= c.bit {
		c.failed = true // there are members that nobody knows
	}
}

// Has reports whether the next member is there, which is known already in writing. In reading,
// nobody looks at what is yet to be set: memory that is new and read before it is written costs the
// system two faults, of which the second interrupts all processors.
func (c *Codec) Has(is bool) bool {
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

func (c *Codec) truth(is *bool) {
	there := c.Has(*is)
	if c.reading {
		*is = there
	}
}

// Word is a word that is left out where it is empty.
func (c *Codec) Word(s *string) {
	if c.Has(!c.reading && *s != "") {
		c.Plain(s)
	}
}

// Plain is a word that is always there.
func (c *Codec) Plain(s *string) {
	if c.reading {
		*s = c.readWord()
		return
	}
	n, known := c.number[*s]
	if !known {
		n = uint64(len(c.number))
		c.number[*s] = n
	}
	c.Uvarint(n)
	if !known {
		c.Uvarint(uint64(len(*s)))
		c.data = append(c.data, *s...)
	}
}

func (c *Codec) readWord() string {
	n := c.Uvarint(0)
	if n < uint64(len(c.words)) {
		return c.words[n]
	}
	word := string(c.Take(c.Uvarint(0)))
	if n != uint64(len(c.words)) {
		c.failed = true
	}
	c.words = append(c.words, word)
	return word
}

// ID is an ID that is left out where it is zero.
func (c *Codec) ID(id *events.ID) {
	switch {
	case !c.Has(!c.reading && !id.IsZero()):
	case c.reading:
		copy(id[:], c.Take(uint64(len(id))))
	default:
		c.data = append(c.data, id[:]...)
	}
}

func (c *Codec) time(at *int64) {
	if c.Has(!c.reading && *at != 0) {
		c.recorded += c.Varint(*at - c.recorded)
		*at = c.recorded
	}
}

// Date is a date that is left out where there is none.
func (c *Codec) Date(d *int32) {
	if c.Has(!c.reading && *d != 0) {
		n := c.Uvarint(uint64(*d))
		if c.reading {
			*d = int32(n)
		}
	}
}

// Count is a number that may be negative, left out where it is 0.
func (c *Codec) Count(n *int64) {
	if c.Has(!c.reading && *n != 0) {
		Integer(c, n)
	}
}

// Integer is a number that may be negative.
func Integer[N ~int | ~int64](c *Codec, n *N) {
	m := c.Varint(int64(*n))
	if c.reading {
		*n = N(m)
	}
}

// Each is a list: one more than its length, or 0 for none, and what do does with each.
func Each[T any](c *Codec, all *[]T, do func(*T)) {
	n := uint64(0)
	if *all != nil {
		n = uint64(len(*all)) + 1
	}
	n = c.Uvarint(n)
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

// Uvarint writes a number that is never negative and returns it, or returns the one that is read.
func (c *Codec) Uvarint(n uint64) uint64 {
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

// Varint does the same with a number that may be negative.
func (c *Codec) Varint(n int64) int64 {
	u := c.Uvarint(uint64(n)<<1 ^ uint64(n>>63))
	return int64(u>>1) ^ -int64(u&1)
}

// Take reads so many bytes. They are not to be kept.
func (c *Codec) Take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.failed = true
		return nil
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}

// Natural is a number that is never negative.
func Natural[N ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Codec, n *N) {
	if c.reading {
		*n = N(c.Uvarint(0))
	} else {
		c.Uvarint(uint64(*n))
	}
}

// Wide16 is a number in 16 bits, little endian. It and the next two are for what there is most of:
// twice as many bytes as the shortest form, and a third of the time to read.
func Wide16[N ~uint16](c *Codec, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(*n))
	} else if data := c.Take(2); data != nil {
		*n = N(binary.LittleEndian.Uint16(data))
	}
}

// Wide32 is a number in 32 bits.
func Wide32[N ~int32 | ~uint32](c *Codec, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint32(c.data, uint32(*n))
	} else if data := c.Take(4); data != nil {
		*n = N(binary.LittleEndian.Uint32(data))
	}
}

// Wide64 is a number in 64 bits.
func Wide64[N ~int64](c *Codec, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint64(c.data, uint64(*n))
	} else if data := c.Take(8); data != nil {
		*n = N(binary.LittleEndian.Uint64(data))
	}
}

// Day is a date that is always there.
func (c *Codec) Day(d *events.Date) {
	n := c.Uvarint(uint64(*d))
	if c.reading {
		*d = events.Date(n)
	}
}

// Fixed is so many bytes as there is room for.
func (c *Codec) Fixed(room []byte) {
	if c.reading {
		copy(room, c.Take(uint64(len(room))))
	} else {
		c.data = append(c.data, room...)
	}
}

// Within does something that has a mask of its own, in the middle of a thing that has another.
func (c *Codec) Within(do func()) {
	mask, bit, at := c.mask, c.bit, c.at
	c.Begin()
	do()
	c.End()
	c.mask, c.bit, c.at = mask, bit, at
}
