package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake"
)

// An author signs statements, and sends them to a demo as any client does.
type author struct {
	t      *testing.T
	client intake.HTTPClient
	signer *events.Signer
	origin events.Origin
	nation events.Nation
}

// newAuthor returns who signs with a key of a demo.
func newAuthor(t *testing.T, url, dir, file string) *author {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	a := &author{t: t, client: intake.HTTPClient{URL: url}}
	if a.signer, err = events.NewSigner(strings.TrimSpace(string(secret))); err != nil {
		t.Fatal(err)
	}
	nation, _, _ := strings.Cut(a.signer.Name(), "/")
	a.nation = events.Nation(nation)
	var ledger struct{ Origin events.Origin }
	getJSON(t, url+"/api/v1/ledger", &ledger)
	a.origin = ledger.Origin
	return a
}

// signs returns a signed statement with these members.
func (a *author) signs(typ string, members map[string]any) events.Signed {
	a.t.Helper()
	s, err := events.Parse([]byte(a.written(typ, members)))
	if err != nil {
		a.t.Fatal(err)
	}
	signed, err := events.Sign(s, a.signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed
}

// says records a statement with these members, and returns its id.
func (a *author) says(typ string, members map[string]any) string {
	a.t.Helper()
	r, err := a.client.Submit(a.t.Context(), a.signs(typ, members))
	if err != nil {
		a.t.Fatalf("%s: %v", typ, err)
	}
	return r.ID.String()
}

func (a *author) written(typ string, members map[string]any) string {
	all := map[string]any{"type": typ, "id": events.NewID(), "ledger": a.origin,
		"effective": "2026-01-15"}
	if a.nation != events.HQ {
		all["nation"], all["operation"] = a.nation, "mnf-u"
	}
	for name, v := range members {
		all[name] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}
