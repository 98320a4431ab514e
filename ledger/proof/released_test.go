package proof

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// A tile of what is released has the records among stubs, and says where each ends.
func TestReleasedTile(t *testing.T) {
	leaf := tlog.RecordHash([]byte("a secret"))
	long := bytes.Repeat([]byte("x"), maxRecord)
	tile, err := AppendReleased(nil, []byte("a record"))
	if err == nil {
		tile, err = AppendReleased(AppendWithheld(tile, leaf), long)
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x00\x00\x08a record\x01" + string(leaf[:]) +
		"\x00\xff\xffxxx"; !strings.HasPrefix(string(tile), want) {
		t.Errorf("the tile begins with %q", tile[:60])
	}
	rest := tile
	for i, want := range [][]byte{[]byte("a record"), nil, long} {
		stored, hash, after, err := CutReleased(rest)
		is := leaf
		if want != nil {
			is = tlog.RecordHash(want)
		}
		if err != nil || !bytes.Equal(stored, want) ||
			(stored == nil) != (want == nil) || hash != is {
			t.Fatalf("entry %d: %.20q, %v, %v", i, stored, hash, err)
		}
		rest = after
	}
	if len(rest) > 0 {
		t.Errorf("%d bytes are left", len(rest))
	}
	if _, err := AppendReleased(nil, append(long, 'x')); err == nil {
		t.Error("a record is too long, and nobody says so")
	}
	for _, bad := range []string{"", "\x00", "\x00\x00", "\x00\x00\x00", "\x00\x00\x02a",
		"\x01", "\x02",
		"\x01" + string(leaf[:31]), "{"} {
		if stored, _, _, err := CutReleased([]byte(bad)); err == nil {
			t.Errorf("%q is read as %q", bad, stored)
		}
	}
}
