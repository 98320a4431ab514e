package web

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/events/problem"
	"muster/events/problem/wire"
)

// AnswerOnly answers requests to the hosts that the server is named by, and refuses all others with
// 421: a page from elsewhere whose name was made to lead to this server (DNS rebinding) would else
// read here what its visitor may read. The server is named by hosts, by localhost and the loopback
// addresses, and by the address at which the request has arrived, which is no name that somebody
// else could give it: so it is for a server that listens on all addresses of its machine, too.
// Any port is taken.
//
// A request in HTTP/1.0 may name no host (RFC 9112, section 3.2), as those of some load balancers
// do. It is meant for the address at which it has arrived. No browser sends one, so that no page
// from elsewhere can have it sent. What is no host at all is refused with 400, as that section
// says.
func AnswerOnly(hosts []string, next http.Handler) http.Handler {
	named := plainHosts(hosts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "" && !r.ProtoAtLeast(1, 1) {
			r = arrived(r)
		}
		host, err := hostOf(r)
		if err == nil && !slices.Contains(named, host) && !isLoopback(host) && !arrivedAt(r, host) {
			err = problem.New(problem.Misdirected, "this server is not named %s",
				problem.Name(r.Host)).
				WithHint("ask it by its own name or address; "+
					"if this is one of its names, start it with: muster serve --host %s",
					problem.Name(host))
		}
		if err == nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		wire.HTTP(w, err)
	})
}

// hostOf returns the host that a request names, as plainHost does.
func hostOf(r *http.Request) (string, error) {
	if r.Host == "" {
		return "", problem.New(problem.Usage, "the request names no host").
			WithHint("send a Host header with this server's name or address")
	}
	u, err := url.Parse("//" + r.Host)
	if err == nil && u.Host == r.Host && u.Hostname() != "" &&
		strings.Contains(u.Hostname(), ":") == strings.HasPrefix(r.Host, "[") {
		if _, err = strconv.ParseUint(cmp.Or(u.Port(), "0"), 10, 16); err == nil {
			return plainHost(u.Hostname()), nil
		}
	}
	return "", problem.New(problem.Usage, "%s is no host", problem.Name(r.Host)).
		WithHint("write in the Host header a name or an address, and behind it, " +
			"where there is a port, a colon and digits: 127.0.0.1:8080")
}

// IsNamed reports whether a request is to one of the hosts.
func IsNamed(r *http.Request, hosts []string) bool {
	return slices.Contains(plainHosts(hosts), plainHost(r.Host))
}

func plainHosts(hosts []string) []string {
	plain := make([]string, len(hosts))
	for i, h := range hosts {
		plain[i] = plainHost(h)
	}
	return plain
}

// ValidHost reports whether a server can be named so: a host name or an address, without a scheme
// or a port.
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

// IsThisMachine reports whether a request names the host that is the machine of whoever asks.
func IsThisMachine(r *http.Request) bool { return isLoopback(plainHost(r.Host)) }

// isLoopback reports whether a host is this machine for whoever names it (RFC 6761, section 6.3).
func isLoopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// arrived returns a request that names no host with the address at which it has arrived.
func arrived(r *http.Request) *http.Request {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return r
	}
	r = r.WithContext(r.Context())
	r.Host = local.String()
	return r
}

// arrivedAt reports whether a host is the address of this machine at which a request has arrived.
func arrivedAt(r *http.Request, host string) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && plainHost(local.String()) == host
}
