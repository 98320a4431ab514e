package ledger

import "muster/events/problem"

// Silent returns why the log is held to take no records although it can be read: it cannot be
// written, as Unwritable has told, or gave no answer when it was asked last. It is nil when it
// answers, and when nobody has asked.
func (l *Ledger) Silent() error {
	if err := l.health.of(unwritable); err != nil {
		return err
	}
	return l.health.of(silent)
}

// Unwritable tells the ledger why what the log is kept in cannot be written, as on a full disk. A
// silence is forgotten after some seconds, so that records are tried again; this lasts until
// Renewed, and meanwhile what is submitted is refused at once. Anybody may call it, at any time.
func (l *Ledger) Unwritable(why error) {
	l.health.set(unwritable, problem.New(problem.Unavailable, "nothing can be recorded now: the "+
		"log cannot be written: %w", why).WithHint("send the same statement again later: it "+
		"counts once; whoever runs this server has to see to its disk, and it goes on by itself "+
		"then"))
}

// Renewed tells the ledger that the log was started anew, and may take records again: it looks what
// the log has, and puts back what that has lost.
func (l *Ledger) Renewed() {
	l.health.forget(unwritable)
	l.health.forget(silent)
	l.nudge()
}
