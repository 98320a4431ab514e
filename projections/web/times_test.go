package web

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-23T02:31:00Z":      "2026-11-23T02:31:00Z",
		"2026-11-23T02:31:00+01:00": "2026-11-23T01:31:00Z",
		"2026-11-22":                "2026-11-22T23:59:59.999999Z",
		"-72h":                      "2026-11-20T12:00:00Z", "-3d": "2026-11-20T12:00:00Z",
		"-2w": "2026-11-09T12:00:00Z", "-90m": "2026-11-23T10:30:00Z",
		"230231ZNOV26": "2026-11-23T02:31:00Z", "230231Z NOV 26": "2026-11-23T02:31:00Z",
		"2026-11-22 16:38:19 UTC": "2026-11-22T16:38:19.999999Z",
		"2026-11-22 16:38:19":     "2026-11-22T16:38:19.999999Z",
		"2026-11-22 16:40 UTC":    "2026-11-22T16:40:59.999999Z",
		"2026-11-22 16:40":        "2026-11-22T16:40:59.999999Z",
		"2026-11-22 16:40Z":       "2026-11-22T16:40:59.999999Z",
		"230231zNov26":            "2026-11-23T02:31:00Z", "290000ZFEB28": "2028-02-29T00:00:00Z",
	} {
		got, _, err := parseTime(text, now, end)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s, %v; want %s", text, got.UTC().Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{"", "-72", "72h", "-72y", "-h", "--3d", "230231NOV26",
		"230231ANOV26", "310000ZNOV26", "232500ZNOV26", "230231ZNOW26", "now", "2026-11",
		"2026-11-22 16:40 CET", "2026-11-22 25:00", "2026-11-22 16:40+01:00", "2026-11-22 1:40",
		"2026-11-31 16:40", "2026-11-22 16", "2026-11-22T16:40"} {
		if got, _, err := parseTime(text, now, end); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	if got, begins, _ := parseTime("2026-11-22 16:40", now, beginning); got != begins ||
		got != time.Date(2026, 11, 22, 16, 40, 0, 0, time.UTC) {
		t.Errorf("a minute begins at %s", begins)
	}
	if _, begins, _ := parseTime("2026-11-22", now, beginning); begins != time.Date(2026, 11,
		22, 0, 0, 0, 0, time.UTC) {
		t.Errorf("a date begins at %s", begins)
	}
}

// A while ago is asked for in any form, over any face.
func TestAsOfAgo(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	exact := told[Coverage](s, "coverage", "as_of=2026-01-01T18:00:00Z")
	for _, form := range []string{"-450h", "011800ZJAN26", "2026-01-01+18:00:00+UTC"} {
		equal(t, form, told[Coverage](s, "coverage", "as_of="+form).AsOf, exact.AsOf)
	}
	if _, tag, _, _ := s.fetch("/coverage?as_of=-450h", ""); tag != "" {
		t.Errorf("what goes by the time of day has the tag %s", tag)
	}
}
