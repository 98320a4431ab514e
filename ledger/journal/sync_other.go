//go:build !linux

package journal

import "os"

// syncData returns when what was written to a file is on the disk, with its size.
func syncData(f *os.File) error { return f.Sync() }
