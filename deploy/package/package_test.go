// Package package_test checks what make dist and make packages have made: MUSTER_DIST is their
// folder. It needs root's rights, for roots of its own, and dpkg, rpm, lintian, buildah and
// bubblewrap; what is not there is skipped, and said.
package package_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// made returns the one file in the folder that matches a pattern, for the machine of the test.
func made(t *testing.T, pattern string) string {
	t.Helper()
	dir := os.Getenv("MUSTER_DIST")
	if dir == "" {
		t.Skip("make packages-check does this")
	}
	all, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(all) != 1 {
		t.Fatalf("%s: %q, %v", pattern, all, err)
	}
	path, err := filepath.Abs(all[0])
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func program(t *testing.T) string { return made(t, "muster-*-linux-"+runtime.GOARCH) }

func deb(t *testing.T) string { return made(t, "muster_*_"+runtime.GOARCH+".deb") }

func rpm(t *testing.T) string {
	return made(t, "muster-*."+map[string]string{"amd64": "x86_64",
		"arm64": "aarch64"}[runtime.GOARCH]+".rpm")
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("there is no %s on this machine", name)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("a root of its own takes root's rights")
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Debian's own checker finds no error in the package, and what nobody shall overwrite is a
// configuration file.
func TestDeb(t *testing.T) {
	needs(t, "lintian", "dpkg-deb")
	t.Log(run(t, "lintian", "--allow-root", "--fail-on", "error", deb(t)))
	if out := run(t, "dpkg-deb", "-I", deb(t), "conffiles"); out != "/etc/muster/muster.env\n" {
		t.Errorf("the configuration files are %q", out)
	}
}

// unitCommand is what the unit starts.
func unitCommand(t *testing.T) string {
	t.Helper()
	text := strings.ReplaceAll(read(t, "../muster.service"), "\\\n", "")
	found := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatal("the unit starts nothing")
	}
	return strings.TrimSuffix(found[1], " $MUSTER_FLAGS")
}

// inRoot runs a script in namespaces of its own, with a copy of this machine's root in $ROOT, to
// which it writes as it likes; "inside" runs a command in there. There is no systemd: serves starts
// what the unit does, as a user without a name, with the folders that the unit would make.
func inRoot(t *testing.T, script, file string) string {
	t.Helper()
	const before = `set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
ROOT=$1/root
mount -t overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" overlay "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
ip link set lo up
cp "$2" "$ROOT/package"
inside() { chroot "$ROOT" "$@"; }
as='setpriv --reuid=64999 --regid=64999 --clear-groups --no-new-privs --bounding-set=-all'
serves() {
	inside install -d -o 64999 -g 64999 -m 0700 /var/lib/muster /var/log/muster
	chroot "$ROOT" $as env HOME=/nowhere $COMMAND >"$1/said" 2>&1 &
	server=$!
	for try in $(seq 600); do
		! grep -q 'listening on' "$1/said" || break
		kill -0 $server || { cat "$1/said"; exit 1; }
		sleep 0.1
	done
	inside $as env MUSTER_CONFIG=/var/lib/muster/seen MUSTER_DATA=/var/lib/muster muster status
	kill $server
	wait $server
}
`
	cmd := exec.Command("unshare", "-m", "-n", "-p", "-f", "--propagation", "private", "sh", "-c",
		before+script, "sh", t.TempDir(), file)
	cmd.Env = append(os.Environ(), "COMMAND="+unitCommand(t))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The package is installed, a server starts, the package is installed again and leaves what was
// changed in its configuration; it is removed, and the ledger stays, also when it is purged.
func TestDebInARoot(t *testing.T) {
	needs(t, "dpkg", "unshare", "ip", "setpriv")
	inRoot(t, `
inside dpkg -i /package
test "$(inside stat -c '%a %U' /etc/muster/muster.env)" = '600 root'
inside test -x /usr/bin/muster
inside test -f /lib/systemd/system/muster.service -a -f /usr/share/man/man1/muster.1.gz
inside muster --version
serves "$1"
echo MUSTER_CA=/etc/muster/ours.pem >>"$ROOT/etc/muster/muster.env"
inside dpkg -i /package
grep -q ours.pem "$ROOT/etc/muster/muster.env"
serves "$1"
inside dpkg -r muster
! test -e "$ROOT/usr/bin/muster"
! test -e "$ROOT/lib/systemd/system/muster.service"
grep -q ours.pem "$ROOT/etc/muster/muster.env"
inside dpkg -P muster
! test -e "$ROOT/etc/muster/muster.env"
test -s "$ROOT/var/lib/muster/journal.db" -a -s "$ROOT/var/lib/muster/checkpoint.key"
`, deb(t))
}

// The other package has the same, and keeps its configuration likewise.
func TestRpmInARoot(t *testing.T) {
	needs(t, "rpm", "unshare", "ip", "setpriv")
	inRoot(t, `
inside rpm --nodeps -i /package
test "$(inside stat -c '%a %U' /etc/muster/muster.env)" = '600 root'
inside test -f /usr/lib/systemd/system/muster.service -a -f /usr/share/man/man1/muster.1.gz
inside rpm -qc muster
serves "$1"
echo MUSTER_CA=/etc/muster/ours.pem >>"$ROOT/etc/muster/muster.env"
inside rpm --nodeps --force -U /package
grep -q ours.pem "$ROOT/etc/muster/muster.env"
inside rpm -e muster
! test -e "$ROOT/usr/bin/muster"
grep -q ours.pem "$ROOT/etc/muster/muster.env.rpmsave"
test -s "$ROOT/var/lib/muster/journal.db"
`, rpm(t))
}

// exampleNames are the names that the program reads from its environment.
func exampleNames(t *testing.T) (all []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^#?(MUSTER_[A-Z_]+)=`).FindAllStringSubmatch(
		read(t, "../muster.env.example"), -1) {
		all = append(all, m[1])
	}
	return all
}

// takes asks the program itself whether it knows the flags of a server, and looks whether it reads
// the names of an environment.
func takes(t *testing.T, flags []string, environment []string) {
	t.Helper()
	run(t, program(t), slices.Concat([]string{"serve"}, flags, []string{"--help"})...)
	known := exampleNames(t)
	for _, name := range environment {
		if strings.HasPrefix(name, "MUSTER_") && !slices.Contains(known, name) {
			t.Errorf("the program reads no %s", name)
		}
	}
	if len(flags) == 0 && len(environment) == 0 {
		t.Error(fmt.Errorf("a server is told nothing"))
	}
}
