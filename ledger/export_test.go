package ledger

// Waiting is how many groups wait for the settler.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Queued is how many commands wait for the appender.
func (l *Ledger) Queued() int { return len(l.commands) }
