package web

import (
	"fmt"

	"muster/events/seconds"
	"muster/projections"
)

// MembersTable has a row for each key.
func MembersTable(r projections.Roster) Table {
	t := Table{View: r.View,
		Head: []string{"name", "role", "party", "clearance", "admitted", "revoked", "key"}}
	for _, m := range r.Members {
		t.Add(m, m.Name, string(m.Role), string(m.Party), string(m.Clearance), number(m.Admitted),
			orEmpty(m.Revoked), string(m.Key))
		if m.Unheard {
			t.Below = append(t.Below, fmt.Sprintf("%s was admitted without the word of its "+
				"nation, which had a liaison of its own before (record %d).", m.Name, m.Admitted))
		}
	}
	if len(r.Waiting) > 0 {
		t.Beside = []Table{waitingTable(r.Waiting)}
	}
	for _, w := range r.Waiting { // which has been admitted by no record, nor revoked
		t.Also = append(t.Also, Row{w, []string{w.Name, proposes(w) + ", waiting",
			string(w.Party), string(w.Clearance), "", "", string(w.Key)}})
	}
	return t
}

func proposes(w projections.Waiting) string {
	if w.Revokes {
		return "revoke"
	}
	return "admit as " + string(w.Role)
}

// waitingTable has a row for each admission and revocation that lacks a second word.
func waitingTable(all []projections.Waiting) Table {
	t := Table{Above: []string{"What waits for a second, and does not count yet:"},
		Head: []string{"name", "proposed", "by", "sequence", "lacks", "id"}}
	for _, w := range all {
		t.Add(w, w.Name, proposes(w), w.Signer, number(w.Sequence), Lacks(w), w.Statement.String())
	}
	return t
}

// Lacks says whose word something lacks.
func Lacks(w projections.Waiting) string {
	return seconds.Lack{Coordinators: w.Coordinators, Liaison: w.Liaison}.String()
}
