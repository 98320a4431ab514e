package server

import (
	"net"

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

// exampleOf are addresses that a flag may name.
var exampleOf = map[string]string{"--listen": "127.0.0.1:8081", "--nats-listen": "127.0.0.1:4223",
	"--admin": "127.0.0.1:9465"}
