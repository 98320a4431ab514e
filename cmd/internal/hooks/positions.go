package hooks

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"sync"

	"muster/events/problem"
)

// Positions keep, in a file, the last record that each receiver has taken. They may be used
// concurrently.
type Positions struct {
	save func([]byte) error

	mu sync.Mutex
	at map[string]uint64
}

// OpenPositions reads the file, which need not be there; save replaces it, and returns when that is
// on the disk. The error is a problem.
func OpenPositions(path string, save func([]byte) error) (*Positions, error) {
	p := &Positions{save: save, at: map[string]uint64{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &p.at)
	}
	if err != nil {
		return nil, problem.New(problem.Unavailable, "how far the hooks are (%s): %w", path, err).
			WithHint("move the file away to have each hook go on with the next record; what it " +
				"has not been told of by then is in the log")
	}
	return p, nil
}

// Begin has a hook that is new begin behind a record, and one whose position is beyond it, as in a
// folder whose journal was restored, go on there. It returns where the hook was.
func (p *Positions) Begin(name string, last uint64) (was uint64, known bool, err error) {
	p.mu.Lock()
	was, known = p.at[name]
	p.mu.Unlock()
	if known && was <= last {
		return was, known, nil
	}
	return was, known, p.Keep(name, last)
}

// Of returns the last record that a hook's receiver has taken.
func (p *Positions) Of(name string) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[name]
}

// Keep notes that a hook's receiver has taken a record.
func (p *Positions) Keep(name string, sequence uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	after := maps.Clone(p.at)
	after[name] = sequence
	data, err := json.Marshal(after)
	if err == nil {
		err = p.save(append(data, '\n'))
	}
	if err == nil {
		p.at = after
	}
	return err
}
