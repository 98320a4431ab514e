package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// root is the folder of the tree.
var root = filepath.Join("..", "..")

// copyTree copies what git has, as it is now, with text behind all that is to be compiled.
func copyTree(t *testing.T, from, to, behind string) {
	t.Helper()
	list, err := exec.Command("git", "-C", from, "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(list)) {
		name = strings.TrimSpace(name)
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			continue // it was removed, and not yet in git
		}
		if strings.HasSuffix(name, ".go") {
			data = append(data, behind...)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The same tree makes the same bytes, from wherever it is built: each program is static, and tells
// its version and commit; the bill of materials can be read, and tells of every module. Go takes
// from its cache what was compiled of the same text in whichever folder: so one of the two has a
// comment at the end of each file, and is compiled. It takes minutes, so make dist does it:
// MUSTER_DIST is the version.
func TestSameBytes(t *testing.T) {
	version := os.Getenv("MUSTER_DIST")
	if version == "" {
		t.Skip("make dist VERSION=… does this")
	}
	from, err := filepath.Abs(root) // before the folder is another
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for name, behind := range map[string]string{"one": "", "another/deeper": "\n// Again.\n"} {
		tree := filepath.Join(t.TempDir(), name)
		copyTree(t, from, tree, behind)
		t.Chdir(tree)
		r := release{version: version, commit: "0123456789abcdef", to: "dist",
			arches: []string{"amd64", "arm64"}}
		if err := r.make(); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir("dist", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			sum := fmt.Sprintf("%x", sha256.Sum256(data))
			if before, ok := made[path]; ok && before != sum {
				t.Errorf("%s is not the same when it is built elsewhere", path)
			}
			made[path] = sum
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	notices, err := os.ReadFile(filepath.Join("dist", "NOTICES.txt"))
	for _, within := range []string{"klauspost/compress v", ": zstd/internal/xxhash/LICENSE.txt",
		"parquet-go/parquet-go v", ": simplelru/LICENSE_list", "htmx, which the page loads: "} {
		if err != nil || !strings.Contains(string(notices), within) {
			t.Errorf("the notices do not have %q, %v", within, err)
		}
	}
	if len(made) < 80 {
		t.Errorf("%d files were made", len(made))
	}
	program := filepath.Join("dist", "muster-"+version+"-linux-"+runtime.GOARCH)
	out, err := exec.Command(program, "--version").Output()
	if want := "muster " + version + " (0123456789abcdef, go1."; err != nil ||
		!strings.HasPrefix(string(out), want) {
		t.Errorf("it says %q, %v", out, err)
	}
	if out, err := exec.Command("ldd", program).CombinedOutput(); err == nil {
		t.Errorf("it is not static:\n%s", out)
	}
	text, err := os.ReadFile(filepath.Join("dist", "sbom-arm64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill cyclonedx.BOM
	err = cyclonedx.NewBOMDecoder(bytes.NewReader(text), cyclonedx.BOMFileFormatJSON).Decode(&bill)
	linked, wrong := modules(program)
	if err != nil || wrong != nil || len(*bill.Components) != len(linked) || len(linked) < 30 {
		t.Errorf("of %d modules the bill tells %d: %v, %v", len(linked), len(*bill.Components), err,
			wrong)
	}
}

// A module without a licence is not given on; what says so is found by the names that it has.
func TestLicences(t *testing.T) {
	find := func(dir string) map[string]string {
		t.Helper()
		found := map[string]string{}
		if err := licences(dir, dir, found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	dir := t.TempDir()
	if found := find(dir); len(found) != 0 {
		t.Errorf("an empty folder has %v", found)
	}
	for _, name := range []string{"LICENSE", "LICENSE.txt", "License-MIT", "COPYING", "NOTICE.md",
		"LICENSE_list", "licence.go.txt", "README.md", "licenser.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := find(dir)
	if len(found) != 7 || found["README.md"] != "" || found["licenser.go"] != "" {
		t.Errorf("%v", found)
	}
	if found := find(filepath.Join(root, staticDir)); len(found) != 1 {
		t.Errorf("what the page loads is under %v", found)
	}
}

// What is no version is refused before anything is made.
func TestVersions(t *testing.T) {
	for _, bad := range []string{"", "v1.0.0", "1.0", "1.0.0 ", "1.0.0;rm"} {
		r := release{version: bad, commit: "x", to: filepath.Join(t.TempDir(), "dist")}
		if err := r.make(); err == nil {
			t.Errorf("%q is taken", bad)
		}
		if _, err := os.Stat(r.to); err == nil {
			t.Errorf("for %q something was made", bad)
		}
	}
}

// The hashes are as sha256sum reads them.
func TestSums(t *testing.T) {
	dir := t.TempDir()
	r := release{to: dir}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("text\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.sums(); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
