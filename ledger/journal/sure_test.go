package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
)

// The folder in which another process of this test writes, some of whose calls to the kernel fail.
const failingFolder = "MUSTER_TEST_FAILING_FOLDER"

const (
	syncedRecords = 60
	perCommit     = 3
)

// Whichever sync fails, of the tail, of the bbolt file's pages, or of the page that makes them
// valid, once, twice, four times on end, or every fifth: nothing is acknowledged that it was for,
// the journal goes on by itself, and after a crash all that was acknowledged is there.
func TestFailedSync(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes, one after the other")
	}
	if dir := os.Getenv(failingFolder); dir != "" {
		writeUntilDone(t, dir)
		return
	}
	t.Parallel()
	all := manyRecords(t, syncedRecords)
	failed := 0
	for _, form := range []string{"%d", "%d..%[2]d", "%d..%[3]d", "%d+5"} {
		for n := 1; ; n++ {
			dir, which := t.TempDir(), fmt.Sprintf(form, n, n+1, n+3) // calls of each thread
			which, _, _ = strings.Cut(which, "%!")                    // what the form does not name
			said := writeWithFailing(t, dir, all, which)
			if !strings.Contains(said, "failed: ") { // there are not so many
				break
			}
			failed += strings.Count(said, "failed: ")
			j, err := Open(filepath.Join(dir, "journal.db"))
			if err != nil {
				t.Fatalf("sync %s: %v; it said:\n%s", which, err, said)
			}
			want := syncedRecords
			if !strings.Contains(said, "all are there") { // it was opened in vain
				want = 0
			}
			holds(t, j, all[:want])
			if err := j.Close(); err != nil || t.Failed() {
				t.Fatalf("sync %s: %v; it said:\n%s", which, err, said)
			}
		}
	}
	if failed < 100 {
		t.Errorf("only %d calls were made to fail: this shows little", failed)
	}
}

// writeWithFailing lets another process write records into a journal, and fail at some syncs. It
// returns what that said.
func writeWithFailing(t *testing.T, dir string, all []events.Record, which string) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed, so that no call to the kernel can be made to fail")
	}
	stored := make([]string, len(all))
	for i, r := range all {
		stored[i] = string(r.Stored)
	}
	data, err := json.Marshal(stored)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "records"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(strace, "-f", "-qq", "-o", filepath.Join(dir, "trace"), "-e",
		"trace=fdatasync", "-e",
		"inject=fdatasync:error=EIO:when="+which,
		os.Args[0], "-test.run=^TestFailedSync$")
	cmd.Env = append(os.Environ(), failingFolder+"="+dir)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sync %s: %v; it said:\n%s", which, err, said)
	}
	return string(said)
}

// writeUntilDone appends all records, each commit until it succeeds, and ends as a crash does. It
// says what has failed.
func writeUntilDone(t *testing.T, dir string) {
	data, err := os.ReadFile(filepath.Join(dir, "records"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	j, err := Open(filepath.Join(dir, "journal.db"))
	if err != nil {
		fmt.Println("failed: ", err)
		os.Exit(0)
	}
	j.foldAfter = 2 * perCommit
	key := newTestKey(t)
	succeed := func(do func() error) {
		for tries := 0; ; tries++ {
			err := do()
			if err == nil {
				return
			}
			fmt.Println("failed: ", err)
			if tries == 20 {
				t.Fatal("it does not go on")
			}
		}
	}
	succeed(func() error { return j.SignCheckpoints(key.sign) })
	for at := 0; at < len(all); at += perCommit {
		var records []events.Record
		for i, stored := range all[at : at+perCommit] {
			rec, err := events.ParseRecord(uint64(at+i)+1, []byte(stored))
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, rec)
		}
		succeed(func() error { return j.Append(records) })
	}
	fmt.Println("all are there")
	os.Exit(0)
}
