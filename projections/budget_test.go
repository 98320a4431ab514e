package projections

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
)

// questions are all that a picture is asked about a moment, as each is asked at its dearest.
func questions(p *Picture, m Moment, pledge events.ID) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"coverage": func(ctx context.Context) error {
			_, err := p.Coverage(ctx, m, CoverageFilter{})
			return err
		},
		"brief": func(ctx context.Context) error {
			_, err := p.Coverage(ctx, m, CoverageFilter{Brief: true})
			return err
		},
		"gaps": func(ctx context.Context) error {
			_, err := p.Gaps(ctx, m, CoverageFilter{})
			return err
		},
		"dependence": func(ctx context.Context) error {
			_, err := p.Dependences(ctx, m, DependenceFilter{})
			return err
		},
		"hanging": func(ctx context.Context) error {
			_, err := p.Hanging(ctx, m, Filter{})
			return err
		},
		"readiness": func(ctx context.Context) error {
			_, err := p.Readiness(ctx, m, ReadinessFilter{})
			return err
		},
		"review": func(ctx context.Context) error {
			_, err := p.Review(ctx, m, Filter{})
			return err
		},
		"due": func(ctx context.Context) error {
			_, err := p.Due(ctx, m, Filter{}, 30)
			return err
		},
		"nation": func(ctx context.Context) error {
			_, err := p.Nation(ctx, m, "FRA", "")
			return err
		},
		"nations": func(ctx context.Context) error {
			_, err := p.Nations(ctx, m, "", "")
			return err
		},
		"delivery": func(ctx context.Context) error {
			_, err := p.Delivery(ctx, m, Filter{})
			return err
		},
		"pledges": func(ctx context.Context) error {
			_, err := p.Pledges(ctx, m, PledgeFilter{})
			return err
		},
		"strength": func(ctx context.Context) error {
			_, err := p.Strength(ctx, m, Filter{}, nil)
			return err
		},
		"late": func(ctx context.Context) error {
			_, err := p.Late(ctx, m, Filter{}, 0)
			return err
		},
		"corrections": func(ctx context.Context) error {
			_, err := p.Corrections(ctx, m, Filter{})
			return err
		},
		"fingerprint": func(ctx context.Context) error {
			_, err := p.Fingerprint(ctx, m.AsOf)
			return err
		},
		"versions": func(ctx context.Context) error {
			_, err := p.Versions(ctx, m, pledge)
			return err
		},
		"life": func(ctx context.Context) error {
			_, err := p.Life(ctx, m, pledge)
			return err
		},
		"pledge": func(ctx context.Context) error {
			_, err := p.Pledge(ctx, m, pledge)
			return err
		},
		"counting": func(ctx context.Context) error {
			_, err := p.Counting(ctx, m, p.Sequence())
			return err
		},
		"explanation": func(ctx context.Context) error {
			_, err := p.ExplainCoverage(ctx, m, "", "west")
			return err
		},
		"strength's": func(ctx context.Context) error {
			_, err := p.ExplainStrength(ctx, m, Filter{})
			return err
		},
		"operations": func(ctx context.Context) error {
			_, err := p.Operations(ctx, m)
			return err
		},
		"scopes": func(ctx context.Context) error {
			_, err := p.Scopes(ctx, m, Filter{})
			return err
		},
		"members": func(ctx context.Context) error { _, err := p.Members(ctx, m); return err },
		"requirements": func(ctx context.Context) error {
			_, err := p.Requirements(ctx, m, Filter{})
			return err
		},
		"diff": func(ctx context.Context) error {
			_, err := p.Diff(ctx, Moment{AsOf: 3, On: m.On}, m, Filter{})
			return err
		},
		"time line": func(ctx context.Context) error {
			days := events.Window{From: day(1), Until: day(1).AddDays(700)}
			_, err := p.Timeline(ctx, m, TimelineFilter{Days: days, Step: ByDay})
			return err
		},
	}
}

// manyPledges returns a picture with more pledges than the meter lets pass between two looks.
func manyPledges(t *testing.T) (*Picture, events.ID) {
	l := newTestLedger(t)
	l.need("west", 1000)
	var last testPledge
	for range 2 * lookEvery {
		last = l.offer("FRA", 1)
	}
	return l.picture(), last.id
}

