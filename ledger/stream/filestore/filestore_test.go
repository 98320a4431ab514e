package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger/natsd"
	"muster/ledger/seeded"
	"muster/ledger/stream/filestore"
)

const prefix = "muster.ev."

// aStore has a NATS server store n messages, and returns the files that it leaves when it stops.
func aStore(t *testing.T, n, size int) filestore.Store {
	t.Helper()
	dir := t.TempDir()
	srv, err := natsd.Start(natsd.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S",
		Subjects: []string{prefix + ">"}}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var opts []jetstream.PublishOpt
		if i%2 == 0 { // messages with a header, and without
			opts = append(opts, jetstream.WithMsgID(fmt.Sprint(i)))
		}
		if _, err := js.Publish(t.Context(), subject(i), data(i, size), opts...); err != nil {
			t.Fatal(err)
		}
	}
	nc.Close()
	if err := srv.Shutdown(); err != nil {
		t.Fatal(err)
	}
	return filestore.Store{Dir: natsd.StreamDir(dir, "S"), Stream: "S", Prefix: prefix}
}

func subject(i int) string { return fmt.Sprint(prefix, "x.", i) }

func data(i, size int) []byte {
	return append(fmt.Appendf(nil, "message %d ", i), make([]byte, size)...)
}

// read reads a store, whose messages must be as they were published.
func read(t *testing.T, s filestore.Store, size int) filestore.State {
	t.Helper()
	next := uint64(1)
	state, err := s.Read(t.Context(), func(m filestore.Message) error {
		if i := int(next) - 1; m.Sequence != next || m.Subject != subject(i) ||
			string(m.Data) != string(data(i, size)) {
			t.Errorf("message %d is %d, %s, %.20q", next, m.Sequence, m.Subject, m.Data)
		}
		next++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if state.Last != next-1 {
		t.Errorf("%d messages were read, and the last is %d", next-1, state.Last)
	}
	return state
}

// What a NATS server has stored is read as it was published, in one block and in several.
func TestWhole(t *testing.T) {
	for _, size := range []int{10, 500_000} {
		s := aStore(t, 40, size)
		if state := read(t, s, size); state != (filestore.State{Last: 40, Indexed: 40}) {
			t.Errorf("with %d bytes each: %+v", size, state)
		}
	}
	none := filestore.Store{Dir: filepath.Join(t.TempDir(), "none"), Stream: "S", Prefix: prefix}
	if state := read(t, none, 0); state != (filestore.State{}) {
		t.Errorf("where there is none: %+v", state)
	}
}

// change changes a file of the store.
func change(t *testing.T, s filestore.Store, name string, to func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(s.Dir, filepath.FromSlash(name))
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if made := to(old); made == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, made, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is damaged is named, with how far the messages are whole, and what is whole behind that.
func TestDamaged(t *testing.T) {
	const size = 500_000 // so that there are three blocks, of 16 messages each
	whole := aStore(t, 40, size)
	cut := func(n int) func([]byte) []byte {
		return func(b []byte) []byte { return b[:len(b)-n] }
	}
	gone := func([]byte) []byte { return nil }
	empty := func([]byte) []byte { return []byte{} }
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[(len(b)+at)%len(b)] ^= 0x80; return b }
	}
	for name, c := range map[string]struct {
		file string
		to   func([]byte) []byte
		want filestore.State // but for the errors
		says string
	}{
		"a sequence's highest bit": {"msgs/1.blk", flip(11), filestore.State{Highest: 40,
			Indexed: 40}, "1.blk, byte 0, where message 1 should be: its checksum is wrong"},
		"a length": {"msgs/1.blk", flip(3), filestore.State{Highest: 40, Indexed: 40},
			"1.blk, byte 0, where message 1 should be:"},
		"the last message": {"msgs/3.blk", flip(-100), filestore.State{Last: 39, Torn: true,
			Indexed: 40}, "message 40 should be: its checksum is wrong"},
		"the end of the last block": {"msgs/3.blk", cut(10), filestore.State{Last: 39, Torn: true,
			Indexed: 40}, "message 40 should be: it has"},
		"the end of another block": {"msgs/2.blk", cut(10), filestore.State{Last: 31, Highest: 40,
			Indexed: 40}, "2.blk, byte"},
		"the last block is gone": {"msgs/3.blk", gone, filestore.State{Last: 32, Indexed: 40},
			"msgs/index.db knows 40 messages, and the blocks have 32"},
		"another block is gone": {"msgs/2.blk", gone, filestore.State{Last: 16, Highest: 40,
			Indexed: 40}, "3.blk, byte 0: message 33 follows message 16"},
		"another block is empty": {"msgs/2.blk", empty, filestore.State{Last: 16, Highest: 40,
			Indexed: 40}, "3.blk, byte 0: message 33 follows message 16"},
		"the index": {"msgs/index.db", flip(-20), filestore.State{Last: 40},
			"msgs/index.db: its checksum is wrong"},
		"the index is cut": {"msgs/index.db", func([]byte) []byte { return []byte{11} },
			filestore.State{Last: 40}, "msgs/index.db: it has 1 bytes"},
		"the index is gone": {"msgs/index.db", gone, filestore.State{Last: 40}, ""},
		"the configuration": {"meta.inf", flip(20), filestore.State{Last: 40, Indexed: 40},
			"meta.inf has not the checksum that meta.sum has"},
		"the configuration is gone": {"meta.inf", gone, filestore.State{Last: 40, Indexed: 40},
			"meta.inf: "},
		"its checksum is gone": {"meta.sum", gone, filestore.State{Last: 40, Indexed: 40},
			"meta.sum: "},
	} {
		t.Run(name, func(t *testing.T) {
			s := whole
			s.Dir = t.TempDir()
			if err := os.CopyFS(s.Dir, os.DirFS(whole.Dir)); err != nil {
				t.Fatal(err)
			}
			change(t, s, c.file, c.to)
			state := read(t, s, size)
			said := errors.Join(state.Damage, state.Index)
			state.Damage, state.Index = nil, nil
			if state != c.want {
				t.Errorf("got %+v, and want %+v", state, c.want)
			}
			if (said == nil) != (c.says == "") || said != nil &&
				!strings.Contains(said.Error(), c.says) {
				t.Errorf("it says %v, and should say %q", said, c.says)
			}
		})
	}
}

// Whatever a block holds, it is read to its end, in little memory and without a panic; and no bit
// of a message's data can be another without being noticed.
func TestAnyFlippedBit(t *testing.T) {
	const size = 40
	s := aStore(t, 60, size)
	block := filepath.Join(s.Dir, "msgs", "1.blk")
	good, err := os.ReadFile(block)
	if err != nil {
		t.Fatal(err)
	}
	random := seeded.New(t)
	for range 500 {
		bad := append([]byte(nil), good...)
		at := random.IntN(len(bad))
		bad[at] ^= 1 << random.IntN(8)
		if err := os.WriteFile(block, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		altered := false
		state, err := s.Read(t.Context(), func(m filestore.Message) error {
			i := int(m.Sequence) - 1
			altered = altered || m.Subject != subject(i) || string(m.Data) != string(data(i, size))
			return nil
		})
		if err != nil || state.IsWhole() && !altered {
			t.Fatalf("byte %d of %d: %+v, %v", at, len(bad), state, err)
		}
	}
}

// Who reads gives up when told to.
func TestGivesUp(t *testing.T) {
	s := aStore(t, 3, 10)
	enough := errors.New("enough")
	if _, err := s.Read(t.Context(), func(filestore.Message) error {
		return enough
	}); err != enough {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Read(ctx, func(filestore.Message) error { return nil }); !errors.Is(err,
		context.Canceled) {
		t.Errorf("got %v", err)
	}
}
