package web

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/projections/access"
)

// To say that there is no such pledge is the same work, byte for byte and allocation for
// allocation, whether it is withheld or was never made. How long it takes is told, and not judged:
// a machine that is busy would be blamed for what it does besides.
func TestNotFoundIsTheSameWork(t *testing.T) {
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	pages, answers := c.pages(s, c.testLog), s.newFresh()
	s.service.Reads = access.ReadOpen
	faces := map[string]func(path string) string{
		"page": func(path string) string {
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, httptest.NewRequest("GET", path+"?view=coalition", nil))
			return w.Body.String()
		},
		"answer": func(path string) string { return answers(path + "?view=coalition") },
		"csv": func(path string) string {
			return answers(path + csvSuffix + "?view=coalition")
		},
		"versions": func(path string) string {
			return answers(path + "/versions?view=coalition")
		},
	}
	withheld := c.withheldOffer("FIN")
	never := withheld
	never[len(never)-1] ^= 1
	for name, face := range faces {
		there := func() string { return face("/pledges/" + withheld.String()) }
		nowhere := func() string { return face("/pledges/" + never.String()) }
		want := strings.ReplaceAll(nowhere(), never.String(), withheld.String())
		if got := there(); got != want || !strings.Contains(got, withheld.String()) {
			t.Errorf("%s: %s\nand of what was never said: %s", name, got, want)
		}
		if raceDetector { // with which pools forget at random
			continue
		}
		if got, want := allocated(there), allocated(nowhere); got != want {
			t.Errorf("%s: %v allocations, and %v for what was never said", name, got, want)
		}
		first, second := medians(there, nowhere)
		t.Logf("%s: %v of what is withheld, %v of what was never said", name, first, second)
	}
}

// withheldOffer returns the last pledge of a nation that few may read.
func (c confidence) withheldOffer(of events.Nation) (id events.ID) {
	for _, rec := range c.records {
		st, offers := rec.Statement.(*events.PledgeOffered)
		if offers && st.Nation == of && st.Release == events.CoordinatorsOnly {
			id = st.ID
		}
	}
	return id
}

// allocated returns how often something allocates at least: what else goes on can only add to it.
func allocated(do func() string) float64 {
	least := testing.AllocsPerRun(10, func() { do() })
	for range 9 {
		least = min(least, testing.AllocsPerRun(10, func() { do() }))
	}
	return least
}

// medians returns how long each of two things takes, done in turns.
func medians(one, other func() string) (time.Duration, time.Duration) {
	const rounds = 300
	var took [2][]time.Duration
	for range rounds {
		for i, do := range []func() string{one, other} {
			begun := time.Now()
			do()
			took[i] = append(took[i], time.Since(begun))
		}
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	return took[0][rounds/2], took[1][rounds/2]
}

// To read the place of a record that is withheld is the same work as where it was never said.
func TestWithheldPlaceIsTheSameWork(t *testing.T) {
	c := newConfidence(t)
	unsaid := c.unsaid("C")
	s, never := newServer(t, c.testLog), newServer(t, unsaid)
	of := func(s *testServer) func() string {
		return func() string {
			all, _, err := s.service.Released(t.Context(), "coalition", 1, len(c.records))
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, stored := range all {
				text.Write(stored)
			}
			return text.String()
		}
	}
	there, nowhere := of(s), of(never)
	equal(t, "what is released", there(), nowhere())
	first, second := medians(there, nowhere)
	t.Logf("%v where it is withheld, %v where it was never said", first, second)
	for i, rec := range unsaid.records {
		if rec.Stored != nil {
			continue
		}
		path := "/records?limit=1&view=coalition&from=" + number(uint64(i+1))
		there, nowhere := s.newFresh(), never.newFresh()
		equal(t, path, there(path), nowhere(path))
	}
}
