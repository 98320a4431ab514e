package reach

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"muster/cmd/internal/certtest"
	"muster/events/problem"
	"muster/ledger/natsd"
)

// startNATS runs an ordinary NATS server with a configuration, on a port that is free when it is 0.
func startNATS(t *testing.T, port int, conf string, args ...any) *server.Server {
	t.Helper()
	opts := &server.Options{}
	if err := opts.ProcessConfigString(fmt.Sprintf(conf, args...)); err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", port, true, true
	if port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	return srv
}

// at is where a server is reached by a name.
func at(scheme, name string, srv *server.Server) string {
	return fmt.Sprintf("%s://%s:%s", scheme, name,
		srv.Addr().String()[strings.LastIndex(srv.Addr().String(), ":")+1:])
}

func newAuthority(t *testing.T, dir string) *certtest.Authority {
	t.Helper()
	a, err := certtest.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *certtest.Authority, name string, hosts ...string) (cert, key string) {
	t.Helper()
	cert, key, err := a.Issue(name, time.Now().Add(time.Hour), hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// nkeyFile makes an nkey, and writes its seed to a file.
func nkeyFile(t *testing.T) (file, key string, pair nkeys.KeyPair) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if key, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, string(seed)), key, pair
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// comes connects as a guest, asks itself something, and returns where it takes answers.
func comes(t *testing.T, as NATS) string {
	t.Helper()
	nc, err := as.ConnectAsGuest()
	if err != nil {
		t.Fatalf("%+v: %v", as, err)
	}
	defer nc.Close()
	if _, err := nc.Subscribe("echo", func(m *nats.Msg) { _ = m.Respond(m.Data) }); err != nil {
		t.Fatal(err)
	}
	if m, err := nc.Request("echo", []byte("x"), 5*time.Second); err != nil ||
		string(m.Data) != "x" {
		t.Errorf("%+v: %v, %v", as, m, err)
	}
	return nc.NewInbox()
}

// isRefused fails the test unless nobody comes in so, and both the reason and the remedy are told,
// without a secret.
func isRefused(t *testing.T, as NATS, reason, remedy string) {
	t.Helper()
	nc, err := as.ConnectAsGuest()
	if err == nil {
		nc.Close()
	}
	p := problem.Of(err)
	if p == nil || !strings.Contains(p.Detail, reason) || !strings.Contains(p.Hint, remedy) ||
		strings.Contains(p.Detail+p.Hint, "hunter2") {
		t.Errorf("%+v: %v, hint %q\nand not: %s, hint %s", as, err, problem.From(err),
			reason, remedy)
	}
}

const withUsers = `
	tls { cert_file: %q, key_file: %q }
	authorization { users: [
		{ user: paris, password: hunter2, permissions: {
			publish: [echo, "_INBOX.>"], subscribe: [echo, "_INBOX.guest.paris.>"] } }
		{ nkey: %s, permissions: { publish: [echo, "_INBOX.>"], subscribe: [echo, "_INBOX.guest.%[3]s.>"] } }
	] }`

// A server that knows its users over TLS lets them in by each way of saying who one is, with
// inboxes of their own, and says what is missing to others.
func TestUsersOverTLS(t *testing.T) {
	authority := newAuthority(t, t.TempDir())
	cert, key := issue(t, authority, "server", "localhost")
	file, public, _ := nkeyFile(t)
	stranger, _, _ := nkeyFile(t)
	srv := startNATS(t, 0, withUsers, cert, key, public)
	there := NATS{URLs: at("tls", "localhost", srv), CA: authority.File}

	as := there
	as.User, as.Password = "paris", "hunter2"
	if inbox := comes(t, as); !strings.HasPrefix(inbox, "_INBOX.guest.paris.") {
		t.Errorf("answers to paris go to %s", inbox)
	}
	as = there
	as.NKey = file
	if inbox := comes(t, as); !strings.HasPrefix(inbox, "_INBOX.guest."+public+".") {
		t.Errorf("answers to an nkey go to %s", inbox)
	}
	as = NATS{URLs: strings.Replace(there.URLs, "//", "//paris:hunter2@", 1), CA: authority.File,
		Inbox: "_INBOX.guest.paris"}
	if inbox := comes(t, as); !strings.HasPrefix(inbox, "_INBOX.guest.paris.") {
		t.Errorf("answers go to %s", inbox)
	}

	isRefused(t, there, "Authorization Violation",
		"it was asked to let in somebody without a name; another way is given with --nats-creds")
	as = there
	as.NKey, as.Inbox = file, "_INBOX.elsewhere"
	isRefused(t, as, "does not let the holder of "+file+
		" listen to its inboxes, such as _INBOX.elsewhere.", "--nats-inbox")
	as = there
	as.NKey = stranger
	isRefused(t, as, "Authorization Violation", "the holder of "+stranger)
	as.NKey += "x"
	isRefused(t, as, "--nats-nkey: open ", "")
	as.NKey = cert
	isRefused(t, as, "holds no user's nkey", "")
	as = there
	as.User, as.Password = "paris", "wrong"
	isRefused(t, as, "Authorization Violation", "the user paris")
	as.NKey = file
	isRefused(t, as, "several ways", "--nats-nkey")
	as = NATS{URLs: strings.Replace(there.URLs, "//", "//paris:hunter2@", 1)}
	isRefused(t, as, "//…@localhost:", "--nats-ca FILE")
	isRefused(t, NATS{URLs: at("nats", "localhost", srv), User: "paris"},
		"from an authority that is not known here", "--nats-ca FILE")
	isRefused(t, NATS{URLs: at("tls", "127.0.0.1", srv), CA: authority.File},
		"is for localhost, and not for 127.0.0.1", "one of its names")
	isRefused(t, NATS{URLs: there.URLs, CA: key}, "holds no certificate", "as PEM")
	isRefused(t, NATS{URLs: there.URLs, CA: authority.File, Cert: cert},
		"--nats-cert and --nats-key belong together", "as PEM")
	isRefused(t, NATS{URLs: "tls://localhost:1", CA: authority.File},
		"no connection to NATS at tls://localhost:1", "is it running there?")

	plain := startNATS(t, 0, "max_payload: 1MB")
	isRefused(t, NATS{URLs: at("tls", "localhost", plain)}, "secure connection not available",
		"does not speak TLS there")
	isRefused(t, NATS{URLs: at("nats", "localhost", plain), CA: authority.File},
		"secure connection not available", "does not speak TLS there")
	comes(t, NATS{URLs: at("nats", "localhost", plain)})

	if _, _, err := authority.Issue("server", time.Now().Add(-time.Minute),
		"localhost"); err != nil {
		t.Fatal(err)
	}
	expired := startNATS(t, 0, withUsers, cert, key, public)
	isRefused(t, NATS{URLs: at("tls", "localhost", expired), CA: authority.File}, "is valid from",
		"has to renew it")
}

// A server may want to see a certificate.
func TestCertificateOfOnesOwn(t *testing.T) {
	authority, other := newAuthority(t, t.TempDir()), newAuthority(t, t.TempDir())
	cert, key := issue(t, authority, "server", "localhost")
	srv := startNATS(t, 0, `tls { cert_file: %q, key_file: %q, ca_file: %q, verify: true }`, cert,
		key, authority.File)
	there := NATS{URLs: at("tls", "localhost", srv), CA: authority.File}
	isRefused(t, there, "no connection to NATS", "give it with --nats-cert and --nats-key")
	there.Cert, there.Key = issue(t, other, "client", "client")
	isRefused(t, there, "no connection to NATS", "give it with --nats-cert and --nats-key")
	there.Cert, there.Key = issue(t, authority, "client", "client")
	comes(t, there)
	there.Key = key
	isRefused(t, there, "no connection to NATS", "are the address and the files right?")
}

// credsFile makes the credentials of a user of an account, as long as they are valid.
func credsFile(t *testing.T, account nkeys.KeyPair, valid time.Duration) (file, key string) {
	t.Helper()
	_, key, pair := nkeyFile(t)
	claims := jwt.NewUserClaims(key)
	claims.Expires = time.Now().Add(valid).Unix()
	token, err := claims.Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	creds, err := jwt.FormatUserConfig(token, seed)
	if err != nil && valid > 0 {
		t.Fatal(err)
	}
	return writeFile(t, string(creds)), key
}

// A server whose users have JWTs lets in those whose account it knows.
func TestCredentials(t *testing.T) {
	operator, err := nkeys.CreateOperator()
	if err != nil {
		t.Fatal(err)
	}
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	encoded := func(claims jwt.Claims) string {
		text, err := claims.Encode(operator)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	public := func(pair nkeys.KeyPair) string {
		key, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	srv := startNATS(t, 0, "operator: %s\nresolver: MEMORY\nresolver_preload: { %s: %s }",
		encoded(jwt.NewOperatorClaims(public(operator))), public(account),
		encoded(jwt.NewAccountClaims(public(account))))
	there := NATS{URLs: srv.ClientURL()}
	good, key := credsFile(t, account, time.Hour)
	there.Creds = good
	if inbox := comes(t, there); !strings.HasPrefix(inbox, "_INBOX.guest."+key+".") {
		t.Errorf("answers go to %s", inbox)
	}
	there.Creds, _ = credsFile(t, stranger, time.Hour)
	isRefused(t, there, "Authorization Violation",
		"the holder of "+there.Creds+"; another way is given with --nats-creds")
	there.Creds = good + "x"
	isRefused(t, there, "--nats-creds: open ", "")
	there.Creds = writeFile(t, "none")
	isRefused(t, there, "no connection to NATS", "are the address and the files right?")
	there.Creds = ""
	isRefused(t, there, "Authorization Violation", "somebody without a name")
}

// A context of the nats command says all that a flag does not say.
func TestContext(t *testing.T) {
	authority := newAuthority(t, t.TempDir())
	cert, key := issue(t, authority, "server", "localhost")
	file, public, _ := nkeyFile(t)
	srv := startNATS(t, 0, withUsers, cert, key, public)
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("WHERE", filepath.Dir(authority.File))
	if err := os.MkdirAll(filepath.Join(config, "nats", "context"), 0o700); err != nil {
		t.Fatal(err)
	}
	context := func(name, format string, args ...any) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(config, "nats", "context", name+".json"),
			fmt.Appendf(nil, format, args...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url := at("tls", "localhost", srv)
	context("nkey", `{"description":"x","url":%q,"nkey":%q,"ca":"$WHERE/authority.pem"}`, url, file)
	context("paris", `{"url":%q,"user":"paris","password":"hunter2","ca":%q,"inbox_prefix":
		"_INBOX.guest.paris.x"}`, url, authority.File)
	context("here", `{"url":"tls://localhost:1","user":"x","password":"hunter2","ca":%q}`,
		authority.File)
	context("op", `{"url":%q,"creds":"op://vault/hunter2"}`, url)
	context("proxy", `{"url":%q,"socks_proxy":"socks5://x"}`, url)
	context("broken", `{"url":`)
	if inbox := comes(t, NATS{Context: "nkey"}); !strings.HasPrefix(
		inbox, "_INBOX.guest."+public+".") {
		t.Errorf("answers go to %s", inbox)
	}
	if inbox := comes(t, NATS{Context: "paris"}); !strings.HasPrefix(inbox,
		"_INBOX.guest.paris.x.") {
		t.Errorf("answers go to %s", inbox)
	}
	comes(t, NATS{Context: "here", URLs: url, NKey: file})
	comes(t, NATS{NKey: file}.Or(NATS{Context: "paris"}))
	isRefused(t, NATS{Context: "here"}, "no connection to NATS at tls://localhost:1",
		"is it running there?")
	isRefused(t, NATS{Context: "none"}, "there is no context none", "nats context ls")
	isRefused(t, NATS{Context: "../nkey"}, "is no context's name", "")
	isRefused(t, NATS{Context: "op"}, "creds in ", "in a file")
	isRefused(t, NATS{Context: "proxy"}, "socks_proxy in ", "nats context copy")
	isRefused(t, NATS{Context: "broken"}, "is no context of the nats command", "")
}

// A connection comes back to a server whose certificate, authority and all, was changed in the
// files.
func TestReconnectsAfterRenewal(t *testing.T) {
	dir := t.TempDir()
	authority := newAuthority(t, dir)
	cert, key := issue(t, authority, "server", "localhost")
	file, public, _ := nkeyFile(t)
	srv := startNATS(t, 0, withUsers, cert, key, public)
	back := make(chan struct{}, 1)
	nc, err := NATS{URLs: at("tls", "localhost", srv), CA: authority.File,
		NKey: file}.Connect(natsd.InboxOf(public),
		nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	var port int
	if _, err := fmt.Sscanf(srv.Addr().String(), "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	srv.Shutdown()
	srv.WaitForShutdown()
	issue(t, newAuthority(t, dir), "server", "localhost")
	startNATS(t, port, withUsers, cert, key, public)
	select {
	case <-back:
	case <-time.After(20 * time.Second):
		t.Errorf("it does not come back: %v", nc.LastError())
	}
}
