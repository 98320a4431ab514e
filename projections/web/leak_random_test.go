package web

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/projections"
)

// A secretRound is a random history with random labels.
type secretRound struct {
	round
	random  *rand.Rand
	pledges []*secretPledge
	lines   []events.Line
}

// A secretPledge is one that has not ended, as it stands.
type secretPledge struct {
	testPledge
	terms events.PledgeTerms
	rung  events.Rung
}

func newSecretRound(t *testing.T, seed uint64, records int) *secretRound {
	r := &secretRound{round: newRound(t), random: rand.New(rand.NewPCG(seed, 1))}
	r.lines = []events.Line{"ground-all"}
	for range 4 {
		r.pledge()
	}
	for len(r.records) < records {
		r.next()
	}
	return r
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// next says something: of a pledge that there is, or of something new.
func (r *secretRound) next() {
	i := r.random.IntN(len(r.pledges))
	p := r.pledges[i]
	nation := string(p.nation) + "/liaison"
	switch r.random.IntN(10) {
	case 0, 1, 2:
		r.pledge()
	case 3:
		r.line()
	case 4:
		if p.rung == events.Offered {
			p.accept(2026_01_02)
			p.rung = events.Accepted
		}
	case 5:
		p.terms.Quantity = events.Count(r.random.Int64N(900) + 1)
		r.say(nation, &events.PledgeAmended{Header: head("pledge.amended"),
			Dated: dated(2026_01_03), Pledge: p.id, PledgeTerms: p.terms,
			Place: events.Place{Operation: "force", Nation: p.nation}})
	case 6:
		r.say("HQ/founder", &events.AllocationMade{
			PledgeStep: p.step("allocation.made", 2026_01_03), Line: pick(r.random, r.lines...),
			Strength: events.Strength{Quantity: events.Count(1), Unit: "personnel"},
			Window:   events.Window{From: 2026_01_01}})
	case 7:
		p.hangOn(events.Line(fmt.Sprint("vote-", len(r.records))))
	case 8:
		if p.terms.Release == events.CoordinatorsOnly {
			p.terms.Release = events.CoalitionOnly
			p.terms.ReleasableTo = nil
			r.say(nation, &events.PledgeDisclosed{Header: head("pledge.disclosed"),
				Dated: dated(2026_01_03), Pledge: p.id, PledgeTerms: p.terms,
				Place:    events.Place{Operation: "force", Nation: p.nation},
				Standing: events.Standing{Rung: p.rung}})
		}
	default:
		p.withdraw(2026_01_10)
		r.pledges[i] = r.pledges[len(r.pledges)-1]
		if r.pledges = r.pledges[:len(r.pledges)-1]; len(r.pledges) == 0 {
			r.pledge()
		}
	}
}

// pledge offers something, to be read by whom chance will.
func (r *secretRound) pledge() {
	nation := pick[events.Nation](r.random, "FRA", "GBR", "POL", "ITA")
	p := &secretPledge{rung: events.Offered}
	p.testPledge = r.offer(nation, r.random.Int64N(900)+1, func(s *events.PledgeOffered) {
		s.Release = pick(r.random, "", events.Public, events.CoalitionOnly, events.CoordinatorsOnly,
			events.CoordinatorsOnly)
		to := pick[events.Nation](r.random, "FRA", "GBR", "SWE")
		if s.Release == events.CoordinatorsOnly && to != nation && r.random.IntN(2) == 0 {
			s.ReleasableTo = []events.Nation{to}
		}
		p.terms = s.PledgeTerms
	})
	r.pledges = append(r.pledges, p)
}

// line issues a requirement, of which not everybody may hear.
func (r *secretRound) line() {
	name := events.Line(fmt.Sprint("line-", len(r.records)))
	release := pick(r.random, "", events.CoordinatorsOnly)
	r.say("HQ/founder", &events.RequirementIssued{Header: head("requirement.issued"),
		Dated: dated(2026_01_01), Release: release,
		RequirementTerms: events.RequirementTerms{Operation: "force", Line: name, Role: "ground",
			Quantity: events.Count(r.random.Int64N(900) + 1), Unit: "personnel",
			Window: events.Window{From: 2026_01_01}, Priority: 1}})
	if release == "" { // a pledge is set against no line that those do not know who know the pledge
		r.lines = append(r.lines, name)
	}
}

// until returns the log as it was after so many records; of those that keep is false of, only the
// places.
func (r *secretRound) until(last int, keep func(seq uint64) bool) *testLog {
	l := &testLog{t: r.t, more: make(chan struct{}), clock: r.clock, keys: r.keys}
	for _, rec := range r.records[:last] {
		if !keep(rec.Sequence) {
			rec = events.Record{Sequence: rec.Sequence}
		}
		l.records = append(l.records, rec)
	}
	return l
}

// secretSeed is MUSTER_SEED, or another one each time: it is logged.
func secretSeed(t *testing.T) uint64 {
	seed, err := strconv.ParseUint(os.Getenv("MUSTER_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("MUSTER_SEED=%d", seed)
	return seed
}

// some returns so many of the addresses of all questions, each in the form for which it is asked.
func (r *secretRound) some(s *testServer, n int, added string) (all []string) {
	every := addresses(s.t, s.api, r.round)
	for len(all) < n {
		one := pick(r.random, every...)
		if !strings.Contains(one, "view=") && !strings.HasPrefix(one, "/rebuild") {
			all = append(all, strings.TrimSuffix(one, "?")+sep(strings.TrimSuffix(one, "?"))+added)
		}
	}
	return all
}

func sep(address string) string {
	if strings.Contains(address, "?") {
		return "&"
	}
	return "?"
}

var secretViews = []events.View{events.PublicView, events.CoalitionView, "FRA", "GBR", "SWE"}

// In random histories with random labels, each view is told what would be told if what its label
// closes had never been said.
func TestNothingIsLeakedAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	t.Parallel()
	seed := secretSeed(t)
	const histories, questions = 4, 60
	closed := 0
	for n := range histories {
		r := newSecretRound(t, seed+uint64(n), 60)
		s := newServer(t, r.testLog)
		last := len(r.records)
		if err := s.projector.WaitFor(t.Context(), uint64(last)); err != nil {
			t.Fatal(err)
		}
		for _, view := range secretViews {
			opens := map[uint64]bool{}
			_ = s.projector.View(func(p *projections.Picture) error {
				for seq := range r.records {
					label, known := p.Label(uint64(seq) + 1)
					opens[uint64(seq)+1] = known && label.OpenTo(view)
				}
				return nil
			})
			unsaid := newServer(t, r.until(last, func(seq uint64) bool { return opens[seq] }))
			w := withheld{view: view}
			for _, path := range r.some(s, questions, "limit=3") {
				for _, path := range []string{path, strings.TrimSuffix(path, "limit=3")} {
					status, _, _, body := s.fetch(path+sep(path)+"view="+string(view), "")
					wantStatus, _, _, want := unsaid.fetch(path, "")
					if status != wantStatus || unnamed(w.told(body)) != unnamed(w.told(want)) {
						t.Fatalf("%s, told to %s: %d\n%s\nand where it was never said: %d\n%s",
							path, view, status, body, wantStatus, want)
					}
				}
			}
			for _, open := range opens {
				if !open {
					closed++
				}
			}
		}
	}
	if closed < 20*histories {
		t.Errorf("%d records were withheld: this shows little", closed)
	}
}

// unnamed is an answer without the sentence that says whose view it is.
func unnamed(body string) string {
	for _, said := range []string{"what is public", "what is released to the coalition",
		"what is released to France", "what is released to the United Kingdom",
		"what is released to Sweden"} {
		body = strings.ReplaceAll(body, "; counted: "+said, "")
	}
	return body
}

// What was known at a record is answered with the same bytes for ever, in each view, whatever is
// said and disclosed later.
func TestThePastStaysAsItWasInEachView(t *testing.T) {
	if testing.Short() {
		t.Skip("one question after the other")
	}
	t.Parallel()
	r := newSecretRound(t, secretSeed(t), 90)
	const before = 50
	early := newServer(t, r.until(before, func(uint64) bool { return true }))
	late := newServer(t, r.testLog)
	answered := 0
	for _, view := range append(secretViews, events.CoordinatorsView) {
		for range 4 {
			asOf := 20 + r.random.IntN(before-20)
			for _, path := range r.some(late, 25, fmt.Sprintf("as_of=%d&view=%s", asOf, view)) {
				if strings.Count(path, "as_of=") > 1 || strings.Contains(path, "min_seq=") {
					continue
				}
				path = strings.Replace(path, "/records/90/", "/records/30/", 1)
				status, _, _, now := early.fetch(path, "")
				laterStatus, _, _, later := late.fetch(path, "")
				if status == laterStatus && now == later {
					answered += map[bool]int{true: 1}[status == 200]
				} else {
					t.Errorf("%s\nat record %d: %d\n%s\nat record %d: %d\n%s", path, before, status,
						now, len(r.records), laterStatus, later)
				}
			}
		}
	}
	if answered < 150 {
		t.Errorf("only %d questions were answered: this shows little", answered)
	}
}
