package projections

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
)

// rowsText tells rows as "operation nation role unit: quantity of pledges, …", without what is
// empty.
func rowsText(rows []StrengthRow) string {
	var all []string
	for _, r := range rows {
		text := strings.Join(
			strings.Fields(fmt.Sprint(r.Operation, " ", r.Nation, " ", r.Role, " ", r.Unit)), " ") +
			fmt.Sprintf(": %s of %d", r.Quantity, r.Pledges)
		for _, beside := range []struct {
			name string
			n    any
		}{{"unknown", r.Unknown}, {"conditional", r.Conditional}, {"reserve", r.Reserve},
			{"reserve unknown", r.ReserveUnknown}, {"failed", r.Failed}} {
			if s := fmt.Sprint(beside.n); s != "0" && s != "" {
				text += ", " + beside.name + " " + s
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func TestStrengthGroups(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 100)
	l.offer("FRA", 50, func(t *events.PledgeTerms) { t.Area = "west" })
	l.offer("DEU", 30)
	l.offer("DEU", 6, func(t *events.PledgeTerms) { t.Role, t.Unit = "air", "aircraft" })
	l.indicate("ITA", 1, 1000)
	p := l.picture()
	for _, test := range []struct {
		by     string
		filter Filter
		want   string
	}{
		{"", Filter{}, "aircraft: 6 of 1; personnel: 180 of 3"},
		{"nation", Filter{}, "DEU aircraft: 6 of 1; DEU personnel: 30 of 1; FRA personnel: 150 " +
			"of 2"},
		{"role", Filter{}, "air aircraft: 6 of 1; ground personnel: 180 of 3"},
		{"role,nation", Filter{},
			"DEU air aircraft: 6 of 1; DEU ground personnel: 30 of 1; FRA ground personnel: 150 " +
				"of 2"},
		{"operation,unit", Filter{}, "op-a aircraft: 6 of 1; op-a personnel: 180 of 3"},
		{"unit,nation", Filter{},
			"DEU aircraft: 6 of 1; DEU personnel: 30 of 1; FRA personnel: 150 of 2"},
		{"nation", Filter{Role: "ground"}, "DEU personnel: 30 of 1; FRA personnel: 150 of 2"},
		{"", Filter{Nation: "DEU"}, "aircraft: 6 of 1; personnel: 30 of 1"},
		{"", Filter{Nation: "ESP"}, ""},
	} {
		var by []string
		if test.by != "" {
			by = strings.Split(test.by, ",")
		}
		s := must[Strength](t)(p.Strength(t.Context(), Moment{On: day(20)}, test.filter, by))
		equal(t, "by "+test.by, rowsText(s.Rows), test.want)
	}
	s := must[Strength](t)(p.Strength(t.Context(), Moment{On: day(20), Rung: Indicated},
		Filter{}, nil))
	equal(t, "indicated", rowsText(s.Rows), "aircraft: 6 of 1; personnel: 1180 of 4")
	equal(t, "totals", rowsText(s.Totals), rowsText(s.Rows))
	if _, err := p.Strength(t.Context(), Moment{}, Filter{}, []string{"colour"}); !problem.Is(err,
		problem.Usage) {
		t.Errorf("by colour: %v", err)
	}
}

func TestStrengthOrder(t *testing.T) {
	l := newTestLedger(t)
	for _, nation := range []events.Nation{"FRA", "DEU"} {
		l.offer(nation, 1)
		l.offer(nation, 2, func(t *events.PledgeTerms) { t.Role, t.Unit = "air", "aircraft" })
	}
	order := func(by ...string) string {
		var keys []string
		for _, r := range must[Strength](t)(l.picture().Strength(t.Context(), Moment{On: day(20)},
			Filter{}, by)).Rows {
			keys = append(keys, string(r.Nation)+"/"+string(r.Unit))
		}
		return strings.Join(keys, " ")
	}
	equal(t, "by role and nation", order("role", "nation"),
		"DEU/aircraft FRA/aircraft DEU/personnel FRA/personnel")
	equal(t, "by nation and role", order("nation", "role"),
		"DEU/aircraft DEU/personnel FRA/aircraft FRA/personnel")
	equal(t, "by unit and nation", order("unit", "nation"),
		"DEU/aircraft FRA/aircraft DEU/personnel FRA/personnel")
}

func TestStrengthTellsBesideWhatItDoesNotSum(t *testing.T) {
	l := newTestLedger(t)
	unknown := func(t *events.PledgeTerms) { t.Quantity = events.Unknown }
	reserve := func(t *events.PledgeTerms) { t.Presence = events.Reserve }
	l.offer("POL", 600)
	l.offer("POL", 400, reserve)
	l.offer("POL", 1, reserve, unknown)
	l.offer("FRA", 1, unknown)
	l.offer("DEU", 50).condition("condition.added", 1, "bundestag")
	l.offer("ITA", 20).condition("condition.failed", 1, "senate")
	l.offer("ESP", 10, reserve)
	s := must[Strength](t)(l.picture().Strength(t.Context(), Moment{On: day(20)}, Filter{},
		[]string{"nation"}))
	equal(t, "rows", rowsText(s.Rows),
		"DEU personnel: 50 of 1, conditional 50; ESP personnel: 0 of 0, reserve 10; "+
			"FRA personnel: unknown of 0, unknown 1; ITA personnel: 0 of 0, failed 1; POL "+
			"personnel: 600 of 1, reserve 400, reserve unknown 1")
	equal(t, "totals", rowsText(s.Totals),
		"personnel: 650 of 2, unknown 1, conditional 50, reserve 410, reserve unknown 1, failed 1")
}

// History that was only observed sums to what was there, at every rung.
func TestStrengthOfObservedHistory(t *testing.T) {
	l := newTestLedger(t)
	fiji := l.observe("FJI", 1, 233)
	l.observe("NPL", 1, 43)
	fiji.report(10, 168)
	fiji.move("pledge.returned", 20)
	l.observe("FJI", 25, 150)
	p := l.picture()
	for on, want := range map[int]string{1: "276", 9: "276", 10: "211", 19: "211",
		20: "43", 25: "193"} {
		for _, rung := range Rungs() {
			s := must[Strength](t)(p.Strength(t.Context(), Moment{On: day(on), Rung: rung},
				Filter{}, nil))
			equal(t, fmt.Sprintf("%s on the %d", rung, on), s.Totals[0].Quantity.String(), want)
		}
	}
}

func TestStrengthWhenDeployed(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("FRA", 1200)
	p.deploy(5, 1100)
	l.offer("DEU", 500)
	picture := l.picture()
	ask := func(r Rung) string {
		return rowsText(must[Strength](t)(picture.Strength(t.Context(), Moment{On: day(6), Rung: r},
			Filter{}, nil)).Totals)
	}
	equal(t, "deployed", ask(Deployed), "personnel: 1100 of 1")
	equal(t, "offered", ask(Offered), "personnel: 1700 of 2")
}
