package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"muster/cmd/internal/certtest"
)

// certifiedFor makes a certificate for hosts, and says which authority has issued it.
func certifiedFor(t *testing.T, hosts ...string) (authority *certtest.Authority, cert, key string) {
	t.Helper()
	authority, err := certtest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if cert, key, err = authority.Issue("server", time.Now().Add(time.Hour), hosts...); err != nil {
		t.Fatal(err)
	}
	return authority, cert, key
}

// anyCertificate has a tab take the certificate of an authority that the browser does not know.
func anyCertificate(b *tab) {
	call(b, security.SetIgnoreCertificateErrors,
		security.SetIgnoreCertificateErrorsParams{Ignore: true})
}

// Over TLS, and with that HTTP/2, pages live, and the browser checks and signs, as they do without.
func TestPageOverTLS(t *testing.T) {
	t.Parallel()
	browser(t)
	_, cert, key := certifiedFor(t, "localhost")
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
	b := newTab(t, found[1], anyCertificate)
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
	narrow(b) // where nothing has to be scrolled sideways, which a keyboard could not
	b.axeBy(otherRules)
}

// Over TLS one signs in to a server of this machine by its name and by its address, lands on the
// page of one's country with a cookie that goes over TLS alone, and signs out; then going back
// shows nothing. Who asks the same port without TLS reads nothing.
func TestPageSignInOverTLS(t *testing.T) {
	t.Parallel()
	authority, cert, key := certifiedFor(t, "localhost", "127.0.0.1", "muster.example")
	c := newRestricted(t, "released", "--tls-cert", cert, "--tls-key", key,
		"--host", "localhost", "--host", "muster.example")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(c.url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		b := newTab(t, "https://"+host+":"+port, anyCertificate)
		b.open("/")
		b.says("#counted", "released to everybody")
		b.click(".who a")
		b.signsIn(c.key("GBR"))
		b.says("h1", "United Kingdom")
		b.says(".who", "GBR/demo")
		c.tellsNothingInTheClear(t, b, host+":"+port, b.securely(host))
		b.open("/pledges/" + c.id)
		b.says("main", "hush-hush")
		b.open("/log")
		b.says("#r57", "secret-vote")
		b.click(".who button")
		b.says("#said", "signed out")
		if left := b.cookies(); len(left) > 0 {
			t.Errorf("%s: a cookie is left: %v", host, left)
		}
		b.goesBack(c, "/log", "/pledges/"+c.id)
	}
	onlyTLSByName(t, authority, port)
}

// securely looks at the cookie of who has signed in, and returns the token.
func (b *tab) securely(host string) (token string) {
	b.t.Helper()
	all := b.cookies()
	if len(all) != 1 || all[0].Name != "__Host-muster" || !all[0].Secure || !all[0].HTTPOnly ||
		all[0].SameSite != network.CookieSameSiteStrict || all[0].Path != "/" ||
		all[0].Domain != host {
		b.t.Fatalf("%s: the cookie is %+v", host, all)
	}
	return all[0].Value
}

// tellsNothingInTheClear asks without TLS, as somebody does who has signed in and types another
// address, and as somebody who sends the cookie along. The server says that it speaks TLS, and
// hangs up: what it says may be lost with that.
func (c confided) tellsNothingInTheClear(t *testing.T, b *tab, server, token string) {
	t.Helper()
	_, opens := chromedp.Run(b.ctx, chromedp.Navigate("http://"+server+"/pledges/"+c.id))
	said := eval[string](b, "document.documentElement?.outerHTML ?? ''")
	if c.told(strings.ReplaceAll(said, c.id, "")) != nil || strings.Contains(said, "GBR/demo") {
		t.Errorf("without TLS the browser is shown %q, %v", said, opens)
	}
	for _, path := range []string{"/", "/pledges/" + c.id, "/api/v1/pledges", "/checkpoint"} {
		nc, err := net.Dial("tcp", server)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: __Host-muster=%s\r\n\r\n",
			path, server, token)
		said, _ := io.ReadAll(nc)
		nc.Close()
		if _, body, _ := strings.Cut(string(said), "\r\n\r\n"); body != "" &&
			body != "Client sent an HTTP request to an HTTPS server.\n" {
			t.Errorf("%s without TLS: %.200q", path, said)
		}
	}
}

// goesBack to pages that were shown before signing out, which now show what is for everybody.
func (b *tab) goesBack(c confided, pages ...string) {
	b.t.Helper()
	for _, path := range pages {
		eval[bool](b, "history.back(), true")
		b.wait("location.pathname === %s && document.readyState === 'complete'", quoted(path))
		b.says(".who", "Sign in")
		page := strings.ReplaceAll(eval[string](b, "document.documentElement.outerHTML"), c.id, "")
		if told := c.told(page); told != nil {
			b.t.Errorf("going back to %s shows %q", path, told)
		}
	}
}

// onlyTLSByName looks for what has browsers ask for a name over TLS alone: of the server's own name
// they are told so, and of this machine, where others serve too, they are not.
func onlyTLSByName(t *testing.T, authority *certtest.Authority, port string) {
	t.Helper()
	pool := x509.NewCertPool()
	if pem, err := os.ReadFile(authority.File); err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("the authority cannot be read: %v", err)
	}
	here := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: here,
		TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	for host, want := range map[string]string{"muster.example": "max-age=31536000",
		"localhost": "", "127.0.0.1": ""} {
		for _, path := range []string{"/", "/session", "/api/v1/pledges", "/checkpoint",
			"/no-such-page"} {
			resp, err := client.Get("https://" + host + ":" + port + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Header.Get("Strict-Transport-Security"); got != want {
				t.Errorf("%s%s: %s, Strict-Transport-Security: %q", host, path, resp.Status, got)
			}
		}
	}
}
