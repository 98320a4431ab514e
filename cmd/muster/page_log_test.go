package main

import (
	"bytes"
	"encoding/base64"
	"strings"
	"sync/atomic"
	"testing"
)

// The page of the log shows no record that is not in the tree, and no row that says something else
// than what is stored.
func TestPageLogShowsNothingUnverified(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	var tamper atomic.Pointer[func(string, []byte) []byte]
	proxy := between(t, url, func(path string, body []byte) []byte {
		return (*tamper.Load())(path, body)
	})
	page := func(from, to string) func(string, []byte) []byte {
		return replaced("/log", from, to)
	}
	// What is stored can be changed with all that is shown of it.
	consistently := func(path string, body []byte) []byte {
		if path != "/log" {
			return body
		}
		parts := strings.Split(string(body), `data-exact="`)
		for i := range parts[1:] {
			exact, rest, _ := strings.Cut(parts[i+1], `"`)
			stored, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(exact, "&#43;", "+"))
			if err != nil {
				t.Error(err)
			}
			parts[i+1] = base64.StdEncoding.EncodeToString(bytes.ReplaceAll(stored,
				[]byte("6000"), []byte("9000"))) + `"` + rest
		}
		return []byte(strings.ReplaceAll(strings.Join(parts, `data-exact="`), "6000", "9000"))
	}
	honest := func(_ string, body []byte) []byte { return body }
	b := newTab(t, proxy)
	for _, c := range []struct {
		change      func(string, []byte) []byte
		state, says string
	}{
		{honest, "met", "in the tree of the 55 records"},
		{page(`data-says="`, `data-says="9000 `), "met", "in the tree of the 55 records"},
		{page(`data-says="`, `data-says="٩ GBR/demo `), "met", "in the tree of the 55 records"},
		{page(`data-other="`, `data-other="9000 `), "met", "in the tree of the 55 records"},
		{page("6000", "9000"), "none", "not what the ledger has"},
		{consistently, "none", "not what the ledger has"},
		{page(">FRA/demo<", ">GBR/demo<"), "none", "not what the ledger has"},
		{page(">pledge.offered<", ">pledge.withdrawn<"), "none", "not what the ledger has"},
		{page(" UTC</span>", "0 UTC</span>"), "none", "not what the ledger has"},
		{page(`<li data-record="`, `<li data-none="`), "none", "nobody who may has signed it"},
		{page(`<li data-record="`, `<li data-record="5`), "none", "nobody who may has signed it"},
		{replaced("/checkpoint", "\n55\n", "\n54\n"), "none", "The records are not shown"},
		{func(path string, body []byte) []byte {
			if strings.HasPrefix(path, "/tile/") {
				return nil
			}
			return body
		}, "none", "could not be checked"},
		{honest, "met", "in the tree of the 55 records"},
	} {
		tamper.Store(&c.change)
		b.open("/log?type=pledge&nation=FRA")
		b.wait("document.getElementById('log-check')?.dataset.state")
		if state := eval[string](b, "document.getElementById('log-check').dataset.state"); state !=
			c.state {
			t.Errorf("%s: the state is %s", c.says, state)
		}
		b.says("#log-verdict", c.says)
		shown := strings.ReplaceAll(b.text("table.log tbody"), "6,000", "6000")
		if strings.Contains(shown, "9000") || strings.Contains(shown, "GBR/demo") ||
			strings.Contains(shown, "pledge.withdrawn") ||
			c.state == "met" != strings.Contains(shown, "6000") {
			t.Errorf("%s: the page shows\n%s", c.says, shown)
		}
	}
	b.open("/log?type=pledge&nation=FRA&lang=fr")
	b.wait("document.querySelector('table.log .says')")
	b.says("table.log tbody", "FRA offre 6\u202f000 personnel pour le rôle ground dans la "+
		"zone west, à partir du 2026-03-01\u00a0:")
	b.axe()
	// Units are said as in all other sentences of the page.
	b.open("/log?type=requirement&lang=fr")
	b.says("table.log tbody", "demandent 24 équipes pour le rôle ceasefire-monitoring")
	b.says("table.log tbody", "demandent 10 navires pour le rôle sea")
	b.says("table.log tbody", "EUR pour le rôle sustainment")
	b.open("/log?type=requirement")
	b.says("table.log tbody", "ask for 24 teams for ceasefire-monitoring")
	b.says("table.log tbody", "ask for 48 aircraft for air")
	b.open("/log?type=pledge&nation=FRA")
	b.wait("document.querySelector('table.log .says')")
	if shown := b.text("table.log .says"); strings.Contains(shown, `{"`) {
		t.Errorf("JSON stands where the sentence should: %s", shown)
	}
	b.click("table.log tbody tr summary")
	if open := b.text("table.log details[open]"); !strings.Contains(open, `{"type":"`) {
		t.Errorf("opened, a record says %s", open)
	}
	b.shot("log-checked")
	b.axe()
}
