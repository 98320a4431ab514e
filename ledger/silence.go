package ledger

// Silent returns why the log is held to take no records although it can be read: it gave no answer
// when it was asked last. It is nil when it answers, and when nobody has asked.
func (l *Ledger) Silent() error {
	return l.health.of(silent)
}

// Renewed tells the ledger that the log was started anew, and may take records again: it looks what
// the log has, and puts back what that has lost.
func (l *Ledger) Renewed() {
	l.health.forget(silent)
	l.nudge()
}
