package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A tiresomeServer stands before a real server, and holds back whoever asks it: by its mode.
type tiresomeServer struct {
	*httptest.Server
	asked atomic.Int64
}

func tiresome(t *testing.T, real, mode, elsewhere string) *tiresomeServer {
	to, err := url.Parse(real)
	if err != nil {
		t.Fatal(err)
	}
	s := &tiresomeServer{}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("Accept-Encoding")
	}, ModifyResponse: func(r *http.Response) error {
		if mode == "pages" {
			return oneMorePage(r)
		}
		return nil
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		send := func(text []byte, pause time.Duration) {
			_, _ = w.Write(text)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
			}
		}
		switch {
		case mode == "busy tiles" && !strings.HasPrefix(r.URL.Path, "/tile/"):
			pass.ServeHTTP(w, r)
			return
		}
		switch strings.TrimSuffix(mode, " tiles") {
		case "silent":
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		case "drips":
			answer := httptest.NewRecorder()
			pass.ServeHTTP(answer, r)
			w.WriteHeader(answer.Code)
			for _, b := range answer.Body.Bytes() {
				if r.Context().Err() != nil {
					return
				}
				send([]byte{b}, time.Second)
			}
		case "endless":
			for r.Context().Err() == nil {
				send(bytes.Repeat([]byte(" "), 1000), 10*time.Millisecond)
			}
		case "elsewhere":
			http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
		case "busy":
			w.Header().Set("Retry-After", "1000000")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			pass.ServeHTTP(w, r)
		}
	}))
	return s
}

// oneMorePage has every list go on for ever.
func oneMorePage(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	var answer map[string]any
	if json.Unmarshal(body, &answer) == nil && answer["next"] != nil {
		if _, number := answer["next"].(float64); number {
			from, _ := strconv.ParseUint(r.Request.URL.Query().Get("from"), 10, 64)
			answer["next"], answer["as_of"] = max(from, 1)+1, 1<<50
		}
		if body, err = json.Marshal(answer); err != nil {
			return err
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// Whatever a server does, every command ends: soon after its time, and with an error that is not
// what it would say of an answer. No request goes to another host.
func TestEveryCommandEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("every command, several times")
	}
	root := t.TempDir()
	b, real, err := serveDemo(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	demo := filepath.Join(root, "demo")
	pledge := newAuthor(t, real, demo, "keys/FRA-demo.key").pledge("text")
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked of another host", r.URL)
	}))
	t.Cleanup(other.Close)
	t.Chdir(t.TempDir())
	t.Setenv("MUSTER_CONFIG", filepath.Join(root, "config"))
	var running sync.WaitGroup
	room := make(chan struct{}, 40)
	tried := map[string]int64{}
	var mu sync.Mutex
	for c := range leaves((&app{}).root()) {
		name := strings.TrimPrefix(c.CommandPath(), "muster ")
		of := commandLines[name]
		if of.why != "" || name == "serve" {
			continue
		}
		try := func(mode string) (asked int64) {
			room <- struct{}{}
			defer func() { <-room }()
			s := tiresome(t, real, mode, other.URL)
			defer func() { s.CloseClientConnections(); s.Close() }()
			line := append(strings.Fields(name), strings.Fields(strings.NewReplacer(
				"PLEDGE", pledge, "FILE", file, "DIR", filepath.Join(root, mode, name),
				"URL", s.URL, "KEY", "key+key").Replace(of.line))...)
			line = append(line, "--url", s.URL, "--timeout", "1s")
			if !strings.Contains(of.line, "--data") {
				line = append(line, "--key", filepath.Join(demo, "keys/FRA-demo.key"))
			}
			var out, errs bytes.Buffer
			elapsed := stopwatch()
			code := run(line, strings.NewReader(""), &out, &errs)
			took, asked := elapsed(), s.asked.Load()
			mu.Lock()
			tried[mode] += min(asked, 1)
			mu.Unlock()
			if took > 6*time.Second || asked > 200 {
				t.Errorf("muster %q, %s: %v, and %d requests", line, mode, took, asked)
			}
			if asked > 0 && mode != "pages" && code == 0 {
				t.Errorf("muster %q, %s: exit code 0, and says\n%s%s", line, mode, &out, &errs)
			}
			return asked
		}
		running.Go(func() {
			if try("silent") == 0 {
				return // what a server does is nothing to it
			}
			for _, mode := range []string{"drips", "endless", "elsewhere", "busy", "pages"} {
				running.Go(func() { try(mode) })
			}
		})
	}
	running.Wait()
	for mode, n := range tried {
		if n < 40 {
			t.Errorf("%s: %d commands have asked the server", mode, n)
		}
	}
}

// One interrupt ends a command, whatever it waits for: an answer, the rest of one, the next record,
// or a file that nobody writes to the end.
func TestOneInterruptEnds(t *testing.T) {
	t.Parallel()
	notShort(t)
	url := demoServer(t)
	for _, c := range []struct{ mode, line string }{
		{"silent", "coverage"}, {"silent", "verify URL"}, {"silent", "log"},
		{"silent", "export bundle x.bundle"}, {"drips", "nations"}, {"drips", "verify URL"},
		{"endless", "pledge list"}, {"busy tiles", "verify URL"}, {"", "log --follow"},
		{"", "submit PIPE"}, {"", "receipt PIPE"},
	} {
		t.Run(c.line+" "+c.mode, func(t *testing.T) {
			t.Parallel()
			s := tiresome(t, url, c.mode, "")
			t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			line := strings.NewReplacer("URL", s.URL, "PIPE", pipe).Replace(c.line) + " --url " +
				s.URL
			p := exec.Command("muster", strings.Fields(line)...)
			var said bytes.Buffer
			p.Dir, p.Stdout, p.Stderr = t.TempDir(), &said, &said
			p.Env = plainEnv("MUSTER_CONFIG=" + filepath.Join(p.Dir, "config"))
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- p.Wait() }()
			await(t, "what the command waits for", func() error {
				if strings.Contains(line, pipe) {
					file, err := os.OpenFile(pipe, os.O_WRONLY|unix.O_NONBLOCK, 0)
					if err == nil { // somebody reads
						t.Cleanup(func() { _ = file.Close() })
					}
					return err
				}
				if s.asked.Load() == 0 {
					return errors.New("it has not asked")
				}
				return nil
			})
			elapsed := stopwatch()
			if err := p.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ended:
				if took := elapsed(); took > amid+3*time.Second {
					t.Errorf("it took %v:\n%s", took, &said)
				}
			case <-time.After(30 * time.Second):
				t.Errorf("it goes on:\n%s", &said)
				_ = p.Process.Kill()
				<-ended
			}
		})
	}
}
