package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"golang.org/x/mod/sumdb/note"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

// A nonced signer signs with a random nonce, as some browsers do: each of its signatures is another
// one.
type nonced struct {
	note.Signer
	secret voi.PrivateKey
}

// Sign implements note.Signer.
func (n nonced) Sign(msg []byte) ([]byte, error) {
	return n.secret.Sign(rand.Reader, msg, &voi.Options{AddedRandomness: true})
}

// noncedOf is a key that signs so.
func noncedOf(t *testing.T, secret string) nonced {
	t.Helper()
	s, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(
		strings.SplitN(strings.TrimSpace(secret), "+", 5)[4])
	if err != nil {
		t.Fatal(err)
	}
	return nonced{s, voi.NewKeyFromSeed(data[1:])}
}

// resigned signs the same text again.
func resigned(t *testing.T, s events.Signed, with note.Signer) events.Signed {
	t.Helper()
	text, _, _ := strings.Cut(string(s.Note), "\n")
	msg, err := note.Sign(&note.Note{Text: text + "\n"}, with)
	if err != nil {
		t.Fatal(err)
	}
	again, err := events.ParseSigned(msg)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// What is signed again has other bytes and is the same statement: it gets the first receipt on
// every way in, and the receipt proves the record, whose bytes are those of the first time. The
// same text of another key is a conflict.
func TestSignedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir, "--nats-listen", "127.0.0.1:0")
	p.awaitNATS(t)
	c := begin(t, p)
	offer := c.offer(t)
	first, err := p.client().Submit(t.Context(), offer)
	if err != nil || first.Note != "" {
		t.Fatalf("the first receipt is %+v, %v", first, err)
	}
	again := resigned(t, offer, noncedOf(t, c.secret))
	conn, err := nats.Connect(p.nats, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first.Again, first.Note = true, string(offer.Note)
	for name, to := range map[string]intake.Submitter{"HTTP": p.client(),
		"NATS": intake.NATSClient{Conn: conn}} {
		if r, err := to.Submit(t.Context(), again); err != nil || !reflect.DeepEqual(r, first) {
			t.Errorf("over %s: %+v, %v; want %+v", name, r, err, first)
		}
		if _, err := to.Check(t.Context(), again); err != nil {
			t.Errorf("a check over %s: %v", name, err)
		}
		_, err := to.Submit(t.Context(), resigned(t, offer, c.founder))
		if got := problem.From(err); got == nil || got.Code != "id-taken" ||
			got.Kind != problem.Conflict {
			t.Errorf("the same text of another key, over %s: %v", name, err)
		}
	}

	u := newUser(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("again.note", string(again.Note))
	write("paris.key", c.secret)
	out, _ := u.content(t, "submit", "again.note", "--url", p.url, "--key", "paris.key",
		"--receipt", "paris.receipt")
	if !strings.Contains(out, "was recorded before") {
		t.Errorf("the program says %s", out)
	}
	out, _ = u.content(t, "receipt", "paris.receipt")
	if want := fmt.Sprintf("as record %d of the ledger",
		first.Sequence); !strings.Contains(out, want) {
		t.Errorf("the receipt says %s", out)
	}
	if code, _, said := u.types(t, "submit", "again.note", "--url", p.url); code != 8 ||
		!strings.Contains(said, "--key") {
		t.Errorf("without the key, which verifies what was recorded: exit code %d, %s", code, said)
	}
	if log := p.records(t); len(log) != recordsOfBegin+1 {
		t.Errorf("there are %d records", len(log))
	}
	p.stop(t)
}

// The page signs a statement once, whatever its browser signs with: when the answer was lost, the
// same bytes go again.
func TestPageSignsOnce(t *testing.T) {
	url, dir := ownDemo(t)
	key := filepath.Join(dir, "keys", "FRA-demo.key")
	b := newTab(t, url)
	offerByForm(b, "9")
	b.wait("document.getElementById('key-file')")
	eval[bool](b, `(() => {
		const real = window.fetch, sign = crypto.subtle.sign.bind(crypto.subtle)
		window.sent = []; window.signatures = 0
		crypto.subtle.sign = (...all) => { window.signatures++; return sign(...all) }
		window.fetch = async (path, with_) => {
			if (new URL(path, location).pathname !== "/api/v1/statements") return real(path, with_)
			sent.push(with_.body)
			const answer = await real(path, with_)
			if (sent.length === 1) throw new Error("the answer is lost")
			return answer
		}
		return true
	})()`)
	b.chooseFile("#key-file", key)
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.wait("document.getElementById('sign-problem').innerText !== ''")
	b.click("#sign-send")
	b.says("#sign-done", "first receipt")
	b.says("#sign-done", "Recorded as record 56")
	if !eval[bool](b, "window.sent.length === 2 && window.sent[0] === window.sent[1] && "+
		"window.signatures === 1") {
		t.Errorf("sent %q, with %d signatures", eval[[]string](b, "window.sent"),
			eval[int](b, "window.signatures"))
	}

	// Another tab knows nothing of that, and its browser signs with random nonces.
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	text := eval[string](b, "document.getElementById('statement').textContent")
	signature, err := noncedOf(t, string(secret)).Sign([]byte(text + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](b, `(() => {
		sessionStorage.clear()
		crypto.subtle.sign = async () => Uint8Array.from(atob(%q), (c) => c.charCodeAt(0)).buffer
		document.getElementById("sign-send").disabled = false
		return true
	})()`, base64.StdEncoding.EncodeToString(signature))
	b.click("#sign-send")
	b.wait("window.sent.length === 3 && window.sent[2] !== window.sent[1]")
	b.says("#sign-done", "first receipt")
	b.says("#sign-done", "Recorded as record 56")
	receipt := filepath.Join(t.TempDir(), "saved.receipt")
	b.download("#receipt", receipt)
	if out, _ := newUser(t).content(t, "receipt", receipt); !strings.Contains(out,
		"as record 56 of the ledger") {
		t.Errorf("the receipt says %s", out)
	}
}
