package compact_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"muster/events/compact"
)

// A thing has what can be written.
type thing struct {
	name     string
	truth    bool
	number   int64
	natural  uint64
	list     []string
	table    map[string]int64
	optional *int64
	later    []string
}

func (x *thing) code(c *compact.Codec) (unread []byte) {
	c.Begin()
	c.Word(&x.name)
	c.Truth(&x.truth)
	c.Count(&x.number)
	c.End()
	compact.Natural(c, &x.natural)
	compact.Each(c, &x.list, c.Plain)
	if c.Reading() {
		x.table = map[string]int64{}
	}
	compact.Table(c, x.table, func(k *string, n *int64) {
		c.Plain(k)
		compact.Integer(c, n)
	})
	compact.Optional(c, &x.optional, func(n *int64) { compact.Integer(c, n) })
	return c.Later(func(c *compact.Codec) { compact.Each(c, &x.later, c.Plain) })
}

func things(t *rapid.T) *thing {
	words := rapid.SampledFrom([]string{"", "ground", "personnel", "mnf-u", "west"})
	return &thing{words.Draw(t, "name"), rapid.Bool().Draw(t, "truth"),
		rapid.Int64().Draw(t, "number"), rapid.Uint64().Draw(t, "natural"),
		rapid.SliceOf(words).Draw(t, "list"),
		rapid.MapOf(words, rapid.Int64()).Draw(t, "table"),
		rapid.Ptr(rapid.Int64(), true).Draw(t, "optional"),
		rapid.SliceOf(words).Draw(t, "later")}
}

func same(a, b *thing) bool {
	return a.name == b.name && a.truth == b.truth && a.number == b.number &&
		a.natural == b.natural && slices.Equal(a.list, b.list) &&
		(a.list == nil) == (b.list == nil) && maps.Equal(a.table, b.table) &&
		(a.optional == nil) == (b.optional == nil) &&
		(a.optional == nil || *a.optional == *b.optional) && slices.Equal(a.later, b.later)
}

// What was written is read, also what is read later; and of what was cut it is said so.
func TestCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, w := things(t), compact.NewWriterApart()
		var beside sync.WaitGroup
		beside.Go(func() { was.code(compact.NewWriterApart()) }) // which changes nothing of it
		was.code(w)
		beside.Wait()
		data, words := w.Bytes(), w.Words()
		var is thing
		r := compact.NewReaderApart(data, words)
		later := compact.NewReaderApart(is.code(r), words)
		compact.Each(later, &is.later, later.Plain)
		if r.Failed() || later.Failed() || len(r.Bytes())+len(later.Bytes()) > 0 {
			t.Fatalf("%+v cannot be read", was)
		}
		if !same(was, &is) {
			t.Fatalf("%+v is read as %+v", was, is)
		}
		cut := compact.NewReaderApart(data[:rapid.IntRange(0, len(data)-1).Draw(t, "cut")], words)
		var part thing
		if part.code(cut); !cut.Failed() {
			t.Fatalf("%+v is cut, and read as %+v", was, part)
		}
		changed := slices.Clone(data)
		changed[rapid.IntRange(0, len(data)-1).Draw(t, "at")] ^= rapid.Byte().Draw(t, "by")
		new(thing).code(compact.NewReaderApart(changed, words)) // it ends
	})
}
