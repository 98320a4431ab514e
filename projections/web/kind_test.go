package web

import (
	"strings"
	"testing"
)

// Whatever is asked has one of a few kinds: each question its own, as rows too, over HTTP and NATS.
func TestKinds(t *testing.T) {
	t.Parallel()
	s := NewService(unchosen{}, unchosen{})
	for _, q := range s.questions {
		path := Root + strings.NewReplacer("{id}", "01K", "{nation}", "FRA", "{operation}", "mnf-u",
			"{record}", "5", "{what}", "coverage").Replace(q.path)
		for _, p := range []string{path, path + ".csv"} {
			if kind := s.KindOf(p); kind != q.name {
				t.Errorf("%s is of the kind %q, not %q", p, kind, q.name)
			}
		}
		if kind := s.KindOverNATS(q.name); kind != q.name {
			t.Errorf("over NATS %s is of the kind %q", q.name, kind)
		}
	}
	for path, want := range map[string]string{
		Root + "/statements": "", Root + "/statements/check": "",
		Root + "/statements/check/batch": "", "/healthz": "", "/livez": "",
		"/readyz": "", "/static/muster.js": "", "/docs": "", "/openapi.json": "",
		"/schemas/all.json": "", "/tile/0/000": "tree", "/checkpoint": "tree",
		"/checkpoint/witnessed": "tree",
		Root + "/session":       "session", Root + "/session/nonce": "session",
		Root + "/feeds": "feed", Root + "/feeds/1f": "feed", "/feeds/x/due.ics": "feed",
		Root + "/coverage/events": "live", Root + "/records/events": "live",
		"/": "page", "/pledges": "page", "/timeline": "page", "/no-such-page": "page",
		Root + "/": "other", Root + "/nothing": "other", Root + "/pledges/": "other",
		Root + "/pledges/01K/nothing": "other", Root + "/coverage/x": "other",
	} {
		if kind := s.KindOf(path); kind != want {
			t.Errorf("%s is of the kind %q, not %q", path, kind, want)
		}
	}
	for path, want := range map[string]string{"/feeds/x/due.ics": "/feeds/…/due.ics",
		"/feeds/x": "/feeds/…", "/feeds/": "/feeds/", "/feeds": "/feeds", "/pledges": "/pledges",
		"/muster/feeds/x/records.atom": "/muster/feeds/…/records.atom",
		"/Feeds/x/due.ics":             "/Feeds/…/due.ics", "/FEEDS/x": "/FEEDS/…",
		"//feeds//x/y/../due.ics": "/feeds/…/due.ics", "/feeds/x/y/z": "/feeds/…"} {
		if shown := ShownPath(path); shown != want {
			t.Errorf("%s is logged as %s, not %s", path, shown, want)
		}
	}
	for endpoint, want := range map[string]string{"submit": "", "check": "",
		"submit-batch": "", "checkpoint": "tree",
		"tile": "tree", "session": "session", "session-who": "session"} {
		if kind := s.KindOverNATS(endpoint); kind != want {
			t.Errorf("over NATS %s is of the kind %q, not %q", endpoint, kind, want)
		}
	}
}
