package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/web"
)

// asking asks the server at an address over HTTP.
func (a *app) asking(url string) (web.Client, error) {
	client, err := a.httpTo(url)
	return web.Client{URL: url, HTTP: client}, err
}

// telling tells the server at an address over HTTP, and reads its tree.
func (a *app) telling(url string) (intake.HTTPClient, error) {
	client, err := a.httpTo(url)
	return intake.HTTPClient{URL: url, HTTP: client}, err
}

// httpTo makes the client for everything that is asked of a server over HTTP. Which certificates it
// believes, it is told with --ca; or, of the server on the data folder, by what this one has left
// there; or by the machine.
func (a *app) httpTo(url string) (*http.Client, error) {
	if client := a.clients[url]; client != nil {
		return client, nil
	}
	config, err := a.trustedTLS(url)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	client := &http.Client{Transport: explaining{transport, url}, CheckRedirect: staysSecure}
	if a.clients == nil {
		a.clients = map[string]*http.Client{}
	}
	a.clients[url] = client
	return client, nil
}

func (a *app) trustedTLS(url string) (*tls.Config, error) {
	if a.isOwn(url) {
		return ownTLS(filepath.Join(a.data, server.AddressCertificateFile)), nil
	}
	if a.ca == "" {
		return &tls.Config{}, nil
	}
	roots, err := readAuthorities("--ca", a.ca)
	return &tls.Config{RootCAs: roots}, err
}

// readAuthorities reads the certificates of a file that a flag names.
func readAuthorities(flag, file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, problem.New(problem.Usage, "%s: %w", flag, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, problem.New(problem.Usage, "%s: the file %s holds no certificate", flag, file).
			WithHint("give the certificate of the authority that has signed the server's, as PEM")
	}
	return roots, nil
}

// isOwn reports whether an address is that of the server which runs on the data folder.
func (a *app) isOwn(url string) bool {
	if a.data == "" {
		return false
	}
	text, err := os.ReadFile(filepath.Join(a.data, server.AddressFile))
	return err == nil && strings.TrimSpace(string(text)) == url
}

// ownTLS believes the one certificate that is in a file of the data folder, whatever name it is
// for, and whoever has signed it: only the folder's owner writes there, and the server puts it there
// before it shows it. That the server has its key, TLS proves.
func ownTLS(file string) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, // VerifyConnection verifies instead
		VerifyConnection: func(s tls.ConnectionState) error {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			known, _ := pem.Decode(text)
			if known == nil || !bytes.Equal(known.Bytes, s.PeerCertificates[0].Raw) {
				return errNotOwn
			}
			return nil
		},
	}
}

var errNotOwn = errors.New("the certificate is not the one in the data folder")

// staysSecure follows no redirection that would send in the clear what was to go over TLS.
func staysSecure(req *http.Request, via []*http.Request) error {
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return problem.New(problem.Unavailable, "%s leads to %s, in the clear: it was not followed",
			via[0].URL.Redacted(), req.URL.Redacted()).
			WithHint("what is the server's own address? give that with --url")
	}
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// explaining says what to do when TLS is the reason that a server cannot be asked.
type explaining struct {
	http.RoundTripper
	url string
}

// RoundTrip implements http.RoundTripper.
func (e explaining) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := e.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, explainTLS(e.url, "--ca", err)
	}
	if resp.StatusCode == http.StatusBadRequest && req.URL.Scheme == "http" && resp.TLS == nil {
		return saysTLS(e.url, resp)
	}
	return resp, nil
}

// saysTLS turns what Go's servers answer to a request in the clear, where they speak TLS, into a
// problem.
func saysTLS(url string, resp *http.Response) (*http.Response, error) {
	const said = "Client sent an HTTP request to an HTTPS server."
	head, err := io.ReadAll(io.LimitReader(resp.Body, int64(len(said))))
	if err == nil && string(head) == said {
		_ = resp.Body.Close()
		return nil, problem.New(problem.Unavailable, "the server at %s speaks TLS", url).
			WithHint("write its address as https://%s", strings.TrimPrefix(url, "http://"))
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	return resp, nil
}

// explainTLS makes a problem of an error that is TLS's, with the remedy, and leaves others as they
// are. The flag is the one that names authorities.
func explainTLS(where, flag string, err error) error {
	distrusted := func(format string, args ...any) *problem.Problem {
		return problem.New(problem.Unavailable, "the server at %s cannot be trusted: its certificate %s",
			where, fmt.Sprintf(format, args...)).WithCode("certificate")
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	switch {
	case errors.Is(err, errNotOwn):
		return distrusted("is not the one that the server on the data folder has left there").
			WithHint("does something else listen at this address? start the server again")
	case errors.As(err, &unknown):
		return distrusted("is from an authority that is not known here").
			WithHint("give the authority's certificate, or the server's own where it has signed "+
				"itself, with %s FILE; ask the server's administrator for it", flag)
	case errors.As(err, &host):
		return distrusted("is for %s, and not for %s", namesOf(host.Certificate), host.Host).
			WithHint("use one of its names, or have the server given a certificate for this one")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return distrusted("is valid from %s until %s only", timeOf(invalid.Cert.NotBefore),
			timeOf(invalid.Cert.NotAfter)).
			WithHint("the server's administrator has to renew it; is this machine's clock right?")
	case errors.As(err, &header):
		return problem.New(problem.Unavailable, "the server at %s does not speak TLS", where).
			WithHint("is this its address? where nobody can listen in between, it is asked in the clear")
	}
	return err
}

func timeOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// namesOf lists what a certificate is for.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no names"
	}
	return strings.Join(names, ", ")
}
