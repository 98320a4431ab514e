package package_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An image is what Containerfile makes: its root, and what is run in it, as whom.
type image struct {
	root   string
	config struct {
		User       string
		Env        []string
		Entrypoint []string
		Volumes    map[string]struct{}
	}
}

// buildImage has buildah build it, of nothing but the folder of what was made.
func buildImage(t *testing.T) (made image) {
	t.Helper()
	needs(t, "buildah")
	store := t.TempDir()
	buildah := func(args ...string) string {
		out, err := exec.Command("buildah", slices.Concat([]string{"--root", store + "/root",
			"--runroot", store + "/run", "--storage-driver", "vfs"}, args)...).Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, exit.Stderr)
			}
			t.Fatalf("buildah %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	version := strings.Split(filepath.Base(program(t)), "-")[1]
	buildah("bud", "--isolation", "chroot", "-f", "../Containerfile", "--build-arg",
		"VERSION="+version, "-t", "muster", filepath.Dir(program(t)))
	said := struct{ OCIv1 struct{ Config any } }{}
	said.OCIv1.Config = &made.config
	if err := json.Unmarshal([]byte(buildah("inspect", "--type", "image", "muster")),
		&said); err != nil {
		t.Fatal(err)
	}
	container := buildah("from", "muster")
	made.root = filepath.Join(t.TempDir(), "root")
	run(t, "cp", "-a", buildah("mount", container), made.root)
	buildah("umount", container)
	if err := os.Chmod(filepath.Dir(filepath.Dir(made.root)), 0o755); err != nil { // for its user
		t.Fatal(err)
	}
	return made
}

// The image that Containerfile makes is enough: its root is read-only, has no user with a name, and
// no rights; only its volume can be written to, which is its user's alone.
func TestContainer(t *testing.T) {
	needs(t, "bwrap", "setpriv")
	made := buildImage(t)
	user, group, ok := strings.Cut(made.config.User, ":")
	if _, isVolume := made.config.Volumes["/data"]; !isVolume || !ok || user == "0" {
		t.Fatalf("it says %+v", made.config)
	}
	data := filepath.Join(made.root, "data")
	if is := strings.TrimSpace(run(t, "stat", "-c", "%a %u:%g", data)); is != "700 "+
		made.config.User {
		t.Errorf("a new volume is %s", is)
	}
	for _, dir := range []string{"proc", "dev"} { // which each container has
		if err := os.Mkdir(filepath.Join(made.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--reuid=" + user, "--regid=" + group, "--clear-groups", "bwrap",
		"--unshare-all", "--ro-bind", made.root, "/", "--bind", data, "/data", "--proc", "/proc",
		"--dev", "/dev", "--clearenv", "--cap-drop", "ALL", "--die-with-parent"}
	for _, env := range made.config.Env {
		name, value, _ := strings.Cut(env, "=")
		args = append(args, "--setenv", name, value)
	}
	server := exec.Command("setpriv", append(args, made.config.Entrypoint...)...)
	said, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	text := ""
	for buf := make([]byte, 4096); !strings.Contains(text, "listening on http://"); {
		n, err := said.Read(buf)
		text += string(buf[:n])
		if err != nil {
			t.Fatalf("it ends: %s", text)
		}
	}
	t.Log(text)
	if strings.Contains(text, "WARN") {
		t.Error("it finds fault with what it is given")
	}
	if _, err := os.Stat(filepath.Join(data, "journal.db")); err != nil {
		t.Error(err)
	}
}
