package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/cmd/internal/server"
)

// An obstacle is what keeps a server from starting.
type obstacle struct {
	name  string
	put   func(t *testing.T, dir string) (away func()) // nil where the flags are the obstacle
	flags []string
	code  int
	says  []string // the error and its hint
}

// startTime is how long a server may take to say that it cannot start.
const startTime = 5 * time.Second

// A server that cannot start says why and what to do, with the exit code of its kind, at once.
// Whoever does what it says has every record afterwards.
func TestStartsThatFail(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	ledger := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, ledger)
	begin(t, p)
	want := p.records(t)
	p.stop(t)
	for _, name := range []string{server.StateFile, server.AddressFile} {
		if err := os.WriteFile(filepath.Join(ledger, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(ledger, server.ViewsFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, o := range obstacles(t) {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "ledger")
			if err := os.CopyFS(dir, os.DirFS(ledger)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			away := func() {}
			if o.put != nil {
				away = o.put(t, dir)
			}
			elapsed := stopwatch()
			code, said := launch(t, dir, o.flags...).ends(t)
			t.Logf("after %s, with %d: %s", elapsed(), code, said)
			if took := elapsed(); took > startTime || code != o.code {
				t.Errorf("it ended with %d after %s, and should with %d within %s", code, took,
					o.code, startTime)
			}
			for _, text := range append(o.says, "muster: error: ", "muster: hint: ") {
				if !strings.Contains(said, strings.ReplaceAll(text, "DIR", dir)) {
					t.Errorf("it does not say %q", text)
				}
			}
			away()
			again := serving(t, dir)
			if got := again.records(t); len(got) != len(want) {
				t.Errorf("then it has %d records, and had %d", len(got), len(want))
			}
			again.stop(t)
		})
	}
}

// Where the log is JSON, so is what a server says that cannot start: a line for it, with the
// remedy, and the same exit code.
func TestStartsThatFailAsJSON(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir)
	for name, o := range map[string]obstacle{
		"another runs": {code: 7,
			says: []string{"another process has the journal open", "stop it"}},
		"flags": {code: 2, flags: []string{"--read", "nobody"},
			says: []string{"--read", ""}},
		"a port": {code: 7, flags: []string{"--listen", strings.TrimPrefix(p.url, "http://")},
			says: []string{"listen", "name another address with --listen"}},
	} {
		code, said := launch(t, dir, append(o.flags, "--log-format", "json")...).ends(t)
		var last struct {
			Level, Why, Remedy, Problem string
			Time                        time.Time
			Exit                        int
		}
		for line := range strings.Lines(said) {
			if err := json.Unmarshal([]byte(line), &last); err != nil || last.Time.IsZero() {
				t.Errorf("%s: a line is no JSON with a time: %s", name, line)
			}
		}
		if code != o.code || last.Exit != code || last.Level != "ERROR" || last.Problem == "" ||
			!strings.Contains(last.Why, o.says[0]) || !strings.Contains(last.Remedy, o.says[1]) {
			t.Errorf("%s: exit code %d:\n%s", name, code, said)
		}
	}
	p.stop(t)
}

