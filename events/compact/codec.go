// Package compact is the form of few bytes in which both halves of the program save what they hold:
// the state of the rules, rows of records, and pictures. It is for files that a program writes for
// itself and can make anew, so each of them has a number of its form, and a sum.
package compact

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
//	word    uvarint: the number of a word; a new word has the next number, then its length and
//	        bytes, but where words are kept apart (see [NewWriterApart])
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
	words     []string          // in reading, and in writing where they are apart
	number    map[string]uint64 // in writing: of words
	apart     bool              // words do not stand where they first occur
}

// NewWriter returns a codec that writes, with room for so many bytes.
func NewWriter(room int) *Codec {
	return &Codec{number: map[string]uint64{}, data: make([]byte, 0, room)}
}

// NewReader returns a codec that reads data, of which it keeps nothing.
func NewReader(data []byte) *Codec {
	return &Codec{data: data, reading: true, words: make([]string, 0, 128)}
}

// NewWriterApart returns a codec that writes of each word only its number: whoever reads it needs
// the words ([Codec.Words]) before, and can then begin anywhere.
func NewWriterApart() *Codec { return &Codec{number: map[string]uint64{}, apart: true} }

// NewReaderApart returns a codec that reads what was written with its words apart. It keeps the
// words, and changes nothing of them.
func NewReaderApart(data []byte, words []string) *Codec {
	return &Codec{data: data, reading: true, words: words, apart: true}
}

// Words are the words by their numbers, of a codec that keeps them apart.
func (c *Codec) Words() []string { return c.words }

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
func (c *Codec) FailIf(is bool) {
	if is {
		c.fail()
	}
}

// fail leaves nothing to be read: what is read of what was cut or changed has an end.
func (c *Codec) fail() { c.failed, c.data = true, nil }

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
		c.fail() // there are members that nobody knows
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

// Truth is a truth that is left out where it is none.
func (c *Codec) Truth(is *bool) {
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
	if known {
		return
	}
	if c.apart {
		c.words = append(c.words, *s)
		return
	}
	c.Uvarint(uint64(len(*s)))
	c.data = append(c.data, *s...)
}

// Plain is a word of any type that is always there.
func Plain[S ~string](c *Codec, s *S) {
	word := string(*s)
	c.Plain(&word)
	if c.reading {
		*s = S(word)
	}
}

func (c *Codec) readWord() string {
	n := c.Uvarint(0)
	if n < uint64(len(c.words)) {
		return c.words[n]
	}
	if c.apart {
		c.fail()
		return ""
	}
	word := string(c.Take(c.Uvarint(0)))
	if n != uint64(len(c.words)) {
		c.fail()
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

// Time is a time in microseconds since 1970, left out where it is 0.
func (c *Codec) Time(at *int64) {
	if c.Has(!c.reading && *at != 0) {
		c.recorded += c.Varint(*at - c.recorded)
		if c.reading {
			*at = c.recorded
		}
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
			c.fail()
			return
		}
		*all = make([]T, n-1)
	}
	for i := range *all {
		do(&(*all)[i])
	}
}

// Texts are texts in full, such as the words of a codec that keeps them apart.
func (c *Codec) Texts(all *[]string) {
	Each(c, all, func(s *string) {
		n := c.Uvarint(uint64(len(*s)))
		if c.reading {
			*s = string(c.Take(n))
		} else {
			c.data = append(c.data, *s...)
		}
	})
}

// Table is a map, in any order. What is read is put into the map, which must be there.
func Table[K comparable, V any](c *Codec, m map[K]V, do func(*K, *V)) {
	n := c.Uvarint(uint64(len(m)))
	if !c.reading {
		for k, v := range m {
			do(&k, &v)
		}
		return
	}
	for range n {
		var k K
		var v V
		do(&k, &v)
		if c.failed {
			return
		}
		m[k] = v
	}
}

// Optional is a thing that may not be there.
func Optional[V any](c *Codec, p **V, do func(*V)) {
	is := *p != nil
	c.Flag(&is)
	if !is {
		return
	}
	if c.reading {
		*p = new(V)
	}
	do(*p)
}

// Later has do write what can be read by itself, or returns what was written so: whoever keeps it
// reads it with [NewReaderApart]. The words must be kept apart.
func (c *Codec) Later(do func(*Codec)) (unread []byte) {
	if c.reading {
		return c.Take(c.Uvarint(0))
	}
	one := &Codec{words: c.words, number: c.number, apart: true}
	do(one)
	c.words = one.words
	c.Uvarint(uint64(len(one.data)))
	c.data = append(c.data, one.data...)
	return nil
}

// Flag is a truth that is always there.
func (c *Codec) Flag(is *bool) {
	n := uint64(0)
	if *is {
		n = 1
	}
	n = c.Uvarint(n)
	if c.reading {
		*is = n == 1
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
		c.fail()
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
		c.fail()
		return nil
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}

// Natural is a number that is never negative.
func Natural[N ~int32 | ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Codec, n *N) {
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
