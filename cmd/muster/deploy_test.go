package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/certtest"
	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/build"
	"muster/ledger/intake"
	"muster/projections/web"
)

// The configuration in deploy is taken by a real NATS server, and gives its users the rights that
// it says: Muster has all, and neither a guest nor an answer to a guest gets into the log.
func TestDeployedNATS(t *testing.T) {
	address := deployed(t)
	startDeployed(t, "a", t.TempDir(), "muster", address)
	log := messagesAt(t, "nats://muster:secret@"+address)

	theirOwnAnswers(t, address)
	guest, err := nats.Connect("nats://"+address, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	if m, err := guest.Request("muster.ledger", []byte("{}"), 5*time.Second); err != nil ||
		!strings.Contains(string(m.Data), `"origin"`) {
		t.Fatalf("a guest's question: %v", err)
	}
	before := log()
	for _, subject := range []string{"muster.ledger", "$SRV.PING.muster", "$SRV.INFO.muster"} {
		if err := guest.PublishRequest(subject, "muster.ev.FRA.mnf-u.pledge.X.offered",
			[]byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := guest.Publish("muster.ev.FRA.mnf-u.pledge.X.offered", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	// answered after those before it
	if _, err := guest.Request("muster.ledger", []byte("{}"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if after := log(); after != before {
		t.Fatalf("the log went from %d to %d messages", before, after)
	}
}

// Servers whose user has no more rights than the example in deploy gives it keep a log together,
// each knows the sessions of the other, and each tells what it has recorded.
func TestDeployedNATSNarrowed(t *testing.T) {
	address, dir := deployed(t), t.TempDir()
	views := []server.Publication{{View: "public"}, {View: "FRA"}, {View: "GBR"}}
	a := startDeployed(t, "a", dir, "berlin", address, views...)
	b := startDeployed(t, "b", t.TempDir(), "berlin", address, views...)
	if err := b.Projector.WaitFor(t.Context(), a.Journal.Last()); err != nil {
		t.Fatal(err)
	}
	toldOnce(t, address, founderOf(t, dir), a, b)
	paris := asParis(t, address)
	var n web.SessionNonce
	told(t, paris, "muster.session.nonce", "", "", &n)
	var one web.Session
	told(t, paris, "muster.session", signedNote(t, n, n.Address, founderOf(t, dir)), "", &one)
	for range 12 { // either server answers, as it comes
		var who web.SessionState
		told(t, paris, "muster.session.who", "", one.Token, &who)
		if !who.SignedIn {
			t.Fatal("a session is known to one server alone")
		}
	}
}

// toldOnce has two servers record in turns, and shows that each record is told once to the guests
// that may hear it, which may not listen elsewhere, nor tell anything there themselves.
func toldOnce(t *testing.T, address string, founder *events.Signer, servers ...*server.Server) {
	t.Helper()
	guest, err := nats.Connect("nats://"+address, nats.Timeout(patience), nats.ErrorHandler(
		func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	french := mayHear(t, asParis(t, address), "FRA")
	public := mayHear(t, guest, "public")
	c := &country{founder: founder, origin: servers[0].Ledger.Origin()}
	c.paris, _ = newSigner(t, "FRA/paris")
	secret := c.offerOf(77)
	secret.Release = events.CoordinatorsOnly
	rome, _ := newSigner(t, "ITA/rome")
	oslo, _ := newSigner(t, "NOR/oslo")
	var told []uint64
	for i, one := range []events.Signed{signed(t, c.operation("mnf-u"), founder),
		signed(t, c.admission(c.paris), founder), signed(t, secret, c.paris), c.offer(t),
		signed(t, c.admission(rome), founder), signed(t, c.admission(oslo), founder)} {
		s := servers[i%len(servers)]
		if i > 0 {
			if err := s.Projector.WaitFor(t.Context(), told[i-1]); err != nil {
				t.Fatal(err)
			}
		}
		receipt, err := s.Ledger.Submit(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, receipt.Sequence)
	}
	// The last one of each server comes after all others of it.
	if got := hears(t, french, told[4:]); !slices.Equal(got, told) {
		t.Errorf("a guest of France hears the records %d, not %d", got, told)
	}
	if got, want := hears(t, public, told[4:]), []uint64{told[1], told[4],
		told[5]}; !slices.Equal(got, want) {
		t.Errorf("any guest hears the records %d, not %d", got, want)
	}
}

// mayHear subscribes a guest to what is told of its view, and shows that it may do nothing else.
func mayHear(t *testing.T, by *nats.Conn, view string) *nats.Subscription {
	t.Helper()
	heard, err := by.SubscribeSync("muster.changed." + view + ".>")
	if err := errors.Join(err, by.Flush(), by.LastError()); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"GBR.>", "coordinators.>", "*.FRA.>", ">"} {
		_, err := by.SubscribeSync("muster.changed." + other)
		if err := errors.Join(err, by.Flush()); err != nil {
			t.Fatal(err)
		}
		if said := by.LastError(); said == nil || !strings.Contains(said.Error(),
			`Subscription to "muster.changed.`+other) {
			t.Errorf("a guest of %s listens to %s: %v", view, other, said)
		}
	}
	err = errors.Join(by.Publish("muster.changed."+view+".x", []byte("{}")), by.Flush())
	if said := by.LastError(); err != nil || !strings.Contains(fmt.Sprint(said),
		`Publish to "muster.changed.`) {
		t.Errorf("a guest of %s tells something there: %v, %v", view, said, err)
	}
	return heard
}

// hears returns the sequences that somebody hears until some are among them, in order.
func hears(t *testing.T, sub *nats.Subscription, until []uint64) (all []uint64) {
	t.Helper()
	for missing := slices.Clone(until); len(missing) > 0; {
		m, err := sub.NextMsg(patience)
		var told web.NewsMessage
		if err == nil {
			err = json.Unmarshal(m.Data, &told)
		}
		if err != nil {
			t.Fatalf("after %d: %v", all, err)
		}
		all = append(all, told.Data.Sequence)
		missing = slices.DeleteFunc(missing, func(n uint64) bool {
			return n == told.Data.Sequence
		})
	}
	slices.Sort(all)
	return all
}

// told asks over NATS, with the token of a session unless it is "".
func told(t *testing.T, nc *nats.Conn, subject, body, token string, into any) {
	t.Helper()
	m, err := nc.RequestMsgWithContext(t.Context(),
		bearing(&nats.Msg{Subject: subject, Data: []byte(body)}, token))
	if err == nil {
		err = intake.ProblemIn(m)
	}
	if err == nil {
		err = json.Unmarshal(m.Data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", subject, err)
	}
}

// deployed starts a NATS server with the configuration in deploy, and returns its address.
func deployed(t *testing.T) string {
	t.Helper()
	opts := deployedOptions(t)
	opts.Host, opts.Port, opts.Cluster, opts.Routes, opts.NoSigs, opts.NoLog = "127.0.0.1", -1,
		natsserver.ClusterOpts{}, nil, true, true
	return strings.TrimPrefix(startNATS(t, opts).ClientURL(), "nats://")
}

// deployedOptions reads the configuration in deploy, with what stands there as an example: a guest
// that has a name, and a Muster server with few rights.
func deployedOptions(t *testing.T) *natsserver.Options {
	t.Helper()
	authority, err := certtest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Issue("server", time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"NODE": "a", "ROUTE_A": "nats://127.0.0.1:1",
		"ROUTE_B": "nats://127.0.0.1:2", "STORE": t.TempDir(), "MUSTER_PASSWORD": "secret",
		"PARIS_PASSWORD": "secret", "BERLIN_PASSWORD": "secret", "ADMIN_PASSWORD": "secret",
		"ROUTE_PASSWORD": "secret", "CERT": cert, "KEY": key, "CA": authority.File} {
		t.Setenv(name, value)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "nats-server.conf"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?m)^ +#   `)
	if n := len(examples.FindAllIndex(text, -1)); n != 8 {
		t.Fatalf("the configuration has %d lines of examples", n)
	}
	with := examples.ReplaceAllFunc(text, func(line []byte) []byte {
		return bytes.TrimLeft(line, "# ")
	})
	opts := &natsserver.Options{}
	if err := opts.ProcessConfigString(string(with)); err != nil {
		t.Fatal(err)
	}
	if opts.TLSConfig == nil {
		t.Error("a node speaks no TLS with clients")
	}
	opts.TLSConfig = nil // how they speak it, is tested with three nodes
	return opts
}

// theirOwnAnswers shows that a guest with a name, and a Muster server, are answered where nobody
// else hears it.
func theirOwnAnswers(t *testing.T, address string) {
	t.Helper()
	spy, err := nats.Connect("nats://"+address, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer spy.Close()
	heard, err := spy.SubscribeSync("_INBOX.>")
	if err := errors.Join(err, spy.Flush()); err != nil {
		t.Fatal(err)
	}
	paris := asParis(t, address)
	if m, err := paris.Request("muster.ledger", []byte("{}"), 5*time.Second); err != nil ||
		!strings.Contains(string(m.Data), `"origin"`) {
		t.Errorf("a guest with a name is not answered: %v", err)
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := heard.NextMsg(0); err == nil {
		t.Errorf("another guest has heard %.100s on %s", m.Data, m.Subject)
	}
}

// asParis connects as the guest that has a name.
func asParis(t *testing.T, address string) *nats.Conn {
	t.Helper()
	nc, err := reach.NATS{URLs: "nats://" + address, User: "paris",
		Password: "secret"}.ConnectAsGuest()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// startDeployed starts a Muster server on a cluster as one of its users.
func startDeployed(t *testing.T, name, dir, user, address string,
	told ...server.Publication) *server.Server {
	t.Helper()
	as := func(user string) reach.NATS {
		return reach.NATS{URLs: "nats://" + user + ":secret@" + address}
	}
	s, err := server.Start(t.Context(), server.Config{Dir: dir, Listen: "127.0.0.1:0",
		NATS: as(user), NATSService: as("service"), Replicas: 1, Name: name,
		Changed: told, Title: "test", Version: build.Version(),
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// messagesAt returns how to ask for the number of messages in the log of a cluster.
func messagesAt(t *testing.T, url string) func() uint64 {
	t.Helper()
	nc, err := nats.Connect(url, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return func() uint64 {
		str, err := js.Stream(t.Context(), "MUSTER")
		if err != nil {
			t.Fatal(err)
		}
		return str.CachedInfo().State.LastSeq
	}
}
