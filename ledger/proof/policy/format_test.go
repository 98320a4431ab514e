package policy_test

import (
	"os"
	"strings"
	"testing"

	"muster/ledger/proof"
	"muster/ledger/proof/policy"
)

// The examples of a policy and of a cosigned checkpoint in FORMAT.md are read, and what is said of
// them is so.
func TestFormat(t *testing.T) {
	text, err := os.ReadFile("../FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	example := func(name string) []byte {
		t.Helper()
		_, rest, ok := strings.Cut(string(text), "<!-- "+name+" -->\n```\n")
		block, _, closed := strings.Cut(rest, "```\n")
		if !ok || !closed {
			t.Fatalf("FORMAT.md has no example %s", name)
		}
		return []byte(block)
	}
	p, err := policy.Parse(example("policy"))
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(example("key")))
	c, err := proof.OpenCheckpoint(example("cosigned"), key)
	plain, bad := proof.OpenCheckpoint(example("checkpoint"), key)
	if err != nil || bad != nil || c.Tree != plain.Tree || !p.Knows(key) {
		t.Errorf("the checkpoints are %v, %v and %v, %v", c, err, plain, bad)
	}
	w, err := p.Witnessed(c.Signed)
	if err != nil || w.String() != "witnessed by 2 of 3" || !w.Enough || w.Needs != 2 {
		t.Errorf("it is %v, %v", w, err)
	}
	if w, err := p.Witnessed(plain.Signed); err != nil || w.Enough || len(w.By) > 0 {
		t.Errorf("the first one is %v, %v", w, err)
	}
	for _, limit := range []string{"65536", "1024", "64 logs, 64 witnesses and 64 groups"} {
		if !strings.Contains(string(text), limit) {
			t.Errorf("FORMAT.md does not say the limit %s", limit)
		}
	}
}