func obstacles(t *testing.T) []obstacle {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	port := taken.Addr().String()
	const rights = "let the user who runs the server read and write DIR/"
	return []obstacle{
		{"nats is a file", inPlace("nats", false), nil, 7,
			[]string{"DIR/nats, the folder of the embedded NATS server, must be a folder",
				"move away what is there, and leave journal.db"}},
		{"nats cannot be written", readOnly("nats"), nil, 7,
			[]string{"the embedded NATS server cannot be used", rights + "nats"}},
		{"ledger.state is a folder", inPlace("ledger.state", true), nil, 7,
			[]string{"DIR/ledger.state, the saved state of the ledger, must be a file",
				"it holds nothing that the journal does not: move away"}},
		{"ledger.state cannot be written", readOnly("ledger.state"), nil, 7,
			[]string{"the saved state of the ledger cannot be used", rights + "ledger.state"}},
		{"projections.db is a folder", inPlace("projections.db", true), nil, 7,
			[]string{"DIR/projections.db, the saved projections, must be a file",
				"it holds nothing that the journal does not: move away"}},
		{"projections.db cannot be written", readOnly("projections.db"), nil, 7,
			[]string{"the saved projections cannot be used", rights + "projections.db"}},
		{"views is a file", inPlace("views", false), nil, 7,
			[]string{"DIR/views, the saved views, must be a folder",
				"it holds nothing that the journal does not: move away"}},
		{"views cannot be written", readOnly("views"), nil, 7,
			[]string{"the saved views cannot be used", rights + "views"}},
		{"address is a folder", inPlace("address", true), nil, 7,
			[]string{"DIR/address", "must be a file", "writes its address anew at each start"}},
		{"journal.db is a folder", inPlace("journal.db", true), nil, 7,
			[]string{"journal DIR/journal.db", "put the journal back in its place"}},
		{"journal.db cannot be written", readOnly("journal.db"), nil, 7,
			[]string{"journal DIR/journal.db", "leave the file where it is"}},
		{"the tail is a folder", inPlace("journal.db.tail0", true), nil, 8,
			[]string{"DIR/journal.db.tail0: is a directory", "keep a copy of the whole folder"}},
		{"the folder cannot be written", readOnly("."), nil, 7,
			[]string{"journal DIR/journal.db", "the folder that it is in"}},
		{"the checkpoint key is a folder", inPlace("checkpoint.key", true), nil, 7,
			[]string{"DIR/checkpoint.key", "put the right file back from a copy"}},
		{"the access log is a folder", nil, []string{"--access-log", os.TempDir()}, 2,
			[]string{"--access-log: ", "name a file in a folder"}},
		{"the port is taken", nil, []string{"--listen", port}, 7,
			[]string{port, "name another address with --listen"}},
		{"the NATS port is taken", nil, []string{"--nats-listen", port}, 7,
			[]string{port, "name another address with --nats-listen"}},
		{"the admin port is taken", nil, []string{"--admin", port}, 7,
			[]string{port, "name another address with --admin"}},
		{"no port", nil, []string{"--listen", "127.0.0.1"}, 2,
			[]string{"--listen 127.0.0.1", "write an address and a port"}},
		{"no NATS port", nil, []string{"--nats-listen", "127.0.0.1:many"}, 2,
			[]string{"--nats-listen 127.0.0.1:many", "write an address and a port"}},
		{"no admin port", nil, []string{"--admin", "9464"}, 2,
			[]string{"--admin 9464", "write an address and a port"}},
		{"metrics for everybody", nil, []string{"--admin", "0.0.0.0:0"}, 2,
			[]string{"--admin 0.0.0.0:0 is an address for other machines", "--admin-anyone"}},
	}
}

// inPlace puts a folder or a file in the place of what is there, which away puts back.
func inPlace(name string, folder bool) func(*testing.T, string) func() {
	return func(t *testing.T, dir string) func() {
		path := filepath.Join(dir, name)
		moved := os.Rename(path, path+".moved") == nil
		var err error
		if folder {
			err = os.Mkdir(path, 0o700)
		} else {
			err = os.WriteFile(path, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			// What a server makes anew, it is left to make.
			puts := strings.HasPrefix(name, "journal") || strings.HasPrefix(name, "checkpoint")
			err := os.RemoveAll(path)
			if err == nil && moved && puts {
				err = os.Rename(path+".moved", path)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// readOnly has something that it cannot be written: by rights, or, since root has them all, by a
// mount.
func readOnly(name string) func(*testing.T, string) func() {
	return func(t *testing.T, dir string) func() {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() != 0 {
			if err := os.Chmod(path, info.Mode().Perm()&^0o222); err != nil {
				t.Fatal(err)
			}
			return func() { _ = os.Chmod(path, info.Mode().Perm()) }
		}
		if err := syscall.Mount(path, path, "", syscall.MS_BIND, ""); err != nil {
			t.Skipf("nothing can be mounted here: %v", err)
		}
		away := func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) }
		t.Cleanup(away)
		const again = syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY
		if err := syscall.Mount("", path, "", again, ""); err != nil {
			t.Fatal(err)
		}
		return away
	}
}
