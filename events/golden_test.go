package events

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

var update = flag.Bool("update", false,
	"write the golden files that are missing; one that is there is never written again")

// Golden files are added, never edited: each stands for the records of this form that ledgers hold
// already. When a test here fails, the code has stopped to read or write what it once wrote, and it
// is the code that is wrong.
const goldenDir = "testdata/golden"

const (
	testOrigin = Origin("muster.example/test")
	testBy     = "muster.example/test"
)

// testSigner makes a key whose secret is 32 times the byte seed: FORMAT.md tells the world.
func testSigner(t testing.TB, name string, seed byte) *Signer {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Split(public, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...))
	s, err := NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + secret)
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Key()) != public {
		t.Fatalf("the signer's key is %s, want %s", s.Key(), public)
	}
	return s
}

func hqSigner(t testing.TB) *Signer     { return testSigner(t, "HQ/test", 1) }
func franceSigner(t testing.TB) *Signer { return testSigner(t, "FRA/test", 2) }
func natoSigner(t testing.TB) *Signer   { return testSigner(t, "x-nato/test", 3) }

// A golden is a statement whose record lies in a file, and what follows from it.
type golden struct {
	n         int    // seconds that its time and its id are away from the first
	variant   string // "" for the one of its type
	subject   string
	statement Statement
}

func (g golden) file() string {
	name := string(g.statement.Head().Type)
	if g.variant != "" {
		name += "." + g.variant
	}
	return filepath.Join(goldenDir, name+".txt")
}

var goldenStart = time.Date(2026, 11, 23, 2, 23, 0, 123456000, time.UTC)

func (g golden) recorded() time.Time { return goldenStart.Add(time.Duration(g.n) * time.Second) }

func goldenID(n int) ID {
	id, err := IDAt(uint64(goldenStart.UnixMilli())+uint64(n)*1000, [10]byte{9: byte(n)})
	if err != nil {
		panic(err)
	}
	return id
}

func TestGolden(t *testing.T) {
	for i, g := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(g.file()), ".txt"), func(t *testing.T) {
			signer := franceSigner(t)
			switch nation, _ := About(g.statement); {
			case nation == HQ:
				signer = hqSigner(t)
			case nation.IsOrganisation():
				signer = natoSigner(t)
			}
			if *update {
				g.addFile(t, signer)
			}
			stored, err := os.ReadFile(g.file())
			if err != nil {
				t.Fatalf("%v (go test -update adds the missing ones)", err)
			}
			rec, err := ParseRecord(uint64(i+1), stored)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(rec.Stored, stored) || !bytes.HasSuffix(stored, rec.Note) {
				t.Error("the record does not keep the bytes that it was read from")
			}
			if !reflect.DeepEqual(rec.Statement, g.statement) {
				t.Errorf("\nread %+v\nwant %+v", rec.Statement, g.statement)
			}
			if !rec.Recorded.Equal(g.recorded()) || rec.By != testBy ||
				rec.Sequence != uint64(i+1) {
				t.Errorf("recorded %s by %s as %d", rec.Recorded, rec.By, rec.Sequence)
			}
			if err := rec.VerifiedBy(signer.Key()); err != nil {
				t.Error(err)
			}
			if got := Subject(rec.Statement); got != g.subject {
				t.Errorf("subject %s, want %s", got, g.subject)
			}
			if again := g.record(t, rec.Statement, signer); !bytes.Equal(again, stored) {
				t.Errorf("\nsigned again %s\nstored       %s", again, stored)
			}
		})
	}
}

func (g golden) record(t *testing.T, s Statement, signer *Signer) []byte {
	t.Helper()
	signed, err := Sign(s, signer)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := NewRecord(1, g.recorded(), testBy, signed)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Stored
}

// addFile writes the file if, and only if, there is none.
func (g golden) addFile(t *testing.T, signer *Signer) {
	t.Helper()
	f, err := os.OpenFile(g.file(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(g.record(t, g.statement, signer))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestEveryKindHasAGolden(t *testing.T) {
	there := map[Type]bool{}
	files := map[string]bool{}
	ids := map[ID]bool{}
	for _, g := range goldens(t) {
		if g.variant == "" {
			there[g.statement.Head().Type] = true
		}
		files[g.file()] = true
		if id := g.statement.Head().ID; ids[id] {
			t.Errorf("%s shares its id with another", g.file())
		} else {
			ids[id] = true
		}
	}
	for _, typ := range Types() {
		if !there[typ] {
			t.Errorf("%s has no golden file: add a statement to goldens, and run go test -update",
				typ)
		}
	}
	onDisk, err := filepath.Glob(filepath.Join(goldenDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range onDisk {
		if !files[name] {
			t.Errorf("%s is on disk and in no test: golden files are never retired", name)
		}
	}
}

// A member that no golden file has could change its form unnoticed.
func TestGoldensShowEveryMember(t *testing.T) {
	shown := map[string]bool{}
	for _, g := range goldens(t) {
		line, err := Marshal(g.statement)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members(reflect.TypeOf(g.statement).Elem()) {
			if bytes.Contains(line, fmt.Appendf(nil, "%q:", m.name)) {
				shown[string(g.statement.Head().Type)+" "+m.name] = true
			}
		}
	}
	for _, typ := range Types() {
		s, _ := NewStatement(typ)
		for _, m := range members(reflect.TypeOf(s).Elem()) {
			seenTooEarly := m.name == "seen" && typ == "ledger.founded"
			ofHead := m.name == "not_after" && shown["pledge.offered "+m.name]
			if !seenTooEarly && !ofHead && !shown[string(typ)+" "+m.name] {
				t.Errorf("no golden file of %s has the member %q", typ, m.name)
			}
		}
	}
}

// A member is one of the members that a statement's JSON may have.
type member struct {
	name     string
	optional bool
	typ      reflect.Type
}

// members lists the JSON members of a struct in the order in which they are written.
func members(t reflect.Type) []member {
	var all []member
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			all = append(all, members(f.Type)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		all = append(all, member{name, options == "omitzero", f.Type})
	}
	return all
}
