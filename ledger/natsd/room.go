package natsd

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// How many guests may be connected at a time: so that one of them, who connects again and again,
// leaves room for the others and for Muster itself.
const (
	maxGuests     = 4096
	maxPerAddress = 256 // a ministry may be behind one
)

// A room counts the guests who are connected. What it has counted grows with each who comes; who
// has gone is found when there seem to be too many, at most once in a time of recount.
type room struct {
	all, perAddress int
	// present lists who is connected, those who are about to be included.
	present func() ([]*server.ConnInfo, error)

	mu      sync.Mutex
	by      map[string]int
	sum     int
	counted time.Time
}

const recount = time.Second

// takes reports whether there is room for one more from an address.
func (r *room) takes(from net.Addr) bool {
	if from == nil { // it has gone meanwhile
		return false
	}
	addr, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return false
	}
	host := networkOf(addr.Addr())
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isFull(host) && time.Since(r.counted) > recount {
		r.countAgain()
	}
	if r.isFull(host) {
		return false
	}
	r.by[host]++
	r.sum++
	return true
}

// networkOf is by what guests are told apart: their address, and of IPv6 the network of 64 bits, of
// which one machine has all.
func networkOf(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if network, err := addr.Prefix(64); err == nil && addr.Is6() {
		return network.String()
	}
	return addr.String()
}

func (r *room) isFull(host string) bool { return r.sum >= r.all || r.by[host] >= r.perAddress }

// countAgain counts those who were let in. The one who asks is here, too, and in no account yet.
func (r *room) countAgain() {
	here, err := r.present()
	if err != nil {
		return
	}
	r.by, r.sum, r.counted = map[string]int{}, 0, time.Now()
	for _, c := range here {
		if addr, err := netip.ParseAddr(c.IP); err == nil && c.Account == accountName {
			r.by[networkOf(addr)]++
			r.sum++
		}
	}
}

// newRoom is the room of a server's guests.
func newRoom(srv *server.Server) *room {
	return &room{all: maxGuests, perAddress: maxPerAddress, by: map[string]int{},
		present: func() ([]*server.ConnInfo, error) {
			list, err := srv.Connz(&server.ConnzOptions{Username: true, Limit: 1 << 20})
			if err != nil {
				return nil, err
			}
			return list.Conns, nil
		}}
}
