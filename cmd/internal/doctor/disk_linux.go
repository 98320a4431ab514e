package doctor

import (
	"os"
	"syscall"
)

// The kinds of file systems that are in memory (statfs(2)).
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

func diskOf(dir string) Disk {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Disk{Err: os.NewSyscallError("statfs", err)}
	}
	kind := uint32(st.Type)
	return Disk{Free: st.Bavail * uint64(st.Bsize), Size: st.Blocks * uint64(st.Bsize),
		Files: st.Ffree, Most: st.Files, InMemory: kind == tmpfs || kind == ramfs}
}

// ownerOf returns the user whose a file is, and false where it is not there.
func ownerOf(path string) (user uint32, known bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Uid, true
}

func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
