package projections

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"muster/events"
)

// The canonical rendering is the same on every machine, and from one version to the next.
func TestFingerprintIsFrozen(t *testing.T) {
	l := newAllKinds(t)
	for name, asOf := range map[string]uint64{"fingerprint-2.golden": beforeReleases - 1,
		"fingerprint-2-line.golden":    beforeReleases,
		"fingerprint-2-release.golden": l.Last()} {
		f := must[Fingerprints](t)(l.picture().Fingerprint(t.Context(), asOf))
		var all strings.Builder
		for _, one := range f.Each {
			fmt.Fprintln(&all, one.Name, one.Entries, one.SHA256)
		}
		golden(t, name, all.String()+"whole "+f.Whole+"\n")
	}
}

// Whatever a record says, the fingerprint shows it, in the projection where it belongs, and keeps
// that of the record before.
func TestFingerprintShowsEveryRecord(t *testing.T) {
	l := newAllKinds(t)
	p := l.picture()
	belongs := map[string]string{"ledger": "roster", "member": "roster", "meeting": "roster",
		"operation": "operations", "scope": "scopes",
		"requirement": "requirements", "pledge": "pledges", "condition": "pledges",
		"caveat": "pledges", "allocation": "pledges"}
	before := must[Fingerprints](t)(NewPicture().Fingerprint(t.Context(), 0))
	for _, rec := range l.All {
		now := must[Fingerprints](t)(p.Fingerprint(t.Context(), rec.Sequence))
		for i, one := range now.Each {
			changed := one.SHA256 != before.Each[i].SHA256
			if want := one.Name == belongs[rec.Statement.Head().Type.Subject()]; changed != want &&
				one.Name != "coverage" {
				t.Errorf("record %d, a %s: %s changed %v", rec.Sequence, rec.Statement.Head().Type,
					one.Name, changed)
			}
		}
		equal(t, "as a fold up to there", now.Whole, whole(t, l.pictureUpTo(rec.Sequence)))
		before = now
	}
}

// Two texts that a person might take for one are two to the fingerprint.
func TestFingerprintQuotes(t *testing.T) {
	print := func(note string) string {
		l := newTestLedger(t)
		l.offer("FRA", 1, func(t *events.PledgeTerms) { t.Note = note })
		return whole(t, l.picture())
	}
	if print(`a" "b`) == print(`a b`) || print("a\nb") == print(`a\nb`) {
		t.Error("two texts have one fingerprint")
	}
}

// whole is the fingerprint of a picture.
func whole(t tb, p *Picture) string {
	return must[Fingerprints](t)(p.Fingerprint(context.Background(), 0)).Whole
}
