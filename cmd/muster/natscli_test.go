package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/ledger/intake"
)

// natsCLI is the ordinary nats command, in the version that this test is about.
const natsCLI = "github.com/nats-io/natscli/nats@v0.5.1"

// natsCommand returns the path of the ordinary nats command. It is built once, and kept in the
// user's cache.
func natsCommand(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "muster-test", strings.NewReplacer("/", "-", "@", "-").
		Replace(natsCLI))
	path := filepath.Join(dir, "nats")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	// Compiled as the tests are, it finds what of Go's own they were compiled with.
	flags := slices.DeleteFunc(strings.Fields(os.Getenv("GOFLAGS")), func(flag string) bool {
		return !strings.HasPrefix(flag, "-gcflags=")
	})
	install := exec.Command("go", "install", natsCLI)
	install.Dir = os.TempDir()
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS="+strings.Join(flags, " "))
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the nats command cannot be built: %v\n%s", err, out)
		}
		t.Skipf("the nats command cannot be built here, so it is not tried: %v", err)
	}
	return path
}

// The ordinary nats command finds the service, reads what its questions take and answer, asks them,
// and is told what is wrong.
func TestOrdinaryNATSCommand(t *testing.T) {
	t.Parallel()
	command := natsCommand(t)
	folder := t.TempDir()
	server, err := startBackground(folder, nil, "serve", "--listen", "127.0.0.1:0",
		"--nats-listen", "127.0.0.1:0", "--changed", "public", "--data", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.kill)
	url := natsCLIAwait(t, server, `listening on (http://\S+)`)
	address := natsCLIAwait(t, server, `NATS clients on (nats://\S+)`)
	home := t.TempDir()
	nats := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.Command(command,
			append([]string{"--server", address, "--no-context"}, args...)...)
		cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1"}
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		err := cmd.Run()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != want {
			t.Errorf("nats %s ends with %d, not %d: %s %s", strings.Join(args, " "), code, want,
				out.String(), complaint.String())
		}
		return out.String(), complaint.String()
	}

	list, _ := nats(0, "micro", "ls")
	if !strings.Contains(list, "muster") {
		t.Errorf("nats micro ls: %s", list)
	}
	info, _ := nats(0, "micro", "info", "muster")
	for _, want := range []string{"muster.coverage", "muster.timeline", "muster.submit"} {
		if !strings.Contains(info, want) {
			t.Errorf("nats micro info does not tell %s", want)
		}
	}
	natsCLISchemas(t, nats)

	answer, _ := nats(0, "req", "--raw", "muster.coverage", `{"on":"2026-11-23"}`)
	resp, err := http.Get(url + "/api/v1/coverage?on=2026-11-23")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || strings.TrimSpace(answer) != strings.TrimSpace(string(body)) {
		t.Errorf("over NATS %s\nover HTTP %s, %v", answer, body, err)
	}

	// The command knows no errors of services: it shows their headers.
	wrong, told := nats(0, "req", "muster.coverage", `{"on":"tomorrow","colour":"red"}`)
	for _, want := range []string{"Nats-Service-Error-Code: 422", "Nats-Service-Error: ",
		`"location":"on"`, `"location":"colour"`} {
		if !strings.Contains(wrong+told, want) {
			t.Errorf("a bad request is answered without %q: %s %s", want, wrong, told)
		}
	}
	if _, told := nats(1, "pub", "muster.ev.FRA.x.y.z.w", "x"); !strings.Contains(told,
		"Permissions Violation") {
		t.Errorf("nats pub: %s", told)
	}

	// It listens from some moment on: what is recorded before that is not told to it.
	listens, told := make(chan struct{}), ""
	go func() {
		defer close(listens)
		told, _ = nats(0, "sub", "--raw", "--count", "1", "muster.changed.public.>")
	}()
	c := begin(t, &serverProcess{url: url, dir: filepath.Join(folder, "ledger")})
	for n := 0; ; n++ {
		select {
		case <-listens:
			if !strings.Contains(told, `"sentence":"The coordinators admit FRA/`) {
				t.Errorf("nats sub: %s", told)
			}
			return
		default:
		}
		key, _ := newSigner(t, fmt.Sprintf("FRA/liaison-%d", n))
		if _, err := (intake.HTTPClient{URL: url}).Submit(t.Context(), signed(t, c.admission(key),
			c.founder)); err != nil {
			t.Fatal(err)
		}
	}
}

func natsCLIAwait(t *testing.T, server *background, pattern string) string {
	t.Helper()
	found, err := server.await(&server.stderr, pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found[1]
}

// natsCLISchemas reads the schemas of an endpoint, as JSON.
func natsCLISchemas(t *testing.T, nats func(int, ...string) (string, string)) {
	t.Helper()
	text, _ := nats(0, "req", "--raw", "$SRV.INFO.muster", "")
	var info struct {
		Endpoints []struct {
			Name     string            `json:"name"`
			Metadata map[string]string `json:"metadata"`
		} `json:"endpoints"`
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	for _, e := range info.Endpoints {
		if e.Name == "checkpoint" || e.Name == "tile" { // which take and give text
			continue
		}
		for _, which := range []string{"request_schema", "response_schema"} {
			var schema map[string]any
			if err := json.Unmarshal([]byte(e.Metadata[which]), &schema); err != nil ||
				schema["$schema"] == nil {
				t.Errorf("the %s of %s: %v in %.200s", which, e.Name, err, e.Metadata[which])
			}
		}
	}
	if len(info.Endpoints) < 20 {
		t.Errorf("%d endpoints", len(info.Endpoints))
	}
}
