package server

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"muster/events"
)

// offered is an offer that a nation makes of so many.
func (c *confidence) offered(by events.Nation, n int64,
	release events.Release) *events.PledgeOffered {
	return &events.PledgeOffered{Header: c.head("pledge.offered"),
		Dated: events.Dated{Effective: 2026_01_01},
		Place: events.Place{Operation: "op", Nation: by},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(n),
			Unit: "personnel", Window: events.Window{From: 2026_01_01}, Release: release}}
}

// fill has Britain offer until the ledger has so many records.
func (c *confidence) fill(records uint64) {
	c.t.Helper()
	var all sync.WaitGroup
	for range records - c.Journal.Last() {
		signed := c.sign("GBR/london", c.offered("GBR", 1, events.CoalitionOnly))
		all.Go(func() {
			if _, err := c.Ledger.Submit(c.t.Context(), signed); err != nil {
				c.t.Error(err)
			}
		})
	}
	all.Wait()
	if last := c.Journal.Last(); last != records {
		c.t.Fatalf("the ledger has %d records, not %d", last, records)
	}
	if err := c.Projector.WaitFor(c.t.Context(), records); err != nil {
		c.t.Fatal(err)
	}
}

// tile is what is released of a tile in a view.
func (c *confidence) tile(view, number string) string {
	c.t.Helper()
	a := c.ask(http.MethodGet, "/tile/released/"+number+"?view="+view, "")
	if a.StatusCode != http.StatusOK {
		c.t.Fatalf("tile %s in the view %s: %s %s", number, view, a.Status, a.body)
	}
	return a.body
}

// What is disclosed is a record of its own, and the tiles before it stay as they were for those who
// could not read the pledge: a whole one and those that grow behind it, whoever asks and whenever.
func TestTilesStayWhenAPledgeIsDisclosed(t *testing.T) {
	c := newConfidence(t, Config{})
	secret := c.offered("FRA", 7009, events.CoordinatorsOnly)
	c.say("FRA/paris", secret)
	c.fill(300)
	last := c.offered("FRA", 7011, events.CoordinatorsOnly)
	c.say("FRA/paris", last)
	views, numbers := []string{"public", "coalition", "GBR", "FRA", ""},
		[]string{"000", "000.p/9", "000.p/200", "001.p/45"}
	before := map[string]string{}
	for _, view := range views {
		for _, number := range numbers {
			before[view+number] = c.tile(view, number)
		}
		shown := strings.Contains(before[view+"000"], "7009") &&
			strings.Contains(before[view+"001.p/45"], "7011")
		if shown != (view == "FRA" || view == "") {
			t.Errorf("in the view %q what France has confided is shown: %v", view, shown)
		}
	}

	for _, told := range []*events.PledgeOffered{secret, last} {
		terms := told.PledgeTerms
		terms.Release = events.CoalitionOnly
		c.say("FRA/paris", &events.PledgeDisclosed{Header: c.head("pledge.disclosed"),
			Dated: told.Dated, Place: told.Place, Pledge: told.ID, PledgeTerms: terms,
			Standing: events.Standing{Rung: events.Offered}})
	}
	same := func(when string) {
		t.Helper()
		for _, view := range views {
			for _, number := range numbers {
				if c.tile(view, number) != before[view+number] {
					t.Errorf("tile %s in the view %q is another %s", number, view, when)
				}
			}
		}
	}
	same("after the disclosure")
	grown := c.tile("coalition", "001.p/47")
	if begins := before["coalition"+"001.p/45"]; !strings.HasPrefix(grown, begins) {
		t.Error("the tile that the disclosure is in does not begin as it was")
	} else if said := grown[len(begins):]; !strings.Contains(said, "7009") ||
		!strings.Contains(said, "7011") {
		t.Errorf("the coalition is not told what was disclosed: %q", said)
	}
	c.fill(512)
	same("when the next tile is whole")
	whole := c.tile("coalition", "001")
	if !strings.HasPrefix(whole, grown) {
		t.Error("the whole tile does not begin as it was when it had 47 records")
	}
}
