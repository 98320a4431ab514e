package main

import (
	"bytes"
	"strings"
	"testing"
)

// behindLies has a server's checkpoint and tiles be true, and what it answers be edited: in all of
// the API, from says what, and to by what it is replaced.
func behindLies(t *testing.T, url, from, to string) string {
	t.Helper()
	return between(t, url, func(path string, body []byte) []byte {
		if strings.HasPrefix(path, "/api/") {
			return bytes.ReplaceAll(body, []byte(from), []byte(to))
		}
		return body
	})
}

// No form of the log shows a record that the ledger does not have, whatever the server answers.
func TestLogShowsNothingUnverified(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	log := func(url string, form ...string) (int, string, string) {
		var out, errs bytes.Buffer
		a := append(append([]string{"log"}, form...), "--url", url)
		code := run(a, strings.NewReader(""), &out, &errs)
		return code, out.String(), errs.String()
	}
	forms := [][]string{nil, {"--raw"}, {"-o", "json"}, {"-o", "ndjson"},
		{"-o", "csv"}, {"--nation", "FRA"}, {"--type", "pledge.offered", "--raw"},
		{"--from", "20", "--view", "coalition"}}
	for _, form := range forms {
		if code, out, errs := log(url, form...); code != 0 || !strings.Contains(out, "FRA") {
			t.Fatalf("log %q: exit code %d\n%s%s", form, code, out, errs)
		}
	}
	for what, lie := range map[string][2]string{
		"a quantity":     {"6000", "9000"},
		"who has signed": {"FRA/demo", "GBR/demo"},
		"a time":         {`recorded\":\"20`, `recorded\":\"21`},
		"an envelope":    {`\"by\":\"`, `\"by\":\"x`},
		"a type":         {"pledge.offered", "pledge.indicated"},
		"a place":        {`"sequence":48,`, `"sequence":47,`},
	} {
		liar := behindLies(t, url, lie[0], lie[1])
		for _, form := range forms {
			code, out, errs := log(liar, form...)
			if code != 8 && (code != 0 || what != "a place" && what != "a time") {
				t.Errorf("%s, log %q: exit code %d\n%.2000s%s", what, form, code, out, errs)
			}
			if strings.Contains(out, lie[1]) && !strings.Contains(lie[0], "sequence") {
				t.Errorf("%s, log %q shows %q", what, form, lie[1])
			}
		}
	}
}

// Who follows the log is shown nothing else, either.
func TestFollowedLogShowsNothingUnverified(t *testing.T) {
	t.Parallel()
	liar := behindLies(t, demoServer(t), "6000", "9000")
	var out, errs bytes.Buffer
	code := run([]string{"log", "--follow", "--url", liar, "--timeout", "20s"},
		strings.NewReader(""), &out, &errs)
	if code != 8 || strings.Contains(out.String(), "9000") {
		t.Errorf("exit code %d:\n%s%s", code, &out, &errs)
	}
}
