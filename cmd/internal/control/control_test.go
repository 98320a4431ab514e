package control

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A server on a folder is asked over its socket, also where the path is long; the socket is the
// owner's alone; and where nobody listens, that is told from what fails otherwise.
func TestControl(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("a", 120))
	for _, dir := range []string{t.TempDir(), long} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second in the place of what a crash has left
			serveOnce(t, dir)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("in the folder is left: %v, %v", left, err)
		}
		l, err := Listen(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Close(), l.Close()); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("closed, it leaves %v, %v", left, err)
		}
		if _, err := ask(dir); !NobodyListens(err) {
			t.Errorf("where nobody listens: %v", err)
		}
	}
	if _, err := ask(filepath.Join(t.TempDir(), "nowhere")); !NobodyListens(err) {
		t.Errorf("where there is no folder: %v", err)
	}
}

// serveOnce answers over the socket, and leaves it as a killed server does.
func serveOnce(t *testing.T, dir string) {
	t.Helper()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		// until the listener is closed
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.URL.Path) // to a client of this test
		}))
	}()
	info, err := os.Stat(filepath.Join(dir, File))
	if err != nil || info.Mode() != 0o600|fs.ModeSocket {
		t.Errorf("the socket has the mode %v, %v", info.Mode(), err)
	}
	if text, err := ask(dir); err != nil || text != "/something" {
		t.Errorf("asked, it says %q, %v", text, err)
	}
	if err := l.(listener).UnixListener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(dir); !NobodyListens(err) {
		t.Errorf("where nobody listens any more: %v", err)
	}
}

func ask(dir string) (string, error) {
	resp, err := Client(dir).Get(URL + "/something")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
