package main

import (
	"path/filepath"
	"testing"
)

// The page says what is witnessed beside what is recorded, as the server's word; and what the
// browser checks by itself holds where signatures of witnesses stand under the checkpoint.
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
	p.stop(t)
}
