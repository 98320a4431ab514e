// Dist makes what is released: for each machine a program that needs nothing but a kernel, and
// beside it what whoever installs it needs to know.
//
//	muster-VERSION-linux-ARCH   the program, static, without paths of the machine that built it
//	man/                        its manual pages
//	completions/                for bash, zsh, fish and PowerShell
//	NOTICES.txt                 the licences and notices of all that is in it
//	sbom-ARCH.cdx.json          what is in it, as a CycloneDX bill of materials
//	static.sha256               the hashes of what the page loads, by their paths at a server
//	SHA256SUMS                  the hashes of all of these
//
// The same tree, Go and version make the same bytes, whoever builds them and wherever.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// A release is what is to be made.
type release struct {
	version, commit string
	to              string // the folder
	arches          []string
}

func main() {
	r := release{}
	flag.StringVar(&r.version, "version", "", "the version, such as 0.2.0")
	flag.StringVar(&r.commit, "commit", "", "the commit that it is built from (default: git's)")
	flag.StringVar(&r.to, "to", "dist", "the folder to make, which must not be there")
	arches := flag.String("arch", "amd64,arm64", "for which machines")
	flag.Parse()
	r.arches = strings.Split(*arches, ",")
	if err := r.make(); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// version is as SemVer has it, without a v before it.
var version = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func (r *release) make() error {
	if !version.MatchString(r.version) {
		return fmt.Errorf("-version %q: write it such as 0.2.0", r.version)
	}
	if r.commit == "" {
		out, err := exec.Command("git", "rev-parse", "HEAD").Output()
		if err != nil {
			return errors.New("git knows no commit here: name it with -commit")
		}
		r.commit = strings.TrimSpace(string(out))
	}
	if err := os.Mkdir(r.to, 0o755); err != nil {
		return err
	}
	for _, arch := range r.arches {
		program, err := r.build(arch)
		if err != nil {
			return err
		}
		if err := r.bill(arch, program); err != nil {
			return err
		}
	}
	if err := r.notices(); err != nil {
		return err
	}
	if err := r.manual(); err != nil {
		return err
	}
	if err := r.static(); err != nil {
		return err
	}
	return r.sums()
}

// build makes the program for a machine, and returns its path.
func (r *release) build(arch string) (string, error) {
	program := filepath.Join(r.to, fmt.Sprintf("muster-%s-linux-%s", r.version, arch))
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", fmt.Sprintf("-s -w -buildid= -X muster/events/build.version=%s "+
			"-X muster/events/build.commit=%s", r.version, r.commit), "-o", program, "./cmd/muster")
	c.Env = environment(arch)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("building for %s: %w", arch, err)
	}
	return program, nil
}

// environment has nothing that this machine or its user has set make another program.
func environment(arch string) []string {
	return append(os.Environ(), "GOENV=off", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1",
		"GOARM64=v8.0", "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
}

// manual has the program write its manual pages and completions. One that runs here is built where
// none of those released does.
func (r *release) manual() error {
	program := filepath.Join(r.to, fmt.Sprintf("muster-%s-linux-%s", r.version, runtime.GOARCH))
	if !slices.Contains(r.arches, runtime.GOARCH) || runtime.GOOS != "linux" {
		return fmt.Errorf("the manual pages are written by the program: build for %s too, on Linux",
			runtime.GOARCH)
	}
	if err := run(program, "man", filepath.Join(r.to, "man")); err != nil {
		return err
	}
	dir := filepath.Join(r.to, "completions")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for shell, name := range map[string]string{"bash": "muster.bash", "zsh": "_muster",
		"fish": "muster.fish", "powershell": "muster.ps1"} {
		text, err := exec.Command(program, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("muster completion %s: %w", shell, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func run(program string, args ...string) error {
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return nil
}

// staticDir is what the page loads, as it lies in the tree and at a server.
const staticDir = "projections/web/page/static"

// static writes the hashes of what the page loads: whoever does not trust a server compares with
// them what it serves.
func (r *release) static() error {
	return writeSums(filepath.Join(r.to, "static.sha256"), os.DirFS(staticDir), "static/", "")
}

// sums writes the hashes of all that was made.
func (r *release) sums() error {
	const name = "SHA256SUMS"
	return writeSums(filepath.Join(r.to, name), os.DirFS(r.to), "", name)
}

// writeSums writes hashes as sha256sum does, of all files but one, by their paths behind a prefix.
func writeSums(to string, in fs.FS, prefix, but string) error {
	var text strings.Builder
	err := fs.WalkDir(in, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == but {
			return err
		}
		data, err := fs.ReadFile(in, path)
		if err == nil {
			fmt.Fprintf(&text, "%x  %s%s\n", sha256.Sum256(data), prefix, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(text.String()), 0o644)
}
