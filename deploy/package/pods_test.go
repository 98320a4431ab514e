package package_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// There is no Kubernetes here. What it would start is started all the same: the two pods that
// helm's library renders, each with a network of its own, run the image with the chart's arguments,
// environment, mounts and rights in bubblewrap, on a NATS node with the accounts and TLS of
// nats-server.conf. Volumes and secrets belong to whom Kubernetes would give them. The probes are
// asked as a kubelet asks them, by the pod's address.
func TestPodsStart(t *testing.T) {
	needs(t, "bwrap", "setpriv", "nsenter", "unshare", "ip", "openssl", "curl")
	c := newPods(t)
	for n := range 2 {
		c.start(t, n)
	}
	for n := range 2 {
		c.probe(t, n, c.server.StartupProbe, "200")
		c.probe(t, n, c.server.LivenessProbe, "200")
		c.probe(t, n, c.server.ReadinessProbe, "200")
		c.asks(t, n, "muster.example", 8080, "/muster/healthz", "200")
		c.asks(t, n, "elsewhere.example", 8080, "/muster/healthz", "421")
	}
	c.stop(t, 1) // as when its node is drained; and it comes back to its volume
	c.start(t, 1)
	c.probe(t, 1, c.server.ReadinessProbe, "200")
	if err := c.nats.Process.Signal(syscall.SIGSTOP); err != nil { // it is out of reach
		t.Fatal(err)
	}
	c.probe(t, 0, c.server.LivenessProbe, "200") // which is no reason to start it anew
	if err := c.nats.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.probe(t, 0, c.server.ReadinessProbe, "200")
	for n := range 2 {
		c.stop(t, n)
		ledger := filepath.Join(c.volume(t, n, "data"), "ledger", "journal.db")
		if info, err := os.Stat(ledger); err != nil || info.Mode() != 0o600 {
			t.Errorf("pod %d keeps its ledger with the mode %v, %v", n, info, err)
		}
	}
}

// pods are those of the chart's StatefulSet.
type pods struct {
	set     appsv1.StatefulSet
	server  corev1.Container
	image   image
	secrets map[string]map[string]string
	dir     string    // what they mount, by volumes
	net     [2]string // their networks, as files for nsenter
	nats    *exec.Cmd
	run     [2]*exec.Cmd
}

const podAddress = "10.9.0." // and its number, from 1 on

