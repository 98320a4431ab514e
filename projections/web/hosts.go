package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"muster/events/problem"
)

// AnswerOnly answers requests to the hosts that the server is named by, and refuses all others with
// 421: a page from elsewhere whose name was made to lead to this server (DNS rebinding) would else
// read here what its visitor may read. The server is named by hosts, by localhost and the loopback
// addresses, and by the address at which the request has arrived, which is no name that somebody
// else could give it: so it is for a server that listens on all addresses of its machine, too.
// Ports do not matter.
func AnswerOnly(hosts []string, next http.Handler) http.Handler {
	named := make([]string, len(hosts))
	for i, h := range hosts {
		named[i] = plainHost(h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := plainHost(r.Host)
		if slices.Contains(named, host) || isLoopback(host) || arrivedAt(r, host) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		writeProblem(w, problem.New(problem.Misdirected, "this server is not named %s", printable(r.Host)).
			WithHint("ask it by its own name or address; "+
				"if this is one of its names, start it with: muster serve --host %s", printable(host)))
	})
}

// ValidHost reports whether a server can be named so: a host name or an address, without a scheme or
// a port.
func ValidHost(host string) bool {
	if _, err := netip.ParseAddr(plainHost(host)); err == nil {
		return true
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-._"
	return host != "" && len(host) <= 253 && strings.Trim(strings.ToLower(host), letters) == ""
}

// plainHost returns a host in the one form in which hosts are compared: without a port, brackets or
// a dot at the end, in lower-case letters, and an address as it is usually written.
func plainHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().WithZone("").String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isLoopback reports whether a host is this machine for whoever names it (RFC 6761, section 6.3).
func isLoopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// arrivedAt reports whether a host is the address of this machine at which a request has arrived.
func arrivedAt(r *http.Request, host string) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && plainHost(local.String()) == host
}
