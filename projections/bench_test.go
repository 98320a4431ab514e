package projections

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"muster/events"
	"muster/projections/internal/ledgertest"
)

// A generated ledger: so many pledges of 40 nations, each moved along until there are so many
// records. The statements are folded as they are, without signatures, which the Picture does not
// look at.
type generated struct {
	picture *Picture
	say     func(events.Statement)
	day     func() events.Date // on which the next is effective
	random  *rand.Rand
	ids     []events.ID
	places  []events.Place
}

const generatedLines = 40

func generate(tb testing.TB, pledges, records int) *generated {
	g := &generated{picture: NewPicture(), random: rand.New(rand.NewPCG(1, 2))}
	g.say = func(s events.Statement) { g.apply(tb, s) }
	g.day = func() events.Date { return day(1).AddDays(g.random.IntN(730)) }
	g.begin(pledges)
	for int(g.picture.Sequence()) < records {
		g.step()
	}
	return g
}

// begin opens the operation, with its lines and pledges.
func (g *generated) begin(pledges int) {
	opened := &events.OperationOpened{Header: events.Header{Type: "operation.opened"},
		Dated: dated(1), OperationTerms: events.OperationTerms{Operation: "op-a",
			Title: "Generated"}}
	for i := range generatedLines / 4 {
		opened.Roles = append(opened.Roles,
			events.RoleDefinition{Role: events.Role(fmt.Sprint("role-", i)), Title: "Generated",
				Units: []events.Unit{"personnel"}})
	}
	g.say(opened)
	for i := range generatedLines {
		g.say(&events.RequirementIssued{Header: events.Header{Type: "requirement.issued"},
			Dated: dated(1), RequirementTerms: events.RequirementTerms{
				Operation: "op-a", Line: events.Line(fmt.Sprint("line-", i)),
				Role:     events.Role(fmt.Sprint("role-", i/4)),
				Area:     events.Area(fmt.Sprint("area-", i%4)),
				Quantity: events.Count(100_000), Unit: "personnel",
				Window: events.Window{From: day(1)}, Priority: 1 + i%9}})
	}
	nations := events.Nations()[:40]
	for i := range pledges {
		at := events.Place{Operation: "op-a", Nation: nations[g.random.IntN(len(nations))]}
		s := &events.PledgeOffered{Header: events.Header{Type: "pledge.offered",
			ID: generatedID(i + 1)}, Dated: g.on(), Place: at, PledgeTerms: g.terms()}
		g.ids, g.places = append(g.ids, s.ID), append(g.places, at)
		g.say(s)
	}
}

func generatedID(i int) (id events.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(i))
	return id
}

func (g *generated) apply(tb testing.TB, s events.Statement) {
	at := g.picture.Sequence()
	rec := events.Record{Sequence: at + 1,
		Recorded: time.UnixMicro(1767225600000000 + int64(at)*2e6),
		Signed:   events.Signed{Statement: s, KeyName: "FRA/paris"}}
	if err := g.picture.Apply(rec); err != nil {
		tb.Fatal(err)
	}
}

func (g *generated) on() events.Dated { return events.Dated{Effective: g.day()} }

func (g *generated) terms() events.PledgeTerms {
	t := pledgeTerms(1 + g.random.Int64N(2000))
	t.Role, t.Area = events.Role(fmt.Sprint("role-", g.random.IntN(10))),
		events.Area(fmt.Sprint("area-", g.random.IntN(4)))
	return t
}

func (g *generated) step() {
	i := g.random.IntN(len(g.ids))
	step := func(t events.Type) events.PledgeStep {
		return events.PledgeStep{Header: events.Header{Type: t}, Dated: g.on(), Place: g.places[i],
			Step: events.Step{Pledge: g.ids[i]}}
	}
	switch g.random.IntN(10) {
	case 0:
		g.say(&events.PledgeAccepted{PledgeStep: step("pledge.accepted")})
	case 1:
		g.say(&events.PledgeDeployed{PledgeStep: step("pledge.deployed"),
			Strength: events.Strength{Quantity: events.Count(50), Unit: "personnel"}})
	case 2, 3:
		g.say(&events.PledgeAmended{Header: events.Header{Type: "pledge.amended"}, Dated: g.on(),
			Place: g.places[i], Pledge: g.ids[i], PledgeTerms: g.terms()})
	default:
		g.say(&events.PledgeReported{PledgeStep: step("pledge.reported"),
			Strength: events.Strength{Quantity: events.Count(1 + g.random.Int64N(500)),
				Unit: "personnel"}})
	}
}

// A storedLedger is a [StoredSource] in memory. Its records have no true signatures: whoever reads
// a source does not look at them.
type storedLedger struct {
	stored [][]byte
}

