package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// A serverProcess is a muster server in a process of its own.
type serverProcess struct {
	*background
	dir, url, nats string
}

// What a process writes when it breaks, and never otherwise.
var broken = regexp.MustCompile(
	`(?m)^(panic:|fatal error:|WARNING: DATA RACE|unexpected fault address)`)

// launch starts a server on a folder and does not wait for it. It ends with the test, and must not
// break before.
func launch(t *testing.T, dir string, flags ...string) *serverProcess {
	t.Helper()
	return launchIn(t, dir, nil, flags...)
}

// launchIn launches a server with more in its environment.
func launchIn(t *testing.T, dir string, env []string, flags ...string) *serverProcess {
	t.Helper()
	args := append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, flags...)
	b, err := startBackground(filepath.Dir(dir), append(env, "GORACE=atexit_sleep_ms=0"), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.kill()
		if said := b.stderr.String(); broken.MatchString(said) {
			t.Errorf("the server on %s broke:\n%s", filepath.Base(dir), said)
		} else if t.Failed() {
			t.Logf("the server on %s said:\n%s", filepath.Base(dir), said)
		}
	})
	return &serverProcess{background: b, dir: dir}
}

// serving starts a server and returns when it listens.
func serving(t *testing.T, dir string, flags ...string) *serverProcess {
	t.Helper()
	p := launch(t, dir, flags...)
	p.awaitListening(t)
	return p
}

func (p *serverProcess) awaitListening(t *testing.T) {
	t.Helper()
	found, err := p.await(&p.stderr, `listening on (http://\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	p.url = found[1]
}

// awaitNATS fills in the address for NATS clients, of a server that was started with --nats-listen.
func (p *serverProcess) awaitNATS(t *testing.T) {
	t.Helper()
	found, err := p.await(&p.stderr, `NATS clients on (nats://\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	p.nats = found[1]
}

// stop ends the server as an administrator does, and fails the test unless it ends well.
func (p *serverProcess) stop(t *testing.T) {
	t.Helper()
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, server.AddressFile)); err == nil {
		t.Errorf("the server on %s has stopped, and its address file is still there",
			filepath.Base(p.dir))
	}
}

// ends waits for a server that cannot start, and returns its exit code and what it said.
func (p *serverProcess) ends(t *testing.T) (code int, said string) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the server hangs; it said:\n%s", &p.stderr)
	}
	return p.cmd.ProcessState.ExitCode(), p.stderr.String()
}

// busy is an HTTP client that keeps a connection for each of many writers.
func busy() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: patience}
}

func (p *serverProcess) client() intake.HTTPClient {
	return intake.HTTPClient{URL: p.url, HTTP: busy()}
}

// records reads the whole log, as it is stored.
func (p *serverProcess) records(t *testing.T) []web.Record { return p.recordsAfter(t, nil) }

// recordsAfter reads what the log has beyond those records, and adds it to them.
func (p *serverProcess) recordsAfter(t *testing.T, all []web.Record) []web.Record {
	t.Helper()
	for {
		var page web.Records
		from := fmt.Sprint(len(all) + 1)
		if err := (web.Client{URL: p.url}).Ask(t.Context(), "records",
			map[string]string{"from": from, "limit": "10000"}, &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Records) == 0 {
			return all
		}
		all = append(all, page.Records...)
	}
}

// awaitRecord returns when the server's journal has the record with the sequence.
func (p *serverProcess) awaitRecord(t *testing.T, sequence int) {
	t.Helper()
	var page web.Records
	from := fmt.Sprint(sequence)
	err := web.Client{URL: p.url}.Ask(t.Context(), "records",
		map[string]string{"from": from, "limit": "1", "wait": "30"}, &page)
	if err != nil || len(page.Records) != 1 {
		t.Fatalf("the server on %s has not come to record %d: %d records, %v", filepath.Base(p.dir),
			sequence, page.AsOf, err)
	}
}

