// Package doctor looks at a server and its data folder as somebody would who has to answer for
// them: what is wrong, what cannot be seen, and what to do about it.
//
// [Look] gathers the facts: from the folder, and from the server where one runs there. Each check
// is a function of the facts alone, and a row of the table below.
package doctor

import (
	"time"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/server"
	"muster/ledger/journal"
)

// An Outcome is what became of one check.
type Outcome string

// The outcomes. Bad alone needs something done; Unknown says that it cannot be seen, and how it
// could.
const (
	OK      Outcome = "ok"
	Bad     Outcome = "bad"
	Unknown Outcome = "unknown"
)

// A Finding is what one check says.
type Finding struct {
	// Check is stable, for programs.
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"`
	// Do is what to do; "" where all is well.
	Do string `json:"do,omitempty"`
}

// A Report is what all checks say.
type Report struct {
	OK       bool      `json:"ok"`
	Findings []Finding `json:"findings"`
}

// What is bad, in numbers.
const (
	leastFree     = 1 << 30                // bytes
	leastShare    = 5                      // percent of the disk, and of its files
	slowSync      = 100 * time.Millisecond // the middle one of some
	clockOff      = time.Second            // beside the NATS servers
	clockBehind   = 5 * time.Minute        // beside the last record
	certificateIn = 14 * 24 * time.Hour    // until it ends
	projectedIn   = 1000                   // records that the picture may lack
	scrubWithin   = 2 * time.Hour          // twice what a server takes at most
)

// Facts are what the checks look at.
type Facts struct {
	Dir string
	Now time.Time
	// BackupWithin is how old the last backup may be.
	BackupWithin time.Duration

	Server   *server.State // nil where none has answered
	NoAnswer error         // why not, where one holds the journal

	Stopped   *Stopped // the journal of a folder that no server runs on
	Exposed   []string // what others may read or write, with the remedy
	Foreign   []string // files of another owner than the folder's
	NoKey     bool     // the folder has no checkpoint key
	Disk      Disk
	Speed     Speed
	Backup    backup.Last
	HasBackup bool
	BackupErr error             // why it is not known when the last backup was made
	Closed    map[string]string // addresses of the server that nobody answers at, and why
}

// A Stopped is a journal that no server has open.
type Stopped struct {
	Err     error // it cannot be opened
	Records uint64
	First   time.Time // of the first record
	Last    time.Time // of the last record
	Copied  journal.Copied
	IsCopy  bool
}

// A Disk is the one with the data folder.
type Disk struct {
	Err         error
	Free, Size  uint64 // bytes that may be used
	Files, Most uint64 // that may be made, and in all; 0 where there is no limit
	InMemory    bool
}

// A Speed is how long small writes take to come to the disk.
type Speed struct {
	Err             error
	Writes          int
	Middle, Slowest time.Duration
}

// checks are all of them, in the order in which they are told.
var checks = []struct {
	name string
	look func(*Facts) Finding
}{
	{"server", checkServer},
	{"address", checkAddress},
	{"names", checkNames},
	{"tls", checkTLS},
	{"stream", checkStream},
	{"replicas", checkReplicas},
	{"sync", checkSync},
	{"tree", checkTree},
	{"copy", checkCopy},
	{"clock", checkClock},
	{"time", checkTime},
	{"projections", checkProjections},
	{"permissions", checkPermissions},
	{"keys", checkKeys},
	{"space", checkSpace},
	{"speed", checkSpeed},
	{"backup", checkBackup},
	{"scrub", checkScrub},
}

// Check does all checks.
func Check(f *Facts) Report {
	r := Report{OK: true}
	for _, c := range checks {
		found := c.look(f)
		found.Check = c.name
		r.OK = r.OK && found.Outcome != Bad
		r.Findings = append(r.Findings, found)
	}
	return r
}
