package peers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// A memory is which servers there are, as a file in the data folder has it.
type memory struct {
	V int `json:"v"`
	// ID tells this data folder from others, whatever its server is called.
	ID string `json:"id"`
	// Names are those that the folder's server has had, the present one last.
	Names []string `json:"names"`
	// Recorded are the servers that have made the journal's records up to Through.
	Through  uint64   `json:"through"`
	Recorded []string `json:"recorded"`
	// Met are the servers that were met, by their IDs.
	Met map[string]*peer `json:"met"`
	// Synced says that all the log's nodes wrote to their disks what they acknowledged, when that
	// was looked at last.
	Synced bool `json:"synced"`
	// GivenUp are the names of servers that a person has given up, and when.
	GivenUp map[string]time.Time `json:"given_up"`
}

// A peer is a server that was met.
type peer struct {
	Names []string `json:"names"`
	// Last is what it has said when it stopped; nil while it runs, and when it broke off.
	Last *lastWord `json:"last,omitzero"`
}

type lastWord struct {
	Size uint64    `json:"size"`
	Root tlog.Hash `json:"root"`
}

func readMemory(file string) (*memory, error) {
	m := &memory{V: version, ID: events.NewID().String(), Met: map[string]*peer{},
		GivenUp: map[string]time.Time{}}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, nil
	case err != nil:
		return nil, problem.New(problem.Unavailable, "reading which servers there are: %w", err).
			WithHint("see that the file is one, and that this server may read it")
	}
	var form struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(data, &form); err == nil && form.V > version {
		return nil, problem.New(problem.Unavailable,
			"the file %s was written by a newer muster: it has version %d, and this one reads up "+
				"to %d", file, form.V, version).WithHint("use a newer muster")
	}
	if err := json.Unmarshal(data, m, json.RejectUnknownMembers(true)); err != nil {
		return nil, problem.New(problem.Unavailable, "the file %s is damaged: %w", file, err).
			WithHint("move it away, and start this server when all others of the cluster run: " +
				"it meets them again; one that does not run and never made a record is unknown " +
				"then")
	}
	return m, nil
}

// ForBackup returns what a backup is to have of the file: without the last words, and without trust
// in the nodes. Who has said one may be back by the time when the backup is restored, and have
// recorded more; and the nodes may have written to their disks otherwise meanwhile.
func ForBackup(file string) ([]byte, error) {
	m, err := readMemory(file)
	if err != nil {
		return nil, err
	}
	for _, p := range m.Met {
		p.Last = nil
	}
	m.Synced = false
	return m.encode()
}

// encode returns what the file has then.
func (m *memory) encode() ([]byte, error) {
	data, err := json.Marshal(m, json.Deterministic(true), jsontext.WithIndent("  "))
	return append(data, '\n'), err
}

// isNamed notes what this server is called now.
func (m *memory) isNamed(name string) {
	m.Names = slices.DeleteFunc(m.Names, func(n string) bool { return n == name })
	m.Names = append(m.Names, name)
	m.Names = m.Names[max(0, len(m.Names)-maxNames):]
}

// giveUp notes that servers of these names are not to be heard any more, and says so, and of whom
// it was said at an earlier start.
func (m *memory) giveUp(names []string, log *slog.Logger) {
	for _, name := range slices.Sorted(maps.Keys(m.GivenUp)) {
		if !slices.Contains(names, name) {
			log.Warn("a server stays given up, whatever its journal holds", "server", name,
				"since", m.GivenUp[name].Format(time.RFC3339))
		}
	}
	for _, name := range names {
		log.Warn("a server is given up: its journal is not waited for, and records that only it "+
			"holds are lost when others take their place", "server", name)
		if !m.knows(name) {
			log.Warn("no server of this name is known here, or not yet: look whether it is "+
				"spelled as in the records", "server", name)
		}
		m.GivenUp[name] = time.Now().UTC().Truncate(time.Second)
		maps.DeleteFunc(m.Met, func(_ string, p *peer) bool {
			return slices.Contains(p.Names, name)
		})
	}
}

// knows reports whether a server of a name was met, or has made a record.
func (m *memory) knows(name string) bool {
	if slices.Contains(m.Recorded, name) {
		return true
	}
	for _, p := range m.Met {
		if slices.Contains(p.Names, name) {
			return true
		}
	}
	return false
}

// takeBack forgets that servers of these names were given up.
func (m *memory) takeBack(names []string) (were bool) {
	for _, name := range names {
		_, gone := m.GivenUp[name]
		delete(m.GivenUp, name)
		were = were || gone
	}
	return were
}

// isGivenUp reports whether a server with these names was given up.
func (m *memory) isGivenUp(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		_, gone := m.GivenUp[n]
		return gone
	})
}

// meet notes a server's word, and reports whether that is news.
func (m *memory) meet(w word) bool {
	now := &peer{Names: w.Names}
	if w.Last {
		now.Last = &lastWord{w.Size, w.Root}
	}
	before := m.Met[w.ID]
	if before != nil && slices.Equal(before.Names, now.Names) &&
		(before.Last == nil) == (now.Last == nil) &&
		(now.Last == nil || *before.Last == *now.Last) {
		return false
	}
	m.Met[w.ID] = now
	return true
}

// A stack of records, as a journal gives them.
type stored interface {
	Last() uint64
	Stored(from uint64, most int, room []byte) ([][]byte, []byte, error)
}

// makers returns who has made the journal's records after one, and up to which they were read:
// 100,000 or more in a second.
func makers(j stored, after uint64) (names []string, through uint64, err error) {
	known := map[string]bool{}
	var room []byte
	for through = min(after, j.Last()); through < j.Last(); {
		var rows [][]byte
		if rows, room, err = j.Stored(through+1, 1024, room); err != nil {
			return names, through, err
		}
		for _, row := range rows {
			through++
			by, ok := byOf(row)
			if !ok || known[string(by)] {
				continue
			}
			known[string(by)] = true
			var name string
			if err := json.Unmarshal(by, &name); err != nil {
				return names, through, fmt.Errorf("record %d: %w", through, err)
			}
			names = append(names, name)
		}
	}
	return names, through, nil
}

// rereadMost is how many records are rather read again at a start than noted as read each time.
const rereadMost = 4096

// learn notes who has made the records up to one, and reports whether that is worth to be written.
func (m *memory) learn(names []string, through uint64) (news bool) {
	news = through >= m.Through+rereadMost || through < m.Through
	for _, name := range names {
		if !slices.Contains(m.Recorded, name) {
			m.Recorded, news = append(m.Recorded, name), true
		}
	}
	m.Through = through
	return news
}

// byOf finds who has made a record, as a quoted string. Within one, no quote stands bare.
func byOf(row []byte) (quoted []byte, ok bool) {
	line, _, _ := bytes.Cut(row, []byte("\n"))
	_, quoted, ok = bytes.Cut(bytes.TrimSuffix(line, []byte("}")), []byte(`,"by":`))
	return quoted, ok
}
