package policy_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
)

const origin = "muster.example/test"

func newLog(tb interface{ Fatal(...any) }) *proof.CheckpointSigner {
	secret, err := proof.NewCheckpointKey(origin)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := proof.NewCheckpointSigner(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func newWitness(tb interface{ Fatal(...any) }, name string) *torchwood.CosignatureSigner {
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := torchwood.NewCosignatureSigner(name, secret)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func cosigned(tb interface{ Fatal(...any) }, log *proof.CheckpointSigner,
	by ...*torchwood.CosignatureSigner) []byte {
	signed, err := log.Sign(tlog.Tree{N: 7, Hash: tlog.RecordHash([]byte("a tree"))})
	if err != nil {
		tb.Fatal(err)
	}
	for _, w := range by {
		text, _, _ := strings.Cut(string(signed), "\n\n")
		line, err := note.Sign(&note.Note{Text: text + "\n"}, w)
		if err != nil {
			tb.Fatal(err)
		}
		_, lines, _ := strings.Cut(string(line), "\n\n")
		signed = append(signed, lines...)
	}
	return signed
}

// Two of three witnesses are as many as the policy asks for, and one is not.
func TestWitnessed(t *testing.T) {
	log := newLog(t)
	a, b, c := newWitness(t, "w.example/a"), newWitness(t, "w.example/b"),
		newWitness(t, "w.example/c")
	file := filepath.Join(t.TempDir(), "policy")
	text := fmt.Sprintf("# a remark\nlog %s\n\nwitness a %s https://a.example/\n\twitness b\t%s\n"+
		"witness c %s http://127.0.0.1:1\ngroup two 2 a b c\nquorum two", log.Key(),
		a.Verifier(), b.Verifier(), c.Verifier())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := policy.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Witnesses) != 3 || p.Witnesses[0].URL != "https://a.example/" || p.Needs() != 2 ||
		!p.Knows(log.Key()) || p.Knows(newLog(t).Key()) {
		t.Errorf("it is read as %+v", p)
	}
	stranger := newWitness(t, "w.example/a")
	for _, x := range []struct {
		by     []*torchwood.CosignatureSigner
		says   string
		enough bool
	}{
		{nil, "not witnessed by any of 3: the policy asks for more, at least 2", false},
		{[]*torchwood.CosignatureSigner{stranger}, "not witnessed by any of 3: the policy asks " +
			"for more, at least 2", false},
		{[]*torchwood.CosignatureSigner{c}, "witnessed by 1 of 3: the policy asks for more, at " +
			"least 2", false},
		{[]*torchwood.CosignatureSigner{c, stranger, c}, "witnessed by 1 of 3: the policy asks " +
			"for more, at least 2", false},
		{[]*torchwood.CosignatureSigner{c, stranger, a}, "witnessed by 2 of 3", true},
		{[]*torchwood.CosignatureSigner{c, b, a}, "witnessed by 3 of 3", true},
	} {
		w, err := p.Witnessed(cosigned(t, log, x.by...))
		if err != nil || w.String() != x.says || w.Enough != x.enough {
			t.Errorf("%v, %v: want %s", w, err, x.says)
		}
		if len(w.By) == 2 && (w.By[0].Witness != "a" || w.By[0].At.IsZero() ||
			w.First().After(w.By[1].At)) {
			t.Errorf("it is witnessed by %+v", w.By)
		}
	}
	signed := cosigned(t, log, a)
	altered := strings.Replace(string(signed), "\n7\n", "\n8\n", 1)
	if w, err := p.Witnessed([]byte(altered)); err == nil {
		t.Errorf("an altered checkpoint is %v", w)
	}
}

// Each line that is wrong is named, with what to write there.
func TestWrongPolicies(t *testing.T) {
	log := newLog(t).Key()
	a, b := newWitness(t, "w.example/a").Verifier().String(),
		newWitness(t, "w.example/b").Verifier().String()
	again := strings.Replace(a, "w.example/a", "w.example/x", 1)
	neutral := newKey(t, "w.example/n", append([]byte{1}, make([]byte, 31)...))
	many := strings.Repeat("#\n", 3)
	for i := range 65 {
		many += fmt.Sprintf("witness w%d %s\n", i, newWitness(t, "w.example").Verifier())
	}
	for text, says := range map[string]string{
		"":                            "no line quorum",
		"quorum nobody":               `line 1 of the policy: there is no witness and no group "nobody"`,
		"quorum none\nquorum none":    "line 2 of the policy: a line quorum",
		"quorum none none":            "line 1",
		"log\nquorum none":            "line 1 of the policy: it has 0 items",
		"log " + a:                    "line 1",
		"log " + log + "\nlog " + log: "line 2 of the policy: the same key",
		"witness a " + a + "\nwitness b " + again: "line 2",
		"witness a " + a + "\nwitness b " + a:     "line 2 of the policy: the same key",
		"witness a " + a + "\nwitness a " + b:     `line 2 of the policy: the name "a"`,
		"witness none " + a:                       "line 1",
		"witness a " + log:                        "line 1",
		"witness a " + neutral:                    "believed",
		"witness a " + a + " ftp://x":             `line 1 of the policy: "ftp://x" is no address`,
		"witness a " + a + " https://x/ y":        "line 1 of the policy: it has 4 items",
		"witness a " + a + "\r\nquorum a":         `it has the control character "\r"`,
		"witness a " + a + "\ngroup g 2 a":        `line 2 of the policy: "2" is no number`,
		"witness a " + a + "\ngroup g 01 a":       `line 2 of the policy: "01" is no number`,
		"witness a " + a + "\ngroup g 1 a a":      `line 2 of the policy: "a" is in a group already`,
		"group g 1 a\nwitness a " + a:             `line 1 of the policy: there is no witness`,
		"group g any none":                        `line 1 of the policy: there is no witness`,
		"witness a " + a + "\nquorum a # one":     "line 2",
		"threshold 2":                             `line 1 of the policy: "threshold" is no word`,
		many + "quorum none":                      "line 68 of the policy: there are more than 64",
		strings.Repeat("# x\n", 1<<15):            "bytes",
		"# " + strings.Repeat("x", 2000):          "line 1 of the policy: it has 2002 bytes",
		"witness a " + strings.Repeat("+", 900):   "line 1",
	} {
		p, err := policy.Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), says) || problem.Of(err).Hint == "" {
			t.Errorf("%.200q: %v, %v; want %s", text, p, err, says)
		}
	}
}

