package natsd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// started runs a server that listens for clients from outside, and stops it with the test.
func started(t *testing.T) *Server {
	t.Helper()
	return startedWith(t, Config{})
}

// startedWith does so with what else is configured.
func startedWith(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Dir, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// inside connects as Muster itself does.
func inside(t *testing.T, s *Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// answering connects as what answers guests does.
func answering(t *testing.T, s *Server) *nats.Conn {
	t.Helper()
	nc, err := s.ConnectService()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// A guest is a client from outside, and what the server has told it that it may not do.
type guest struct {
	*nats.Conn
	denied chan error
}

func newGuest(t *testing.T, s *Server, opts ...nats.Option) *guest {
	t.Helper()
	g := &guest{denied: make(chan error, 16)}
	opts = append(opts, nats.Timeout(startTimeout),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			g.denied <- err
		}))
	var err error
	if g.Conn, err = nats.Connect(s.URL(), opts...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// isDenied fails the test unless the server has refused what do does.
func (g *guest) isDenied(t *testing.T, what string, do func() error) {
	t.Helper()
	if err := errors.Join(do(), g.Flush()); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	select {
	case err := <-g.denied:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(startTimeout):
		t.Errorf("%s was not denied", what)
	}
}

const someEvent = "muster.ev.FRA.mnf-u.pledge.01KAQ7Z0V4T5W9J8M3N2P6R1XC.offered"

func TestGuestsWriteNothing(t *testing.T) {
	g := newGuest(t, started(t))
	for _, subject := range []string{someEvent, "muster.ev.x", "muster.tip.MUSTER",
		"muster.changed.public.FRA.mnf-u.pledge.X.offered", "muster.changed.x",
		"$JS.API.STREAM.DELETE.MUSTER", "$JS.API.STREAM.INFO.MUSTER",
		"$JS.API.DIRECT.GET.MUSTER", "$SYS.REQ.SERVER.PING", "other.subject"} {
		g.isDenied(t, "publishing to "+subject, func() error {
			return g.Publish(subject, []byte("x"))
		})
	}
	for _, subject := range []string{">", "muster.>", "muster.ev.>", "muster.submit",
		"muster.changed.>", "muster.changed.public.>",
		"$JS.>", "*.submit"} {
		g.isDenied(t, "subscribing to "+subject, func() error {
			_, err := g.SubscribeSync(subject)
			return err
		})
	}
}

func TestGuestsAskAndListen(t *testing.T) {
	s := started(t)
	nc, service, g := inside(t, s), answering(t, s), newGuest(t, s)
	if _, err := service.Subscribe("muster.coverage", func(m *nats.Msg) {
		_ = m.Respond([]byte("covered"))
	}); err != nil {
		t.Fatal(err)
	}
	tips, err := g.SubscribeSync("muster.tip.>")
	if err := errors.Join(err, g.Flush(), service.Flush()); err != nil {
		t.Fatal(err)
	}
	m, err := g.Request("muster.coverage", nil, 5*time.Second)
	if err != nil || string(m.Data) != "covered" {
		t.Errorf("a guest's question was answered with %v, %v", m, err)
	}
	if err := nc.Publish("muster.tip.MUSTER", []byte("7")); err != nil {
		t.Fatal(err)
	}
	if tip, err := tips.NextMsg(5 * time.Second); err != nil || string(tip.Data) != "7" {
		t.Errorf("a guest hears of a new record: %v, %v", tip, err)
	}
}

// Of what is told of a view a guest hears what was opened to all guests, or to its nkey, and
// nothing else. One that listens and reads nothing holds up who tells it until it is cut off, and
// no other connection.
func TestGuestsHearWhatIsOpened(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	key, _ := pair.PublicKey()
	s := startedWith(t, Config{Guests: []string{"muster.changed.public.>"},
		Named: map[string][]string{key: {"muster.changed.FRA.>"}}})
	g, named := newGuest(t, s), newGuest(t, s, nats.Nkey(key, pair.Sign))
	const open, own = "muster.changed.public.HQ.x", "muster.changed.FRA.FRA.x"
	others := []string{"muster.changed.>", "muster.changed.*.FRA.>", "muster.changed.GBR.>",
		"muster.changed.coordinators.>", "muster.changed.coalition.FRA.x"}
	for who, denied := range map[*guest][]string{g: append(others, own), named: others} {
		for _, subject := range denied {
			who.isDenied(t, "subscribing to "+subject, func() error {
				_, err := who.SubscribeSync(subject)
				return err
			})
		}
		who.isDenied(t, "publishing to what it hears", func() error {
			return who.Publish(open, nil)
		})
	}
	named.isDenied(t, "publishing to "+own, func() error { return named.Publish(own, nil) })

	deaf, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	_, err = fmt.Fprint(deaf, "CONNECT {\"verbose\":false}\r\nSUB muster.changed.public.> 1\r\n")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the deaf one to listen", func() bool {
		return s.srv.Load().NumSubscriptions() > 0 && s.srv.Load().NumClients() == 3
	})
	heard, err1 := g.SubscribeSync("muster.changed.public.>")
	mine, err2 := named.SubscribeSync("muster.changed.FRA.>")
	if err := errors.Join(err1, err2, g.Flush(), named.Flush()); err != nil {
		t.Fatal(err)
	}
	nc, published := inside(t, s), make(chan error, 1)
	go func() { // more than is on the way to one client
		large := make([]byte, 1<<20-100)
		for range 20 {
			if err := errors.Join(nc.Publish(open, large), nc.Flush()); err != nil {
				published <- err
				return
			}
		}
		published <- nil
	}()
	other, goesOn := inside(t, s), 0
	answered := func() {
		if err := other.Flush(); err != nil {
			t.Fatal(err)
		}
		goesOn++
	}
	for tick := time.NewTicker(10 * time.Millisecond); len(published) == 0; <-tick.C {
		answered()
	}
	if err := <-published; err != nil {
		t.Error(err)
	}
	for range 20 {
		if _, err := heard.NextMsg(10 * time.Second); err != nil {
			t.Fatalf("beside one that reads nothing: %v", err)
		}
	}
	if err := nc.Publish(own, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if m, err := mine.NextMsg(10 * time.Second); err != nil || m.Subject != own {
		t.Errorf("the named one hears %v, %v", m, err)
	}
	until(t, "the deaf one to be cut off", func() bool {
		answered()
		return s.srv.Load().NumClients() == 4
	})
	if goesOn < 20 {
		t.Errorf("beside one that reads nothing another was answered %d times", goesOn)
	}
}

// What a guest names as the place for an answer gets no more rights than the guest has: an answer
// into the ledger's subjects would be a message in the stream that is no record.
func TestNoAnswerIntoTheLedger(t *testing.T) {
	s := started(t)
	nc, service, g := inside(t, s), answering(t, s), newGuest(t, s)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	str, err := js.CreateStream(t.Context(),
		jetstream.StreamConfig{Name: "MUSTER", Subjects: []string{"muster.ev.>"}})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{}, 1)
	_, err = service.Subscribe("muster.coverage", func(m *nats.Msg) {
		_ = m.Respond([]byte("covered"))
		_ = service.Flush()
		answered <- struct{}{}
	})
	if err := errors.Join(err, service.Flush()); err != nil {
		t.Fatal(err)
	}
	told := make(chan *nats.Msg, 1)
	if _, err := nc.ChanSubscribe("muster.changed.>", told); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(g.PublishRequest("muster.coverage", "muster.changed.public.x", nil),
		g.Flush()); err != nil {
		t.Fatal(err)
	}
	<-answered
	if err := errors.Join(service.Flush(), nc.Flush()); err != nil || len(told) > 0 {
		t.Errorf("an answer is told as what was recorded: %v", err)
	}
	if err := errors.Join(g.PublishRequest("muster.coverage", someEvent, nil),
		g.Flush()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-answered:
	case <-g.denied:
	case <-time.After(startTimeout):
		t.Fatal("the question was neither answered nor denied")
	}
	// And a guest gives itself no right to answer, by a message to itself that names the place.
	g.isDenied(t, "asking itself", func() error {
		return g.PublishRequest("_INBOX.self", someEvent, nil)
	})
	if info, err := str.Info(t.Context()); err != nil || info.State.Msgs != 0 {
		t.Errorf("a guest has had %d messages written into the stream, %v", info.State.Msgs, err)
	}
}

// Answers are for whoever asked: nobody else hears them, or gives them in JetStream's place.
func TestInboxesAreApart(t *testing.T) {
	s := started(t)
	nc, g := inside(t, s), newGuest(t, s)
	spied, err := g.SubscribeSync("_INBOX.>")
	if err := errors.Join(err, g.Flush()); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(),
		jetstream.StreamConfig{Name: "MUSTER", Subjects: []string{"muster.ev.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), someEvent, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := g.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := spied.NextMsg(100 * time.Millisecond); err == nil {
		t.Errorf("a guest has heard an answer that was for Muster: %s on %s", m.Data, m.Subject)
	}
	if strings.HasPrefix(nc.NewInbox(), "_INBOX.") {
		t.Errorf("Muster takes answers at %s, where guests may publish", nc.NewInbox())
	}
}

func TestListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		"4222":                  "write host:port",
		"127.0.0.1:":            "write host:port",
		"127.0.0.1:x":           "write host:port",
		"127.0.0.1:70000":       "write host:port",
		taken.Addr().String():   "is " + taken.Addr().String() + " free?",
		"host.invalid:4222":     "host.invalid",
		"127.0.0.1:4222\n}\nx:": "write host:port",
	} {
		begun := time.Now()
		if s, err := Start(Config{Dir: t.TempDir(), Listen: address}); err == nil {
			t.Errorf("a server listens on %q: %v", address, errors.Join(s.Shutdown()))
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", address, err)
		}
		if took := time.Since(begun); took > startTimeout/2 {
			t.Errorf("%q: it took %s to say so", address, took)
		}
	}
	silent, err := Start(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if silent.URL() != "" {
		t.Errorf("a server for nobody outside listens on %s", silent.URL())
	}
	if err := silent.Shutdown(); err != nil {
		t.Error(err)
	}
}

// What was written is there after a restart on the same folder, whose name may be any that a folder
// can have.
func TestRestart(t *testing.T) {
	dir := t.TempDir() + `/a "b" {c}`
	for n := range uint64(3) {
		s, err := Start(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		nc := inside(t, s)
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = js.CreateOrUpdateStream(t.Context(),
			jetstream.StreamConfig{Name: "MUSTER", Subjects: []string{"muster.ev.>"}}); err != nil {
			t.Fatal(err)
		}
		if ack, err := js.Publish(t.Context(), someEvent, []byte("x")); err != nil ||
			ack.Sequence != n+1 {
			t.Errorf("after %d restarts: %+v, %v", n, ack, err)
		}
		nc.Close()
		if err := s.Shutdown(); err != nil {
			t.Fatal(err)
		}
	}
}

// A server that is restarted has its address and its passwords as before, and connections find it
// again, with what they were subscribed to; between, its files may be taken away.
func TestRestartInPlace(t *testing.T) {
	s := started(t)
	nc, g, url := inside(t, s), newGuest(t, s, nats.ReconnectWait(10*time.Millisecond)), s.URL()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	create := func() {
		t.Helper()
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S",
			Subjects: []string{"muster.ev.>"}}); err != nil {
			t.Fatal(err)
		}
	}
	create()
	if _, err := os.Stat(filepath.Join(StreamDir(s.cfg.Dir, "S"), "meta.inf")); err != nil {
		t.Fatal(err)
	}
	heard, err := g.SubscribeSync("muster.tip.x")
	if err := errors.Join(err, g.Flush()); err != nil {
		t.Fatal(err)
	}
	wanted := errors.New("as it was wanted")
	if err := s.RestartAfter(func() error {
		return errors.Join(os.RemoveAll(s.cfg.Dir), wanted)
	}); !errors.Is(err, wanted) {
		t.Fatal(err)
	}
	if s.URL() != url {
		t.Errorf("its address was %s, and is %s", url, s.URL())
	}
	until(t, "the connections to be back", func() bool {
		return nc.IsConnected() && g.IsConnected() && g.Flush() == nil
	})
	if _, err := js.Stream(t.Context(), "S"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("the stream that was taken away: %v", err)
	}
	create()
	if err := nc.Publish("muster.tip.x", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := heard.NextMsg(10 * time.Second); err != nil {
		t.Errorf("the guest hears nothing any more: %v", err)
	}
}

// until returns when something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A held is a way to the server inside, on which everything stands still before the first word.
type held struct{ *Server }

func (h held) InProcessConn() (net.Conn, error) {
	conn, err := h.Server.InProcessConn()
	return &heldConn{Conn: conn}, err
}

type heldConn struct {
	net.Conn
	once sync.Once
}

func (h *heldConn) Write(b []byte) (int, error) {
	h.once.Do(func() { time.Sleep(2500 * time.Millisecond) }) // a machine that stalls
	return h.Conn.Write(b)
}

// Where the machine stalls for a while, longer than clients and servers of NATS wait by themselves,
// the connection inside comes about all the same: there is no other server to go to.
func TestConnectsWhenAllStalls(t *testing.T) {
	t.Parallel()
	s, err := Start(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	nc, err := s.Connect(nats.InProcessServer(held{s}))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}
