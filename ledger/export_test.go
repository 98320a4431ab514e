package ledger

import (
	"muster/events"
	"muster/ledger/rules"
)

// Deciding returns the configuration with other rules.
func (cfg Config) Deciding(decide func(*rules.State, events.Key, events.Statement) error) Config {
	cfg.decide = decide
	return cfg
}

// Waiting is how many groups wait for the committer.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Queued is how many commands wait for the appender.
func (l *Ledger) Queued() int { return len(l.commands) }
