package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"muster/ledger/intake"
	"muster/ledger/proof"
)

// The page says "Recorded" when the receipt proves it, and never because a server, or what stands
// before it, says so. Where it does not, the signed statement is kept, and sent again as it is.
func TestPageUnprovedReceipt(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	var told atomic.Value // a func(*lie)
	between := between(t, url, func(path string, body []byte) []byte {
		change, ok := told.Load().(func(*lie))
		r := &lie{t: t}
		if path != intake.Path || !ok || json.Unmarshal(body, &r.Receipt) != nil {
			return body
		}
		change(r)
		body, err := json.Marshal(r.Receipt)
		if err != nil {
			t.Error(err)
		}
		return body
	})
	own, err := os.ReadFile(filepath.Join(dir, "checkpoint.key"))
	if err != nil {
		t.Fatal(err)
	}
	france := newAuthor(t, url, dir, "keys/FRA-demo.key")
	before := france.signs("scope.declared", map[string]any{"unlimited": true})
	elsewhere, err := france.client.Submit(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.Note = string(before.Note)
	stranger, err := proof.NewCheckpointKey(france.origin)
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t, between)
	offerByForm(b, "9")
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "FRA-demo.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	for what, c := range map[string]struct {
		lie func(*lie)
		why string
	}{
		"no envelope": {func(r *lie) { r.Envelope = "rubbish" },
			"receipt is none"},
		"another time": {func(r *lie) { r.Recorded = "2026-01-01T00:00:00.000000Z" },
			"first line"},
		"another server": {func(r *lie) { r.By += "x" },
			"first line"},
		"an envelope of more": {func(r *lie) { r.Envelope += " " },
			"first line"},
		"an envelope of another server": {func(r *lie) {
			r.Envelope, r.By = strings.Replace(r.Envelope, `"by":"`, `"by":"x`, 1), "x"+r.By
		},
			"not in the tree"},
		"another hash": {func(r *lie) { r.line(2, flip) },
			"not in the tree"},
		"no hash": {func(r *lie) { r.line(2, func(string) string { return "" }) },
			"is none"},
		"another index": {func(r *lie) { r.line(1, func(string) string { return "index 3" }) },
			"another record"},
		"another sequence": {func(r *lie) {
			r.Sequence, r.LeafIndex = r.Sequence-1, r.LeafIndex-1
		},
			"another record"},
		"another root": {func(r *lie) { r.line(-3, flip) },
			"is wrong"},
		"another size": {func(r *lie) { r.line(-4, func(s string) string { return s + "0" }) },
			"is wrong"},
		"no size at all": {func(r *lie) {
			r.line(-4, func(string) string { return "4611686018427387905" })
		},
			"is none"},
		"another signature": {func(r *lie) { r.line(-1, flip) },
			"is wrong"},
		"no signature": {func(r *lie) { r.line(-1, func(string) string { return "" }) },
			"not signed"},
		"another key": {func(r *lie) { r.under(proof.NewCheckpointSigner(stranger)) },
			"not signed"},
		"a root that the key has signed": {func(r *lie) {
			r.under(proof.NewCheckpointSigner(string(own)))
		},
			"not in the tree"},
		"an earlier receipt": {func(r *lie) { r.Proof = elsewhere.Proof },
			"another record"},
		"another id": {func(r *lie) { r.ID = elsewhere.ID },
			"another record"},
		"another statement": {func(r *lie) { r.Note = elsewhere.Note },
			"not what was signed"},
		"no proof": {func(r *lie) { r.Proof = "" },
			"is none"},
		"nothing but that it is": {func(r *lie) {
			r.Receipt = intake.Receipt{Sequence: r.Sequence}
		},
			"is none"},
		"a sequence out of range": {func(r *lie) { r.Sequence = 1 << 60 },
			"is none"},
	} {
		told.Store(c.lie)
		b.click("#sign-send")
		b.says("#sign-problem", "It is not known whether it was recorded.")
		b.says("#sign-problem", c.why)
		if said := b.text("#content"); strings.Contains(said, "Recorded as record") {
			t.Errorf("%s: the page says that it is recorded:\n%s", what, said)
		}
		b.wait("!document.getElementById('sign-send').disabled")
	}
	b.shot("submit-unproved")
	b.axe()
	note := filepath.Join(t.TempDir(), "kept.note")
	b.download("#signed-note", note)
	told.Store(func(*lie) {})
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record 57")
	b.says("#sign-done", "It was recorded before")

	// What was kept is what is recorded, and the saved receipt has the signer's key.
	u := newUser(t)
	if out, _ := u.content(t, "submit", note, "--url", url); !strings.Contains(out, "57") {
		t.Errorf("the statement that was kept is recorded as\n%s", out)
	}
	receipt := filepath.Join(t.TempDir(), "saved.receipt")
	b.download("#receipt", receipt)
	out, _ := newUser(t).content(t, "receipt", receipt)
	if !strings.Contains(out, "the signature is that of the signer's key in the receipt") {
		text, _ := os.ReadFile(receipt)
		t.Errorf("the receipt says\n%s\nof\n%s", out, text)
	}
}

// A lie is a receipt that somebody alters on its way.
type lie struct {
	t *testing.T
	intake.Receipt
}

// line changes a line of the proof: from its end where n is negative, where the checkpoint's size,
// its root, an empty line and the signature stand.
func (r *lie) line(n int, change func(string) string) {
	lines := strings.Split(strings.TrimSuffix(r.Proof, "\n"), "\n")
	n = (n + len(lines)) % len(lines)
	lines[n] = change(lines[n])
	r.Proof = strings.Join(lines, "\n") + "\n"
}

// flip changes a character of base 64.
func flip(text string) string {
	at, other := len(text)-20, "A"
	if text[at] == 'A' {
		other = "B"
	}
	return text[:at] + other + text[at+1:]
}

// under puts the proof under a checkpoint of the same size and another root.
func (r *lie) under(key *proof.CheckpointSigner, err error) {
	var c proof.Checkpoint
	head, signed, _ := strings.Cut(r.Proof, "\n\n")
	if err == nil {
		c, err = proof.ReadCheckpoint([]byte(signed))
	}
	var other []byte
	if err == nil {
		c.Hash[7]++
		other, err = key.Sign(c.Tree)
	}
	if err != nil {
		r.t.Error(err)
	}
	r.Proof = head + "\n\n" + string(other)
}
