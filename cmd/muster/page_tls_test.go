package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/security"

	"muster/cmd/internal/certtest"
)

// Over TLS, and with that HTTP/2, pages live, and the browser checks and signs, as they do without.
func TestPageOverTLS(t *testing.T) {
	browser(t)
	authority, err := certtest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Issue("server", time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	p := launch(t, dir, "--tls-cert", cert, "--tls-key", key)
	found, err := p.await(&p.stderr, `listening on (https://\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := filepath.Abs("demo/mnf-u.plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	user := newUser(t)
	user.content(t, "plan", "apply", plan, "--data", dir)
	b := newTab(t, found[1], func(b *tab) {
		call(b, security.SetIgnoreCertificateErrors,
			security.SetIgnoreCertificateErrorsParams{Ignore: true})
	})
	b.open("/?operation=mnf-u&on=" + aDay)
	over := eval[string](b, "performance.getEntriesByType('navigation')[0].nextHopProtocol")
	if over != "h2" {
		t.Errorf("the page came over %q", over)
	}
	b.says(cell("mnf-u/air-west", 0), "0 of 48")
	user.content(t, "pledge", "offer", "--data", dir, "--operation", "mnf-u", "--nation", "GBR",
		"--role", "air",
		"--area", "west", "--quantity", "5", "--from", "2026-03-01", "--effective", "2026-01-15")
	b.says(cell("mnf-u/air-west", 0), "5 of 48")
	b.open("/verify?record=2")
	b.holds("Record 2 is in the tree of that checkpoint")
	b.open("/docs")
	b.says("body", "curl '"+found[1]+"/api/v1/coverage")
}
