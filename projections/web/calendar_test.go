package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/emersion/go-ical"

	"muster/events"
	"muster/projections"
	"muster/projections/access"
)

// What is due on a day is an event of a calendar, as another program reads it: the same event when
// its day is moved, with a higher sequence, and cancelled when it is due no more. What may not be
// read is in none.
func TestDueAsACalendar(t *testing.T) {
	c := newConfidence(t)
	query := &events.PledgeQueried{PledgeStep: c.fra.step("pledge.queried", 2026_01_06), To: "FRA",
		Text: "when; where, and\nby whom?", Due: 2026_02_01}
	asked := c.say("HQ/founder", query)
	lapses := c.offer("ITA", 12, func(s *events.PledgeOffered) { s.Expires = 2026_02_10 })
	secret := c.offer("FRA", 7777, func(s *events.PledgeOffered) {
		s.Release = events.CoordinatorsOnly
	})
	const confided = "about what is confided"
	c.say("HQ/founder", &events.PledgeQueried{To: "FRA", Text: confided, Due: 2026_02_01,
		PledgeStep: secret.step("pledge.queried", 2026_01_06)})
	s := newServer(t, c.testLog)
	for query, want := range map[string][2]int{"2026-02-10&within=0": {0, 1},
		"2026-02-09&within=0": {0, 0}, "2026-02-09&within=1": {1, 1}, "2026-02-09": {30, 1}} {
		due := told[projections.Dues](s, "due", "nation=ITA&on="+query)
		lapsing := 0
		for _, d := range due.Due {
			if d.Kind == projections.LapsesSoon {
				lapsing++
			}
		}
		equal(t, "what is due, asked with "+query, [2]int{due.Within, lapsing}, want)
	}
	told := func(query string) map[string]*ical.Component {
		status, header, body := s.send(http.MethodGet, s.url+Root+"/due.ics?within=60"+query, nil,
			nil)
		equal(t, "status", status, http.StatusOK)
		equal(t, "type", header.Get("Content-Type"), "text/calendar; charset=utf-8")
		cal, err := ical.NewDecoder(strings.NewReader(string(body))).Decode()
		if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
		all := map[string]*ical.Component{}
		for _, e := range cal.Children {
			uid, err := e.Props.Text(ical.PropUID)
			if err != nil || all[uid] != nil {
				t.Fatalf("the event %q: %v", uid, err)
			}
			all[uid] = e
		}
		return all
	}
	text := func(e *ical.Component, name string) string {
		if e == nil || e.Props.Get(name) == nil {
			return ""
		}
		said, err := e.Props.Text(name)
		if err != nil {
			return e.Props.Get(name).Value
		}
		return said
	}
	all := told("")
	uid := fmt.Sprintf("%s-query-%d@%s", c.fra.id, asked, testOrigin)
	equal(t, "day", text(all[uid], ical.PropDateTimeStart), "20260201")
	equal(t, "sequence", text(all[uid], ical.PropSequence), fmt.Sprint(asked))
	if said := text(all[uid], ical.PropDescription); !strings.Contains(said,
		"“when; where, and\nby whom?”") || strings.Contains(said, "muster pledge") {
		t.Errorf("the event says %q", said)
	}
	if len(all[uid].Children) != 1 || all[uid].Children[0].Name != ical.CompAlarm ||
		text(all[uid].Children[0], ical.PropTrigger) != "-P7D" {
		t.Errorf("the alarms are %v", all[uid].Children)
	}
	renewal := fmt.Sprintf("%s-lapses@%s", lapses.id, testOrigin)
	equal(t, "expiry", text(all[renewal], ical.PropDateTimeStart), "20260210")
	for view, wants := range map[string]bool{"": true, "&view=FRA": true, "&view=public": false} {
		has := false
		for _, e := range told(view) {
			has = has || strings.Contains(text(e, ical.PropDescription), confided)
		}
		equal(t, "what is confided, told with "+view, has, wants)
	}

	// It is moved, and answered.
	renewed := c.say("ITA/liaison", &events.PledgeRenewed{Expires: 2026_02_20,
		PledgeStep: lapses.step("pledge.renewed", 2026_01_07)})
	last := c.say("FRA/liaison", &events.PledgeAnswered{Query: query.ID, Text: "soon",
		PledgeStep: c.fra.step("pledge.answered", 2026_01_07)})
	all = told(fmt.Sprint("&min_seq=", last))
	equal(t, "moved", text(all[renewal], ical.PropDateTimeStart), "20260220")
	equal(t, "moved by", text(all[renewal], ical.PropSequence), fmt.Sprint(renewed))
	equal(t, "what was answered", text(all[uid], ical.PropStatus), "CANCELLED")
	equal(t, "on its day", text(all[uid], ical.PropDateTimeStart), "20260201")
	equal(t, "answered by", text(all[uid], ical.PropSequence), fmt.Sprint(last))
	equal(t, "its alarms", len(all[uid].Children), 0)
	equal(t, "where to look", text(all[renewal], ical.PropURL),
		s.url+"/pledges/"+lapses.id.String())

	// One relieves another, which hangs on a condition.
	ends := c.offer("ITA", 13, func(s *events.PledgeOffered) {
		s.From, s.Until = 2026_02_03, 2026_02_20
	})
	c.say("ITA/liaison", &events.ConditionAdded{Kind: events.Parliament,
		ConditionStep: events.ConditionStep{Condition: "vote",
			PledgeStep: ends.step("condition.added", 2026_01_07)}})
	next := c.offer("DEU", 14, func(s *events.PledgeOffered) {
		s.From, s.Predecessor = 2026_02_22, ends.id
	})
	all = told(fmt.Sprint("&min_seq=", next.seq))
	relieved, relieves := ends.id.String(), next.id.String()
	for uid, want := range map[string]string{
		relieved + "-begins": "20260203 ITA, ground: begins",
		relieved + "-condition-vote": "20260203 ITA, ground: hangs on vote, which has to have " +
			"happened",
		relieved + "-hand-over-" + relieves: "20260220 ITA, ground: is relieved by DEU",
		relieves + "-begins":                "20260222 DEU, ground: begins",
	} {
		e := all[uid+"@"+testOrigin]
		equal(t, uid, text(e, ical.PropDateTimeStart)+" "+text(e, ical.PropSummary), want)
	}

	// In another language what was recorded stays, and the event is the same.
	c.pages(s, c.testLog)
	s.service.Reads = access.ReadOpen
	all = told("&lang=fr")
	e := all[relieved+"-hand-over-"+relieves+"@"+testOrigin]
	equal(t, "summary in French", text(e, ical.PropSummary),
		"ITA, ground\u00a0: est relevé par DEU")
	if said := text(e, ical.PropDescription); !strings.HasPrefix(said,
		"13 personnel (Italie) pour le rôle ground\u00a0: fin le") {
		t.Errorf("the event says in French %q", said)
	}
	equal(t, "what was answered, in French", text(all[uid], ical.PropSummary),
		"Annulé\u00a0: FRA, ground\u00a0: une question attend une réponse")
	equal(t, "what was asked", strings.Contains(text(all[uid], ical.PropDescription),
		"when; where, and\nby whom?"), true)
	for query, at := range map[string]string{"/due.ics?lang=xx": "lang", "/due?lang=fr": "lang"} {
		status, _, body := s.send(http.MethodGet, s.url+Root+query, nil, nil)
		if status < 400 || !strings.Contains(string(body), `"`+at+`"`) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	s.service.Reads = access.ReadMembers
	status, _, _ := s.send(http.MethodGet, s.url+Root+"/due.ics", nil, nil)
	equal(t, "to nobody", status, http.StatusUnauthorized)
}
