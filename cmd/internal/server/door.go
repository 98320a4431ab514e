package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// A Door is where something is reached over HTTP that is no server of a ledger, such as a witness.
// Its fields are those of [Config].
type Door struct {
	Listen          string
	TLSCert, TLSKey string
	Plaintext       bool
	Log             *slog.Logger
}

// bodyTime is how long the body of a request may take.
const bodyTime = 10 * time.Second

// Serve answers until ctx ends, and waits then for what is under way. It calls opened with the
// place when the door is open.
func (d Door) Serve(ctx context.Context, handler http.Handler, opened func(at Place)) error {
	var shown *certificate
	var err error
	if d.TLSCert != "" || d.TLSKey != "" {
		if shown, err = readCertificate(d.TLSCert, d.TLSKey, d.Log); err != nil {
			return err
		}
	}
	l, err := listenOn("--listen", d.Listen)
	if err != nil {
		return err
	}
	loopback := l.Addr().(*net.TCPAddr).IP.IsLoopback()
	if err := secure("--listen "+d.Listen, loopback || shown != nil || d.Plaintext); err != nil {
		return errors.Join(err, l.Close())
	}
	h, scheme := bounded(timely(bodyTime, handler), d.Log), "http://"
	failed := make(chan error, 1)
	if shown != nil {
		h.TLSConfig, scheme = shown.config(), "https://"
		go func() { failed <- h.ServeTLS(l, "", "") }()
	} else {
		go func() { failed <- h.Serve(l) }()
	}
	opened(Place(scheme + l.Addr().String()))
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	return h.end(shutdownTimeout)
}
