package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unitText is the systemd unit in deploy.
func unitText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "muster.service"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// systemd takes the unit without a warning, and finds that it gives the server little of the
// machine: 2.0 of 10 at most; and so with that of a NATS node.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("there is no systemd-analyze on this machine")
	}
	program, err := exec.LookPath("muster")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"muster.service", "nats-server.service"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(t.TempDir(), name)
		here := regexp.MustCompile(`/usr\S*/bin/\S+ `).ReplaceAll(text, []byte(program+" "))
		if err := os.WriteFile(unit, here, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify: %v\n%s", err, out)
		}
		out, err = exec.Command("systemd-analyze", "security", "--offline=yes", "--threshold=20",
			unit).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security: %v\n%s", err, out)
		}
	}
}

// Every flag that the unit names, in its comments too, is one of muster serve.
func TestUnitNamesFlags(t *testing.T) {
	serve, _, err := (&app{}).root().Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(unitText(t), -1)
	if len(named) < 8 {
		t.Errorf("it names %d flags", len(named))
	}
	for _, flag := range named {
		name := strings.TrimPrefix(flag, "--")
		if serve.Flags().Lookup(name) == nil && serve.InheritedFlags().Lookup(name) == nil {
			t.Errorf("muster serve has no flag %s", flag)
		}
	}
}

// The example of an environment has what the program and the unit read, and nothing else.
func TestEnvironmentExample(t *testing.T) {
	read := map[string]bool{}
	for _, name := range regexp.MustCompile(`\$(MUSTER_[A-Z_]+)`).FindAllStringSubmatch(
		unitText(t), -1) {
		read[name[1]] = true
	}
	for _, dir := range []string{".", "../internal"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") ||
				strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, name := range regexp.MustCompile(`"(MUSTER_[A-Z_]+)"`).FindAllStringSubmatch(
				string(text), -1) {
				read[name[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "muster.env.example"))
	if err != nil {
		t.Fatal(err)
	}
	var named, all []string
	for _, line := range regexp.MustCompile(`(?m)^#?(MUSTER_[A-Z_]+)=`).FindAllStringSubmatch(
		string(text), -1) {
		named = append(named, line[1])
	}
	for name := range read {
		all = append(all, name)
	}
	slices.Sort(all)
	slices.Sort(named)
	if diff := cmp.Diff(all, named); diff != "" {
		t.Errorf("the program reads (-), and the example names (+):\n%s", diff)
	}
}

// What the configuration of a NATS node reads from its environment stands in the unit of a node, or
// in the example of what differs from node to node, and there is nothing else in that.
func TestNodeEnvironmentExample(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	asked, given := map[string]bool{}, map[string]bool{}
	config := regexp.MustCompile(`(?m)#.*$`).ReplaceAllString(read("nats-server.conf"), "")
	for _, m := range regexp.MustCompile(`[ \[]\$([A-Z_]+)`).FindAllStringSubmatch(config, -1) {
		asked[m[1]] = true
	}
	unit := regexp.MustCompile(`(?m)^Environment=.*$`).FindString(read("nats-server.service"))
	for _, m := range regexp.MustCompile(`(?m)(?:^|[ =])([A-Z_]+)=`).FindAllStringSubmatch(
		unit+"\n"+read("nats-server.env.example"), -1) {
		given[m[1]] = true
	}
	if diff := cmp.Diff(asked, given); diff != "" || len(asked) < 9 {
		t.Errorf("a node reads (-), and is given (+):\n%s", diff)
	}
}