// health asks the server how it is.
func (p *serverProcess) health(t *testing.T) (status int, body string) {
	t.Helper()
	return get(t, p.url+"/healthz")
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

// natsCluster runs an ordinary NATS server with JetStream, in this process, as an administrator
// would for several Muster servers. It stops with the test.
func natsCluster(t *testing.T, dir string, port int) *natsserver.Server {
	t.Helper()
	return startNATS(t, &natsserver.Options{Host: "127.0.0.1", Port: port, JetStream: true,
		StoreDir: dir, NoSigs: true, NoLog: true})
}

// startNATS runs a NATS server in this process until the test ends.
func startNATS(t *testing.T, opts *natsserver.Options) *natsserver.Server {
	t.Helper()
	srv, err := natsserver.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { stopNATS(srv) })
	if !srv.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not start")
	}
	return srv
}

func stopNATS(srv *natsserver.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

// anyPort asks nats-server for a free port.
const anyPort = natsserver.RANDOM_PORT

// A country is a ledger's founder and a liaison, and what they sign.
type country struct {
	origin         events.Origin
	founder, paris *events.Signer
	secret         string // of paris
}

const (
	someDay events.Date = 2026_11_23
	nextDay events.Date = 2026_11_24
)

// begin makes what stands before the first pledge in the ledger that a server has founded: an
// operation and a liaison.
func begin(t *testing.T, p *serverProcess) *country {
	t.Helper()
	c := &country{founder: founderOf(t, p.dir)}
	c.paris, c.secret = newSigner(t, "FRA/paris")
	var l web.Ledger
	if err := (web.Client{URL: p.url}).Ask(t.Context(), "ledger", nil, &l); err != nil {
		t.Fatal(err)
	}
	c.origin = l.Origin
	for _, st := range []events.Statement{c.operation("mnf-u"), c.admission(c.paris)} {
		if _, err := p.client().Submit(t.Context(), signed(t, st, c.founder)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func founderOf(t *testing.T, dir string) *events.Signer {
	t.Helper()
	s, err := files.ReadKey(filepath.Join(dir, server.FounderFile))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSigner(t *testing.T, name string) (s *events.Signer, secret string) {
	t.Helper()
	secret, _, err := events.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = events.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	return s, secret
}

func signed(t *testing.T, st events.Statement, with *events.Signer) events.Signed {
	t.Helper()
	s, err := events.Sign(st, with)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c *country) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: c.origin}
}

func (c *country) operation(name events.Operation) *events.OperationOpened {
	return &events.OperationOpened{Header: c.head("operation.opened"),
		Dated: events.Dated{Effective: someDay},
		OperationTerms: events.OperationTerms{Operation: name, Title: "a test",
			Roles: []events.RoleDefinition{
				{Role: "ground", Title: "troops", Units: []events.Unit{"personnel"}},
				{Role: "sea", Title: "ships", Units: []events.Unit{"ship"}}}}}
}

func (c *country) admission(of *events.Signer) *events.MemberAdmitted {
	role := events.Liaison
	if of.Key().Party() == events.HQ {
		role = events.Coordinator
	}
	return &events.MemberAdmitted{Header: c.head("member.admitted"), Key: of.Key(), Role: role}
}

func (c *country) offerOf(quantity int64) *events.PledgeOffered {
	return &events.PledgeOffered{Header: c.head("pledge.offered"),
		Dated: events.Dated{Effective: someDay},
		Place: events.Place{Operation: "mnf-u", Nation: "FRA"},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(quantity),
			Unit: "personnel", Window: events.Window{From: nextDay}}}
}

func (c *country) offer(t *testing.T) events.Signed { return signed(t, c.offerOf(100), c.paris) }

// stranger makes a key that nobody has admitted.
func (c *country) stranger(t *testing.T) *events.Signer {
	t.Helper()
	s, _ := newSigner(t, "FRA/nobody")
	return s
}
