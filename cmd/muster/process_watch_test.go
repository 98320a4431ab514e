package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"muster/events"
)

// awaitAdmin returns the address at which a server tells its metrics.
func (p *serverProcess) awaitAdmin(t *testing.T) string {
	t.Helper()
	found, err := p.await(&p.stderr, `metrics on (http://\S+)/metrics`)
	if err != nil {
		t.Fatal(err)
	}
	return found[1]
}

// awaitStatus waits until an address answers with a status, and returns the answer.
func awaitStatus(t *testing.T, url string, want int) string {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		status, body := get(t, url)
		if status == want {
			return body
		}
		if time.Now().After(end) {
			t.Fatalf("%s answers with %d, not %d: %s", url, status, want, body)
		}
	}
}

// metric returns the line of a metric without its name.
func metric(t *testing.T, admin, name string) string {
	t.Helper()
	_, all := get(t, admin+"/metrics")
	for line := range strings.Lines(all) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("there is no metric %s", name)
	return ""
}

// NATS goes away while nobody submits anything, and comes back: health, readiness, metrics and the
// log each say so, the log once. That the process answers is no question meanwhile.
func TestServerSaysThatItTakesNothing(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	cluster := natsCluster(t, store, anyPort)
	port := cluster.Addr().(*net.TCPAddr).Port
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats", cluster.ClientURL(),
		"--admin", "127.0.0.1:0")
	admin := p.awaitAdmin(t)
	begin(t, p)
	expect := func(taking string, status int) {
		t.Helper()
		for _, base := range []string{admin, p.url} {
			for path, want := range map[string]int{"/livez": http.StatusOK, "/readyz": status} {
				if got, body := get(t, base+path); got != want {
					t.Errorf("%s answers with %d, not %d: %s", path, got, want, body)
				}
			}
		}
		if got := metric(t, admin, "muster_taking_statements"); got != taking {
			t.Errorf("muster_taking_statements is %s, not %s", got, taking)
		}
	}
	expect("1", http.StatusOK)

	stopNATS(cluster)
	body := awaitStatus(t, p.url+"/healthz", http.StatusServiceUnavailable)
	if !strings.Contains(body, "nothing can be recorded now") {
		t.Errorf("health says %s", body)
	}
	expect("0", http.StatusServiceUnavailable)
	if got := metric(t, admin, "muster_nats_connected"); got != "0" {
		t.Errorf("muster_nats_connected is %s", got)
	}
	again := natsCluster(t, store, port)
	awaitStatus(t, p.url+"/healthz", http.StatusOK)
	expect("1", http.StatusOK)
	if got := metric(t, admin, "muster_stops_total"); got != "1" {
		t.Errorf("muster_stops_total is %s", got)
	}
	p.stop(t)
	stopNATS(again)
	for line, want := range map[string]int{
		`level=ERROR msg="the ledger takes no statements" why="nothing can be recorded now: `: 1,
		`level=WARN msg="the ledger takes statements again" last=3 after=`:                    1,
		`level=WARN msg="nats: the connection is lost"`:                                       1,
		`level=WARN msg="nats: connected again"`:                                              1,
	} {
		if got := strings.Count(p.stderr.String(), line); got != want {
			t.Errorf("the log says %d times, not %d: %s", got, want, line)
		}
	}
}