func (l *storedLedger) Records(from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for i := from; i <= l.Last(); i++ {
			if rec, err := events.ParseRecord(i, l.stored[i-1]); !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func (l *storedLedger) Wait(ctx context.Context, _ uint64) error {
	<-ctx.Done()
	return ctx.Err()
}

func (l *storedLedger) Last() uint64 { return uint64(len(l.stored)) }

func (l *storedLedger) Stored(from uint64, most int, room []byte) ([][]byte, []byte, error) {
	from = min(from-1, uint64(len(l.stored)))
	return l.stored[from:min(from+uint64(most), uint64(len(l.stored)))], room, nil
}

// storeLedger makes of statements, which are folded nowhere, a ledger in which dates ascend as they
// mostly do.
func storeLedger(tb testing.TB, pledges, records int) *storedLedger {
	l := &storedLedger{}
	signature := base64.StdEncoding.EncodeToString(make([]byte, 4+64))
	g := &generated{random: rand.New(rand.NewPCG(1, 2))}
	g.say = func(s events.Statement) {
		n := len(l.stored)
		head := s.Head()
		head.Ledger = ledgertest.Origin
		if head.ID.IsZero() {
			head.ID = generatedID(records + n)
		}
		text := must[[]byte](tb)(events.Marshal(s))
		note := fmt.Appendf(nil, "%s\n\n— FRA/liaison %s\n", text, signature)
		rec := must[events.Record](tb)(events.NewRecord(uint64(n+1),
			time.UnixMicro(1767225600000000+int64(n)*2e6), ledgertest.Origin,
			events.Signed{Statement: s, Note: note}))
		l.stored = append(l.stored, rec.Stored)
	}
	g.day = func() events.Date { return day(1).AddDays(len(l.stored) * 730 / records) }
	g.begin(pledges)
	for len(l.stored) < records {
		g.step()
	}
	return l
}

// quantiles reports how long the slow ones take, besides the mean.
func quantiles(b *testing.B, do func()) {
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		do()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	for _, q := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*q/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", q))
	}
}

func BenchmarkCoverage(b *testing.B) {
	for _, size := range []struct{ pledges, records int }{{50_000, 50_100}, {50_000, 1_000_000}} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g := generate(b, size.pledges, size.records)
		runtime.GC()
		runtime.ReadMemStats(&after)
		p := g.picture
		now := Moment{On: day(1).AddDays(730)}
		ask := func(b *testing.B, m Moment, brief bool) {
			if c := must[Coverage](b)(p.Coverage(b.Context(), m,
				CoverageFilter{Brief: brief})); len(c.Lines) != generatedLines {
				b.Fatalf("%d lines", len(c.Lines))
			}
		}
		name := fmt.Sprintf("%d-pledges/%d-records/", size.pledges, size.records)
		b.Run(name+"now", func(b *testing.B) {
			quantiles(b, func() {
				p.coverages.last.Purge() // as if a record had come
				ask(b, now, true)
			})
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(size.records),
				"B/record")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(p.versions.what)),
				"B/version")
		})
		b.Run(name+"now-again", func(b *testing.B) { quantiles(b, func() { ask(b, now, true) }) })
		b.Run(name+"now-with-pledges", func(b *testing.B) {
			quantiles(b, func() { ask(b, now, false) })
		})
		b.Run(name+"any-moment", func(b *testing.B) {
			quantiles(b, func() {
				ask(b, Moment{AsOf: 50_000 + g.random.Uint64N(uint64(size.records)-50_000),
					On: g.on().Effective}, true)
			})
		})
		b.Run(name+"timeline-of-24-months", func(b *testing.B) {
			quantiles(b, func() {
				t := must[Timeline](b)(p.Timeline(b.Context(), now,
					TimelineFilter{Days: events.Window{From: day(1), Until: 2027_12_31},
						Step: ByMonth}))
				if len(t.Lines) != generatedLines || len(t.Lines[0].Points) != 24 {
					b.Fatalf("%d lines", len(t.Lines))
				}
			})
		})
		b.Run(name+"coverage-of-6-months", func(b *testing.B) {
			half := Moment{On: day(1).AddDays(180), Until: day(1).AddDays(360)}
			quantiles(b, func() { ask(b, half, true) })
		})
		b.Run(name+"strength-of-6-months", func(b *testing.B) {
			half := Moment{On: day(1).AddDays(180), Until: day(1).AddDays(360)}
			quantiles(b, func() {
				must[Strength](b)(p.Strength(b.Context(), half, Filter{},
					[]string{"nation", "role"}))
			})
		})
		b.Run(name+"diff-of-two-days", func(b *testing.B) {
			quantiles(b, func() {
				from := day(1).AddDays(g.random.IntN(700))
				if d := must[Diff](b)(p.Diff(b.Context(), Moment{On: from},
					Moment{On: from.AddDays(30)}, Filter{})); d.IsZero() {
					b.Fatal("nothing differs")
				}
			})
		})
		b.Run(name+"explain", func(b *testing.B) {
			quantiles(b, func() {
				must[Explanation](b)(p.ExplainCoverage(b.Context(), now, "op-a", "line-0"))
			})
		})
		b.Run(name+"preview", func(b *testing.B) {
			i := g.random.IntN(len(g.ids))
			amended := &events.PledgeAmended{Header: events.Header{Type: "pledge.amended"},
				Dated: dated(1), Place: g.places[i], Pledge: g.ids[i], PledgeTerms: g.terms()}
			quantiles(b, func() {
				must[Preview](b)(p.Preview(b.Context(), now, []events.Statement{amended}))
			})
		})
		b.Run(name+"versions-of-a-pledge", func(b *testing.B) {
			quantiles(b, func() {
				must[PledgeVersions](b)(p.Versions(b.Context(), now,
					g.ids[g.random.IntN(len(g.ids))]))
			})
		})
		b.Run(name+"strength", func(b *testing.B) {
			quantiles(b, func() {
				must[Strength](b)(p.Strength(b.Context(), now, Filter{},
					[]string{"nation", "role"}))
			})
		})
	}
}
