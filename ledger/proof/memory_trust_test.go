package proof_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
)

// What is remembered is listed; a key is forgotten without what it has signed; and a ledger is set
// aside with what is evidence.
func TestMemoryOfAll(t *testing.T) {
	m := proof.Memory{Dir: filepath.Join(t.TempDir(), "with[odd]*name")}
	if all, err := m.All(); err != nil || len(all) != 0 {
		t.Fatalf("%v, %v", all, err)
	}
	first, second := newCheckpointSigner(t, checkpointOrigin), newCheckpointSigner(t,
		checkpointOrigin)
	other := newCheckpointSigner(t, "another.example/ledger")
	for _, s := range []*proof.CheckpointSigner{first, second, other} {
		if err := m.Trust(s.Key()); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := proof.OpenCheckpoint(signedTree(t, first, someTree), first.Key())
	if err == nil {
		err = m.Saw(seen, proof.Known{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Evidence(&proof.OtherHistory{Seen: seen, Shown: seen},
		time.Now()); err != nil {
		t.Fatal(err)
	}
	all, err := m.All()
	if err != nil || len(all) != 2 || all[0].Origin != "another.example/ledger" ||
		all[1].Origin != checkpointOrigin {
		t.Fatalf("%+v, %v", all, err)
	}
	if r := all[1]; len(r.Keys) != 2 || len(r.By) != 1 || len(r.Evidence) != 2 || r.Damage != nil {
		t.Errorf("%+v", r)
	}

	for range proof.MaxEvidence + 1 { // what is shown again is kept once
		if _, _, err := m.Evidence(&proof.OtherHistory{Seen: seen, Shown: seen},
			time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Distrust(first.Key()); err != nil {
		t.Fatal(err)
	}
	if err := m.Distrust(first.Key()); !problem.Is(err, problem.NotFound) {
		t.Errorf("forgotten twice: %v", err)
	}
	if k, err := m.Of(checkpointOrigin); err != nil || len(k.Keys) != 1 || len(k.By) != 0 {
		t.Errorf("%+v, %v", k, err)
	}
	if err := m.Trust(first.Key()); err != nil {
		t.Fatal(err)
	}
	if k, err := m.Of(checkpointOrigin); err != nil || k.By[seen.By].Tree != someTree {
		t.Errorf("what was seen is forgotten: %+v, %v", k, err)
	}

	aside, err := m.SetAside(checkpointOrigin, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(strings.NewReplacer("[", `\[`, "*", `\*`).Replace(aside) +
		"/other-history-*"); err != nil || len(files) != 2 {
		t.Errorf("the evidence is gone: %v, %v", files, err)
	}
	if all, err := m.All(); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, none := range []events.Origin{checkpointOrigin, "..", "no ledger"} {
		if _, err := m.SetAside(none, time.Now()); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", none, err)
		}
	}

	keys := filepath.Join(m.Dir, "another.example%2Fledger", "keys")
	if err := os.WriteFile(keys, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := m.All(); err != nil || len(all) != 1 || all[0].Damage == nil {
		t.Errorf("damage is not told: %+v, %v", all, err)
	}
}
