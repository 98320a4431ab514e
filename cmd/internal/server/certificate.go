package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"muster/cmd/internal/files"
	"muster/events/problem"
)

// A certificate is the server's own, as its two files have it now. They are looked at with each
// handshake, so that a renewed certificate needs no restart. Files that cannot be used change
// nothing: the server goes on with what it has read before, says so once, and in its health.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	seen    [2]stamp         // the files as they were when they were looked at
	since   time.Time        // when they were first seen so
	current *tls.Certificate // what clients are shown
	wrong   error            // why it is not what the files have
	told    bool             // that this was logged
	publish func(pem []byte) // is told of each certificate before any client is; nil for nobody
}

// A stamp tells whether a file has changed.
type stamp struct {
	mod  time.Time
	size int64
}

// quiet is how long files that cannot be used are as they are before that is logged: two files
// are not replaced in one moment.
const quiet = time.Second

// readCertificate reads the files for the first time, when they must be right.
func readCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, problem.New(problem.Usage,
			"--tls-cert and --tls-key belong together, and only one of them was given").
			WithHint("give the file of the certificate with its chain, and that of its key, " +
				"both as PEM")
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if warning := files.Exposed(keyFile); warning != "" {
		log.Warn(warning)
	}
	if c.look(); c.wrong != nil {
		return nil, c.wrong
	}
	return c, nil
}

// config is how the server speaks TLS, over HTTP as over NATS.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get}
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.current, nil
}

// look reads the files again when they have changed. The caller has the lock, or is the only one.
func (c *certificate) look() {
	seen, err := c.stamps()
	if err == nil && seen == c.seen && c.wrong == nil {
		return
	}
	if seen != c.seen {
		c.seen, c.since = seen, time.Now()
	}
	if err == nil {
		err = c.read()
	}
	c.found(err)
}

func (c *certificate) stamps() (seen [2]stamp, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, c.unusable(err)
		}
		seen[i] = stamp{info.ModTime(), info.Size()}
	}
	return seen, nil
}

func (c *certificate) read() error {
	read, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return c.unusable(err)
	}
	if read.Leaf.PublicKeyAlgorithm == x509.Ed25519 {
		c.log.Warn(
			"browsers take no certificate with an Ed25519 key: give one with ECDSA (P-256) or "+
				"RSA, where people are to see the pages",
			"file",
			c.certFile,
		)
	}
	if c.publish != nil {
		c.publish(leafPEM(&read))
	}
	c.current = &read
	return nil
}

func (c *certificate) unusable(err error) error {
	return problem.New(problem.Usage, "the certificate %s with the key %s cannot be used: %w",
		c.certFile, c.keyFile, err).
		WithHint("--tls-cert names the certificate with its chain, and --tls-key its key, both " +
			"as PEM")
}

// found notes what came of reading the files, and logs it once.
func (c *certificate) found(err error) {
	c.wrong = err
	switch {
	case err == nil && c.told:
		c.told = false
		c.log.Warn("the certificate can be used again", "file", c.certFile)
	case err != nil && !c.told && c.current != nil && time.Since(c.since) > quiet:
		c.told = true
		c.log.Error("the new certificate is not used, and the one before still is",
			"error", err, "expires", c.current.Leaf.NotAfter)
	}
}

// publishTo has every certificate told, the present one at once, before it is shown to clients; nil
// ends that.
func (c *certificate) publishTo(publish func(pem []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publish = publish
	if publish != nil {
		publish(leafPEM(c.current))
	}
}

func leafPEM(c *tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}

// CertificateHealth tells how long clients can trust the server's certificate.
type CertificateHealth struct {
	Expires time.Time        `json:"expires" doc:"When the certificate that is shown ends"`
	Problem *problem.Problem `json:"problem,omitempty" doc:"What is wrong with it, or its new files"`
}

// health is nil where the server does not speak TLS.
func (c *certificate) health() *CertificateHealth {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	h := &CertificateHealth{Expires: c.current.Leaf.NotAfter.UTC()}
	switch {
	case c.wrong != nil:
		h.Problem = problem.From(c.wrong)
	case time.Now().After(h.Expires):
		h.Problem = problem.New(problem.Unavailable, "the certificate %s has expired", c.certFile).
			WithHint("put a new one in its place: the server reads it without a restart")
	}
	return h
}

// secure says how clients reach the server: over TLS, or else, on an address that other machines
// reach, only when it was told to do without.
func (f *front) secure(flag string, loopback bool) error {
	return secure(flag, loopback || f.certificate != nil || f.cfg.Plaintext)
}

func secure(flag string, is bool) error {
	if is {
		return nil
	}
	return problem.New(problem.Usage,
		"%s is an address for other machines, and what they say and read would pass in the clear",
		flag).
		WithHint("give a certificate with --tls-cert and --tls-key; or say --plaintext, " +
			"where a proxy before this server ends TLS")
}

// secureNATS says the same of NATS clients. An address that is none, the NATS server refuses.
func (s *Server) secureNATS() error {
	addr, err := net.ResolveTCPAddr("tcp", s.cfg.NATSListen)
	if s.cfg.NATSListen == "" || err != nil {
		return nil
	}
	return s.secure("--nats-listen "+s.cfg.NATSListen, addr.IP.IsLoopback())
}

// writeAddress leaves in the folder where the server listens, for the commands on this machine, and
// beside it the certificate by which they know it: whoever may write there could as well take the
// server's keys.
func (s *Server) writeAddress() error {
	address := filepath.Join(s.cfg.Dir, AddressFile)
	s.onClose(func() error { return os.Remove(address) })
	if s.certificate != nil {
		shown := filepath.Join(s.cfg.Dir, AddressCertificateFile)
		s.onClose(func() error {
			s.certificate.publishTo(nil)
			if err := os.Remove(shown); !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		})
		s.certificate.publishTo(func(pem []byte) {
			if err := files.Replace(shown, 0o600, pem); err != nil {
				s.cfg.Log.Warn(fmt.Sprintf("commands on this machine will not know the server: %v",
					err))
			}
		})
	}
	return files.Replace(address, 0o600, []byte(s.URL()+"\n"))
}