func newPods(t *testing.T) *pods {
	t.Helper()
	c := &pods{image: buildImage(t), dir: t.TempDir()}
	if err := os.Chmod(filepath.Dir(c.dir), 0o755); err != nil { // for their user
		t.Fatal(err)
	}
	values := maps.Clone(given)
	values["nats"] = map[string]any{"urls": "tls://" + podAddress + "1:4222", "replicas": 1,
		"caSecret": "authority", "usersSecret": "users"}
	files, err := render(t, values)
	if err == nil {
		err = yaml.UnmarshalStrict([]byte(files["muster/templates/statefulset.yaml"]), &c.set)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.server = c.set.Spec.Template.Spec.Containers[0]
	c.networks(t)
	c.cluster(t)
	c.secrets = map[string]map[string]string{
		"users": {"user": "muster", "password": "pass", "serviceUser": "service",
			"servicePassword": "pass"},
		"authority": {"ca.crt": read(t, filepath.Join(c.dir, "authority.pem"))},
		"founding":  {"founding.note": c.founding(t)}}
	return c
}

// networks gives each pod a network of its own, from which it reaches the other one.
func (c *pods) networks(t *testing.T) {
	t.Helper()
	var first int
	for n := range c.net {
		script := "ip link set lo up; echo up; exec sleep 600"
		if n == 1 {
			script = fmt.Sprintf("ip link add eth0 type veth peer name eth0 netns %d; "+
				"ip addr add %s2/24 dev eth0; ip link set eth0 up; %s", first, podAddress, script)
		}
		cmd := exec.Command("unshare", "-n", "sh", "-ec", script)
		cmd.Stderr = os.Stderr
		said, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if line, err := bufio.NewReader(said).ReadString('\n'); line != "up\n" {
			t.Fatal(line, err)
		}
		first = cmd.Process.Pid
		c.net[n] = fmt.Sprintf("--net=/proc/%d/ns/net", first)
	}
	run(t, "nsenter", c.net[0], "sh", "-ec",
		"ip addr add "+podAddress+"1/24 dev eth0; ip link set eth0 up")
}

// cluster starts a NATS node of nats-server.conf, alone.
func (c *pods) cluster(t *testing.T) {
	t.Helper()
	program := filepath.Join(c.dir, "nats-server")
	build := exec.Command("go", "build", "-o", program, "github.com/nats-io/nats-server/v2")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conf := regexp.MustCompile(`(?ms)^cluster \{.*?^\}\n`).ReplaceAllString(
		read(t, "../nats-server.conf"), "")
	if err := os.WriteFile(filepath.Join(c.dir, "nats.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "sh", "-ec", `cd "$1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=authority" \
	-keyout authority.key -out authority.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=node" \
	-addext "subjectAltName=IP:`+podAddress+`1" -keyout node.key -out node.csr
openssl x509 -req -in node.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
	-copy_extensions copy -out node.pem`, "sh", c.dir)
	c.nats = exec.Command("nsenter", c.net[0], program, "-c", "nats.conf")
	c.nats.Dir = c.dir
	c.nats.Env = append(os.Environ(), "NODE=alone", "STORE=store", "CERT=node.pem", "KEY=node.key",
		"MUSTER_PASSWORD=pass", "ADMIN_PASSWORD=admin")
	started(t, c.nats, "Server is ready")
}

// founding is the statement that the ledger begins with.
func (c *pods) founding(t *testing.T) string {
	t.Helper()
	return run(t, "sh", "-ec", `cd "$1"
"$2" key new HQ/staff >said 2>&1
"$2" found --key HQ-staff.key --origin muster.example/pods 2>said`, "sh", c.dir, program(t))
}

// started starts a program, which ends with the test, and waits until it has said something.
func started(t *testing.T, cmd *exec.Cmd, until string) {
	t.Helper()
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(said)
	for text := ""; ; {
		if !lines.Scan() {
			t.Fatalf("%s ends, and has said:\n%s", cmd.Path, text)
		}
		text += lines.Text() + "\n"
		if strings.Contains(lines.Text(), until) {
			if strings.Contains(text, "level=WARN") {
				t.Errorf("it finds fault with what it is given:\n%s", text)
			}
			break
		}
	}
	go func() {
		for lines.Scan() { // so that it never waits for a reader
		}
	}()
}

// start starts a pod, and waits until it listens.
func (c *pods) start(t *testing.T, n int) {
	t.Helper()
	user := strconv.FormatInt(*c.set.Spec.Template.Spec.SecurityContext.RunAsUser, 10)
	group := strconv.FormatInt(*c.set.Spec.Template.Spec.SecurityContext.RunAsGroup, 10)
	args := []string{c.net[n], "setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups",
		"bwrap", "--unshare-all", "--share-net", "--as-pid-1", "--die-with-parent", "--cap-drop",
		"ALL",
		"--clearenv", "--ro-bind", c.image.root, "/"}
	for _, dir := range []string{"/proc", "/dev"} { // which each container has
		mountPoint(t, c.image.root, dir)
	}
	args = append(args, "--proc", "/proc", "--dev", "/dev")
	for _, m := range c.server.VolumeMounts {
		mountPoint(t, c.image.root, m.MountPath)
		how := map[bool]string{true: "--ro-bind", false: "--bind"}[m.ReadOnly]
		args = append(args, how, c.volume(t, n, m.Name), m.MountPath)
	}
	variables := map[string]string{}
	for _, env := range c.image.config.Env {
		name, value, _ := strings.Cut(env, "=")
		variables[name] = value
	}
	for _, env := range c.server.Env {
		variables[env.Name] = c.value(t, n, env)
	}
	for name, value := range variables {
		args = append(args, "--setenv", name, value)
	}
	args = append(args, c.image.config.Entrypoint...)
	for _, arg := range c.server.Args {
		args = append(args, strings.ReplaceAll(arg, "$(POD)", variables["POD"]))
	}
	c.run[n] = exec.Command("nsenter", args...)
	started(t, c.run[n], "listening on http://")
}

func mountPoint(t *testing.T, root, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, path), 0o755); err != nil {
		t.Fatal(err)
	}
}

// value is what a variable of a pod is.
func (c *pods) value(t *testing.T, n int, env corev1.EnvVar) string {
	t.Helper()
	switch from := env.ValueFrom; {
	case from == nil:
		return env.Value
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.name":
		return fmt.Sprintf("%s-%d", c.set.Name, n)
	case from.SecretKeyRef != nil:
		if value, ok := c.secrets[from.SecretKeyRef.Name][from.SecretKeyRef.Key]; ok {
			return value
		}
	}
	t.Fatalf("%s: nobody gives it a value", env.Name)
	return ""
}

// volume makes the folder of a volume, as Kubernetes does: root's, and the pod's group may write to
// it (fsGroup); what is a Secret's, it may read.
func (c *pods) volume(t *testing.T, n int, name string) string {
	t.Helper()
	group := int(*c.set.Spec.Template.Spec.SecurityContext.FSGroup)
	dir := filepath.Join(c.dir, fmt.Sprintf("%s-%d", name, n))
	err := os.Mkdir(dir, 0o755)
	if os.IsExist(err) {
		return dir
	}
	if err == nil {
		err = os.Chown(dir, 0, group)
	}
	if err == nil {
		err = os.Chmod(dir, 0o775|os.ModeSetgid)
	}
	for _, v := range c.set.Spec.Template.Spec.Volumes {
		if v.Name != name {
			continue
		}
		for key, text := range c.secrets[v.Secret.SecretName] {
			path := filepath.Join(dir, key)
			if err == nil {
				err = os.WriteFile(path, []byte(text), os.FileMode(*v.Secret.DefaultMode))
			}
			if err == nil {
				err = os.Chown(path, 0, group)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// probe asks what a kubelet asks, until the answer is the one that is wanted.
func (c *pods) probe(t *testing.T, n int, p *corev1.Probe, want string) {
	t.Helper()
	port := p.HTTPGet.Port.IntVal
	for _, known := range c.server.Ports {
		if p.HTTPGet.Port.Type == intstr.String && known.Name == p.HTTPGet.Port.StrVal {
			port = known.ContainerPort
		}
	}
	c.asks(t, n, "", port, p.HTTPGet.Path, want)
}

// asks asks a pod over the network, by the name of a host or else its address.
func (c *pods) asks(t *testing.T, n int, host string, port int32, path, want string) {
	t.Helper()
	url := fmt.Sprintf("http://%s%d:%d%s", podAddress, n+1, port, path)
	args := []string{c.net[1-n], "curl", "-s", "-m", "5", "-w", "\n%{http_code}", url}
	if host != "" {
		args = append(args, "-H", "Host: "+host)
	}
	out := []byte{}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second / 5) {
		out, _ = exec.Command("nsenter", args...).Output() // which says itself when it is refused
		if strings.HasSuffix(string(out), "\n"+want) {
			return
		}
	}
	t.Errorf("%s as %q is answered %s", url, host, out)
}

// inside is the last process that stands below another, each of which has one child.
func inside(t *testing.T, pid int) int {
	t.Helper()
	for {
		children := strings.Fields(read(t, fmt.Sprintf("/proc/%d/task/%[1]d/children", pid)))
		if len(children) == 0 {
			return pid
		}
		next, err := strconv.Atoi(children[0])
		if err != nil {
			t.Fatal(err)
		}
		pid = next
	}
}

// stop ends a pod as Kubernetes does, which waits for it no longer than the chart says.
func (c *pods) stop(t *testing.T, n int) {
	t.Helper()
	grace := time.Duration(*c.set.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	if err := syscall.Kill(inside(t, c.run[n].Process.Pid), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.run[n].Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("pod %d ends with %v", n, err)
		}
	case <-time.After(grace):
		t.Errorf("pod %d does not end within %v", n, grace)
	}
}
