package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"muster/projections/web"
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

// questionsAsked are the questions, as they are typed in the tests of answers: each has an answer
// with numbers.
var questionsAsked = []string{
	"coverage --on 2026-04-01", "coverage --operation mnf-u --differences",
	"gaps --on 2026-04-01",
	"timeline --operation mnf-u --from 2026-01-01 --until 2026-06-01",
	"strength --on 2026-04-01", "dependence --on 2026-04-01", "hanging --on 2026-04-01",
	"readiness --within 60 --operation mnf-u --on 2026-04-01", "review --on 2026-04-01",
	"due --within 400", "nation FRA --on 2026-04-01", "nations --on 2026-04-01",
	"late --days 1", "corrections", "delivery", "counted 48",
	"diff --from 20 --on 2026-04-01", "explain coverage ground-west --on 2026-04-01",
	"explain strength --operation mnf-u --on 2026-04-01", "plan show mnf-u", "member list",
	"scope list", "pledge list", "pledge list --view coalition", "pledge show PLEDGE",
	"pledge history PLEDGE", "coverage --as-of 40 --on 2026-04-01",
	"coverage --view coalition --on 2026-04-01", "strength --view FRA --as-of 50",
}

// spoilNumbers makes the numbers of an answer that people read greater by one, and reports whether
// there were some.
func spoilNumbers(v any, member string) (_ any, found bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, of := range v {
			spoiled, some := spoilNumbers(of, name)
			v[name], found = spoiled, found || some
		}
	case []any:
		for i, of := range v {
			spoiled, some := spoilNumbers(of, member)
			v[i], found = spoiled, found || some
		}
	case float64:
		if member != "as_of" {
			return v + 1, true
		}
	}
	return v, found
}

// A question of which the answer is verified is answered as the records say, or not at all: behind
// a proxy that shows the true checkpoint and tiles, and other numbers.
func TestVerifiedAnswers(t *testing.T) {
	t.Parallel()
	notShort(t)
	url, dir := ownDemo(t)
	pledge := newAuthor(t, url, dir, "keys/FRA-demo.key").pledge("a note")
	var lies atomic.Int64
	liar := between(t, url, func(path string, body []byte) []byte {
		var answer any
		if !strings.HasPrefix(path, "/api/v1/") || path == "/api/v1/ledger" ||
			strings.HasPrefix(path, "/api/v1/session") || json.Unmarshal(body, &answer) != nil {
			return body
		}
		answer, found := spoilNumbers(answer, "")
		if !found {
			return body
		}
		lies.Add(1)
		body, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		return body
	})
	muster := func(url, line string, more ...string) (int, string, string) {
		var out, errs bytes.Buffer
		a := append(strings.Fields(strings.Replace(line, "PLEDGE", pledge, 1)), "--url", url)
		code := run(append(a, more...), strings.NewReader(""), &out, &errs)
		return code, out.String(), errs.String()
	}
	for _, line := range questionsAsked {
		for _, format := range []string{"table", "json"} {
			code, plain, errs := muster(url, line, "-o", format)
			if code != 0 && code != 10 {
				t.Fatalf("muster %s: exit code %d\n%s%s", line, code, plain, errs)
			}
			verified, out, errs := muster(url, line, "-o", format, "--verify")
			if verified != code || format == "json" && out != plain {
				t.Errorf("muster %s --verify: exit code %d, %s\n%s", line, verified, errs, out)
			}
		}
		lies.Store(0)
		code, out, errs := muster(liar, line, "--verify")
		if lies.Load() == 0 {
			t.Errorf("muster %s: its answer has no numbers", line)
		} else if code != 8 || out != "" {
			t.Errorf("muster %s, which is lied to: exit code %d\n%s%s", line, code, out, errs)
		}
		lies.Store(0)
		if code, out, _ := muster(liar, line); lies.Load() > 0 && code == 0 &&
			!strings.Contains(out, "according to") {
			t.Errorf("muster %s does not say whose word this is:\n%s", line, out)
		}
	}
}

