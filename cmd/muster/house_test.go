package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// house is the table of allowed imports: what each package may know. The standard library is open
// to all but where a line below says otherwise; a path that ends in /… stands for a module or all
// below a folder.
//
// The two halves, ledger and projections, never meet: reading cannot write. Both know events; only
// cmd knows both.
var house = map[string][]string{
	"events/build":        {},
	"events/compact":      {"muster/events"},
	"events/english":      {},
	"events/phrase":       {"muster/events/english"},
	"events/problem":      {"muster/events/phrase"},
	"events/problem/wire": {"muster/events/problem", "github.com/nats-io/nats.go/micro"},
	"events": {"muster/events/phrase", "muster/events/problem", "github.com/agnivade/levenshtein",
		"github.com/go-json-experiment/json/…",
		"github.com/oasisprotocol/curve25519-voi/curve/…", "github.com/oklog/ulid/v2",
		"golang.org/x/mod/sumdb/note", "golang.org/x/text/unicode/norm"},
	"events/schema":  {"muster/events"},
	"events/seconds": {"muster/events", "muster/events/phrase"},

	"ledger/rules": {"muster/events/…"},
	"ledger": {"muster/events/…", "muster/ledger/rules",
		"muster/ledger/journal", "golang.org/x/mod/sumdb/tlog"},
	"ledger/journal": {"github.com/hashicorp/golang-lru/v2/…", "muster/events/…",
		"muster/ledger/journal/internal/boltpages", "go.etcd.io/bbolt/…",
		"golang.org/x/mod/sumdb/…", "filippo.io/torchwood"},
	"ledger/journal/internal/boltpages": {"go.etcd.io/bbolt/…", "github.com/edsrzf/mmap-go"},
	"ledger/stream": {"muster/events/…", "muster/ledger",
		"github.com/nats-io/nats.go/…", "github.com/synadia-io/orbit.go/jetstreamext"},
	"ledger/stream/filestore": {"github.com/minio/highwayhash"},
	"ledger/peers": {"muster/events", "muster/events/problem", "muster/ledger",
		"muster/ledger/journal", "github.com/go-json-experiment/json/…",
		"github.com/nats-io/nats.go", "golang.org/x/mod/sumdb/tlog"},
	"ledger/proof": {"muster/events/…", "muster/ledger/rules",
		"golang.org/x/mod/sumdb/…", "github.com/transparency-dev/formats/…"},
	"ledger/witness": {"muster/events/problem", "muster/ledger/proof", "go.etcd.io/bbolt/…",
		"golang.org/x/mod/sumdb/…", "filippo.io/torchwood"},
	"ledger/proof/remote": {"muster/events", "muster/events/problem",
		"muster/ledger/proof", "golang.org/x/mod/sumdb/tlog", "filippo.io/torchwood"},
	"ledger/proof/policy": {"muster/events", "muster/events/problem", "muster/ledger/proof",
		"golang.org/x/mod/sumdb/note", "filippo.io/torchwood"},
	"ledger/witness/feed": {"muster/events/problem", "muster/ledger/proof/…",
		"muster/ledger/witness", "golang.org/x/mod/sumdb/tlog"},
	"ledger/mirror": {"muster/events", "muster/events/english", "muster/events/problem",
		"muster/ledger/proof", "github.com/hashicorp/golang-lru/v2/…",
		"go.etcd.io/bbolt/…", "golang.org/x/mod/sumdb/tlog", "filippo.io/torchwood"},
	"ledger/natsd": {"muster/events", "github.com/nats-io/nats.go",
		"github.com/nats-io/nats-server/v2/…", "github.com/nats-io/nkeys"},
	"ledger/logtest": {"muster/ledger"},
	"ledger/seeded":  {},
	"ledger/damage":  {},
	"ledger/intake": {"golang.org/x/sync/errgroup", "golang.org/x/sync/semaphore",
		"muster/events/…",
		"muster/ledger", "muster/ledger/proof", "github.com/danielgtaylor/huma/v2",
		"github.com/nats-io/nats.go/…", "golang.org/x/mod/sumdb/tlog", "filippo.io/torchwood"},
	"ledger/intake/form": {"muster/events/…", "muster/ledger/intake/reconcile",
		"muster/ledger/intake/round", "muster/ledger/intake/sheet",
		"github.com/xuri/excelize/v2"},
	"ledger/intake/imported": {"muster/events/…", "muster/ledger/intake/form",
		"muster/ledger/intake/reconcile", "muster/ledger/intake/round",
		"muster/ledger/intake/sheet"},
	"ledger/intake/plan": {"muster/events/…", "muster/ledger/intake/plan/strictyaml"},
	"ledger/intake/plan/strictyaml": {"muster/events/phrase", "muster/events/problem",
		"go.yaml.in/yaml/v4"},
	"ledger/intake/round": {"muster/events/…", "muster/ledger/intake/plan/strictyaml",
		"muster/ledger/intake/reconcile", "muster/ledger/intake/sheet"},
	"ledger/intake/sheet": {"muster/events/phrase", "muster/events/problem",
		"github.com/xuri/excelize/v2", "golang.org/x/text/encoding/…"},
	"ledger/intake/peacekeeping": {"muster/events/…", "muster/ledger/intake/sheet",
		"muster/ledger/intake/reconcile"},
	"ledger/intake/reconcile": {"muster/events/…", "golang.org/x/text/unicode/norm"},

	"projections/records": {"muster/events/…"},
	"projections": {"muster/events/…", "muster/projections/records",
		"github.com/agnivade/levenshtein", "github.com/hashicorp/golang-lru/v2/…"},
	"projections/access": {"muster/events/…", "muster/projections",
		"muster/projections/projector", "muster/projections/records"},
	"projections/access/feeds": {"muster/events/…", "muster/projections",
		"muster/projections/access"},
	"projections/access/session": {"muster/events/…", "muster/projections",
		"muster/projections/access", "github.com/hashicorp/golang-lru/v2/…",
		"golang.org/x/time/rate"},
	"projections/web": {"muster/events/…", "muster/projections", "muster/projections/access/…",
		"muster/projections/projector", "muster/projections/records",
		"muster/projections/web/tabular", "github.com/arran4/golang-ical",
		"github.com/danielgtaylor/huma/v2", "github.com/gorilla/feeds",
		"github.com/hashicorp/golang-lru/v2/…",
		"github.com/mattn/go-runewidth", "github.com/nats-io/nats.go/…",
		"github.com/go-json-experiment/json",
		"golang.org/x/sync/semaphore", "golang.org/x/mod/sumdb/tlog"},
	"projections/web/tabular": {"github.com/parquet-go/parquet-go", "github.com/xuri/excelize/v2"},
	"projections/web/page": {"muster/events/…", "muster/projections", "muster/projections/access",
		"muster/projections/web", "github.com/klauspost/compress/gzhttp", "golang.org/x/text/…"},

	"projections/internal/ledgertest": {"muster/events"},
	"projections/projector": {"muster/events/problem", "muster/projections",
		"muster/projections/records", "go.etcd.io/bbolt/…"},

	"cmd/internal/backup": {"muster/cmd/internal/control", "muster/cmd/internal/files",
		"muster/cmd/internal/server", "muster/events", "muster/events/problem",
		"muster/ledger/journal", "muster/ledger/peers", "muster/ledger/proof",
		"golang.org/x/mod/sumdb/tlog"},
	"cmd/internal/certtest": {},
	"cmd/internal/pipetest": {},
	"cmd/internal/control":  {},
	"cmd/internal/doctor": {"muster/cmd/internal/…", "muster/events/english",
		"muster/events/problem", "muster/ledger/journal"},
	"cmd/internal/files": {"muster/events", "muster/events/problem"},
	"cmd/internal/hooks": {"muster/events", "muster/events/problem",
		"github.com/go-json-experiment/json",
		"github.com/standard-webhooks/standard-webhooks/libraries/go"},
	"cmd/internal/planned": {"muster/events", "muster/events/problem",
		"muster/ledger/intake/plan", "muster/projections", "muster/projections/web"},
	"cmd/internal/reach": {"muster/events/problem", "muster/ledger/natsd",
		"github.com/nats-io/nats.go", "github.com/nats-io/nkeys"},
	"cmd/internal/server": {"muster/cmd/internal/control", "muster/cmd/internal/files",
		"muster/cmd/internal/hooks", "muster/cmd/internal/planned",
		"muster/cmd/internal/reach",
		"muster/events/…", "muster/ledger/…", "muster/projections/…",
		"github.com/danielgtaylor/huma/v2/…", "github.com/nats-io/nats.go/…",
		"github.com/prometheus/client_golang/…",
		"golang.org/x/mod/sumdb/tlog", "golang.org/x/sync/errgroup", "golang.org/x/time/rate"},
	"cmd/internal/sshagent": {"muster/events", "muster/events/problem",
		"golang.org/x/crypto/ssh/…"},
	"cmd/bench": {"muster/cmd/internal/reach", "muster/cmd/internal/server", "muster/events",
		"muster/ledger/…",
		"muster/projections/…", "github.com/danielgtaylor/huma/v2/…", "github.com/jackc/pgx/v5/…",
		"github.com/nats-io/nats.go/…",
		"github.com/nats-io/nats-server/v2/server", "golang.org/x/mod/sumdb/tlog",
		"filippo.io/torchwood"},
	"cmd/dist": {"github.com/CycloneDX/cyclonedx-go"},
	"cmd/faults": {"muster/cmd/internal/files", "muster/events", "muster/ledger/intake",
		"muster/projections/web"},
	"cmd/muster": {"github.com/coreos/go-systemd/v22/daemon",
		"golang.org/x/sync/errgroup", "golang.org/x/time/rate",
		"github.com/hashicorp/golang-lru/v2/…", "muster/cmd/internal/…", "muster/events/…",
		"muster/ledger/…", "muster/projections/…", "github.com/jedib0t/go-pretty/v6/…",
		"github.com/nats-io/nats.go", "github.com/spf13/cobra/…", "github.com/spf13/pflag",
		"golang.org/x/term", "golang.org/x/text/transform"},
}

