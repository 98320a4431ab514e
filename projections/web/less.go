package web

import (
	"slices"
	"strings"

	"muster/events/problem"
)

// lesser says how to ask for less with each parameter that makes an answer smaller.
var lesser = []struct{ parameter, words string }{
	{"operation", "one operation"},
	{"role", "one role"},
	{"nation", "one nation"},
	{"line", "one requirement"},
	{"until", "fewer days"},
	{"statements", "fewer statements"},
	{"limit", "smaller pages"},
}

// AskLess has the refusal of a question that costs too much tell how to ask for less, by the
// parameters that the question takes. Other errors stay as they are.
func AskLess(err error, takes []string) error {
	if !problem.Is(err, problem.TooMuch) {
		return err
	}
	var ways []string
	for _, l := range lesser {
		if slices.Contains(takes, l.parameter) {
			ways = append(ways, l.words)
		}
	}
	switch n := len(ways); n {
	case 0:
		return problem.From(err).WithHint(
			"nothing makes this answer smaller: ask again when the server has less to do")
	case 1:
		return problem.From(err).WithHint("ask for less: %s", ways[0])
	default:
		return problem.From(err).WithHint("ask for less: %s or %s",
			strings.Join(ways[:n-1], ", "), ways[n-1])
	}
}
