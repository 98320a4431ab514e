package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/stream"
)

// well are the facts of a server on a cluster about which there is nothing to say.
func well() *Facts {
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	return &Facts{Dir: "data", Now: now, BackupWithin: 24 * time.Hour,
		Server: &server.State{Name: "a", Ledger: "muster.example/test", Recorded: 7, Projected: 7,
			LastRecorded: now.Add(-time.Hour), FirstRecorded: now.AddDate(-1, 0, 0),
			Started: now.Add(-3 * time.Hour), Copies: server.Copies{Through: 7, At: &now}, URL: "https://muster.example", Open: true,
			Hosts:       []string{"muster.example"},
			Certificate: &server.CertificateHealth{Expires: now.AddDate(0, 2, 0)},
			SyncAlways:  true,
			Stream: stream.State{Name: "MUSTER", Last: 7, Replicas: 3, Cluster: "muster",
				Leader: "muster-a"}},
		Disk:      Disk{Free: 50 << 30, Size: 100 << 30, Files: 90, Most: 100},
		Speed:     Speed{Writes: 32, Middle: time.Millisecond, Slowest: 9 * time.Millisecond},
		HasBackup: true, Backup: backup.Last{Taken: now.Add(-time.Hour), Records: 6, To: "/b"}}
}

// Where all is well, all checks say so; and each line is bad for its own reasons, and says what to
// do.
func TestChecks(t *testing.T) {
	r := Check(well())
	for _, f := range r.Findings {
		if f.Outcome != OK || f.Do != "" || f.Text == "" {
			t.Errorf("where all is well: %+v", f)
		}
	}
	if !r.OK || len(r.Findings) != len(checks) {
		t.Errorf("%d checks, all well: %t", len(r.Findings), r.OK)
	}
	wrong := problem.New(problem.Unavailable, "something").WithHint("do something")
	later := well().Now.Add(time.Hour)
	longAgo := well().Now.Add(-scrubWithin - time.Minute)
	stopped := func(s Stopped) func(*Facts) {
		return func(f *Facts) { f.Server, f.Stopped = nil, &s }
	}
	bads := map[string][]func(*Facts){
		"server": {func(f *Facts) { f.Server.Problem = wrong },
			func(f *Facts) { f.Server, f.NoAnswer = nil, errors.New("no answer") }},
		"address": {func(f *Facts) { f.Closed = map[string]string{"https://x": "refused"} }},
		"names": {func(f *Facts) { f.Server.Unnamed = []string{"muster.example"} },
			func(f *Facts) { f.Server.Hosts = nil }},
		"tls": {func(f *Facts) { f.Server.Certificate.Problem = wrong },
			func(f *Facts) { f.Server.Certificate.Expires = later }},
		"stream": {func(f *Facts) { f.Server.Stream.Unfit = "max_age" },
			func(f *Facts) { f.Server.Stream.Last = 6 }},
		"replicas": {func(f *Facts) { f.Server.Stream.Replicas = 1 },
			func(f *Facts) { f.Server.Stream.Cluster = "" },
			func(f *Facts) { f.Server.Stream.Leader = "" },
			func(f *Facts) { f.Server.Stream.Behind = []string{"muster-b"} }},
		"sync": {func(f *Facts) {
			f.Server.SyncAlways = false
			f.Server.Nodes = []stream.Node{{Name: "a", Told: true, SyncAlways: true},
				{Name: "b", Told: true, SyncInterval: 10 * time.Second}, {Name: "c"}}
		}},
		"tree": {func(f *Facts) { f.Server.Damaged = wrong }, stopped(Stopped{Err: wrong})},
		"copy": {stopped(Stopped{Records: 3, First: later, Last: well().Now, IsCopy: true,
			Copied: journal.Copied{Records: 3}})},
		"clock": {func(f *Facts) { f.Server.Stream.Ahead = 2 * time.Second },
			func(f *Facts) { f.Server.Stream.Ahead = -time.Hour }},
		"time":        {func(f *Facts) { f.Server.LastRecorded = later }},
		"projections": {func(f *Facts) { f.Server.Recorded, f.Server.Stream.Last = 9999, 9999 }},
		"permissions": {func(f *Facts) { f.Exposed = []string{"others may read data: chmod"} },
			func(f *Facts) { f.Foreign = []string{"journal.db"} }},
		"keys": {func(f *Facts) { f.NoKey = true }},
		"space": {func(f *Facts) { f.Disk.Free = 1 << 20 },
			func(f *Facts) { f.Disk.Free, f.Disk.Size = 2<<30, 100<<30 },
			func(f *Facts) { f.Disk.Files = 1 }, func(f *Facts) { f.Disk.InMemory = true }},
		"speed": {func(f *Facts) { f.Speed.Middle = time.Second },
			func(f *Facts) { f.Speed = Speed{Err: errors.New("read-only")} }},
		"scrub": {func(f *Facts) { f.Server.Copies.Problem = wrong },
			func(f *Facts) { f.Server.Copies.At = nil },
			func(f *Facts) { f.Server.Copies.At = &longAgo }},
		"backup": {func(f *Facts) { f.Backup.Taken = f.Now.AddDate(0, 0, -2) },
			func(f *Facts) { f.HasBackup = false }},
	}
	for check, wrongs := range bads {
		for i, spoil := range wrongs {
			f := well()
			spoil(f)
			onlyBad(t, Check(f), check, i)
		}
	}
}

