package server

import (
	"net/netip"
	"testing"

	"muster/projections/access"
)

// Everybody reads all only where nobody but this machine reaches the server, or where it was told
// so.
func TestWhoReadsWhat(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  Config
		want access.Reading
	}{
		{"this machine alone", Config{}, access.ReadOpen},
		{"NATS clients of this machine", Config{NATSListen: "127.0.0.1:0"}, access.ReadOpen},
		{"another's name", Config{Hosts: []string{"muster.example"}}, access.ReadReleased},
		{"a proxy", Config{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
			access.ReadReleased},
		{"a proxy that ends TLS", Config{Plaintext: true}, access.ReadReleased},
		{"all addresses", Config{Listen: "0.0.0.0:0", Plaintext: true}, access.ReadReleased},
		{"all addresses of NATS", Config{NATSListen: "0.0.0.0:0", Plaintext: true},
			access.ReadReleased},
		{"it was told so", Config{Listen: "0.0.0.0:0", Plaintext: true, Read: access.ReadOpen},
			access.ReadOpen},
		{"members alone", Config{Read: access.ReadMembers}, access.ReadMembers},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.cfg.Dir, test.cfg.Version, test.cfg.Founding = t.TempDir(), "0.0.0", founding(t)
			if test.cfg.Listen == "" {
				test.cfg.Listen = "127.0.0.1:0"
			}
			s, err := Start(t.Context(), test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if s.Questions.Reads != test.want {
				t.Errorf("%s, want %s", s.Questions.Reads, test.want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
