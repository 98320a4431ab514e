package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/server"
	"muster/events/build"
)

// serverIn starts a server on a folder, and returns it with what it logs.
func serverIn(t *testing.T, cfg server.Config) (*server.Server, *heard, error) {
	t.Helper()
	log := new(heard)
	cfg.Listen, cfg.Name, cfg.Title, cfg.Version = "127.0.0.1:0", "a", "test", build.Version()
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	s, err := server.Start(t.Context(), cfg)
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return s, log, err
}

// A symbolic link that somebody has planted in the data folder is not written through: where a file
// is made anew it takes the link's place, and a file that is kept is refused, so that its target
// stays as it was.
func TestPlantedLinks(t *testing.T) {
	for _, name := range []string{server.AddressFile, server.StateFile, server.ProjectionsFile,
		server.JournalFile, server.JournalFile + ".tail0", server.JournalFile + ".tail1"} {
		t.Run(name, func(t *testing.T) {
			dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
			if name == server.AddressFile {
				if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			_, _, err := serverIn(t, server.Config{Dir: dir})
			if replaced := name == server.AddressFile ||
				name == server.StateFile; replaced != (err == nil) {
				t.Errorf("the start says %v", err)
			} else if err != nil && !strings.Contains(err.Error(), "symbolic link") {
				t.Errorf("the error does not name the link: %v", err)
			}
			if name != server.AddressFile {
				if _, err := os.Lstat(victim); err == nil {
					t.Error("the target of the link was made")
				}
				return
			}
			if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
				t.Errorf("the target of the link is %q now, %v", text, err)
			}
			if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode() != 0o600 {
				t.Errorf("the address is no file of its owner alone: %v, %v", info.Mode(), err)
			}
		})
	}
}

// Whoever leaves a folder or a key open to others is told, with the command that mends it; nobody
// else is.
func TestOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such modes")
	}
	dir, client := t.TempDir(), t.TempDir()
	key := filepath.Join(client, "FRA-paris.key")
	muster := func(args ...string) string {
		var out, errs bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &errs); code != 0 {
			t.Fatal(errs.String())
		}
		return errs.String()
	}
	muster("key", "new", "FRA/paris", "--file", key)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, log, err := serverIn(t, server.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), "chmod") ||
		strings.Contains(muster("key", "show", key), "chmod") {
		t.Errorf("a warning without a reason: %s", log)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	modes := map[string]os.FileMode{dir: 0o777, key: 0o644,
		filepath.Join(dir, server.FounderFile):       0o640,
		filepath.Join(dir, server.CheckpointKeyFile): 0o602}
	for path, mode := range modes {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if _, log, err = serverIn(t, server.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"others than the owner may read and write " + dir + ": chmod 700 " + dir,
		"may read " + filepath.Join(dir, server.FounderFile) + ": chmod 600 ",
		"may write " + filepath.Join(dir, server.CheckpointKeyFile) + ": chmod 600 ",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q: %s", want, log)
		}
	}
	if said := muster("key", "show", key); !strings.Contains(said,
		"muster: warning: others than the owner may read "+key+": chmod 600 "+key) {
		t.Errorf("a key that others may read is shown with %q", said)
	}
}

// Who announces 50,000 bytes and sends five is cut off, whichever page or question is asked.
func TestSlowBodies(t *testing.T) {
	s, _, err := serverIn(t, server.Config{Dir: t.TempDir(), BodyTime: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(s.URL(), "http://")
	for _, path := range []string{"POST /submit", "POST /verify", "GET /log"} {
		t.Run(path, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			elapsed := stopwatch()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn,
				"%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
					"Content-Length: 50000\r\n\r\ntype=", path, address); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn) // to the end of the connection
			if took := elapsed(); err != nil || took > 5*time.Second {
				t.Fatalf("after %s, %q: %v", took, answer, err)
			}
			if status := fmt.Sprint(http.StatusServiceUnavailable); path == "POST /submit" &&
				!strings.HasPrefix(string(answer), "HTTP/1.1 "+status) {
				t.Errorf("the answer is %.200q", answer)
			}
		})
	}
}
