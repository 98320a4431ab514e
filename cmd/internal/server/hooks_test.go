package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/hooks"
	"muster/events"
	"muster/projections/web"
)

// hear answers what is told, and passes it on.
func hear(t *testing.T, to chan<- web.NewsMessage) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		var body web.NewsMessage
		if err == nil {
			err = json.Unmarshal(data, &body)
		}
		if err != nil || r.Header.Get("webhook-signature") == "" {
			t.Errorf("it is told %q: %v", data, err)
		}
		to <- body
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// until receives what is told until a record is, and returns all of it.
func until(t *testing.T, from <-chan web.NewsMessage, record uint64) (all []web.NewsMessage) {
	t.Helper()
	for late := time.After(time.Minute); len(all) == 0 || all[len(all)-1].Data.Sequence != record; {
		select {
		case body := <-from:
			all = append(all, body)
		case <-late:
			t.Fatalf("record %d is not told: %+v", record, all)
		}
	}
	return all
}

// A hook is told what its view may read, and no more: by default what is public. It goes on after a
// start where it was, and says which requirements a record makes met otherwise where it is to.
func TestHooksAreToldTheirView(t *testing.T) {
	public, all := make(chan web.NewsMessage, 100), make(chan web.NewsMessage, 100)
	secret := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	c := newConfidence(t, Config{Hooks: []hooks.Hook{
		{Name: "press", URL: hear(t, public), Secret: secret, View: events.PublicView},
		{Name: "desk", URL: hear(t, all), Secret: secret, View: events.CoordinatorsView,
			Operation: "op", Coverage: true}}})
	admit := func(name string) {
		c.say("HQ/founder", &events.MemberAdmitted{Header: c.head("member.admitted"),
			Key: c.key(name).Key(), Role: events.Liaison})
	}
	admit("POL/warsaw")
	last := c.Journal.Last()
	told := until(t, public, last)
	text, _ := json.Marshal(told)
	if !strings.Contains(string(text), "700,100,017") || strings.Contains(string(text),
		"700,200,019") || strings.Contains(string(text), "700,300,023") ||
		told[len(told)-1].Data.Sentence != "The coordinators admit POL/warsaw as liaison" ||
		told[len(told)-1].Data.Link != fmt.Sprintf("%s/log?from=%d&view=public", c.URL(), last) {
		t.Errorf("the press is told %s", text)
	}
	terms := events.RequirementTerms{Operation: "op", Line: "ground-west", Role: "ground",
		Quantity: events.Count(3_000_000_000), Unit: "personnel", Priority: 1,
		Window: events.Window{From: 2026_01_01}}
	cfg := c.cfg
	cfg.Founding = nil
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.Server, err = Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	c.say("HQ/founder", &events.RequirementIssued{Header: c.head("requirement.issued"),
		Dated: events.Dated{Effective: 2026_01_01}, RequirementTerms: terms})
	record := c.Journal.Last()
	heard := until(t, all, record)
	text, _ = json.Marshal(heard)
	for _, number := range []string{"700,100,017", "700,200,019", "700,300,023"} {
		if !strings.Contains(string(text), number) {
			t.Errorf("the desk is told %s", text)
		}
	}
	if strings.Contains(string(text), "POL/warsaw") {
		t.Errorf("the desk is told of what is no operation: %s", text)
	}
	got := heard[len(heard)-1]
	if got.Type != "requirement.issued" || len(got.Data.Coverage) != 1 ||
		got.Data.Coverage[0].Line != "ground-west" {
		t.Errorf("the requirement is told as %+v", got)
	}
	// It cannot be read by the public, who is told nothing of it.
	admit("ITA/rome")
	for _, body := range until(t, public, c.Journal.Last()) {
		if body.Data.Sequence == record || body.Data.Sequence < last {
			t.Errorf("the press is told %+v", body)
		}
	}
	metrics, err := c.metrics.registry.Gather()
	found := false
	for _, m := range metrics {
		found = found || m.GetName() == "muster_hook_taken_records" && len(m.GetMetric()) == 2
	}
	if err != nil || !found {
		t.Errorf("the metrics are %v, %v", metrics, err)
	}
}
