package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A Go client that a generator of other people makes of the server's document asks the server, and
// reads its answers by their types. The generator, its version and what its code needs stand in a
// module of their own, so that the program's module has none of it.
func TestGeneratedClient(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a client")
	}
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	offered := begin(t, p).offer(t)
	receipt, err := p.client().Submit(t.Context(), offered)
	if err != nil {
		t.Fatal(err)
	}
	dir := generatedClient(t, p)
	id := offered.Statement.Head().ID.String()
	out := runGo(t, dir, "run", ".", p.url, id, string(offered.Note))
	var got struct {
		Health, Origin, Unit, Rung, From, NotFound, Rows string
		Pledges, Unsigned                                int
		Quantity                                         int64
		Sequence                                         uint64
		Again                                            bool
		Sentences, Batch                                 []string
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got.Health != "ok" || got.Origin != string(offered.Statement.Head().Ledger) {
		t.Errorf("the server is %s, and its ledger %s", got.Health, got.Origin)
	}
	if got.Pledges != 1 || got.Quantity != 100 || got.Unit != "personnel" ||
		got.Rung != "offered" ||
		got.From != nextDay.String() || len(got.Sentences) != 1 {
		t.Errorf("the pledge is %+v", got)
	}
	if !got.Again || got.Sequence != receipt.Sequence {
		t.Errorf("sent again it is record %d; again: %t", got.Sequence, got.Again)
	}
	if want := []string{fmt.Sprint(receipt.Sequence), "400"}; !slices.Equal(got.Batch, want) {
		t.Errorf("a batch of the same and of no note is answered with %v, not %v", got.Batch, want)
	}
	if !strings.Contains(got.NotFound, "there is no pledge") || got.Unsigned != 400 {
		t.Errorf("the problems are %q and %d", got.NotFound, got.Unsigned)
	}
	if !strings.Contains(got.Rows, ",100,") || !strings.Contains(got.Rows, "FRA") {
		t.Errorf("the rows are\n%s", got.Rows)
	}
}

// generatedClient makes the client of a server's document, and returns the folder of its module.
func generatedClient(t *testing.T, p *serverProcess) (dir string) {
	t.Helper()
	dir = t.TempDir()
	copyTo(t, filepath.Join("testdata", "client"), dir)
	_, doc := get(t, p.url+"/openapi.json")
	if err := os.WriteFile(filepath.Join(dir, "openapi.json"), []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "api"), 0o700); err != nil {
		t.Fatal(err)
	}
	download := exec.CommandContext(t.Context(), "go", "mod", "download")
	download.Dir = dir
	if said, err := download.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the generator cannot be had: %v\n%s", err, said)
		}
		t.Skipf("the generator of the client cannot be had here, so it is not tried: %v", err)
	}
	// By go run, since go tool heeds no GOFLAGS, and would compile all of Go's own anew.
	runGo(t, dir, "run", "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen",
		"-generate", "types,client", "-package", "api", "-o", filepath.Join("api", "api.go"),
		"openapi.json")
	return dir
}

// runGo runs the go command in a folder, and returns what it wrote.
func runGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		said := err.Error()
		if exit, ok := err.(*exec.ExitError); ok {
			said = string(exit.Stderr)
		}
		t.Fatalf("go %s: %s", strings.Join(args, " "), said)
	}
	return string(out)
}
