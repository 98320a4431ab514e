package events

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"muster/events/problem"
)

// A draft of the golden offer, as FORMAT.md shows it.
func TestDraft(t *testing.T) {
	golden, err := os.ReadFile(goldenDir + "/pledge.offered.txt")
	if err != nil {
		t.Fatal(err)
	}
	rec, err := ParseRecord(1, golden)
	if err != nil {
		t.Fatal(err)
	}
	draft, err := SignDraft(rec.Statement, franceSigner(t))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(formatText(t), "```draft\n")
	if example, _, _ := strings.Cut(rest, "```\n"); example != string(draft.Note) {
		t.Errorf("FORMAT.md should show\n%s\nand shows\n%s", draft.Note, example)
	}
	// Nobody takes it for a statement, and all that it says is what the statement says.
	if _, err := ParseSigned(draft.Note); !problem.Is(err, problem.Syntax) ||
		!strings.Contains(err.Error(), "a draft of a statement") {
		t.Errorf("as a statement: %v", err)
	}
	if r, err := NewRecord(2, time.Now(), "test", draft); err == nil {
		t.Errorf("it was recorded:\n%s", r.Stored)
	}
	stored := append(bytes.Clone(golden[:bytes.IndexByte(golden, '\n')+1]), draft.Note...)
	if _, err := ParseRecord(2, stored); err == nil {
		t.Error("a record with it is read")
	}
	read, err := ParseDraft(draft.Note)
	if err != nil || !read.IsDraft() || !read.SaysTheSame(rec.Signed) || rec.IsDraft() {
		t.Errorf("%v, %+v", err, read)
	}
	if err := read.VerifiedBy(franceSigner(t).Key()); err != nil {
		t.Error(err)
	}
	// Its signature is not the statement's, in neither direction.
	under := bytes.TrimPrefix(draft.Note, []byte(draftTitle))
	if s, err := ParseSigned(under); err != nil || s.VerifiedBy(franceSigner(t).Key()) == nil {
		t.Errorf("without its first line: %v", err)
	}
	over := append([]byte(draftTitle), rec.Note...)
	if s, err := ParseDraft(over); err != nil || s.VerifiedBy(franceSigner(t).Key()) == nil {
		t.Errorf("a statement with its first line: %v", err)
	}
	for what, text := range map[string]string{"nothing else": draftTitle, "no note": "{}\n",
		"two titles": draftTitle + string(draft.Note)} {
		if _, err := ParseDraft([]byte(text)); !problem.Is(err, problem.Syntax) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if s, err := ParseDraft(rec.Note); err != nil || s.IsDraft() { // it is taken, too
		t.Errorf("a statement: %v", err)
	}
}
