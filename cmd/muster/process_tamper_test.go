package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger/journal"
	"muster/ledger/seeded"
)

// These tests change the files of a ledger, as a disk or somebody with the administrator's rights
// would, and look what is said: by muster verify, and by a server that is started on them.

// says runs muster to its end, and returns its exit code and what it wrote. It may take little
// memory and not long.
func says(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh",
		append([]string{"-c", `ulimit -v 8000000; exec muster "$@"`, "sh"}, args...)...)
	if raceDetector { // which takes terabytes of addresses
		cmd = exec.CommandContext(t.Context(), "muster", args...)
	}
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = plainEnv("GOGC=100", "GOMEMLIMIT=256MiB"), &out, &said
	cmd.Dir = t.TempDir() // where evidence is kept, since nothing can be remembered
	elapsed := stopwatch()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if broken.MatchString(said.String()) || elapsed() > patience {
		t.Errorf("muster %s broke, or took %s:\n%s", strings.Join(args, " "),
			elapsed(), &said)
	}
	return cmd.ProcessState.ExitCode(), out.String(), said.String()
}

// isFound checks that muster verify fails, with the exit code 8, and says so in these words, on
// both of its outputs.
func isFound(t *testing.T, name, words string, args ...string) {
	t.Helper()
	code, out, said := says(t, append([]string{"verify"}, args...)...)
	re := regexp.MustCompile(words)
	if code != 8 || !re.MatchString(out) || !re.MatchString(said) ||
		!strings.Contains(out, "VERIFICATION FAILED. First of all, ") ||
		!strings.Contains(said, "muster: hint: change nothing") {
		t.Errorf("%s: exit code %d, and it should say %s:\n%s%s", name, code, words, out, said)
	}
}

// copied returns a copy of a ledger's folder.
func (l *stoppedLedger) copied(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "ledger")
	copyTo(t, l.dir, dir)
	return dir
}

// inJournal changes the journal of a folder as somebody would who knows how it is made.
func inJournal(t *testing.T, dir string, edit func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, server.JournalFile), 0o600,
		&bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(edit), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func keyOf(sequence uint64) []byte { return binary.BigEndian.AppendUint64(nil, sequence) }

// whatIsServed starts a server on a folder. It either refuses, with one of the exit codes for that,
// or it serves the ledger as it was: it never gives a wrong answer. It returns what the server said
// when it refused.
func whatIsServed(t *testing.T, l *stoppedLedger, dir string) (refused string) {
	t.Helper()
	p := launch(t, dir)
	defer p.kill()
	found, err := p.await(&p.stderr, `listening on (http://\S+)`)
	if err != nil {
		if code, said := p.ends(t); code != 7 && code != 8 ||
			!strings.Contains(said, "muster: error: ") {
			t.Errorf("exit code %d:\n%s", code, said)
		}
		return p.stderr.String()
	}
	p.url = found[1]
	sameLogs(t, l.log, p.records(t))
	return ""
}

func TestVerifyFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someStoppedLedger(t)
	before := filesOf(t, l.dir)
	code, out, said := says(t, "verify", l.dir)
	if code != 0 || !strings.Contains(out, "43 records") ||
		!strings.Contains(out, "the stream holds the same 43 records") ||
		!strings.Contains(out, "43 signatures, by 2 keys") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	if strings.Contains(out, "failed") {
		t.Errorf("something failed:\n%s", out)
	}
	if after := filesOf(t, l.dir); !slices.Equal(before, after) {
		t.Errorf("the folder's files were changed:\n%s\n%s", before, after)
	}
	p := serving(t, l.dir)
	if code, _, said := says(t, "verify", l.dir); code != 7 ||
		!strings.Contains(said, "another process has the journal") {
		t.Errorf("while a server runs: exit code %d:\n%s", code, said)
	}
	p.stop(t)
}

