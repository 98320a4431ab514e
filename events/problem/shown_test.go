package problem_test

import (
	"strings"
	"testing"

	"muster/events/problem"
)

func TestWhatOthersHaveWritten(t *testing.T) {
	long := strings.Repeat("é", problem.MaxShown+1)
	short := strings.Repeat("é", problem.MaxShown)
	for _, c := range []struct{ what, got, want string }{
		{"a value that fits", problem.Shorten(short), short},
		{"a long value", problem.Shorten(long), short + "…"},
		{"a name", problem.Name("role"), "role"},
		{"no name", problem.Name(""), `""`},
		{"a name that clears the screen", problem.Name("\x1b[2J"), `"\x1b[2J"`},
		{"a name in quotes", problem.Name(`a"b`), `"a\"b"`},
		{"two lines", problem.Line("one\ntwo\tthree"), "one two three"},
		{"a line that is turned around", problem.Line("a\u202eb\u061cc\x9b"),
			"a⟨U+202E⟩b⟨U+061C⟩c\uFFFD"},
		{"control characters", problem.Line("\x1b]0;x\a\r\x00\u009b2J\x7f"),
			"⟨U+001B⟩]0;x⟨U+0007⟩⟨U+000D⟩⟨U+0000⟩⟨U+009B⟩2J⟨U+007F⟩"},
		{"several lines", problem.Text("one\n\ttwo\u2066"), "one\n\ttwo⟨U+2066⟩"},
		{"text of JSON", problem.InJSON("{\"by\": \"a\u202eb\x7f\u009b é\"}"),
			`{"by": "a\u202eb\u007f\u009b é"}`},
		{"what people write", problem.Line("8\u202f000 soldats, à l’ouest"),
			"8\u202f000 soldats, à l’ouest"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, not %q", c.what, c.got, c.want)
		}
	}
}
