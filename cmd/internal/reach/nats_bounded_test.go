package reach

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// aConn reads from a reader.
type aConn struct {
	net.Conn
	io.Reader
}

func (c aConn) Read(b []byte) (int, error) { return c.Reader.Read(b) }

// However what a server says comes in parts, all of it is read that is not too long, and nothing
// behind an announcement of what is.
func TestBoundedConn(t *testing.T) {
	info, message := "INFO {\"max_payload\":1048576}\r\n", "MSG a.b 1 c.d 7\r\nMSG 9 9\r\n"
	headed := "HMSG a 1 4 11\r\nMSG \n a 1 99\r\n"
	huge := "MSG a 1 99999999999\r\n"
	for what, says := range map[string]struct {
		text string
		ends bool
	}{
		"the usual":         {info + "PING\r\n" + message + headed + "+OK\r\n" + message, false},
		"nothing in it":     {info + "MSG a 1 0\r\n\r\n" + message, false},
		"too much":          {info + message + huge, true},
		"after nothing":     {"MSG a 1 0\r\n\r\n" + huge, true},
		"with a header":     {headed + "hmsg a 1 12 99999999999\r\n", true},
		"in a message":      {"MSG a 1 21\r\n" + huge + "\r\n" + message, false},
		"beyond 64 bits":    {"MSG a 1 999999999999999999999999\r\n", true},
		"less than nothing": {"MSG a 1 -5\r\n", true},
		"no size":           {"MSG\t\r\n", true},
		"a long line":       {info + strings.Repeat("x", maxNATSLine+1), true},
		"TLS":               {info + "\x16\x03" + huge, false},
		"WebSocket":         {"HTTP/1.1 101 Switching\r\n" + huge, false},
		"HTTP later":        {info + "HTTP/1.1 101 Switching\r\n", true},
	} {
		rapid.Check(t, func(t *rapid.T) {
			var r io.Reader = strings.NewReader(says.text)
			if rapid.Bool().Draw(t, "byte by byte") && len(says.text) < 1000 {
				r = iotest.OneByteReader(r)
			}
			c := &boundedConn{Conn: aConn{Reader: r}}
			var read bytes.Buffer
			_, err := io.CopyBuffer(struct{ io.Writer }{&read}, struct{ io.Reader }{c},
				make([]byte, rapid.IntRange(1, 99).Draw(t, "buffer")*(1+len(says.text)/1000)))
			if (err != nil) != says.ends || !says.ends && read.String() != says.text {
				t.Errorf("%s: %v, after %d of %d bytes", what, err, read.Len(), len(says.text))
			}
			if _, again := c.Read(make([]byte, 9)); says.ends && !errors.Is(again, err) {
				t.Errorf("%s: and then %v", what, again)
			}
		})
	}
}
