package ledger

import "golang.org/x/mod/sumdb/tlog"

// Save and LoadState are how a state is saved, for the tests.
func (s *State) Save(root tlog.Hash) []byte { return s.save(root) }

// LoadState reads what Save has written.
func LoadState(data []byte) (*State, tlog.Hash, error) { return loadState(data) }
