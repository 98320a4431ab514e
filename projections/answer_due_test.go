package projections

import "testing"

// What somebody has recorded is shown whole, also where it looks like a command.
func TestWithoutCommand(t *testing.T) {
	for sentence, want := range map[string]string{
		"12 ships lapse unless renewed: muster pledge renew X --expires DATE": "12 ships lapse " +
			"unless renewed",
		"3 teams wait: muster pledge accept X; muster pledge decline X": "3 teams wait",
		"3 teams hang on the vote: muster point north since 2026-01-01.": "3 teams hang on the " +
			"vote: muster point north since 2026-01-01.",
		"at: muster point: muster pledge accept X": "at: muster point",
		"nothing to do": "nothing to do",
	} {
		if got := WithoutCommand(sentence); got != want {
			t.Errorf("%q becomes %q, not %q", sentence, got, want)
		}
	}
}
