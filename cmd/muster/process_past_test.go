package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger/proof"
)

// checkpoint saves a running server's checkpoint, as anybody could who has asked for it.
func (p *serverProcess) checkpoint(t *testing.T) (path string) {
	t.Helper()
	status, body := get(t, p.url+"/checkpoint")
	path = filepath.Join(t.TempDir(), "checkpoint")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil || status != 200 {
		t.Fatalf("no checkpoint: status %d, %v", status, err)
	}
	return path
}

// Whoever has kept a checkpoint notices an old copy that was put back, and a past that was written
// anew, also where all that the server has fits together: nobody has signed an envelope, and who
// lost the journal has lost the tree.
func TestThePastIsAnother(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someStoppedLedger(t)
	old := l.copied(t)
	p := serving(t, l.dir)
	l.write(t, p, 8)
	kept := p.checkpoint(t)
	if code, out, said := says(t, "verify", p.url, "--since", kept); code != 0 ||
		!strings.Contains(out, "the first 51 records are still those") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	p.stop(t)
	isFound(t, "an old copy",
		`record 44: it is missing: the checkpoint to begin with is of 51 records, and here are 43`,
		old, "--since", kept)
	p = serving(t, old)
	isFound(t, "an old copy that runs", `record 44: it is missing: the checkpoint to begin with`,
		p.url, "--since", kept)
	p.stop(t)

	other := l.copied(t)
	inBlock(t, l.dir, otherEnvelope)
	remove(t, filepath.Join(l.dir, server.JournalFile))
	p = serving(t, l.dir)
	if code, out, said := says(t, "verify", p.url); code != 0 {
		t.Errorf("what fits together: exit code %d:\n%s%s", code, out, said)
	}
	isFound(t, "an envelope",
		`the first 51 records make the root .*, and the checkpoint to begin with has .*: some record was altered, put in or left out`, p.url, "--since", kept)
	p.stop(t)
	seesAnotherPast(t, l, other, kept)
}

// otherEnvelope changes what a server has written around record 20, which nobody has signed.
func otherEnvelope(all []blockRecord) []blockRecord {
	all[19].data = bytes.Replace(all[19].data, []byte(`,"by":"`), []byte(`,"by":"x`), 1)
	return all
}

// seesAnotherPast has a member say in a statement what checkpoint it has seen. From then on the
// ledger itself tells when what that one covers is another: a server that is to follow it refuses.
func seesAnotherPast(t *testing.T, l *stoppedLedger, dir, kept string) {
	t.Helper()
	signedCheckpoint, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	c, err := proof.ReadCheckpoint(signedCheckpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := serving(t, dir)
	offer := l.c.offerOf(7)
	offer.Seen = &events.Seen{Size: c.N, Root: c.Hash.String()}
	if _, err := p.client().Submit(t.Context(), signed(t, offer, l.c.paris)); err != nil {
		t.Fatal(err)
	}
	p.stop(t)
	if code, out, said := says(t, "verify", dir); code != 0 ||
		!strings.Contains(out, "1 statement names an earlier tree") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	inBlock(t, dir, otherEnvelope)
	remove(t, filepath.Join(dir, server.JournalFile))
	if code, said := launch(t, dir).ends(t); code != 7 ||
		!strings.Contains(said,
			"at sequence 52 the stream holds what is no record: the signer has seen 51 records "+
				"with the root "+c.Hash.String()) {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

// A bundle is found out as well, whatever was done to it.
func TestTamperedBundle(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someStoppedLedger(t)
	path := filepath.Join(t.TempDir(), "ledger.bundle")
	if code, _, said := says(t, "export", "bundle", path, "--data", l.dir); code != 0 {
		t.Fatal(said)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"quantity":100`: `"quantity":101`, `,"by":"`: `,"by" :"`, "record 20 ": "record 21 ",
		"\nend 43":         "\nend 44",
		"muster-bundle v1": "muster-bundle v3", "muster-bundle v1 ": "muster-bundle v2 ",
		"\n43\n": "\n42\n",
	} {
		if err := os.WriteFile(path, bytes.Replace(good, []byte(from), []byte(to), 1),
			0o600); err != nil {
			t.Fatal(err)
		}
		code, out, said := says(t, "verify", path)
		if from == "muster-bundle v1" {
			if code != 7 || !strings.Contains(said, "use a newer muster") {
				t.Errorf("%q: exit code %d:\n%s%s", to, code, out, said)
			}
		} else if code != 8 || !strings.Contains(out, "VERIFICATION FAILED") ||
			!strings.Contains(said, "muster: error: verification failed: ") {
			t.Errorf("%q: exit code %d:\n%s%s", to, code, out, said)
		}
	}
}
