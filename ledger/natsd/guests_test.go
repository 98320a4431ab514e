package natsd

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// newNamed connects a guest with an nkey of its own, as it is told by key.
func newNamed(t *testing.T, s *Server) (g *guest, key string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	if key, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return newGuest(t, s, nats.Nkey(key, pair.Sign), nats.CustomInboxPrefix(InboxOf(key))), key
}

// A guest hears what is for all, and its own answers, however it asks; nobody else's, whatever it
// subscribes to, alone or in a group; and nothing of the stream.
func TestAGuestHearsNobodyElse(t *testing.T) {
	s := started(t)
	nc, service := inside(t, s), answering(t, s)
	asking, key := newNamed(t, s)
	spying, other := newNamed(t, s)
	nameless := newGuest(t, s)
	if _, err := service.Subscribe("muster.coverage",
		func(m *nats.Msg) { _ = m.Respond([]byte("covered")) }); err != nil {
		t.Fatal(err)
	}
	if err := service.Flush(); err != nil {
		t.Fatal(err)
	}
	heard := make(chan *nats.Msg, 64)
	for _, spy := range []*guest{spying, nameless} {
		subjects := []string{">", "*", "*.>", "_INBOX.guest.>", "_INBOX.guest.*.>",
			"_INBOX.guest.*.*.*",
			InboxOf(key) + ".>", InboxOf(key) + ".*", "muster.ev.>", "muster.>", "muster.*",
			"muster.coverage", "muster.session", "muster.session.>", "muster.session.nonce",
			"$JS.>", "$JS.API.>", "$JS.EVENT.>", "$SRV.>", "$SYS.>", "_MUSTER.>",
			"_SERVICE.>", "_R_.>"}
		if spy == spying {
			subjects = append(subjects, "_INBOX.>", "_INBOX.*", "_INBOX.*.>", "_INBOX.*.*.*",
				"_INBOX.*.*.*.*", "_INBOX."+other)
		} else {
			subjects = append(subjects, InboxOf(other)+".>")
		}
		for _, subject := range subjects {
			spy.isDenied(t, "subscribing to "+subject, func() error {
				_, err := spy.ChanSubscribe(subject, heard)
				return err
			})
			spy.isDenied(t, "subscribing to "+subject+" in a group", func() error {
				_, err := spy.ChanQueueSubscribe(subject, "group", heard)
				return err
			})
		}
		for _, subject := range []string{InboxOf(key) + ".x.y", "_INBOX.x", "_INBOX.x.y", someEvent,
			"$JS.API.STREAM.INFO.MUSTER"} {
			spy.isDenied(t, "publishing to "+subject, func() error {
				return spy.Publish(subject, []byte("forged"))
			})
		}
	}
	// The widest that a guest without a name may subscribe to.
	for _, subject := range []string{"_INBOX.>", "_INBOX.*.>", "_INBOX.*.*.*", "_INBOX.*.*.*.*",
		"_INBOX.*.*.>"} {
		_, err := nameless.ChanSubscribe(subject, heard)
		_, inGroup := nameless.ChanQueueSubscribe(subject, "group", heard)
		if err := errors.Join(err, inGroup); err != nil {
			t.Fatal(err)
		}
	}
	if err := nameless.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := asking.Request("muster.coverage", nil, 5*time.Second); err != nil ||
		string(m.Data) != "covered" {
		t.Fatalf("a guest with a name asks: %v, %v", m, err)
	}
	inbox := asking.NewInbox()
	answers, err := asking.SubscribeSync(inbox)
	if err := errors.Join(err, asking.PublishRequest("muster.coverage", inbox, nil)); err != nil {
		t.Fatal(err)
	}
	if m, err := answers.NextMsg(5 * time.Second); err != nil || string(m.Data) != "covered" {
		t.Fatalf("and in another way: %v, %v", m, err)
	}
	if err := errors.Join(nc.Publish(someEvent, []byte("x")), nc.Flush(), spying.Flush(),
		nameless.Flush()); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-heard:
		t.Errorf("a guest has heard %q on %s", m.Data, m.Subject)
	default: // what was for it came before the answers to Flush
	}
	if m, err := nameless.Request("muster.coverage", nil, 5*time.Second); err != nil ||
		string(m.Data) != "covered" {
		t.Errorf("a guest without a name asks: %v, %v", m, err)
	}
}

