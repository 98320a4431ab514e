package ledger

import (
	"encoding/binary"

	"muster/events"
)

// A tape writes values one after the other, or reads them back in the same order: whoever describes a value to it describes both, so that
// the two cannot differ. What is read from a tape that was cut or changed is of no use, and failed says so.
type tape struct {
	data    []byte // what was written, or what is left to read
	reading bool
	failed  bool
	words   []string          // each is written once, and then by its number
	number  map[string]uint64 // in writing: of words

	quantities map[string]events.Quantity // in reading: those that were read before
}

func newTape() *tape { return &tape{number: map[string]uint64{}} }
func tapeOf(data []byte) *tape {
	return &tape{data: data, reading: true, quantities: map[string]events.Quantity{}}
}

func (t *tape) fail() { t.failed, t.data = true, nil }
func (t *tape) take(n uint64) []byte { // of what is left to read
	if n > uint64(len(t.data)) {
		t.fail()
		return nil
	}
	taken := t.data[:n]
	t.data = t.data[n:]
	return taken
}

// uint is a number.
func (t *tape) uint(n *uint64) {
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
func (t *tape) count(n int) int {
	v := uint64(n)
	if t.uint(&v); t.reading && v > uint64(len(t.data)) {
		t.fail()
		return 0
	}
	return int(v)
}

// number is a number of any type.
func number[N ~int32 | ~int64 | ~uint8 | ~uint64 | ~int](t *tape, n *N) {
	v := uint64(*n)
	t.uint(&v)
	*n = N(v)
}

func (t *tape) bool(b *bool) {
	v := uint64(0)
	if *b {
		v = 1
	}
	t.uint(&v)
	*b = v == 1
}

func (t *tape) id(id *events.ID) {
	if !t.reading {
		t.data = append(t.data, id[:]...)
		return
	}
	copy(id[:], t.take(uint64(len(id))))
}

// word is a text that comes again and again.
func word[S ~string](t *tape, s *S) {
	if t.reading {
		*s = S(t.readWord())
		return
	}
	n, known := t.number[string(*s)]
	if !known {
		n = uint64(len(t.number))
		t.number[string(*s)] = n
	}
	t.uint(&n)
	if !known {
		length := uint64(len(*s))
		t.uint(&length)
		t.data = append(t.data, *s...)
	}
}

func (t *tape) readWord() string {
	var n, length uint64
	switch t.uint(&n); {
	case t.failed:
	case n < uint64(len(t.words)):
		return t.words[n]
	case n == uint64(len(t.words)):
		t.uint(&length)
		t.words = append(t.words, string(t.take(length)))
		return t.words[n]
	default:
		t.fail()
	}
	return ""
}

func words[S ~string](t *tape, all *[]S) {
	series(t, all, func(s *S) { word(t, s) })
}

// series is values in their order. An empty one is read as nil.
func series[V any](t *tape, all *[]V, each func(*V)) {
	n := t.count(len(*all))
	if t.reading && n > 0 {
		*all = make([]V, n)
	}
	for i := range *all {
		if each(&(*all)[i]); t.failed {
			return
		}
	}
}

// table is a map, in any order.
func table[K comparable, V any](t *tape, m map[K]V, each func(*K, *V)) {
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
		if each(&k, &v); t.failed {
			return
		}
		m[k] = v
	}
}
