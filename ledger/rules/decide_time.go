package rules

import (
	"time"

	"muster/events"
)

// InTime keeps rule 44: a statement that says until when it may be recorded has no later record.
// Recorded is the record's time, or the one that it would have. [Decide] leaves this rule to its
// callers, who have that.
func InTime(st events.Statement, recorded time.Time) error {
	last := st.Head().NotAfter
	if last == 0 || !recorded.After(last.Time()) {
		return nil
	}
	return refuseField(codeTooLate, field("not_after", last.String(),
		"is past: its record would have the time %s; if it still holds, sign it anew, with a "+
			"later time or none", recorded.UTC().Format(events.RecordedForm)))
}