// Every question ends with its context, and says why.
func TestQuestionsEndWithTheirContext(t *testing.T) {
	p, pledge := manyPledges(t)
	gone := errors.New("the client has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()
	for name, ask := range questions(p, Moment{On: day(9)}, pledge) {
		if err := ask(ctx); !errors.Is(err, gone) {
			t.Errorf("%s of a client that has gone: %v", name, err)
		}
		if err := ask(late); !problem.Is(err, problem.TooMuch) {
			t.Errorf("%s of which the time is over: %v", name, err)
		}
		if err := ask(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An elsewhere is a context whose question waits where it looks at it, while others are answered.
type elsewhere struct {
	context.Context
	meanwhile func()
}

func (e elsewhere) Err() error {
	e.meanwhile()
	return e.Context.Err()
}

// A question that waits where it looks at its context holds no lock that another one wants.
func TestQuestionsWaitWithoutALock(t *testing.T) {
	p, pledge := manyPledges(t)
	m := Moment{On: day(9)}
	waits := elsewhere{t.Context(), func() {
		dates := p.dates.of(m.On)
		if !dates.mu.TryLock() {
			t.Fatal("it waits with the lock of a date")
		}
		dates.mu.Unlock()
	}}
	for name, ask := range questions(p, m, pledge) {
		if err := ask(WithBudget(waits, Budget{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A question that is dearer than its budget is refused, and one that is not is answered. What one
// thing costs is bounded by what was said of it, so those who ask for one are not counted here.
func TestBudgets(t *testing.T) {
	p, pledge := manyPledges(t)
	cheap := map[string]bool{"life": true, "pledge": true, "operations": true,
		"scopes": true, "members": true, "requirements": true, "brief": true, "dependence": true,
		"strength": true}
	for name, ask := range questions(p, Moment{On: day(9)}, pledge) {
		err := ask(WithBudget(t.Context(), Budget{Rows: lookEvery / 2}))
		if cheap[name] != (err == nil) || err != nil && !problem.Is(err, problem.TooMuch) {
			t.Errorf("%s with a small budget: %v", name, err)
		}
		if err := ask(WithBudget(t.Context(), Budget{Rows: 1 << 30, Bytes: 1 << 40})); err != nil {
			t.Errorf("%s with a large budget: %v", name, err)
		}
	}
	for _, name := range []string{"coverage", "pledges", "nation", "explanation"} {
		err := questions(p, Moment{On: day(9)},
			pledge)[name](WithBudget(t.Context(), Budget{Bytes: 1 << 20}))
		if !problem.Is(err, problem.TooMuch) {
			t.Errorf("%s of which the answer is larger than it may be: %v", name, err)
		}
	}
}

// What looks at the coverage of many moments takes the memory of one at a time: so a ledger whose
// coverage can be asked can be fingerprinted and rebuilt, and says what was counted of a record.
func TestOneCoverageAtATime(t *testing.T) {
	p, pledge := manyPledges(t)
	b := Budget{Bytes: 3 << 20}
	if err := questions(p, Moment{On: day(9)},
		pledge)["coverage"](WithBudget(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	ctx := WithBudget(t.Context(), b)
	for range 3 {
		if _, err := p.Fingerprint(ctx, 0); err != nil {
			t.Error(err)
		}
		if _, err := p.Counting(ctx, Moment{On: day(9)}, p.Sequence()); err != nil {
			t.Error(err)
		}
	}
}

// A time line costs as much as what happens in it, and not by its days.
func TestTimelineCostsWhatHappens(t *testing.T) {
	l := newTestLedger(t)
	const lines = 1040
	for i := range lines {
		l.need(events.Line(fmt.Sprint("line-", i)), 1000, func(q *events.RequirementTerms) {
			q.Area = events.Area(fmt.Sprint("area-", i))
		})
	}
	p := l.picture()
	allocated := func(step Step) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		days := events.Window{From: day(1), Until: day(1).AddDays(MaxTimeline - 1)}
		a := must[Timeline](t)(p.Timeline(t.Context(), Moment{},
			TimelineFilter{Days: days, Step: step}))
		runtime.ReadMemStats(&after)
		equal(t, "lines", len(a.Lines), lines)
		return (after.TotalAlloc - before.TotalAlloc) >> 20
	}
	if mb := allocated(ByChange); mb > 20 {
		t.Errorf("20 years of %d lines in which nothing happens take %d MB", lines, mb)
	}
	err := func() error {
		ctx := WithBudget(t.Context(), Budget{Bytes: 64 << 20})
		days := events.Window{From: day(1), Until: day(1).AddDays(MaxTimeline - 1)}
		_, err := p.Timeline(ctx, Moment{}, TimelineFilter{Days: days, Step: ByDay})
		return err
	}()
	if !problem.Is(err, problem.TooMuch) {
		t.Errorf("20 years of %d lines day by day: %v", lines, err)
	}
}

// A preview of many revisions looks at all pledges once or twice, and not once for each date.
func TestPreviewOfManyRevisions(t *testing.T) {
	const pledges = 2000
	p := generate(t, pledges, pledges+100).picture
	var revisions []events.Statement
	for i := range 100 {
		line := i % generatedLines
		s := &events.RequirementRevised{Header: events.Header{Type: "requirement.revised"},
			Dated: events.Dated{Effective: day(1).AddDays(7 * i)}}
		s.RequirementTerms = must[Requirements](t)(p.Requirements(t.Context(), Moment{},
			Filter{})).Requirements[line].Terms()
		s.Note = "again"
		if i == 99 {
			s.Quantity = events.Count(50)
		}
		revisions = append(revisions, s)
	}
	ctx := WithBudget(t.Context(), Budget{Rows: 12 * foldCost * pledges})
	a := must[Preview](t)(p.Preview(ctx, Moment{On: day(5)}, revisions))
	equal(t, "first", a.First, revisions[99].(*events.RequirementRevised).Effective)
	equal(t, "lines", len(a.Effects[0].Lines), 1)
}

// A comparison tells of so many pledges, and how many more there are; its numbers are of all.
func TestCompareMoreThanIsTold(t *testing.T) {
	p, _ := manyPledges(t)
	const pledges = 2 * lookEvery
	s := &events.RequirementRevised{Header: events.Header{Type: "requirement.revised"},
		Dated: events.Dated{Effective: day(5)}}
	s.RequirementTerms = must[Requirements](t)(p.Requirements(t.Context(), Moment{}, Filter{})).
		Requirements[0].Terms()
	s.Role = "air"
	a := must[Preview](t)(p.Preview(t.Context(), Moment{On: day(9)}, []events.Statement{s}))
	d := a.Effects[0]
	equal(t, "pledges", len(d.Pledges), maxSupposed)
	equal(t, "more", d.PledgesMore, pledges-maxSupposed)
	l := d.Lines[0]
	equal(t, "pledges of the line", len(l.Pledges), maxSupposed)
	equal(t, "more of the line", l.PledgesMore, pledges-maxSupposed)
	equal(t, "supply", l.From.Supply, events.Count(pledges))
	cause := l.CauseOf("supply", "")
	equal(t, "causes", fmt.Sprintf("%d %s", len(cause.Records), cause.Records[0].Line), "1 west")

	first := Moment{AsOf: 3, On: day(9)}
	d = must[Diff](t)(p.Diff(t.Context(), first, Moment{On: day(9)}, Filter{}))
	equal(t, "all pledges are told", len(d.Pledges), pledges)
	equal(t, "no more", d.PledgesMore+d.Lines[0].PledgesMore+d.Strength[0].PledgesMore, 0)
}

// What questions take of a pool at a time is bounded, and goes back when they end.
func TestPool(t *testing.T) {
	p, _ := manyPledges(t)
	pool := &Pool{Most: 3 << 19} // one coverage takes a megabyte
	ask := func() (end context.CancelFunc, err error) {
		ctx, end := context.WithCancel(t.Context())
		_, err = p.Coverage(WithBudget(ctx, Budget{Pool: pool}), Moment{On: day(9)},
			CoverageFilter{})
		return end, err
	}
	first, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	second, err := ask()
	if !problem.Is(err, problem.Unavailable) {
		t.Errorf("while another answer is held: %v", err)
	}
	first()
	second()
	counted, end := context.WithCancel(t.Context()) // asks for one coverage after the other
	_, err = p.Counting(WithBudget(counted, Budget{Pool: &Pool{Most: 3 << 20}}),
		Moment{On: day(9)}, p.Sequence())
	end()
	if err != nil {
		t.Errorf("what lets each answer go before the next: %v", err)
	}
	for range 100 { // what ends gives back at once, but beside us
		end, err := ask()
		end()
		if err == nil {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("nothing went back: %d bytes are taken", pool.used.Load())
}
