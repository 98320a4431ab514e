// Package pipetest is a network within the process, for tests of servers and clients whose time is
// that of testing/synctest: nothing outside is waited for, and how busy the machine is makes no
// difference.
package pipetest

import (
	"context"
	"net"
	"sync"
)

// A Network is where one server listens, and its clients dial. It may be used concurrently.
type Network struct {
	dialled chan net.Conn
	closed  chan struct{}
	close   func()
}

// New makes a network. Within a bubble of testing/synctest it belongs to that.
func New() *Network {
	n := &Network{dialled: make(chan net.Conn), closed: make(chan struct{})}
	n.close = sync.OnceFunc(func() { close(n.closed) })
	return n
}

// Accept implements net.Listener.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.dialled:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (n *Network) Close() error {
	n.close()
	return nil
}

// Addr implements net.Listener.
func (n *Network) Addr() net.Addr { return new(net.TCPAddr) }

// DialContext returns the client's end of a new connection, whatever the address, when the server
// has accepted it.
func (n *Network) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.dialled <- server:
		return client, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