// The files are read in this process: a test that asked the go command would be cached, and miss a
// new import.
func TestHouse(t *testing.T) {
	root := filepath.Join("..", "..")
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") &&
			len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		found[filepath.ToSlash(rel)] = true
		if err == nil {
			checkImports(t, path, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range house {
		if !found[pkg] {
			t.Errorf("the table has a package %s, and there is none", pkg)
		}
	}
	if len(found) == 0 {
		t.Error("no package was found")
	}
	checkLinked(t, root)
}

// unlinked is what an auditor's program must not have to link, not even through other packages. To
// verify a running server takes HTTP, and is a package of its own.
var unlinked = map[string][]string{
	"ledger/rules": {"go.etcd.io/bbolt/…", "github.com/nats-io/…", "net/http"},
	"ledger/proof": {"go.etcd.io/bbolt/…", "github.com/nats-io/…", "net/http"},
}

// checkLinked asks the go command, which knows the packages of other modules too. Its answer
// follows from files that this test has read, and from go.mod, so that a cached result is never an
// old one.
func checkLinked(t *testing.T, root string) {
	t.Helper()
	if _, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	for pkg, never := range unlinked {
		list := exec.Command("go", "list", "-deps", "./"+pkg)
		list.Dir = root
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list -deps ./%s: %v", pkg, err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, "muster/"+pkg) {
			t.Errorf("%s is not among the packages that it links: %v", pkg, deps)
		}
		for _, dep := range deps {
			if slices.ContainsFunc(never, func(n string) bool { return allows(n, dep) }) {
				t.Errorf("package %s links %s", pkg, dep)
			}
		}
	}
}

// repeatable are the packages outside tests in which chance must come out the same again: none of
// them serves anybody.
var repeatable = []string{"cmd/bench", "ledger/damage", "ledger/logtest", "ledger/seeded"}

func checkImports(t *testing.T, path, pkg string) {
	allowed, ok := house[pkg]
	if !ok {
		t.Errorf("%s: the package %s is not in the table of allowed imports", path, pkg)
		return
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.HasPrefix(name, "math/rand") && !slices.Contains(repeatable, pkg) {
			t.Errorf("%s: what is random here nobody may guess: import crypto/rand, not %s", path,
				name)
		}
		first, _, _ := strings.Cut(name, "/")
		standard := !strings.Contains(first, ".") && first != "muster"
		if !standard && !slices.ContainsFunc(allowed, func(a string) bool {
			return allows(a, name)
		}) {
			t.Errorf("%s: package %s may not import %s", path, pkg, name)
		}
	}
}

func allows(pattern, name string) bool {
	whole, below := strings.CutSuffix(pattern, "/…")
	return name == whole || below && strings.HasPrefix(name, whole+"/")
}

// Main stays a table: whoever reads the program begins with a page, not with a program.
func TestTopLevel(t *testing.T) {
	entries, err := filepath.Glob(filepath.Join("..", "..", "[^.]*"))
	if err != nil {
		t.Fatal(err)
	}
	rooms := []string{"cmd", "deploy", "events", "ledger", "projections"}
	files := []string{"LICENSE", "Makefile", "NEWS.md", "README.md", "SECURITY.md",
		"go.mod", "go.sum"}
	// By the commands, and not part of the project.
	made := []string{"bin", "demo-data", "muster-data", "shared"}
	for _, e := range entries {
		if name := filepath.Base(e); !slices.Contains(slices.Concat(rooms, files, made), name) {
			t.Errorf("%s stands at the top of the project, and has no place there", name)
		}
	}
}

// A room of the README is a folder, as the list under "The folders" has it: indented by two below
// the folder that it is in, with a slash at its end, and what it is for behind it.
var room = regexp.MustCompile(`^    ((?:  )*)(\S+)/ +\S`)

// The README lists every package and deploy, and no other folder. That the table has every package,
// TestHouse says.
func TestReadmeFolders(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(data), "## The folders\n\n")
	list, _, _ = strings.Cut(list, "\n\n")
	var listed, above []string
	for line := range strings.Lines(list) {
		m := room.FindStringSubmatch(line)
		if m == nil || len(m[1])/2 > len(above) {
			t.Fatalf("this is no folder with what it is for, below the one that it is in: %q", line)
		}
		above = append(above[:len(m[1])/2], m[2])
		listed = append(listed, strings.Join(above, "/"))
	}
	folders := append(slices.Collect(maps.Keys(house)), "deploy")
	slices.Sort(folders)
	slices.Sort(listed)
	if diff := cmp.Diff(folders, listed); diff != "" {
		t.Errorf("the README's folders (-there +listed):\n%s", diff)
	}
}