// filesOf returns the name and the hash of every file in a folder.
func filesOf(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, fmt.Sprintf("%s %x", path, sha256.Sum256(data)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Whoever can write the journal's file removes, swaps, inserts and alters records in it.
func TestTamperedJournal(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someStoppedLedger(t)
	for name, c := range map[string]struct {
		edit  func(b *bbolt.Bucket) error
		words string
	}{
		"removed": {func(b *bbolt.Bucket) error { return b.Delete(keyOf(20)) },
			`record 20: it is missing: record 21 follows`},
		"swapped": {func(b *bbolt.Bucket) error {
			x, y := bytes.Clone(b.Get(keyOf(20))), bytes.Clone(b.Get(keyOf(21)))
			return errors.Join(b.Put(keyOf(20), y), b.Put(keyOf(21), x))
		}, `record 20: it was altered or is damaged`},
		"inserted": {func(b *bbolt.Bucket) error {
			for n := uint64(43); n >= 20; n-- {
				if err := b.Put(keyOf(n+1), bytes.Clone(b.Get(keyOf(n)))); err != nil {
					return err
				}
			}
			return b.Put(keyOf(20), bytes.Clone(b.Get(keyOf(10))))
		}, `record 20: it was altered or is damaged`},
		"altered": {func(b *bbolt.Bucket) error {
			return b.Put(keyOf(20),
				bytes.Replace(b.Get(keyOf(20)), []byte(`"quantity":100`),
					[]byte(`"quantity":900`), 1))
		}, `record 20: it was altered or is damaged.*the signature is not that of FRA/paris`},
		"the envelope altered": {func(b *bbolt.Bucket) error {
			return b.Put(keyOf(20),
				bytes.Replace(b.Get(keyOf(20)), []byte(`,"by":"`), []byte(`,"by":"x`), 1))
		}, `record 20: it was altered or is damaged`},
		"cut off": {func(b *bbolt.Bucket) error {
			return errors.Join(b.Delete(keyOf(43)), b.Delete(keyOf(42)))
		},
			`record 42: it is missing: .* 43 records, and here are 41`},
	} {
		dir := l.copied(t)
		inJournal(t, dir, func(tx *bbolt.Tx) error { return c.edit(tx.Bucket([]byte("records"))) })
		isFound(t, name, c.words, dir)
		if whatIsServed(t, l, dir) == "" {
			t.Errorf("%s: a server starts on it", name)
		}
	}
}

// A damaged index would let a statement be recorded twice.
func TestTamperedIndex(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someStoppedLedger(t)
	id := l.log[19].ID
	for name, edit := range map[string]func(b *bbolt.Bucket) error{
		"lacks one":    func(b *bbolt.Bucket) error { return b.Delete(id[:]) },
		"leads astray": func(b *bbolt.Bucket) error { return b.Put(id[:], keyOf(21)) },
		"has one more": func(b *bbolt.Bucket) error {
			other := events.NewID()
			return b.Put(other[:], keyOf(20))
		},
		"calls it else": func(b *bbolt.Bucket) error {
			other := events.NewID()
			return errors.Join(b.Delete(id[:]), b.Put(other[:], keyOf(20)))
		},
	} {
		dir := l.copied(t)
		inJournal(t, dir, func(tx *bbolt.Tx) error { return edit(tx.Bucket([]byte("ids"))) })
		isFound(t, name, `the index of the statements' ids`, dir)
		if refused := whatIsServed(t, l, dir); name != "has one more" && !strings.Contains(refused,
			id.String()+" does not lead to record 20") {
			t.Errorf("%s: a server says %q", name, refused)
		}
	}
}

// Who holds all that a server holds can write a statement of a revoked member and make everything
// fit. The rules notice.
func TestForgedStatement(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someStoppedLedger(t)
	remove(t, filepath.Join(l.dir, server.NATSFolder)) // which was to be made anew from the journal
	forge := []events.Signed{
		signed(t, &events.MemberRevoked{Header: l.c.head("member.revoked"), Key: l.c.paris.Key(),
			Reason: "left"}, l.c.founder), l.c.offer(t)}
	j, err := journal.Open(filepath.Join(l.dir, server.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range forge {
		rec, err := events.NewRecord(uint64(44+i), time.Now().Add(time.Second), "forger", s)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Append([]events.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	isFound(t, "forged", `record 45: the key FRA/paris\+[0-9a-f]{8} was revoked by record 44`,
		l.dir)
	code, out, _ := says(t, "verify", l.dir, "-o", "csv")
	if code != 8 || !strings.Contains(out, "tree,verified,") ||
		!strings.Contains(out, "rules,failed,") || !strings.Contains(out, "stream,not checked,") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// Flipped bits in the files of a ledger: muster verify notices, or the bit meant nothing; a server
// gives no wrong answer. TestAnyDamage of package journal and TestEveryRegionOfAJournal of package
// proof do the same a thousand times without starting a process for each.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	times := 60
	if testing.Short() {
		times = 12
	}
	l := someStoppedLedger(t)
	good, err := os.ReadFile(filepath.Join(l.dir, server.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	_, whole, _ := says(t, "verify", l.dir, "--journal-only")
	cores := runtime.GOMAXPROCS(0)
	random := seeded.New(t)
	seed := random.Uint64()
	var wg sync.WaitGroup
	for c := range cores {
		dir := l.copied(t)
		wg.Go(func() {
			for i := c; i < times; i += cores {
				random := rand.New(rand.NewPCG(seed, uint64(i))) // however many cores there are
				bad := slices.Clone(good)
				at := len(good)*i/times + random.IntN(len(good)/times)
				bad[at] ^= 1 << random.IntN(8)
				l.isGoodOrNoticed(t, dir, bad, whole, i%4 == 0)
			}
		})
	}
	wg.Wait()
	dir := l.copied(t)
	for range times / 4 {
		stored := []byte(l.log[random.IntN(len(l.log))].Stored)
		flipped := slices.Clone(stored)
		flipped[random.IntN(len(flipped))] ^= 1 << random.IntN(8)
		bad := bytes.ReplaceAll(good, stored, flipped) // the file has older copies of some pages
		if l.isGoodOrNoticed(t, dir, bad, whole, false) || whatIsServed(t, l, dir) == "" {
			t.Errorf("a bit of a record is another, and nobody notices:\n%s\n%s", stored, flipped)
		}
	}
}

// isGoodOrNoticed looks at a folder with another journal: muster verify says the same as of the
// whole one, which is reported, or that it is wrong; and a server, if one is to be asked, serves
// the same or nothing.
func (l *stoppedLedger) isGoodOrNoticed(t *testing.T, dir string, journal []byte, whole string,
	serve bool) (good bool) {
	if err := os.WriteFile(filepath.Join(dir, server.JournalFile), journal, 0o600); err != nil {
		t.Error(err)
	}
	code, out, said := says(t, "verify", dir, "--journal-only")
	good = code == 0 && strings.ReplaceAll(out, dir, l.dir) == whole
	// As it was at the commit before the last.
	before := code == 0 &&
		strings.Contains(out, fmt.Sprintf(": %d records of the ledger", len(l.log)-1))
	if !good && !before && code != 7 && code != 8 {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	if serve {
		whatIsServed(t, l, dir)
	}
	return good
}