// Each statement that is recorded or refused has a line at the level info, as JSON where that is
// asked, and nothing of what it says. Without the level there is none.
func TestStatementsAreLogged(t *testing.T) {
	t.Parallel()
	p := launch(t, filepath.Join(t.TempDir(), "ledger"), "--log-level", "info", "--log-format",
		"json")
	found, err := p.await(&p.stderr, `listening on (http://[^"\s]+)`)
	if err != nil {
		t.Fatal(err)
	}
	p.url = found[1]
	c := begin(t, p)
	const secret = "what nobody may read in the log"
	offer := c.offerOf(77_777)
	offer.Note = secret
	taken, refused := signed(t, offer, c.paris), signed(t, c.offerOf(1), c.founder)
	stranger := signed(t, c.offerOf(1), c.stranger(t))
	for _, s := range []events.Signed{taken, taken, refused, stranger} {
		_, _ = p.client().Submit(t.Context(), s)
	}
	resp, err := http.Post(p.url+"/api/v1/statements", "text/plain", strings.NewReader(secret))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.stop(t)
	lines := map[string]int{}
	for line := range strings.Lines(p.stderr.String()) {
		var one struct {
			Level, Msg, ID, Type, Nation, Problem, Code string
			Time                                        time.Time
			Sequence                                    uint64
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Time.IsZero() {
			t.Errorf("a line is no JSON with a time: %s", line)
		}
		if one.ID == "" && one.Problem == "" {
			continue
		}
		for id, name := range map[string]events.Signed{"taken": taken, "refused": refused,
			"stranger": stranger} {
			one.ID = strings.ReplaceAll(one.ID, name.Statement.Head().ID.String(), id)
		}
		if len(one.ID) == len(events.NewID().String()) {
			one.ID = "another"
		}
		lines[fmt.Sprint(one.Level, " ", one.Msg, " ", one.ID, " ", one.Type, " ", one.Nation, " ",
			one.Sequence, " ", one.Problem, " ", one.Code)]++
	}
	for _, want := range []string{
		"INFO a statement was recorded another operation.opened HQ 2  ",
		"INFO a statement was recorded another member.admitted HQ 3  ",
		"INFO a statement was recorded taken pledge.offered FRA 4  ",
		"INFO a statement was recorded before taken pledge.offered FRA 4  ",
		"INFO a statement was refused refused pledge.offered FRA 0 not-allowed speaks-for-itself",
		"INFO a statement was refused stranger pledge.offered FRA 0 not-allowed not-admitted",
		"INFO what was submitted is no statement    0 syntax ",
	} {
		if lines[want] != 1 {
			t.Errorf("%d lines, not one: %q", lines[want], want)
		}
		delete(lines, want)
	}
	if len(lines) > 0 {
		t.Errorf("more is logged: %v", lines)
	}
	for _, never := range []string{secret, "77777", "personnel", "FRA/paris"} {
		if strings.Contains(p.stderr.String(), never) {
			t.Errorf("the log has %q", never)
		}
	}

	quiet := serving(t, p.dir)
	if _, err := quiet.client().Submit(t.Context(), c.offer(t)); err != nil {
		t.Error(err)
	}
	quiet.stop(t)
	if said := quiet.stderr.String(); strings.Contains(said, "level=") {
		t.Errorf("a server that was asked for nothing logs %s", said)
	}
}

// usersOfCluster are what a NATS cluster lets its users do: see deploy/nats-server.conf.
const usersOfCluster = `
jetstream { store_dir: %q }
accounts { MUSTER { jetstream: enabled, users: [
  { user: muster, password: secret }
  { user: service, password: secret, permissions: {
      publish: { allow: ["_INBOX.>"] }
      subscribe: { allow: ["muster.*", "muster.session.*", "$SRV.>", "_SERVICE.>"] } } }
  { user: guest, password: guest, permissions: {
      publish: { allow: ["muster.>", "$SRV.>"], deny: ["muster.ev.>", "muster.tip.>"] }
      subscribe: { allow: ["_INBOX.>", "muster.tip.>"], deny: ["_INBOX.guest.>"] } } }
] } }
no_auth_user: guest`

// Whoever asks over NATS says where the answer goes. Where it may not go, NATS denies it, and says
// so each time. A client that does nothing else has a few lines written to the log, with how many
// more there were: as well where the server itself denies it as where a cluster does.
func TestDenialsDoNotFillTheLog(t *testing.T) {
	notShort(t)
	t.Parallel()
	inside := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats-listen", "127.0.0.1:0")
	inside.awaitNATS(t)
	opts := &natsserver.Options{}
	if err := opts.ProcessConfigString(fmt.Sprintf(usersOfCluster, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", anyPort, true, true
	cluster := startNATS(t, opts).ClientURL()
	beside := launchIn(t, filepath.Join(t.TempDir(), "ledger"), []string{"MUSTER_NATS_USER=muster",
		"MUSTER_NATS_PASSWORD=secret", "MUSTER_NATS_SERVICE_USER=service",
		"MUSTER_NATS_SERVICE_PASSWORD=secret"}, "--nats", cluster)
	beside.awaitListening(t)
	beside.nats = cluster
	for _, p := range []*serverProcess{inside, beside} {
		const many = 20_000
		floodWithDenials(t, p, many)
		p.stop(t)
		said := p.stderr.String()
		if n := strings.Count(said, "\n"); n > 60 || len(said) > 20<<10 {
			t.Errorf("%d denials made %d lines, %d bytes:\n%.4000s", many, n, len(said), said)
		}
		if !regexp.MustCompile(`(?i)permissions? violation|publish violation`).MatchString(said) {
			t.Errorf("the log does not say what was denied:\n%s", said)
		}
	}
}

// floodWithDenials asks so many questions whose answers may not be delivered, and returns when each
// was denied.
func floodWithDenials(t *testing.T, p *serverProcess, many int) {
	t.Helper()
	nc, err := nats.Connect(p.nats, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for n := range many {
		if err := nc.PublishMsg(&nats.Msg{Subject: "muster.session.nonce", Data: []byte("{}"),
			Reply: fmt.Sprintf("muster.ev.FRA.%d", n)}); err != nil {
			t.Fatal(err)
		}
		// No more than the server lets wait; this is answered after those before it.
		if n%500 == 499 {
			if _, err := nc.Request("muster.session.nonce", []byte("{}"), patience); err != nil {
				t.Fatal(err)
			}
		}
	}
}
