package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page says what is witnessed beside what is recorded, as the server's word; and what the
// browser checks by itself holds where signatures of witnesses stand under the checkpoint, which it
// verifies with the keys that are entered.
func TestPageWitnessed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	key := p.checkpointKey(t)
	b := newTab(t, p.url)
	b.open("/verify")
	b.says("#witnesses", "is witnessed by nobody")
	p.stop(t)

	w := witnessing(t, filepath.Join(dir, "witness"), "--name", "witness.example/fra", "--log",
		key)
	away := witnessing(t, filepath.Join(dir, "away"), "--name", "away.example/ita", "--log", key)
	if err := away.terminate(); err != nil {
		t.Fatal(err)
	}
	file := policyFile(t, key, 1, [3]string{"paris", w.key, w.url},
		[3]string{"rome", away.key, away.url})
	p = serving(t, p.dir, "--policy", file)
	p.isHealthy(t)
	if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Fatal(err)
	}
	p.awaitWitnessed(t, file, key, recordsOfBegin+1, 1)
	b = newTab(t, p.url)
	b.open("/verify?record=4")
	b.holds("The checkpoint of 4 records is signed")
	b.holds("Record 4 is in the tree of that checkpoint")
	b.says("#checkpoint", "— witness.example/fra ")
	b.wait("document.getElementById('receipt').textContent.includes('— witness.example/fra ')")
	b.says("#witnesses", "4 of its 4 records are witnessed, by 1 of its 2 witnesses. 1 further "+
		"signature stands under this checkpoint.")
	// The browser verifies it with the keys that it is given.
	policy, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	enter := func(keys string) {
		b.fill("#known-witnesses", keys)
		b.click("#know-witnesses")
	}
	enter(string(policy))
	b.says("#check-list", "Witnessed: 4 of the 4 records, by 1 of the 2 witnesses that were "+
		"entered here (witness.example/fra)")
	enter(away.key)
	b.says("#check-list", "None of the witnesses that were entered here (1) has signed")
	enter(key) // which is no witness's
	b.says("#check-list", "A line that was entered for witnesses has no key of a witness")
	enter(w.key)
	b.says("#check-list", "by 1 of the 1 witnesses")
	lying := between(t, p.url, func(path string, body []byte) []byte {
		i := bytes.Index(body, []byte("— witness.example/fra "))
		if strings.HasPrefix(path, "/checkpoint") && i >= 0 { // in the signature, and no form of it
			at := i + len("— witness.example/fra ") + 40
			body[at] = map[bool]byte{true: 'B', false: 'A'}[body[at] == 'A']
		}
		return body
	})
	b = newTab(t, lying)
	b.open("/verify")
	b.holds("The checkpoint of 4 records is signed")
	enter(w.key)
	b.says("#check-list", "None of the witnesses that were entered here (1) has signed")
	p.stop(t)
}