// onlyBad fails the test unless one check is bad, and no other.
func onlyBad(t *testing.T, r Report, check string, i int) {
	t.Helper()
	if r.OK {
		t.Errorf("%s, %d: all is well", check, i)
	}
	for _, f := range r.Findings {
		if isBad := f.Outcome == Bad; isBad != (f.Check == check) || isBad && f.Do == "" {
			t.Errorf("%s, %d: %+v", check, i, f)
		}
	}
}

// What cannot be seen is said, and is not bad.
func TestWhatCannotBeSeen(t *testing.T) {
	f := well()
	f.Server, f.Stopped = nil, &Stopped{Records: 3, First: f.Now, Last: f.Now}
	f.HasBackup = false
	r := Check(f)
	unknowns := 0
	for _, f := range r.Findings {
		if f.Outcome == Unknown {
			unknowns++
			if f.Do == "" || !strings.Contains(f.Text, " ") {
				t.Errorf("%+v", f)
			}
		}
	}
	if !r.OK || unknowns < 8 {
		t.Errorf("a stopped folder: well: %t, %d cannot be seen", r.OK, unknowns)
	}
	f = well()
	f.Server.SyncAlways, f.Server.Copies.At, f.Server.Started = false, nil, f.Now
	if r := Check(f); !r.OK {
		t.Errorf("a sync that cannot be seen, and no scrub yet: %+v", r)
	}
	f.Server.Nodes = []stream.Node{{Name: "a", Told: true, SyncAlways: true}, {Name: "b"}}
	if r := Check(f); !r.OK {
		t.Errorf("a node that does not tell how it syncs: %+v", r)
	}
}

// Each file has the owner of the folder, also where that is reached by a link of somebody else, as
// systemd makes one for a server with a user of its own; one that has another owner is named.
func TestWhoseFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to give files to others takes root's rights")
	}
	dir, link := filepath.Join(t.TempDir(), "private"), filepath.Join(t.TempDir(), "muster")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "journal.db", "peers.json"} {
		path := filepath.Join(dir, name)
		if name != "" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chown(path, 64999, 64999); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	f := &Facts{Dir: link}
	f.lookAtFiles()
	if len(f.Foreign) > 0 {
		t.Errorf("%q have another owner", f.Foreign)
	}
	if err := os.Chown(filepath.Join(dir, "peers.json"), 0, 0); err != nil {
		t.Fatal(err)
	}
	f.lookAtFiles()
	if diff := cmp.Diff([]string{"peers.json"}, f.Foreign); diff != "" {
		t.Error(diff)
	}
}
