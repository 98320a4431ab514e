// Bench measures what Muster exists for beside what a person would use instead, in one run on one
// machine: appending statements, replaying a ledger, starting a server and answering questions,
// next to the raw limits of the machine, JetStream alone, and PostgreSQL.
//
//	go run ./cmd/bench append|replay|start|query|grow|views|join [flags]
//	go run ./cmd/bench table FILE...                           # rows that were kept as JSON, as a table
//	go run ./cmd/bench compare --base FILE [--ledger FOLDER]   # whether two builds answer alike
//
// Machines are shared and noisy, so that only a ratio says anything: every way of doing a thing is
// tried in turn, in several interleaved rounds of one run, and the median of each is told beside
// its ratio to the raw reference of the same run. ledger/PERFORMANCE.md keeps one run's table, and
// what it means.
//
// It is a program of its own so that muster carries no driver of PostgreSQL.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
)

// An options says how much is measured.
type options struct {
	records int // of the generated ledger
	pledges int
	rounds  int
	ops     int // appended by each way in each round
	// confided is of how many pledges one is not for the coalition; 0 for none.
	confided int

	work    string // a folder on the disk that is measured
	json    bool
	only    string // measures and ways whose names have this in them, "" for all
	profile string // a file for a CPU profile
	allocs  string // and one for a profile of all that was allocated
	log     io.Writer
}

// measures is the table of what can be measured.
var measures = map[string]func(*options) ([]row, error){
	"append": measureAppend, "replay": measureReplay, "start": measureStart, "query": measureQuery,
	"grow":  measureGrowth,
	"views": measureViews,
	"join":  measureJoin,
}

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	const usage = "say what to measure: append, replay, start, query, grow, views or join"
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch args[0] {
	case "table":
		return showTable(args[1:], stdout)
	case "compare":
		return compareBuilds(args[1:], stdout, stderr)
	}
	measure, ok := measures[args[0]]
	if !ok {
		return fmt.Errorf("%q: %s", args[0], usage)
	}
	o := &options{log: stderr}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.records, "records", 200_000, "records of the generated ledger, up to 1000000")
	f.IntVar(&o.pledges, "pledges", 0, "pledges in it (default: a twentieth of the records)")
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds, of which the median is told")
	f.IntVar(&o.ops, "ops", 20_000,
		"statements that each way appends in a round, with many writers; one writer appends a "+
			"twentieth")
	f.StringVar(&o.work, "work", "",
		"a folder on the disk to measure (default: the user's cache folder)")
	f.StringVar(&o.only, "only", "",
		"only ways whose \"measure: way;\" has this in it, such as \"64 writers, each waits: "+
			"muster;\"")
	f.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this file")
	f.StringVar(&o.allocs, "memprofile", "",
		"write a profile of all that was allocated to this file")
	f.BoolVar(&o.json, "json", false, "rows as JSON")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if o.pledges == 0 {
		o.pledges = max(1, o.records/20)
	}
	if err := o.prepare(); err != nil {
		return err
	}
	rows, err := o.profiled(measure)
	if err != nil {
		return err
	}
	if o.json {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	}
	return writeTable(stdout, rows)
}

// profiled measures, and writes the profiles that were asked for.
func (o *options) profiled(measure func(*options) ([]row, error)) (rows []row, err error) {
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	if rows, err = measure(o); err != nil || o.allocs == "" {
		return rows, err
	}
	f, err := os.Create(o.allocs)
	if err != nil {
		return nil, err
	}
	return rows, errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// showTable shows rows that were written as JSON.
func showTable(files []string, w io.Writer) error {
	var all []row
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var rows []row
		if err := json.Unmarshal(data, &rows); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, rows...)
	}
	return writeTable(w, all)
}
