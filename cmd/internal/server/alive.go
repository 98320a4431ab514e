package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
)

// Alive returns nil when this program does its work, and its error by the end of ctx when it hangs:
// it answers over HTTP, whether or not all is well, and what is to be recorded gets its turn, which
// may take as long as NATS may be silent, some seconds, or records come in meanwhile, as when all
// is taken in that others have recorded for long. It is for whoever starts a server anew that
// hangs, which helps against nothing else: see [Server.Healthy].
func (s *Server) Alive(ctx context.Context) error {
	address := s.listener.Addr().String()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
		// It is this very process, and may be known by names that this machine does not know.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
	url := "http://localhost"
	if s.certificate != nil {
		url = "https://localhost"
	}
	url += string(s.cfg.Base) + livePath
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer over HTTP: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("over HTTP: %s", resp.Status)
	}
	before := s.Journal.Last()
	if err := s.Ledger.Turn(ctx); err != nil && s.Journal.Last() == before {
		return fmt.Errorf("what is to be recorded gets no turn: %w", err)
	}
	return nil
}
