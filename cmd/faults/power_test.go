package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"muster/cmd/internal/server"
	"muster/ledger/seeded"
)

// A disk is an ext4 file system of its own, in a file behind a loop device. Its power can be cut:
// then all is gone that was not synced, as on a disk whose machine stops.
type disk struct {
	t      testing.TB
	image  string
	device string
	folder string // where it is mounted
}

// newDisk makes a disk and mounts it, for which root's rights are needed, and a kernel that lends
// loop devices.
func newDisk(t testing.TB, megabytes int64) *disk {
	t.Helper()
	d := &disk{t: t, folder: filepath.Join(t.TempDir(), "disk"),
		image: filepath.Join(t.TempDir(), "image")}
	f, err := os.Create(d.image)
	if err == nil {
		err = f.Truncate(megabytes << 20)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := os.Mkdir(d.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", d.image).CombinedOutput(); err != nil {
		t.Skipf("no disk can be made here, so that nothing is shown about power cuts: %v %s", err,
			out)
	}
	out, err := exec.Command("losetup", "--find", "--show", d.image).Output()
	if err != nil {
		t.Skipf("no disk can be made here, so that nothing is shown about power cuts: %v", err)
	}
	d.device = strings.TrimSpace(string(out))
	t.Cleanup(func() {
		_ = syscall.Unmount(d.folder, syscall.MNT_DETACH)
		if out, err := exec.Command("losetup", "--detach", d.device).CombinedOutput(); err != nil {
			t.Errorf("the loop device %s stays: %v %s", d.device, err, out)
		}
	})
	d.mount()
	return d
}

func (d *disk) mount() {
	d.t.Helper()
	if err := syscall.Mount(d.device, d.folder, "ext4", 0, ""); err != nil {
		d.t.Fatalf("mounting the disk: %v", err)
	}
}

const (
	shutdownRequest = 0x8004587d // EXT4_IOC_SHUTDOWN
	withoutTheLog   = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH: nothing more is written
)

// cut cuts the disk's power, and returns a moment before it was cut. From then on nothing is
// written, whatever the kernel says to those who ask it to.
func (d *disk) cut() (before time.Time) {
	d.t.Helper()
	f, err := os.Open(d.folder)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	flags := uint32(withoutTheLog)
	before = time.Now()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdownRequest,
		uintptr(unsafe.Pointer(&flags))); errno != 0 {
		d.t.Skipf("the file system's power cannot be cut here: %v", errno)
	}
	return before
}

// again mounts the disk as it is after the cut. Nobody has a file open on it any more.
func (d *disk) again() {
	d.t.Helper()
	late := time.Now().Add(patience)
	for {
		err := syscall.Unmount(d.folder, 0)
		if err == nil {
			break
		}
		if time.Now().After(late) {
			d.t.Fatalf("unmounting the disk: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	d.mount()
}

// The power of the disk with both copies is cut under load, again and again: nothing that was
// acknowledged before is lost.
func TestPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	d := newDisk(t, 512)
	cutUnderLoad(t, filepath.Join(d.folder, "ledger"), []*disk{d}, rounds(2, 4, 50))
}

// The stream has a disk of its own, and each loses its power by itself, or both do.
func TestPowerCutOfTwoDisks(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	a, b := newDisk(t, 512), newDisk(t, 512)
	dir := filepath.Join(a.folder, "ledger")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(b.folder, filepath.Join(dir, server.NATSFolder)); err != nil {
		t.Fatal(err)
	}
	syncDisks(t) // the link stands since long
	cutUnderLoad(t, dir, []*disk{a, b}, rounds(2, 4, 50))
}

func syncDisks(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("sync").CombinedOutput(); err != nil {
		t.Fatalf("sync: %v %s", err, out)
	}
}

func cutUnderLoad(t *testing.T, dir string, disks []*disk, rounds int) {
	random := seeded.New(t)
	p := serve(t, dir)
	tr := begin(t, p)
	var cuts []gone
	for range rounds {
		stop := tr.writing(p.url)
		tr.await(1 + random.IntN(1500))
		which := 1 + random.IntN(1<<len(disks)-1) // a disk, or both
		cuts = append(cuts, cutPower(p, disks, which))
		stop()
		p = serve(t, dir)
		tr.check(p, cuts...)
	}
	p.stop(t)
	verify(t, dir)
	sent, acknowledged := tr.book.count()
	t.Logf("%d statements were sent, and %d acknowledged", sent, acknowledged)
}

// cutPower cuts the power of some disks under a server, which ends, and gives it back. Which has a
// bit for each disk.
func cutPower(p *process, disks []*disk, which int) (g gone) {
	for i, d := range disks {
		if which&(1<<i) != 0 {
			before := d.cut()
			if g.from.IsZero() {
				g.from = before
			}
		}
	}
	p.kill()
	for i, d := range disks {
		if which&(1<<i) != 0 {
			d.again()
		}
	}
	g.to = time.Now()
	return g
}

// unsynced wraps a command so that none of its fsyncs is done, and each is said to be.
func unsynced(t testing.TB, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not there, so that nothing is shown about a disk that is not synced")
	}
	const calls = "fsync,fdatasync,msync,sync_file_range"
	wrapped := exec.Command(strace, append([]string{"-f", "--seccomp-bpf", "-qq", "-o", "/dev/null",
		"-e", "trace=" + calls, "-e", "inject=" + calls + ":retval=0", cmd.Path},
		cmd.Args[1:]...)...)
	wrapped.Env = cmd.Env
	return wrapped
}

// The same server, whose fsyncs are not done: after a power cut, what it acknowledged is lost. If
// this test found nothing lost, the others would show nothing.
func TestPowerCutFindsWhatIsNotSynced(t *testing.T) {
	d := newDisk(t, 512)
	dir := filepath.Join(d.folder, "ledger")
	p := launch(t, unsynced(t, command(t, serveArgs(dir)...)))
	p.dir = dir
	p.awaitListening(t)
	tr := begin(t, p)
	stop := tr.writing(p.url)
	tr.await(200)
	cut := cutPower(p, []*disk{d}, 1)
	stop()
	p = launch(t, command(t, serveArgs(dir)...))
	p.dir = dir
	if _, err := p.await(`listening on (http://\S+)`); err != nil {
		t.Logf("the server does not start any more: %v", err)
		return
	}
	p.awaitListening(t)
	wrong := tr.lost(p, cut)
	if len(wrong) == 0 {
		t.Fatal("nothing is lost although nothing was synced: the harness tests nothing")
	}
	t.Logf("%d things are wrong, such as: %v", len(wrong), wrong[0])
}
