package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"muster/cmd/internal/certtest"
)

// An nkeyUser is a user of a NATS server, and the file of its seed.
type nkeyUser struct{ file, key string }

func newNKey(t *testing.T) nkeyUser {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "seed.nk")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	return nkeyUser{file, key}
}

// secureCluster runs a NATS server that speaks TLS, and knows its users by their nkeys: Muster's,
// that which answers, and a guest.
func secureCluster(t *testing.T, dir string, port int, cert, key string, muster, service,
	paris nkeyUser) *natsserver.Server {
	t.Helper()
	opts := &natsserver.Options{}
	conf := fmt.Sprintf(`
		tls { cert_file: %q, key_file: %q }
		jetstream { store_dir: %q }
		accounts { MUSTER { jetstream: enabled, users: [
			{ nkey: %s }
			{ nkey: %s, permissions: { publish: ["_INBOX.>"], subscribe: ["muster.*", "$SRV.>", "_SERVICE.>"] } }
			{ nkey: %s, permissions: {
				publish: { allow: ["muster.>", "$SRV.>"], deny: ["muster.ev.>", "muster.tip.>"] }
				subscribe: ["_INBOX.guest.%[6]s.>"] } }
		] } }`, cert, key, dir, muster.key, service.key, paris.key)
	if err := opts.ProcessConfigString(conf); err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", port, true, true
	return startNATS(t, opts)
}

// Servers keep their log on a cluster over TLS, each user comes with an nkey, and a server goes on
// when the cluster's certificate, and the authority of it, has been changed.
func TestClusterOverTLS(t *testing.T) {
	t.Parallel()
	root, store := t.TempDir(), t.TempDir()
	renew := func() (authority *certtest.Authority, cert, key string) {
		t.Helper()
		authority, err := certtest.New(root)
		if err != nil {
			t.Fatal(err)
		}
		if cert, key, err = authority.Issue("cluster", time.Now().Add(time.Hour),
			"localhost"); err != nil {
			t.Fatal(err)
		}
		return authority, cert, key
	}
	muster, service, paris := newNKey(t), newNKey(t), newNKey(t)
	authority, cert, key := renew()
	srv := secureCluster(t, store, anyPort, cert, key, muster, service, paris)
	port := srv.Addr().String()[strings.LastIndex(srv.Addr().String(), ":")+1:]
	there := []string{"--nats", "tls://localhost:" + port, "--nats-ca", authority.File}

	dir := filepath.Join(root, "ledger")
	p := serving(t, dir, append(there, "--nats-nkey", muster.file, "--nats-service-nkey",
		service.file)...)
	c := begin(t, p)
	user, asked := newUser(t), append(there, "--nats-nkey", paris.file)
	user.content(t, append(asked, "coverage")...)
	if err := os.Chmod(paris.file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, said := user.content(t, append(asked, "coverage")...); !strings.Contains(said,
		"others than the owner may read "+paris.file) {
		t.Errorf("a seed that others may read: %s", said)
	}
	for _, refused := range []struct {
		flags []string
		want  string
	}{
		{append(there, "--nats-nkey", newNKey(t).file), "Authorization Violation"},
		{there, "it was asked to let in somebody without a name"},
		{[]string{"--nats", there[1], "--nats-nkey", muster.file}, "with --nats-ca FILE"},
	} {
		code, said := launch(t, filepath.Join(root, "other"), refused.flags...).ends(t)
		if code != 7 || !strings.Contains(said, refused.want) {
			t.Errorf("%q: exit code %d: %s", refused.flags, code, said)
		}
		if code, _, said := user.types(t, append(refused.flags, "coverage")...); code != 7 ||
			!strings.Contains(said, refused.want) {
			t.Errorf("%q: exit code %d: %s", refused.flags, code, said)
		}
	}

	stopNATS(srv)
	_, cert, key = renew()
	var at int
	if _, err := fmt.Sscan(port, &at); err != nil {
		t.Fatal(err)
	}
	secureCluster(t, store, at, cert, key, muster, service, paris)
	for end := time.Now().Add(patience); ; { // each connection comes back by itself
		_, err := p.client().Submit(t.Context(), c.offer(t))
		code, _, said := user.types(t, append(asked, "coverage")...)
		if err == nil && code == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("after the certificate was changed: %v; %s", err, said)
		}
	}
	p.stop(t)
}

// The demo, too, is shown to other machines over TLS alone, and says who is shown what there.
func TestDemoForOtherMachines(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	u := newUser(t)
	code, _, said := u.types(t, "demo", "--serve", "--listen", "0.0.0.0:0")
	if code != 2 || !strings.Contains(said, "in the clear") {
		t.Errorf("without TLS: exit code %d\n%s", code, said)
	}
	authority, cert, key := certifiedFor(t, "localhost")
	b, err := startBackground(u.dir, nil, "demo", "--serve", "--listen", "0.0.0.0:0",
		"--tls-cert", cert, "--tls-key", key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	found, err := b.await(&b.stdout, `The server stays, on https://\S+:(\d+),[^§]*`+
		`Sign in, there too, with a key file of this folder: (\S+) reads all, (\S+) what France may`)
	if err != nil {
		t.Fatal(err)
	}
	at := []string{"coverage", "--operation", "mnf-u", "--on", "2026-07-01", "--url",
		"https://localhost:" + found[1], "--ca", authority.File}
	if code, _, said := u.types(t, append(at, "--anonymous")...); code != 3 {
		t.Errorf("the public is shown the demo: exit code %d\n%s", code, said)
	}
	for key, view := range map[string]string{found[2]: "TUR 4", found[3]: "released to France"} {
		if out, _ := u.content(t, append(at, "--key", key)...); !strings.Contains(out, view) {
			t.Errorf("who signs in with %s is shown\n%s", key, out)
		}
	}
}
