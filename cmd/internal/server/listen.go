package server

import (
	"net"
	"net/url"

	"muster/events/problem"
)

// listenOn takes the address of a flag. The error says how to name another.
func listenOn(flag, address string) (net.Listener, error) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return nil, problem.New(problem.Usage, "%s %s is no address to listen on: %w", flag,
			address, err).
			WithHint("write an address and a port, such as %s", exampleOf[flag])
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, problem.New(problem.Unavailable, "listening on %s: %w", address, err).
			WithHint("name another address with %s, such as %s", flag, exampleOf[flag])
	}
	return l, nil
}

// A Place is where something listens: a URL with the address that it was opened on, which is
// 0.0.0.0 or :: for all of the machine's; "" for nowhere.
type Place string

// URL is the address as a client on this machine writes it.
func (p Place) URL() string {
	here, _ := p.here()
	return here
}

// String says for people where that is, beginning with the URL.
func (p Place) String() string {
	here, all := p.here()
	if all {
		return here + " and all other addresses of this machine"
	}
	return here
}

// here returns the URL, and whether it is one address of all.
func (p Place) here() (here string, all bool) {
	u, err := url.Parse(string(p))
	if err != nil || !net.ParseIP(u.Hostname()).IsUnspecified() {
		return string(p), false
	}
	u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	return u.String(), true
}

// exampleOf are addresses that a flag may name.
var exampleOf = map[string]string{"--listen": "127.0.0.1:8081", "--nats-listen": "127.0.0.1:4223",
	"--admin": "127.0.0.1:9465"}
