package reach

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"time"
)

// What a NATS server may send at a time. The library makes room for as much as a message is said to
// have, before any of it comes: whoever announces a terabyte ends the process.
const (
	maxNATSMessage = 64 << 20 // bytes, eight times what nats-server takes without a warning
	maxNATSLine    = 1 << 20  // bytes of a line of the protocol
)

// A boundedDialer connects as the library does, and ends a connection on which a message or a line
// is announced that is too long. What is encrypted it cannot read: over TLS, who holds the server's
// certificate is not held to that.
type boundedDialer struct{ timeout time.Duration }

// Dial implements nats.CustomDialer.
func (d boundedDialer) Dial(network, address string) (net.Conn, error) {
	c, err := net.DialTimeout(network, address, d.timeout)
	if err != nil {
		return nil, err
	}
	return &boundedConn{Conn: c}, nil
}

// A boundedConn follows what a NATS server says, line by line:
//
//	INFO {…}                 a line
//	MSG FOO.BAR 9 11         a line, which says how many bytes follow it
//	Hello World              these, and what is left of their line
//	<0x16>…                  a TLS record: from here on nothing can be read
type boundedConn struct {
	net.Conn

	line    []byte // as far as it has come
	payload int64  // bytes of a message that are still to come, with the one behind it
	rest    bool   // of the line behind a message
	begun   bool   // a line has come
	opaque  bool   // TLS, or WebSocket, which the library bounds
	wrong   error
}

// Read implements net.Conn.
func (c *boundedConn) Read(b []byte) (int, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	n, err := c.Conn.Read(b)
	if wrong := c.follow(b[:n]); wrong != nil {
		c.wrong = wrong
		return 0, wrong
	}
	return n, err
}

// follow reads what has come, and returns why no more should be.
func (c *boundedConn) follow(b []byte) error {
	for len(b) > 0 && !c.opaque {
		if c.payload > 0 {
			skipped := min(c.payload, int64(len(b)))
			b, c.payload = b[skipped:], c.payload-skipped
			continue
		}
		if len(c.line) == 0 && !c.rest && b[0] == 0x16 {
			c.opaque = true
			return nil
		}
		part, left, ended := bytes.Cut(b, []byte("\n"))
		b = left
		if c.rest {
			c.rest = !ended
			continue
		}
		if len(c.line)+len(part) > maxNATSLine {
			return fmt.Errorf("the NATS server sends a line of more than %d bytes", maxNATSLine)
		}
		c.line = append(c.line, part...)
		if !ended {
			return nil
		}
		if err := c.isLine(); err != nil {
			return err
		}
	}
	return nil
}

// isLine takes in a whole line.
func (c *boundedConn) isLine() error {
	line := c.line
	c.line = c.line[:0]
	if !c.begun && bytes.HasPrefix(line, []byte("HTTP")) {
		c.opaque = true
		return nil
	}
	c.begun = true
	if len(line) == 0 || !bytes.ContainsRune([]byte("MmHh"), rune(line[0])) {
		return nil
	}
	words := bytes.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' })
	size, err := strconv.ParseInt(string(words[len(words)-1]), 10, 64)
	switch {
	case len(words) < 4 || err != nil || size < 0:
		return fmt.Errorf("the NATS server sends what is no message: %.100q", line)
	case size > maxNATSMessage:
		return fmt.Errorf("the NATS server announces a message of %d bytes, and %d are taken", size,
			maxNATSMessage)
	}
	c.payload, c.rest = size+1, true
	return nil
}
