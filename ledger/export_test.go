package ledger

// Waiting is how many groups wait for the settler.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Queued is how many commands wait for the appender.
func (l *Ledger) Queued() int { return len(l.commands) }

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
