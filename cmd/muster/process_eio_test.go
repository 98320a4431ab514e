package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"muster/cmd/internal/server"
)

// One write of a block fails, or one sync, of the stream or of the journal's tail: what was in it
// is acknowledged to nobody, and the same process goes on by itself.
func TestWriteErrors(t *testing.T) {
	onlyLong(t)
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed, so that no call to the kernel can be made to fail")
	}
	for _, f := range []struct{ call, where string }{
		{"pwrite64", "stream"}, {"pwrite64", "journal"}, {"fdatasync", "journal"},
	} {
		t.Run(f.where+" "+f.call, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "ledger")
			p := serving(t, dir)
			c, book := begin(t, p), newBook()
			paths := []string{"-P", blockFile(dir)}
			if f.where == "journal" {
				paths = []string{"-P", filepath.Join(dir, server.JournalFile+".tail0"),
					"-P", filepath.Join(dir, server.JournalFile+".tail1")}
			}
			for range 2 {
				s, err := startProgram("strace", filepath.Dir(dir), nil, append(paths, "-f",
					"-p", fmt.Sprint(p.cmd.Process.Pid), "-e", "trace="+f.call, "-e",
					"inject="+f.call+":error=EIO:when=1", "-o", "trace")...)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.kill)
				if _, err := s.await(&s.stderr, `attached`); err != nil {
					t.Skipf("no process can be traced here: %v", err)
				}
				for range 40 { // until one is told that nothing can be recorded, if one is
					if err := book.submit(t.Context(), p.client(), c.offer(t)); err != nil {
						break
					}
				}
				_ = s.terminate() // it ends with the signal
				trace, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "trace"))
				if err != nil || !bytes.Contains(trace, []byte("INJECTED")) {
					t.Fatalf("no call has failed (%v):\n%s", err, trace)
				}
				p.awaitHealthy(t)
				goesOn(t, p, c, book)
			}
			p.stop(t)
			goesOn(t, serving(t, dir), c, book)
		})
	}
}