// What was verified is kept, and read again from this machine; what is damaged of it is read anew,
// and is nobody's lie.
func TestVerifiedRecordsAreKept(t *testing.T) {
	t.Parallel()
	notShort(t)
	url, dir := ownDemo(t)
	france := newAuthor(t, url, dir, "keys/FRA-demo.key")
	for range 250 {
		france.says("scope.declared", map[string]any{"unlimited": true})
	}
	var read atomic.Int64
	counted := between(t, url, func(path string, body []byte) []byte {
		if strings.HasPrefix(path, "/tile/entries/") {
			read.Add(1)
		}
		return body
	})
	nations := func(tiles int64) {
		t.Helper()
		read.Store(0)
		var out, errs bytes.Buffer
		if code := run([]string{"nations", "--verify", "--url", counted}, strings.NewReader(""),
			&out, &errs); code != 0 || read.Load() != tiles {
			t.Errorf("exit code %d, and %d tiles were read, not %d: %s", code, read.Load(), tiles,
				&errs)
		}
	}
	nations(2)
	nations(1) // the last one, which is not full
	kept := filepath.Join(os.Getenv("MUSTER_CONFIG"), "cache", "ledgers",
		strings.ReplaceAll(string(france.origin), "/", "%2F"), "all", "tile", "entries", "000")
	good, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Replace(good, []byte("6000"), []byte("9000"), 1)
	if err := os.WriteFile(kept, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	nations(3)
	nations(1)
	if again, err := os.ReadFile(kept); err != nil || !bytes.Equal(again, good) {
		t.Errorf("what was damaged is kept: %v", err)
	}
	left, err := filepath.Glob(strings.TrimSuffix(kept, filepath.Join("tile", "entries", "000")) +
		waitPrefix + "*")
	if err != nil || len(left) > 0 {
		t.Errorf("tiles wait still in %v, %v", left, err)
	}
}

// Nobody signs again what a server says to have been signed: what is restated is verified first.
func TestNothingUnverifiedIsRestated(t *testing.T) {
	t.Parallel()
	notShort(t)
	url, dir := ownDemo(t)
	pledge := newAuthor(t, url, dir, "keys/FRA-demo.key").pledge("a note")
	liar := behindLies(t, url, `"quantity":8`, `"quantity":9`)
	for line, honest := range map[string]int{
		"pledge amend " + pledge + " --note another":      0,
		"pledge correct 56 --reason wrong --note another": 0,
		"pledge disclose " + pledge + " --release public": 6, // its operation is for the coalition
	} {
		for at, want := range map[string]int{liar: 8, url: honest} {
			var out, errs bytes.Buffer
			a := append(strings.Fields(line), "--dry-run", "--url", at, "--key",
				filepath.Join(dir, "keys", "FRA-demo.key"))
			if code := run(a, strings.NewReader(""), &out, &errs); code != want {
				t.Errorf("muster %s, at the liar: %v: exit code %d\n%s%s", line, at == liar, code,
					&out, &errs)
			}
		}
	}
	// The plan is the ledger's, so there is nothing to do; of one with other words, there is.
	liar = behindLies(t, url, `:7000`, `:6000`)
	for at, want := range map[string]int{liar: 8, url: 0} {
		var out, errs bytes.Buffer
		code := run([]string{"plan", "apply", filepath.Join("demo", "isaf-2009.plan.yaml"), "--url",
			at, "--key", filepath.Join(dir, "founder.key")}, strings.NewReader(""), &out, &errs)
		if code != want {
			t.Errorf("plan apply, at the liar: %v: exit code %d\n%s%s", at == liar, code, &out,
				&errs)
		}
	}
	liar = behindLies(t, url, `"units":["personnel"`, `"units":["person"`)
	for at, want := range map[string]int{liar: 8, url: 0} {
		var out, errs bytes.Buffer
		code := run([]string{"pledge", "offer", "--operation", "mnf-u", "--role", "ground",
			"--quantity", "10", "--from", "2031-01-01", "--dry-run", "--url", at, "--key",
			filepath.Join(dir, "keys", "FRA-demo.key")}, strings.NewReader(""), &out, &errs)
		if code != want {
			t.Errorf("an offer without a unit, at the liar: %v: exit code %d\n%s%s", at == liar,
				code, &out, &errs)
		}
	}
	// Nor of a pledge that is another than the one that was named, or chosen.
	other := newAuthor(t, url, dir, "keys/FRA-demo.key").pledge("other")
	swaps := between(t, url, func(path string, body []byte) []byte {
		if strings.HasPrefix(path, "/api/") {
			return bytes.ReplaceAll(body, []byte(pledge), []byte(other))
		}
		return body
	})
	for _, line := range []string{"pledge withdraw " + pledge, "pledge withdraw " + pledge[8:],
		"pledge withdraw --operation mnf-u --nation FRA --role ground"} {
		for at, want := range map[string]int{swaps: 8, url: 0} {
			var out, errs bytes.Buffer
			code := run(append(strings.Fields(line), "--dry-run", "--url", at, "--key",
				filepath.Join(dir, "keys", "FRA-demo.key")), strings.NewReader(""), &out, &errs)
			if code != want {
				t.Errorf("muster %s, at the liar: %v: exit code %d\n%s%s", line, at == swaps, code,
					&out, &errs)
			}
		}
	}
	liar = behindLies(t, url, "GBR/demo+", "GBR/dem0+")
	var out, errs bytes.Buffer
	if code := run([]string{"member", "revoke", "GBR/demo", "--reason", "x", "--url", liar, "--key",
		filepath.Join(dir, "founder.key")}, strings.NewReader(""), &out, &errs); code != 8 {
		t.Errorf("a key that the ledger does not have: exit code %d\n%s%s", code, &out, &errs)
	}
}

// What a server leaves out of the log is found by who verifies the whole.
func TestLogLacksNothing(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	liar := between(t, url, func(path string, body []byte) []byte {
		var page web.Records
		if path != "/api/v1/records" || json.Unmarshal(body, &page) != nil {
			return body
		}
		page.Records = slices.DeleteFunc(page.Records,
			func(r web.Record) bool { return r.Sequence == 48 })
		body, err := json.Marshal(page)
		if err != nil {
			t.Error(err)
		}
		return body
	})
	for _, line := range []string{"log", "log --raw --nation FRA", "log --type pledge -o csv"} {
		for at, want := range map[string]int{url: 0, liar: 8} {
			var out, errs bytes.Buffer
			code := run(append(strings.Fields(line), "--verify", "--url", at),
				strings.NewReader(""), &out, &errs)
			if code != want || code == 8 && out.Len() > 0 {
				t.Errorf("muster %s, at the liar: %v: exit code %d\n%s%s", line, at == liar, code,
					&out, &errs)
			}
		}
	}
}
