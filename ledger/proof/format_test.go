package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
)

var update = flag.Bool("update", false, "write the examples of FORMAT.md anew")

// exampleOfView is a ledger of which the coalition may not read the fourth record.
func exampleOfView(t *testing.T) *history {
	h := historyWith(t, exampleSecret(t))
	private := h.offer(900)
	private.Release = events.CoordinatorsOnly
	h.say(private, h.paris)
	return h.offers(1)
}

// exampleSecret makes secret keys from their names.
func exampleSecret(t *testing.T) func(name string) string {
	return func(name string) string {
		seed := sha256.Sum256([]byte("an example for muster: " + name))
		public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
		vkey, err := note.NewEd25519VerifierKey(name, public)
		if err != nil {
			t.Fatal(err)
		}
		hash := strings.Split(vkey, "+")[1]
		return fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, hash,
			base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	}
}

// exampleHistory is the ledger of the examples: its keys are made from their names, so that it is
// the same every time.
func exampleHistory(t *testing.T) (h *history, pledge events.ID) {
	h = historyWith(t, exampleSecret(t))
	h.offers(2)
	offer := h.offer(1200)
	h.say(offer, h.paris)
	h.say(&events.PledgeAccepted{PledgeStep: events.PledgeStep{Header: h.head("pledge.accepted"),
		Dated: events.Dated{Effective: testDay},
		Place: offer.Place, Step: events.Step{Pledge: offer.ID}}}, h.founder)
	return h, offer.ID
}

// The examples in FORMAT.md are what the code writes, byte for byte, and what it reads.
func TestFormat(t *testing.T) {
	h, pledge := exampleHistory(t)
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	private := exampleOfView(t)
	examples := map[string][]byte{"bundle-of-a-view": bundleOfView(t, private, events.CoalitionView,
		4), "checkpoint": h.checkpoint(), "key": []byte(h.vkey + "\n"),
		"bundle": bundleOf(t, h, pledge), "receipt": receiptOfHistory(t, h, pledge).Text()}
	for name, want := range examples {
		got, before, after := example(t, text, name)
		if *update {
			text = bytes.Join([][]byte{before, want, after}, nil)
		} else if !bytes.Equal(got, want) {
			t.Errorf("the example %s is\n%s\nand the code writes\n%s(go test -update writes it "+
				"anew)", name, got, want)
		}
	}
	if *update {
		if err := os.WriteFile("FORMAT.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	bundle, _, _ := example(t, text, "bundle")
	key, _, _ := example(t, text, "key")
	r := verifiedFile(t, bundle,
		Options{Key: TrustedKey{Verifier: strings.TrimSpace(string(key)), Why: "is in FORMAT.md"}})
	if !r.OK || outcomes(r)["checkpoint"] != Verified || len(r.Said) != 2 {
		t.Error(describe(r))
	}
	bundle, _, _ = example(t, text, "bundle-of-a-view")
	r = verifiedFile(t, bundle,
		Options{Key: TrustedKey{Verifier: strings.TrimSpace(string(key)), Why: "is in FORMAT.md"}})
	if !r.OK || outcomes(r)["checkpoint"] != Verified || r.Withheld != 1 ||
		r.View != events.CoalitionView {
		t.Error(describe(r))
	}
}

// receiptOfHistory is the receipt of the record that a statement made.
func receiptOfHistory(t *testing.T, h *history, id events.ID) Receipt {
	t.Helper()
	i := slices.IndexFunc(h.records, func(r events.Record) bool {
		return r.Statement.Head().ID == id
	})
	p, err := tlog.ProveRecord(h.tree.size, int64(i), &h.tree)
	if err != nil {
		t.Fatal(err)
	}
	r := Receipt{Key: h.vkey, Signer: h.paris.Key(), Record: h.records[i].Stored,
		Proof: torchwood.FormatProof(int64(i), p, h.checkpoint())}
	if in, err := r.Check(h.vkey); err != nil || in.Record.Sequence != uint64(i)+1 {
		t.Fatal(err)
	}
	return r
}

// example returns the block of text that follows the line <!-- name --> in a fence, and what is
// before and after it.
func example(t *testing.T, text []byte, name string) (block, before, after []byte) {
	t.Helper()
	mark := []byte("<!-- " + name + " -->\n```\n")
	i := bytes.Index(text, mark)
	if i < 0 {
		t.Fatalf("FORMAT.md has no example %s", name)
	}
	i += len(mark)
	n := bytes.Index(text[i:], []byte("```\n"))
	if n < 0 {
		t.Fatalf("the example %s has no end", name)
	}
	return text[i : i+n], text[:i], text[i+n:]
}

// FORMAT.md names every member of a report, every check and every limit.
func TestFormatIsComplete(t *testing.T) {
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	named := func(what string) {
		if !bytes.Contains(text, []byte("`"+what+"`")) {
			t.Errorf("FORMAT.md does not say what `%s` is", what)
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[Report](), reflect.TypeFor[Check](),
		reflect.TypeFor[Fault](), reflect.TypeFor[Said](), reflect.TypeFor[Covered]()} {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name != "-" {
				named(name)
			}
		}
	}
	for _, name := range []string{"records", "tree", "tiles", "checkpoint", "known", "since",
		"signatures", "older", "rules", "seen", "file", "index", "stream",
		"proofs", "roster", "withheld", "times", "in-part", "views"} {
		named(name)
	}
	for _, n := range []int{maxRecord, maxProof, MaxCheckpoint, maxBundleRow} {
		named(fmt.Sprint(n))
	}
}

func TestReportAsJSON(t *testing.T) {
	h := newHistory(t).offers(3)
	all := h.entries()
	all[4].Stored = []byte("hello")
	data, err := json.Marshal(verified(t, h.source(all), h.trusted()))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		OK    *bool
		Fault struct {
			Sequence int
			Check    string
		}
		Checks []struct{ Name, Outcome, Text string }
	}
	if err := json.Unmarshal(data, &r); err != nil || r.OK == nil || *r.OK ||
		r.Fault.Sequence != 5 || r.Fault.Check != "records" || len(r.Checks) < 5 {
		t.Errorf("%v %s", err, data)
	}
}