// newKey is the key of a witness with this public half.
func newKey(t *testing.T, name string, public []byte) string {
	t.Helper()
	data := append([]byte{4}, public...)
	hash := sha256.Sum256(append([]byte(name+"\n"), data...))
	return fmt.Sprintf("%s+%x+%s", name, hash[:4], base64.StdEncoding.EncodeToString(data))
}

// What is enough, another reader of policies says too.
func TestPolicyAgreesWithTorchwood(t *testing.T) {
	log := newLog(t)
	var all []*torchwood.CosignatureSigner
	for i := range 6 {
		all = append(all, newWitness(t, fmt.Sprintf("w.example/%d", i)))
	}
	rapid.Check(t, func(t *rapid.T) {
		text := "log " + log.Key() + "\n"
		var free []string
		for i, w := range all[:rapid.IntRange(1, len(all)).Draw(t, "witnesses")] {
			free = append(free, fmt.Sprint("w", i))
			text += fmt.Sprintf("witness w%d %s\n", i, w.Verifier())
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "groups") {
			n := rapid.IntRange(1, len(free)).Draw(t, "members")
			free = rapid.Permutation(free).Draw(t, "order")
			many := rapid.SampledFrom([]string{"any", "all",
				fmt.Sprint(rapid.IntRange(1, n).Draw(t, "many"))}).Draw(t, "how many")
			text += fmt.Sprintf("group g%d %s %s\n", i, many, strings.Join(free[:n], " "))
			free = append(free[n:], fmt.Sprint("g", i))
		}
		text += "quorum " + rapid.SampledFrom(append(free, "none")).Draw(t, "quorum") + "\n"
		p, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		theirs, err := torchwood.ParsePolicy([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var by []*torchwood.CosignatureSigner
		for _, w := range all {
			if rapid.Bool().Draw(t, "signs") {
				by = append(by, w)
			}
		}
		signed := cosigned(t, log, by...)
		n, err := note.Open(signed, theirs)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := p.Witnessed(signed)
		if want := theirs.Check(origin, n.Sigs) == nil; err != nil || ours.Enough != want {
			t.Fatalf("%v, %v; torchwood says %t of\n%s", ours, err, want, text)
		}
		if ours.Enough && len(ours.By) < p.Needs() {
			t.Fatalf("%d are enough, and it needs %d:\n%s", len(ours.By), p.Needs(), text)
		}
	})
}
