package rules_test

import (
	"testing"

	"muster/events"
)

// A question is put to the other side, and answered once, by who was asked.
func TestRule51QueriesAreAnswered(t *testing.T) {
	w, third := newRuleWorld(t), events.NewID()
	const pledge, asked = "01KAQ7Z0V4000000000000FRA1", "01KAQ7Z0V4000000000000FRA2"
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.refuses(ruleFounder, ruleSay("pledge.queried", "To", events.HQ), "query-mismatch",
		`to "HQ": a question of the coordinators about this pledge is for France to answer: `+
			`write FRA`, "")
	w.refuses(ruleParis, ruleSay("pledge.queried"), "query-mismatch",
		`to "FRA": a question of France about this pledge is for the coordinators to answer: `+
			`write HQ`, "")
	w.refuses(ruleParis, ruleSay("pledge.answered"), "query-unknown", `query "`+asked+
		`": no question about the pledge `+pledge+` has this id`,
		"see what is asked: muster pledge show "+pledge)
	w.says(ruleFounder, ruleSay("pledge.queried", "ID", ruleFRA2, "Effective", ruleDay.AddDays(2)))
	w.refuses(ruleFounder, ruleSay("pledge.answered", "Effective", ruleDay.AddDays(2)),
		"speaks-for-itself", "France has spoken for itself since its first liaison was admitted "+
			`(record 3): nobody else says "pledge answered" for it`,
		"sign with the key of a liaison of France: --key FILE")
	w.refuses(ruleParis, ruleSay("pledge.answered"), "before-beginning", `effective "2026-11-23": `+
		"the question "+asked+" begins on 2026-11-25: write that date or a later one", "")
	w.says(ruleParis, ruleSay("pledge.answered", "Effective", ruleDay.AddDays(2)))
	w.refuses(ruleParis, ruleSay("pledge.answered"), "query-answered", "the question "+asked+
		" was answered by record 8",
		"ask anew, or correct the answer: muster pledge correct 8 --reason REASON")
	w.says(ruleParis, ruleSay("pledge.queried", "ID", third, "To", events.HQ))
	w.refuses(ruleParis, ruleSay("pledge.answered", "Query", third), "wrong-party", "the question "+
		third.String()+" was put to the coordinators, and FRA/paris is a liaison of France",
		"let a coordinator answer it")
	w.says(ruleFounder, ruleSay("pledge.answered", "Query", third))
	w.says(ruleParis, ruleSay("pledge.withdrawn"))
	w.refuses(ruleFounder, ruleSay("pledge.queried"), "pledge-ended", "the pledge "+pledge+
		" was withdrawn by record 11: nothing moves after that", "offer a new pledge: muster "+
		"pledge offer --operation mnf-u --nation FRA --role ground --quantity N")
}

func TestRule50MeetingClosedOnce(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("meeting.closed"))
	w.refuses(ruleFounder, ruleSay("meeting.closed", "Effective", ruleDay.AddDays(7)),
		"meeting-known", "the meeting FGC 4 was closed by record 6: its name stands for what was "+
			"recorded by then", "give this one another name")
	w.says(ruleFounder, ruleSay("meeting.closed", "Name", "FGC 5"))
}
