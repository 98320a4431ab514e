package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/events/problem"
)

// sent sends a request as it is written, and returns the answer.
func sent(t *testing.T, address, request string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// What a request says of its host is a host, or the request is refused: nothing but one is compared
// with the names of the server. HTTP/1.0 need not say any.
func TestHostsAsWritten(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(AnswerOnly([]string{"muster.example"}, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "for "+r.Host) })))
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "http://")
	for _, one := range []struct {
		request string
		status  int
		says    string
	}{
		{"GET / HTTP/1.0\r\n\r\n", 200, "for " + address},
		{"GET / HTTP/1.0\r\nHost: muster.example\r\n\r\n", 200, "for muster.example"},
		{"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421, "is not named evil.example"},
		{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "names no host"},
		{"GET / HTTP/1.1\r\nHost: muster.example:\r\n\r\n", 200, "for muster.example:"},
		{"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200, "for [::1]:80"},
		{"GET http://muster.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200,
			"for muster.example"},
		{"GET http://evil.example/ HTTP/1.1\r\nHost: muster.example\r\n\r\n", 421,
			"is not named evil.example"},
		{"GET / HTTP/1.1\r\nHost: muster.example:abc\r\n\r\n", 400,
			"muster.example:abc is no host"},
		{"GET / HTTP/1.1\r\nHost: muster.example:70000\r\n\r\n", 400, "is no host"},
		{"GET / HTTP/1.1\r\nHost: 127.0.0.1:8o\r\n\r\n", 400, "127.0.0.1:8o is no host"},
		{"GET / HTTP/1.1\r\nHost: :8080\r\n\r\n", 400, "is no host"},
		{"GET / HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n", 400, "is no host"},
		{"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "is no host"},
		{"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400, "::1 is no host"},
	} {
		status, body := sent(t, address, one.request)
		if status != one.status || !strings.Contains(body, one.says) {
			t.Errorf("%q: %d %s", one.request, status, body)
		}
		if status >= 400 && problem.Decode(status, []byte(body)).Hint == "" {
			t.Errorf("%q: without a remedy: %s", one.request, body)
		}
	}
}
