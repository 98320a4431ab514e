package events

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"muster/events/problem"
)

// What arrives from outside ends in one of two ways: a statement that can be said again, or a
// problem with a sentence.

func FuzzParse(f *testing.F) {
	for _, g := range goldens(f) {
		line, err := Marshal(g.statement)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	for _, bad := range badInputs {
		f.Add(bad.text())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		sameAsParsedAtLeisure(t, text, s)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		line, err := Marshal(s)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", text, err)
		}
		again, err := Parse(line)
		if err != nil {
			t.Fatalf("%s was written and cannot be read: %v", line, err)
		}
		if !reflect.DeepEqual(s, again) {
			t.Fatalf("\n     read %+v\nand again %+v", s, again)
		}
		if subject := Subject(s); strings.Count(subject, ".") != 6 ||
			strings.ContainsAny(subject, "*> \r\n") {
			t.Fatalf("subject %q", subject)
		}
	})
}

// sameAsParsedAtLeisure checks that what is read in one pass is what is read step by step, and
// nothing more.
func sameAsParsedAtLeisure(t *testing.T, text []byte, s Statement) {
	t.Helper()
	usual, ok := parseUsual(text)
	if oneLine(text) != nil || !ok {
		return
	}
	c := &checker{}
	step, err := c.parse(text)
	if err != nil || len(c.fields) > 0 {
		t.Fatalf("%s is read in one pass, and step by step it is not: %v %v", text, err, c.fields)
	}
	if !reflect.DeepEqual(usual, step) || s != nil && !reflect.DeepEqual(s, step) {
		t.Fatalf("%s\nin one pass  %+v\nstep by step %+v", text, usual, step)
	}
}

func FuzzParseSigned(f *testing.F) {
	for _, msg := range goldenNotes(f) {
		f.Add(msg)
	}
	text, dash, sig := signedOffer(f)
	f.Add([]byte(text + dash + looseBits(f, sig) + "\n"))
	f.Add([]byte(text + dash + sig + "\n— HQ/test " + sig + "\n"))
	f.Add([]byte(text + "\n" + text + dash + sig + "\n"))
	for _, bad := range badInputs {
		f.Add(append(bad.text(), dash+sig+"\n"...))
	}
	signer := franceSigner(f)
	f.Fuzz(func(t *testing.T, msg []byte) {
		sent := bytes.Clone(msg)
		signed, err := ParseSigned(msg)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if !bytes.Equal(signed.Note, sent) {
			t.Fatalf("the note was changed to %q", signed.Note)
		}
		var unverified *note.UnverifiedNoteError
		if _, err := note.Open(msg, note.VerifierList()); !errors.As(err, &unverified) {
			t.Fatalf("%q is taken, and is no note: %v", msg, err)
		}
		if n := unverified.Note; !bytes.HasPrefix(msg, []byte(n.Text)) ||
			len(n.UnverifiedSigs) != 1 || n.UnverifiedSigs[0].Name != signed.KeyName ||
			n.UnverifiedSigs[0].Hash != signed.KeyHash {
			t.Fatalf("%q is read as signed by %s, and is the note %+v", msg, signed.SignedBy(), n)
		}
		verifier, err := signer.Key().Verifier()
		if err != nil {
			t.Fatal(err)
		}
		wrong := signed.VerifiedWith(verifier)
		if _, err := note.Open(msg, note.VerifierList(verifier)); (wrong == nil) != (err == nil) {
			t.Fatalf("%q: %v, and opened as a note: %v", msg, wrong, err)
		}
		if wrong != nil {
			return
		}
		// One text signed by one key has one note: nobody can send a second form of it.
		text, _, _ := strings.Cut(string(msg), "\n")
		want, err := note.Sign(&note.Note{Text: text + "\n"}, signer)
		if err != nil || !bytes.Equal(msg, want) {
			t.Fatalf("\nthis verifies %q\nand so does  %q", msg, want)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	for _, g := range goldens(f) {
		stored, err := os.ReadFile(g.file())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stored)
		f.Add(bytes.Replace(stored, []byte(`"v":1`), []byte(`"v":2`), 1))
		f.Add(bytes.Replace(stored, []byte("pledge"), []byte("pledgi"), 1))
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		was := bytes.Clone(stored)
		rec, err := ParseRecord(1, stored)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if !bytes.Equal(rec.Stored, was) || !bytes.HasSuffix(was, rec.Note) {
			t.Fatalf("the record's bytes were changed to %q", rec.Stored)
		}
		again, err := NewRecord(1, rec.Recorded, rec.By, rec.Signed)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseRecord(1, again.Stored)
		if err != nil {
			t.Fatalf("%q: %v", again.Stored, err)
		}
		if back.By != rec.By || !back.Recorded.Equal(rec.Recorded) ||
			!bytes.Equal(back.Note, rec.Note) {
			t.Fatalf("\n     read %+v\nand again %+v", rec, back)
		}
	})
}

func goldenNotes(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	notes := make([][]byte, len(files))
	for i, file := range files {
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, notes[i], _ = bytes.Cut(stored, []byte("\n"))
	}
	return notes
}

// checkRefusal checks that a refusal is a problem that tells a person something, and not a page of
// it.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	p := problem.From(err)
	if p.Kind == problem.Internal || p.Detail == "" {
		t.Fatalf("refused without a reason: %#v", err)
	}
	if len(err.Error()) > 64<<10 {
		t.Fatalf("refused in %d bytes", len(err.Error()))
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		t.Fatalf("the refusal would write to a terminal more than text: %q", err)
	}
}
