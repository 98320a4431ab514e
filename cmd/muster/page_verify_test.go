package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// between puts something between the browser and a server that can change what the server answers,
// or answer that it cannot (nil).
func between(t *testing.T, server string, change func(path string, body []byte) []byte) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("Accept-Encoding")
	}}
	proxy.ModifyResponse = func(r *http.Response) error {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if body = change(r.Request.URL.Path, body); body == nil {
			r.StatusCode, r.Status = http.StatusServiceUnavailable, "503 Service Unavailable"
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Del("Content-Length")
		return nil
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// checked waits until the browser has checked what it can, and returns what it says: first whether
// all holds.
func (b *tab) checked() string {
	b.t.Helper()
	b.wait("document.getElementById('check')?.dataset.state")
	return b.text("#check-verdict") + "\n" + b.text("#check-list")
}

// holds and fails look for what the browser has found.
func (b *tab) holds(what string) {
	b.t.Helper()
	if said := b.checked(); !strings.HasPrefix(said, "Everything that was checked holds.") ||
		!strings.Contains(said, what) {
		b.t.Errorf("%s: the browser does not find that %q: %s", b.address(), what, said)
	}
}

func (b *tab) fails(what string) {
	b.t.Helper()
	if said := b.checked(); !strings.HasPrefix(said, "THIS DOES NOT VERIFY.") ||
		!strings.Contains(said, what) {
		b.t.Errorf("%s: the browser does not find that %q: %s", b.address(), what, said)
	}
	if n := eval[int](b, "document.querySelectorAll('#check-verdict .problem').length"); n != 1 {
		b.t.Error("the verdict does not look like a fault")
	}
}

// The browser checks by itself what the server shows: signature, inclusion, and that the ledger has
// only grown since it looked.
func TestPageVerify(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	var replayed atomic.Pointer[string]
	b := newTab(t, between(t, url, func(path string, body []byte) []byte {
		if old := replayed.Load(); old != nil && path == "/checkpoint" {
			return []byte(*old)
		}
		return body
	}))
	_, old := get(t, url+"/checkpoint")
	b.open("/verify?record=33")
	b.holds("The key comes from this server itself.")
	b.holds("This browser has remembered no earlier checkpoint of this ledger.")
	for _, record := range []int{1, 2, 33, 55} {
		b.open(fmt.Sprint("/verify?record=", record))
		b.holds("The checkpoint of 55 records is signed")
		b.holds(fmt.Sprintf("Record %d is in the tree of that checkpoint", record))
		b.sameProof(record)
	}
	b.shot("verify")
	user := newUser(t)
	for n := 56; n < 64; n++ { // a proof of another shape each time
		b.open("/plan") // where nothing is verified while it is recorded
		user.content(t, "pledge", "indicate", "--url", url, "--data", dir, "--operation", "mnf-u",
			"--nation", "NOR", "--role", "air", "--quantity", "3")
		b.open("/verify")
		b.holds("The ledger has only grown, from the ")
		b.holds(fmt.Sprintf(" to %d: nothing before was altered or removed", n))
	}
	b.fill("#known-key", "muster.example/other+00000000+AAAA")
	b.click("#know-key")
	b.says("#check-list", "The checkpoint key is no key")
	b.fill("#known-key", b.text("#check-key"))
	b.click("#know-key")
	b.says("#check-list", "The key is the one that was entered here")
	for _, unsound := range [][]byte{{0: 1, 31: 0}, {31: 0x80}, // of small order, and beyond p
		append([]byte{0xf0}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)} {
		key, err := note.NewEd25519VerifierKey("muster.example/other", unsound)
		if err != nil {
			t.Fatal(err)
		}
		b.fill("#known-key", key)
		b.click("#know-key")
		b.says("#check-list", "The checkpoint key is no key")
		b.fill("#known-key", b.text("#check-key"))
		b.click("#know-key")
		b.says("#check-list", "The key is the one that was entered here")
	}
	b.open("/verify")
	b.holds("The key is the one that was entered here")
	b.click("#compare") // the server does it by itself, too, in a while
	b.says("#compared", "are the same, byte for byte, through record 63.")
	b.open("/verify?record=4000")
	b.says(".problem", "there is no such record")
	// Somebody between shows an old checkpoint again, and the tiles are those of now.
	replayed.Store(&old)
	b.open("/verify")
	if said := b.checked(); !strings.HasPrefix(said, "THIS IS AN OLDER STATE.") ||
		!strings.Contains(said, "the server shows the first 55 now") {
		t.Errorf("of an old checkpoint the browser says: %s", said)
	}
	b.open("/log")
	b.says("#log-check", "this is an older state than this browser has verified before")
	replayed.Store(nil)
	b.open("/verify")
	b.holds("The ledger is the one that this browser has verified before")
}

// sameProof compares what the browser has computed with the proof that the server's own code makes.
func (b *tab) sameProof(record int) {
	b.t.Helper()
	receipt := eval[string](b, "document.getElementById('receipt').textContent")
	_, included, _ := strings.Cut(receipt, fmt.Sprintf("index %d\n", record-1))
	want, _, _ := strings.Cut(included, "\n\n")
	computed := eval[string](b,
		"[...document.querySelectorAll('#check-evidence pre')].at(-1).textContent")
	_, path, _ := strings.Cut(computed, "\n")
	if want == "" || path != want {
		b.t.Errorf("record %d: the browser has the proof\n%s\nand the server\n%s",
			record, path, want)
	}
}

// commands types what the page of checking says to, with the checkpoint key that it tells and with
// a key file, and returns what was said. They must hold the words that they are looked for.
func (b *tab) commands(t *testing.T, key string, with, without []string) (said string) {
	t.Helper()
	user, text := newUser(t), strings.Join(b.texts("pre.command"), "\n")
	for _, word := range with {
		if strings.Count(text, word) != 2 { // of the server, and of the file
			t.Errorf("%s: the commands do not both say %s:\n%s", b.address(), word, text)
		}
	}
	for _, word := range without {
		if strings.Contains(text, word) {
			t.Errorf("%s: the commands say %s:\n%s", b.address(), word, text)
		}
	}
	text = strings.ReplaceAll(text, "--checkpoint-key KEY",
		"--checkpoint-key "+b.text("#check-key"))
	for line := range strings.Lines(strings.ReplaceAll(text, "KEY.key", key)) {
		out, _ := user.content(t, strings.Fields(line)[1:]...)
		said += out
	}
	return said
}

// Without JavaScript the page says that nothing is checked, and gives a receipt that the program
// checks.
func TestPageVerifyReceipt(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url, noScript)
	b.open("/verify?record=33")
	b.says("#content", "Without JavaScript the browser checks nothing by itself.")
	file := filepath.Join(t.TempDir(), "record.receipt")
	if err := os.WriteFile(file,
		[]byte(eval[string](b, "document.getElementById('receipt').textContent")),
		0o600); err != nil {
		t.Fatal(err)
	}
	said, _ := newUser(t).content(t, "receipt", file, "--checkpoint-key",
		eval[string](b, "document.getElementById('check-key').textContent"))
	if !strings.Contains(said, "33") {
		t.Errorf("the program says of the receipt: %s", said)
	}
	b.commands(t, "", nil, []string{"--view", "--key"})
}

// flipped changes one bit in the middle of what begins with a path.
func flipped(prefix string) func(string, []byte) []byte {
	return func(path string, body []byte) []byte {
		if strings.HasPrefix(path, prefix) && len(body) > 0 {
			body[len(body)/2] ^= 1
		}
		return body
	}
}

func replaced(at, from, to string) func(string, []byte) []byte {
	return func(path string, body []byte) []byte {
		if path == at {
			return bytes.ReplaceAll(body, []byte(from), []byte(to))
		}
		return body
	}
}

// What is changed on the way, or behind the browser's back, is noticed and said.
func TestPageVerifyTampered(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	var tamper atomic.Pointer[func(string, []byte) []byte]
	with := func(f func(string, []byte) []byte) { tamper.Store(&f) }
	honest := func(_ string, body []byte) []byte { return body }
	with(honest)
	proxy := between(t, url, func(path string, body []byte) []byte {
		return (*tamper.Load())(path, body)
	})
	b := newTab(t, proxy)
	b.open("/verify?record=48")
	b.holds("Record 48 is in the tree")
	for _, one := range []struct {
		change func(string, []byte) []byte
		found  string
	}{
		{replaced("/tile/entries/000.p/55", "6000", "9000"), "the record or a hash was altered"},
		{flipped("/tile/0/"), "the record or a hash was altered"},
		{replaced("/verify", "6000", "9000"), "The page shows other bytes for this record"},
		{replaced("/checkpoint", "\n55\n", "\n54\n"),
			"The signature under the checkpoint is wrong"},
		{flipped("/checkpoint"), ""},
	} {
		with(one.change)
		b.open("/verify?record=48")
		b.fails(one.found)
	}
	b.shot("verify-altered")
	with(honest)
	b.open("/verify?record=48")
	b.holds("The ledger is the one that this browser has verified before")
	// What is remembered is of a tree that this one is not: as of a server that has begun anew with
	// the same key.
	const another = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, one := range []struct {
		size  int
		found string
	}{{50, "This is another history"}, {55, "This is another history"}, {5000, ""}} {
		eval[bool](b, `(() => { for (const name of Object.keys(localStorage)) { const kept = JSON.parse(localStorage.getItem(name)), lines = kept.checkpoint.split("\n");
			lines[1] = "%d"; lines[2] = "%s"; kept.checkpoint = lines.join("\n"); localStorage.setItem(name, JSON.stringify(kept)); } return true })()`, one.size, another)
		b.open("/verify")
		if one.found != "" {
			b.fails(one.found)
		} else if said := b.checked(); !strings.HasPrefix(said, "THIS IS AN OLDER STATE.") ||
			!strings.Contains(said, "whether these are the first of those is not known") {
			t.Errorf("of fewer records the browser says: %s", said)
		}
		kept := eval[string](b,
			"JSON.parse(localStorage.getItem(Object.keys(localStorage)[0])).checkpoint")
		if !strings.Contains(kept, another) {
			t.Error("what does not agree has taken the place of what was remembered")
		}
	}
	b.shot("verify-other-history")
	b.click("#forget")
	b.says("#check-list", "This browser has remembered no earlier checkpoint")
}

// What cannot be had is not taken for right, and not for wrong.
func TestPageVerifyUnavailable(t *testing.T) {
	t.Parallel()
	b := newTab(t, between(t, demoServer(t), func(path string, body []byte) []byte {
		if strings.HasPrefix(path, "/tile/") {
			return nil
		}
		return body
	}))
	b.open("/verify?record=48")
	if said := b.checked(); !strings.HasPrefix(said, "This could not be checked.") ||
		!strings.Contains(said, "/tile/entries/000.p/55: 503") {
		t.Errorf("of a server that shows no tiles the browser says: %s", said)
	}
}
