// Package reach reaches servers: over HTTP, and over NATS. It knows whom to believe, as whom to
// come, and what to do when that fails.
package reach

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"muster/events/problem"
)

// A Trust says which certificates are believed of a server; the zero value, those of the machine's
// authorities.
type Trust struct {
	Authorities string // the file of the authorities to believe, in the place of the machine's
	Own         string // the file of the one certificate to believe, and no other; or ""
}

// HTTP makes the client for all that is asked of the server at an address. It keeps limits, of
// which the requests are counted together, and follows no redirection to another host.
func HTTP(url string, trust Trust, limits Limits) (*http.Client, error) {
	config, err := trust.config()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	// All is asked of one server, which would otherwise be dialled for nearly each request of many
	// at a time: two connections are kept by default.
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns
	transport.ResponseHeaderTimeout = limits.Begin
	transport.MaxResponseHeaderBytes = maxAnswerHeader
	return &http.Client{CheckRedirect: staysThere,
		Transport: explaining{limited{transport, limits, new(atomic.Int64)}, url}}, nil
}

func (t Trust) config() (*tls.Config, error) {
	switch {
	case t.Own != "":
		return ownTLS(t.Own), nil
	case t.Authorities == "":
		return &tls.Config{}, nil
	}
	roots, err := readAuthorities("--ca", t.Authorities)
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

// ownTLS believes the one certificate that is in a file of the data folder, whatever name it is
// for, and whoever has signed it: only the folder's owner writes there, and the server puts it
// there before it shows it. That the server has its key, TLS proves.
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

// staysThere follows no redirection to another host, nor one that would send in the clear what was
// to go over TLS. One from http to https on the same host is followed.
func staysThere(req *http.Request, via []*http.Request) error {
	from, to := via[0].URL, req.URL
	what := ""
	switch secured := from.Scheme == "http" && to.Scheme == "https"; {
	case from.Scheme == "https" && to.Scheme != "https":
		what = ", in the clear"
	case from.Host != to.Host && !(secured && from.Hostname() == to.Hostname()):
		what = ", which is another server"
	}
	if what != "" {
		return problem.New(problem.Unavailable, "%s leads to %s%s: it was not followed",
			from.Redacted(), problem.Shorten(to.Redacted()), what).
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
