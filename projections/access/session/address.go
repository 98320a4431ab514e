package session

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/problem"
)

// Address returns the address of a server that is reached at a URL, in the one form that a note has
// it: scheme and host, in lower case, and a port that is not the scheme's own.
func Address(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", problem.New(problem.Usage, "%s is no address: write https:// and a host",
			problem.Name(raw))
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.WithZone("").Unmap().String()
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	address := u.Scheme + "://" + host
	if port := u.Port(); port != "" && port != ownPort[u.Scheme] {
		address += ":" + port
	}
	if !validWebAddress(address) {
		return "", problem.New(problem.Usage, "%s is no address: write https:// and a host",
			problem.Name(raw))
	}
	return address, nil
}

// ownPort is the port that an address of a scheme leaves out.
var ownPort = map[string]string{"http": "80", "https": "443"}

// natsScheme stands before the origin where servers are reached over NATS: any of a ledger's
// servers may answer there, and none has an address of its own.
const natsScheme = "nats:"

// NATSAddress returns the address of a ledger's servers that are reached over NATS.
func NATSAddress(o events.Origin) string { return natsScheme + string(o) }

func validAddress(address string, o events.Origin) bool {
	return address == NATSAddress(o) || validWebAddress(address)
}

// validWebAddress reports whether an address has the form that Address gives it.
func validWebAddress(address string) bool {
	scheme, rest, _ := strings.Cut(address, "://")
	u, err := url.Parse(address)
	if ownPort[scheme] == "" || err != nil || u.Host != rest {
		return false
	}
	host := u.Hostname()
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 || u.Port() != fmt.Sprint(n) || u.Port() == ownPort[scheme] {
			return false
		}
		rest = strings.TrimSuffix(rest, ":"+u.Port())
	}
	if a, err := netip.ParseAddr(host); err == nil {
		plain := a.Unmap().WithZone("").String()
		return rest == plain && a.Is4() || rest == "["+plain+"]"
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-._"
	return rest == host && host != "" && len(host) <= 253 && strings.Trim(host, letters) == "" &&
		!strings.HasSuffix(host, ".")
}