// Nobody comes in under the name of another, or of Muster itself; and where other machines can ask,
// nobody without a name.
func TestTheDoor(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	accountKey, err := account.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []struct {
		listen string
		open   bool
	}{{"127.0.0.1:0", true}, {"0.0.0.0:0", false}, {":0", false}} {
		s, err := Start(Config{Dir: t.TempDir(), Listen: where.listen})
		if err != nil {
			t.Fatal(err)
		}
		url := "nats://127.0.0.1:" + s.URL()[strings.LastIndex(s.URL(), ":")+1:]
		for _, who := range []struct {
			name string
			as   nats.Option
			in   bool
		}{
			{"with an nkey", nats.Nkey(key, pair.Sign), true},
			{"with another's nkey", nats.Nkey(key, other.Sign), false},
			{"with a signature of nothing", nats.Nkey(key, func([]byte) ([]byte, error) {
				return pair.Sign(nil)
			}), false},
			{"with an account's nkey", nats.Nkey(accountKey, account.Sign), false},
			{"with no nkey at all", nats.Nkey("x.>", pair.Sign), false},
			{"without a name", nats.Name("x"), where.open},
			{"as guest", nats.UserInfo("guest", "guest"), where.open},
			{"as guest, wrongly", nats.UserInfo("guest", ""), false},
			{"as muster", nats.UserInfo("muster", ""), false},
			{"as service", nats.UserInfo("service", "guest"), false},
			{"as nobody known", nats.UserInfo("x", "x"), false},
			{"with a token", nats.Token("x"), false},
			{"with a JWT", nats.UserJWTAndSeed("x.y.z", string(seedOf(t, pair))), where.open},
		} {
			nc, err := nats.Connect(url, nats.Timeout(startTimeout), who.as)
			if nc != nil {
				nc.Close()
			}
			if (err == nil) != who.in || err != nil && !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("on %s, %s: %v", where.listen, who.name, err)
			}
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	}
}

func seedOf(t *testing.T, pair nkeys.KeyPair) []byte {
	t.Helper()
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// One address does not take the place of all others, and has room again when it has let go.
func TestRoomForOthers(t *testing.T) {
	s := started(t)
	connect := func(from string) (*nats.Conn, error) {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		key, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		return nats.Connect(s.URL(), nats.Timeout(startTimeout),
			nats.Nkey(key, pair.Sign), nats.MaxReconnects(0),
			nats.SetCustomDialer(&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}))
	}
	var all []*nats.Conn
	t.Cleanup(func() {
		for _, nc := range all {
			nc.Close()
		}
	})
	for len(all) < maxPerAddress {
		nc, err := connect("127.0.0.1")
		if err != nil {
			t.Fatalf("guest %d: %v", len(all)+1, err)
		}
		all = append(all, nc)
	}
	if nc, err := connect("127.0.0.1"); err == nil {
		nc.Close()
		t.Errorf("one address has %d guests", maxPerAddress+1)
	}
	other, err := connect("127.0.0.2")
	if err != nil {
		t.Fatalf("another address: %v", err)
	}
	all = append(all, other)
	inside(t, s)
	all[0].Close()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(recount / 10) {
		nc, err := connect("127.0.0.1")
		if err == nil {
			all[0] = nc
			return
		}
		if time.Now().After(until) {
			t.Fatalf("there is no room again: %v", err)
		}
	}
}

// One machine has a whole network of IPv6, and is told as one; and one that has gone is no guest.
func TestRoomOfANetwork(t *testing.T) {
	r := &room{all: 10, perAddress: 2, by: map[string]int{},
		present: func() ([]*server.ConnInfo, error) {
			return []*server.ConnInfo{{IP: "2001:db8::1", Account: accountName},
				{IP: "2001:db8::2", Account: accountName}, {IP: "2001:db8:0:1::1"}}, nil
		}}
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }
	var told []bool
	for _, ip := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1",
		"192.0.2.1", "192.0.2.2"} {
		told = append(told, r.takes(at(ip)))
	}
	if want := []bool{true, true, false, true, true, true}; !slices.Equal(told, want) {
		t.Errorf("let in are %v, not %v", told, want)
	}
	if r.takes(nil) {
		t.Error("who has gone is let in")
	}
}
