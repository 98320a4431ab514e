package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// A row is one way of doing a thing, measured.
type row struct {
	Name string `json:"name"`
	// Way is what does it: muster, or what stands beside it.
	Way       string  `json:"way"`
	PerSecond float64 `json:"per_second,omitempty"`
	P50       float64 `json:"p50_us,omitempty"`
	P99       float64 `json:"p99_us,omitempty"`
	Seconds   float64 `json:"seconds,omitempty"`
	Bytes     float64 `json:"bytes,omitempty"` // for each record
	// CPU is the processor time of this process for each record, or whatever it is that is counted:
	// unlike the others, it hardly changes with what else the machine does.
	CPU float64 `json:"cpu_us,omitempty"`
	// Ratio is to the reference of the same name in the same run: of speed, so that more is better,
	// or of size.
	Ratio float64 `json:"ratio,omitempty"`
	// Note says why there is no number, or what the number is of.
	Note string `json:"note,omitempty"`
}

// A way does a thing once in a round, and returns what it measured.
type way struct {
	name string
	do   func(round int) (sample, error)
}

// A sample is what one round has measured; what is zero was not measured.
type sample struct {
	perSecond, seconds, bytes float64
	cpu                       float64 // in microseconds, for each of what is counted
	took                      []time.Duration
	note                      string
}

// errAbsent is why a way cannot be tried on this machine.
type absent struct{ why string }

func (a absent) Error() string { return a.why }

// interleave tries all ways in turn, in rounds, and makes a row of the medians of each. The
// reference is the way to which the others are compared; "" for none.
func (o *options) interleave(name, reference string, ways ...way) ([]row, error) {
	ways = slices.DeleteFunc(ways, func(w way) bool {
		return !strings.Contains(name+": "+w.name+";", o.only)
	})
	samples := make([][]sample, len(ways))
	notes := make([]string, len(ways))
	for round := range o.rounds {
		for i := range ways {
			at := (i + round) % len(ways) // so that none is always after the same
			if notes[at] != "" {
				continue
			}
			fmt.Fprintf(o.log, "bench: %s, round %d of %d: %s\n", name, round+1, o.rounds,
				ways[at].name)
			s, err := ways[at].do(round)
			if gone, ok := err.(absent); ok {
				notes[at] = gone.why
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", name, ways[at].name, err)
			}
			samples[at] = append(samples[at], s)
		}
	}
	rows := make([]row, len(ways))
	for i := range ways {
		rows[i] = rowOf(name, ways[i].name, samples[i])
		if notes[i] != "" {
			rows[i].Note = notes[i]
		}
	}
	compare(rows, reference)
	return rows, nil
}

func rowOf(name, way string, all []sample) row {
	r := row{Name: name, Way: way}
	var rates, seconds, bytes, cpu, p50, p99 []float64
	for _, s := range all {
		rates, seconds, bytes, cpu = append(rates, s.perSecond), append(seconds, s.seconds),
			append(bytes, s.bytes), append(cpu, s.cpu)
		p50, p99 = append(p50, quantile(s.took, 50)), append(p99, quantile(s.took, 99))
		r.Note = s.note
	}
	r.PerSecond, r.Seconds, r.Bytes, r.CPU, r.P50, r.P99 = median(rates), median(seconds),
		median(bytes), median(cpu), median(p50), median(p99)
	return r
}

func compare(rows []row, reference string) {
	at := slices.IndexFunc(rows, func(r row) bool { return r.Way == reference })
	if at < 0 {
		return
	}
	ref := rows[at]
	for i := range rows {
		switch r := &rows[i]; {
		case r.PerSecond > 0 && ref.PerSecond > 0:
			r.Ratio = r.PerSecond / ref.PerSecond
		case r.P50 > 0 && ref.P50 > 0:
			r.Ratio = ref.P50 / r.P50
		case r.Seconds > 0 && ref.Seconds > 0:
			r.Ratio = ref.Seconds / r.Seconds
		case r.Bytes > 0 && ref.Bytes > 0:
			r.Ratio = r.Bytes / ref.Bytes
		}
	}
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// quantile returns a percentile in microseconds.
func quantile(took []time.Duration, percent int) float64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return float64(took[len(took)*percent/100].Nanoseconds()) / 1000
}

// timed returns what it took to do so many things.
func timed(n int, do func() error) (sample, error) {
	start, before := time.Now(), processorTime()
	if err := do(); err != nil {
		return sample{}, err
	}
	took, cpu := time.Since(start).Seconds(), processorTime()-before
	return sample{perSecond: float64(n) / took, seconds: took,
		cpu: float64(cpu.Nanoseconds()) / 1000 / float64(n)}, nil
}

// processorTime is what this process has used of all processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func writeTable(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "measure\tway\tper second\tp50 µs\tp99 µs\tseconds\tcpu "+
		"µs\tbytes/record\tratio\tnote\t")
	show := func(f float64, form string) string {
		if f == 0 {
			return ""
		}
		return fmt.Sprintf(form, f)
	}
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Name, r.Way,
			show(r.PerSecond, "%.0f"), show(r.P50, "%.0f"), show(r.P99, "%.0f"),
			show(r.Seconds, "%.3f"), show(r.CPU, "%.1f"), show(r.Bytes, "%.0f"),
			show(r.Ratio, "%.2f"), r.Note)
	}
	return t.Flush()
}

// prepare makes the folder in which everything is measured.
func (o *options) prepare() error {
	if o.work == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.work = filepath.Join(cache, "muster-bench")
	}
	return os.MkdirAll(o.work, 0o700)
}

// folder returns a new folder on the disk that is measured, and what takes it away.
func (o *options) folder(name string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(o.work, name+"-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
