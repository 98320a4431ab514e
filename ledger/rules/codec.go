package rules

import (
	"encoding/binary"

	"muster/events"
)

// A codec writes values one after the other, or reads them back in the same order: whoever
// describes a value to it describes both, so that the two cannot differ. What is read from a codec
// that was cut or changed is of no use, and failed says so. Writing changes nothing of what is
// written, which others may read meanwhile.
type codec struct {
	data    []byte // what was written, or what is left to read
	reading bool
	failed  bool
	words   []string          // which come again and again, and are written by their numbers
	number  map[string]uint64 // in writing: of words

	quantities map[string]events.Quantity // in reading: those that were read before
}

func newCodec() *codec { return &codec{number: map[string]uint64{}} }
func codecOf(data []byte, words []string) *codec {
	return &codec{data: data, reading: true, words: words, quantities: map[string]events.Quantity{}}
}

func (t *codec) fail() { t.failed, t.data = true, nil }
func (t *codec) take(n uint64) []byte { // of what is left to read
	if n > uint64(len(t.data)) {
		t.fail()
		return nil
	}
	taken := t.data[:n]
	t.data = t.data[n:]
	return taken
}

// uint is a number.
func (t *codec) uint(n *uint64) {
	if !t.reading {
		t.data = binary.AppendUvarint(t.data, *n)
		return
	}
	v, size := binary.Uvarint(t.data)
	if size <= 0 {
		t.fail()
		return
	}
	*n, t.data = v, t.data[size:]
}

// count is how many there are of something, each of which takes at least a byte.
func (t *codec) count(n int) int {
	v := uint64(n)
	if t.uint(&v); t.reading && v > uint64(len(t.data)) {
		t.fail()
		return 0
	}
	return int(v)
}

// number is a number of any type.
func number[N ~int32 | ~int64 | ~uint8 | ~uint64 | ~int](t *codec, n *N) {
	v := uint64(*n)
	if t.uint(&v); t.reading {
		*n = N(v)
	}
}

func (t *codec) bool(b *bool) {
	v := uint64(0)
	if *b {
		v = 1
	}
	if t.uint(&v); t.reading {
		*b = v == 1
	}
}

func (t *codec) id(id *events.ID) {
	if !t.reading {
		t.data = append(t.data, id[:]...)
		return
	}
	copy(id[:], t.take(uint64(len(id))))
}

// word is a text that comes again and again.
func word[S ~string](t *codec, s *S) {
	if !t.reading {
		n, known := t.number[string(*s)]
		if !known {
			n = uint64(len(t.words))
			t.number[string(*s)], t.words = n, append(t.words, string(*s))
		}
		t.uint(&n)
		return
	}
	n := uint64(0)
	if t.uint(&n); n >= uint64(len(t.words)) {
		t.fail()
		return
	}
	*s = S(t.words[n])
}

// texts are texts in full, such as the words of another codec.
func (t *codec) texts(all *[]string) {
	series(t, all, func(s *string) {
		n := uint64(len(*s))
		if t.uint(&n); t.reading {
			*s = string(t.take(n))
		} else {
			t.data = append(t.data, *s...)
		}
	})
}

// apart has do write to a codec of its own with the same words, or returns what was written so, to
// be read later.
func (t *codec) apart(do func(*codec)) (unread []byte) {
	if t.reading {
		n := uint64(0)
		t.uint(&n)
		return t.take(n)
	}
	one := &codec{words: t.words, number: t.number}
	do(one)
	t.words = one.words
	n := uint64(len(one.data))
	t.uint(&n)
	t.data = append(t.data, one.data...)
	return nil
}

func words[S ~string](t *codec, all *[]S) {
	series(t, all, func(s *S) { word(t, s) })
}

// series is values in their order. An empty one is read as nil.
func series[V any](t *codec, all *[]V, each func(*V)) {
	n := t.count(len(*all))
	if t.reading && n > 0 {
		*all = make([]V, n)
	}
	for i := range *all {
		each(&(*all)[i])
		if t.failed {
			return
		}
	}
}

// table is a map, in any order.
func table[K comparable, V any](t *codec, m map[K]V, each func(*K, *V)) {
	n := t.count(len(m))
	if !t.reading {
		for k, v := range m {
			each(&k, &v)
		}
		return
	}
	for range n {
		var k K
		var v V
		each(&k, &v)
		if t.failed {
			return
		}
		m[k] = v
	}
}
