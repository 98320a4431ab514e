package rules_test

import (
	"runtime"
	"testing"
	"time"

	"muster/events"
	"muster/ledger/rules"
)

// benchRecords makes the records of pledges that are offered, amended, hang on a vote, climb until
// they are deployed, and are then reported: 20 records each, a thousand pledges at a time.
func benchRecords(pledges int) (all []events.Record) {
	say := func(st events.Statement) {
		n := uint64(len(all) + 1)
		st.Head().ID, _ = events.IDAt(n, [10]byte{1})
		all = append(all, events.Record{Sequence: n, Recorded: time.Unix(int64(n), 0).UTC(),
			Signed: events.Signed{Statement: st, KeyName: ruleParis.Name()}})
	}
	life := []events.Type{"pledge.amended", "condition.added", "condition.discharged",
		"pledge.accepted", "pledge.confirmed", "pledge.deployed"}
	say(ruleSay("ledger.founded"))
	say(ruleSay("operation.opened"))
	for begun := 0; begun < pledges; begun += 1000 {
		first := len(all)
		for range 1000 {
			say(ruleSay("pledge.offered"))
		}
		for i := range 19 {
			typ := events.Type("pledge.reported")
			if i < len(life) {
				typ = life[i]
			}
			for p := range 1000 {
				say(ruleSay(typ, "Pledge", all[first+p].Statement.Head().ID))
			}
		}
	}
	return all
}

// BenchmarkApply tells how long a record takes to be taken in, and how much memory it leaves taken.
func BenchmarkApply(b *testing.B) {
	all := benchRecords(10_000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var s *rules.State
	for b.Loop() {
		s = rules.NewState()
		for _, rec := range all {
			if _, err := s.Apply(rec); err != nil {
				b.Fatal(err)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/record")
	b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(len(all)),
		"B/record")
	runtime.KeepAlive(s)
	runtime.KeepAlive(all)
}
