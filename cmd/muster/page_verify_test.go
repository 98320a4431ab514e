package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// between puts something between the browser and a server that can change what the server answers.
func between(t *testing.T, server string, change func(path string, body []byte) []byte) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	director := proxy.Director
	proxy.Director = func(r *http.Request) {
		director(r)
		r.Header.Del("Accept-Encoding")
	}
	proxy.ModifyResponse = func(r *http.Response) error {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = change(r.Request.URL.Path, body)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Del("Content-Length")
		return nil
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// checked waits until the browser has checked all that it can, and returns what it says.
func (b *tab) checked() string {
	b.t.Helper()
	b.wait("document.querySelector('#checks[data-done]')")
	return b.text("#checks")
}

// The browser checks by itself what the server shows: signature, inclusion, and that the ledger has only grown since it looked.
func TestPageVerify(t *testing.T) {
	url, dir := ownDemo(t)
	b := newTab(t, url)
	for _, record := range []string{"1", "2", "33", "55"} {
		b.open("/verify?record=" + record)
		said := b.checked()
		if !strings.Contains(said, "checkpoint of 55 records is signed with") || !strings.Contains(said, "Record "+record+", as stored, is in the tree") {
			t.Errorf("of record %s the browser says: %s", record, said)
		}
	}
	b.shot("verify")
	b.axe()
	offer := func() {
		t.Helper()
		newUser(t).content(t, "pledge", "indicate", "--url", url, "--data", dir, "--operation", "mnf-u", "--nation", "NOR", "--role", "air", "--quantity", "3")
	}
	for n := 56; n < 66; n++ { // a proof of another shape each time
		offer()
		b.open("/verify")
		if said := b.checked(); !strings.Contains(said, "has only grown since this browser saw it") {
			t.Fatalf("of %d records the browser says: %s", n, said)
		}
	}
	b.click(`form[action="/verify"][method=post] button`)
	b.says("dl", "The same, byte for byte, through record 65")
	b.fill("#known-key", "muster.example/other+00000000+AAAA")
	b.says("#checks", "THE CHECKPOINT IS NOT SIGNED WITH muster.example/other")
	arrivals(t, url, "/verify?record=33", func(b *tab) {
		if said := b.text("#proof"); !strings.HasPrefix(said, "c2sp.org/tlog-proof@v1\nindex 32\n") {
			t.Errorf("the proof of record 33 is %s", said)
		}
	})
	b.open("/verify?record=4000")
	b.says(".problem", "there is no such record")
}

// What is changed on the way, or behind the browser's back, is noticed and said.
func TestPageVerifyTampered(t *testing.T) {
	url := demoServer(t)
	var tamper atomic.Pointer[func(string, []byte) []byte]
	honest := func(_ string, body []byte) []byte { return body }
	tamper.Store(&honest)
	proxy := between(t, url, func(path string, body []byte) []byte { return (*tamper.Load())(path, body) })
	with := func(f func(string, []byte) []byte) { tamper.Store(&f) }
	replaced := func(at, from, to string) func(string, []byte) []byte {
		return func(path string, body []byte) []byte {
			if path != at {
				return body
			}
			if !bytes.Contains(body, []byte(from)) {
				t.Errorf("%s has no %q to change", path, from)
			}
			return bytes.ReplaceAll(body, []byte(from), []byte(to))
		}
	}
	b := newTab(t, proxy)
	b.open("/verify?record=48")
	if said := b.checked(); !strings.Contains(said, "Record 48, as stored, is in the tree") {
		t.Fatalf("of an honest server the browser says: %s", said)
	}
	with(replaced("/api/v1/records", "6000", "9000"))
	b.open("/verify?record=48")
	if said := b.checked(); !strings.Contains(said, "RECORD 48, AS SHOWN, IS NOT IN THE TREE") {
		t.Errorf("of a changed record the browser says: %s", said)
	}
	b.shot("verify-altered")
	with(replaced("/checkpoint", "\n55\n", "\n54\n"))
	b.open("/verify")
	if said := b.checked(); !strings.Contains(said, "THE CHECKPOINT IS NOT SIGNED") {
		t.Errorf("of a changed checkpoint the browser says: %s", said)
	}
	// The memory is of a tree that this one is not: as of a server that has begun anew with the same key.
	with(honest)
	b.open("/verify")
	b.checked()
	eval[bool](b, `(() => { for (const name of Object.keys(localStorage)) { const kept = JSON.parse(localStorage.getItem(name)); const lines = kept.checkpoint.split("\n");
		lines[1] = "50"; lines[2] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; kept.checkpoint = lines.join("\n"); localStorage.setItem(name, JSON.stringify(kept)); } return true })()`)
	b.open("/verify")
	if said := b.checked(); !strings.Contains(said, "THE SERVER SHOWS ANOTHER HISTORY") {
		t.Errorf("of another history the browser says: %s", said)
	}
	eval[bool](b, `(() => { for (const name of Object.keys(localStorage)) { const kept = JSON.parse(localStorage.getItem(name)); kept.checkpoint = kept.checkpoint.replace("\n50\n", "\n5000\n"); localStorage.setItem(name, JSON.stringify(kept)); } return true })()`)
	b.open("/verify")
	if said := b.checked(); !strings.Contains(said, "THE LEDGER HAS GONE BACK") {
		t.Errorf("of a shorter ledger the browser says: %s", said)
	}
}
