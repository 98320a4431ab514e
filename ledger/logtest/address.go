package logtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
)

// Address returns where a server of a test can listen that must know its address before it starts,
// such as a node of a cluster: a host and a port at which nobody listens. A port that was found
// free may be anybody's a moment later, so on Linux the host is one that nobody else has.
func Address(t testing.TB) (host string, port int) {
	t.Helper()
	host = "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254))
	}
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return host, l.Addr().(*net.TCPAddr).Port
}
