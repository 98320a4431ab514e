package ledger

import "golang.org/x/mod/sumdb/tlog"

// Waiting is how many groups wait for the settler.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Queued is how many commands wait for the appender.
func (l *Ledger) Queued() int { return len(l.commands) }

// Save and LoadState are how a state is saved, for the tests.
func (s *State) Save(root tlog.Hash) []byte { return s.save(root) }

// LoadState reads what Save has written.
func LoadState(data []byte) (*State, tlog.Hash, error) { return loadState(data) }

// ReadAll reads what a loaded state has not read yet, and returns how many pledges that were.
func (s *State) ReadAll() (n int) {
	for id, p := range s.pledges {
		if p.unread != nil {
			n++
		}
		s.pledge(id)
	}
	return n
}
