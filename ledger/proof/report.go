package proof

import (
	"fmt"
	"io"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
)

// An Outcome is what became of one check.
type Outcome string

// The outcomes. Only Failed is bad; NotChecked says that this could not be, or was not to be,
// looked at.
const (
	Verified   Outcome = "verified"
	Failed     Outcome = "failed"
	NotChecked Outcome = "not checked"
)

// A Check is one thing that was looked at, or not, in words for people.
type Check struct {
	// Name is stable, for programs: records, tree, tiles, checkpoint, known, since, signatures,
	// older, rules, seen, withheld, times, clock, witnessed, file, index, tail, copy, stream; and
	// for a bundle of one pledge proofs, roster.
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"`
}

// A Fault is the first thing that is wrong.
type Fault struct {
	// Sequence is the first record that is not what it should be, or is missing; 0 when it cannot
	// be told which it is.
	Sequence uint64 `json:"sequence,omitempty"`
	// Check names the check that found it.
	Check string `json:"check"`
	// Code is the code of the rule that was broken, from package rules, when it was one of those.
	Code string `json:"code,omitempty"`
	// What says what is wrong, in a sentence without a capital or a full stop.
	What string `json:"what"`
}

// String says where the fault is, and what it is.
func (f *Fault) String() string {
	if f.Sequence == 0 {
		return f.What
	}
	return fmt.Sprintf("record %d: %s", f.Sequence, f.What)
}

// Covered is what a good checkpoint says, and who has signed it.
type Covered struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
	// Key is the checkpoint key, as signatures name it: name and hash.
	Key string `json:"key"`
	// Claimed is true when nobody but the source itself has said that the key is the ledger's.
	Claimed bool `json:"claimed"`
}

func covered(c *Checkpoint, key TrustedKey) *Covered {
	return &Covered{c.N, c.Hash.String(), c.By, key.Claimed}
}

// A Report is what a verification has found. Its JSON members are added to, never renamed.
type Report struct {
	// Of says what was verified: "the folder ledger", "the bundle 2026.muster".
	Of string `json:"of"`
	// OK is true when everything that was looked at is as it should be.
	OK     bool          `json:"ok"`
	Origin events.Origin `json:"origin,omitempty"`
	// Records is how many were read; the recorded times are those of the first and the last that
	// could be.
	Records       uint64 `json:"records"`
	FirstRecorded string `json:"first_recorded,omitempty"`
	LastRecorded  string `json:"last_recorded,omitempty"`
	// View names those for whom the source was made; "" for all. Withheld is how many of the
	// records those may not read: of these, nothing but their places in the tree was verified.
	View     events.View `json:"view,omitempty"`
	Withheld uint64      `json:"withheld,omitempty"`
	// Older is of how many records a checkpoint is that was verified before, where these are
	// fewer; 0 where they are not.
	Older int64 `json:"older,omitempty"`
	// WentBack is true where the very key that has signed for these has signed for more, and the
	// source should have no reason to be behind: so they are not what the ledger is now. OK says
	// only that nothing is wrong with those that are here.
	WentBack bool `json:"went_back,omitempty"`
	// Begins is true where it was proved that these are the first of the Older records. Where it
	// is not, what went back may be another history, of which nobody shows the rest.
	Begins bool `json:"begins,omitempty"`
	// Root is that of the Merkle tree over all records that were read, in base 64; empty where only
	// some of them were.
	Root string `json:"root,omitempty"`
	// Checkpoint is the one whose signature was verified and which fits; nil when none does.
	Checkpoint *Covered `json:"checkpoint,omitempty"`
	Checks     []Check  `json:"checks"`
	// Fault is the first thing that is wrong; nil when nothing is.
	Fault *Fault `json:"fault,omitempty"`
	// Said are the statements that a bundle of one pledge shows, in order; nil for a whole ledger.
	Said []Said `json:"said,omitempty"`
	// Unheard are the further keys of nations that none of the nation's liaisons has seconded.
	Unheard []Unheard `json:"unheard,omitempty"`
	// Other are two checkpoints that cannot both be true, one known before and one of what was
	// verified, both signed with keys that are trusted: the evidence. Nil when there are none.
	Other *OtherHistory `json:"-"`
	// CannotShow lists what no look at these records could have shown.
	CannotShow []string `json:"cannot_show,omitempty"`
}

// Add adds a check.
func (r *Report) Add(name string, outcome Outcome, format string, args ...any) {
	r.Checks = append(r.Checks, Check{name, outcome, fmt.Sprintf(format, args...)})
}

// Compared says to people, of what went back, whether it is known that it is the beginning of what
// was signed before.
func (r Report) Compared() string {
	if r.Begins {
		return "these are the first of them"
	}
	return "whether these are the first of them is not known, for nobody shows their tree"
}

// Write writes the report for people.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", problem.Line(r.Of), english.Several(r.Records, "record"))
	if r.Withheld > 0 {
		fmt.Fprintf(&b, " (%d of them withheld)", r.Withheld)
	}
	if r.Origin != "" {
		fmt.Fprintf(&b, " of the ledger %s", r.Origin)
	}
	if r.FirstRecorded != "" {
		fmt.Fprintf(&b, ", recorded from %s to %s", r.FirstRecorded, r.LastRecorded)
	}
	b.WriteString("\n\n")
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-11s  %-10s  %s\n", c.Outcome, c.Name, problem.Line(c.Text))
	}
	for i, s := range r.Said {
		if i == 0 {
			b.WriteString("\nWhat was said:\n")
		}
		fmt.Fprintf(&b, "%d  %s  %s  %s\n   %s\n", s.Sequence, s.Recorded, s.Type,
			problem.Line(s.Signer), problem.Line(s.Statement))
	}
	for i, text := range r.CannotShow {
		if i == 0 {
			b.WriteString("\nWhat this cannot show:\n")
		}
		fmt.Fprintf(&b, "- %s\n", problem.Line(text))
	}
	switch {
	case r.Fault != nil:
		fmt.Fprintf(&b, "\nVERIFICATION FAILED. First of all, %s.\n",
			problem.Line(r.Fault.String()))
	case r.Withheld > 0:
		fmt.Fprintf(&b, "\nEverything that was looked at is as it should be. %s could not be "+
			"read.\n",
			english.Several(r.Withheld, "record"))
	default:
		b.WriteString("\nEverything that was looked at is as it should be.\n")
	}
	if r.Fault == nil && r.WentBack {
		fmt.Fprintf(&b, "But it is AN OLDER STATE: %d records were verified before; %s.\n", r.Older,
			r.Compared())
	}
	_, err := io.WriteString(w, b.String())
	return err
}
