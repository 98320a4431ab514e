package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A memoryOf bounds the memory of a process with a control group (as root), and tells how much it
// has.
type memoryOf struct {
	group string // its folder
	pid   int
}

// bounded makes a control group. Where none can be made, the test is skipped: what nothing bounds
// shows nothing.
func bounded(t *testing.T) *memoryOf {
	name := fmt.Sprintf("muster-test-%d", os.Getpid())
	var errs []error
	for _, place := range groupsOfMemory() {
		group := filepath.Join(place.folder, name)
		err := os.Mkdir(group, 0o755)
		if err == nil {
			err = overwrite(filepath.Join(group, place.limit), strconv.Itoa(attackedMemory))
			if err == nil {
				t.Cleanup(func() { _ = os.Remove(group) }) // it is empty when the server has ended
				return &memoryOf{group: group}
			}
			_ = os.Remove(group)
		}
		errs = append(errs, err)
	}
	t.Skipf("no control group bounds the memory here: %v", errors.Join(errs...))
	return nil
}

// A groupOfMemory is where control groups that bound memory can be made, and the name of the limit.
type groupOfMemory struct{ folder, limit string }

// groupsOfMemory returns the places to try: that of version 1, and of version 2 the group that this
// process is in and those above it, in which there must be no process.
func groupsOfMemory() []groupOfMemory {
	all := []groupOfMemory{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}}
	const root, most = "/sys/fs/cgroup", "memory.max"
	own := "/"
	if data, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(data)) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
				own = path
			}
		}
	}
	for at := own; ; at = filepath.Dir(at) {
		folder := filepath.Join(root, at)
		// Where this fails, the limit is not there to be written either.
		_ = overwrite(filepath.Join(folder, "cgroup.subtree_control"), "+memory")
		all = append(all, groupOfMemory{folder, most})
		if at == "/" || at == "." {
			return all
		}
	}
}

// overwrite writes to a file that is there.
func overwrite(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// hold has the group hold a process.
func (m *memoryOf) hold(t *testing.T, pid int) {
	t.Helper()
	m.pid = pid
	if err := os.WriteFile(filepath.Join(m.group, "cgroup.procs"), []byte(strconv.Itoa(pid)),
		0o644); err != nil {
		t.Fatal(err)
	}
}

// now returns how many bytes the process has that cannot be read again from a file.
func (m *memoryOf) now(t *testing.T) uint64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		t.Fatal(err)
	}
	return statusOf(string(data), "RssAnon")
}

// most returns the most that it had.
func (m *memoryOf) most() uint64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		return 0
	}
	return statusOf(string(data), "VmHWM")
}

func statusOf(status, name string) uint64 {
	for line := range strings.Lines(status) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			kb, _ := strconv.ParseUint(fields[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}
