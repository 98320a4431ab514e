package journal

import (
	"os"
	"syscall"
)

// syncData returns when what was written to a file is on the disk, with its size.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
