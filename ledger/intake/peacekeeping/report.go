package peacekeeping

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
)

// A Report says what a table held and what was cleaned.
type Report struct {
	Rows        int // rows read, without the header
	Totals      int // rows left out because they are totals ("all")
	Repeated    int // rows left out because they were there before, with the same numbers
	Apostrophes int // rows with stray apostrophes, which were taken off
	Cleaned     int // rows that are left: one for each month, contributor and mission
	NA          int // cells of these that say NA, which means none
	// rows of these whose men and women do not add up to the published total; the total is taken
	MenAndWomen int

	Months, Missions, Contributors int
	First, Last                    events.Date
	// Names are the contributors as the file writes them, where Muster writes them otherwise.
	Names map[string]events.Nation
	// Gaps are the months between the first and the last that the file does not have, by their
	// first days.
	Gaps []events.Date
	// Published is how many months publish a total of everything.
	Published int
	// Differences are the months of these whose contributions add up to something else.
	Differences []Difference
}

// A Difference is a month whose published total is not the sum of its contributions.
type Difference struct {
	Month          events.Date
	Published, Sum int64
}

// Percent returns the difference as a share of the published total.
func (d Difference) Percent() float64 {
	if d.Published == 0 {
		return 100
	}
	return 100 * float64(d.Published-d.Sum) / float64(d.Published)
}

func (r *Report) finish(c *cleaner, h *History) {
	r.Cleaned = len(c.rows)
	r.Months, r.First, r.Last = len(h.months), h.months[0], h.months[len(h.months)-1]
	r.Missions = len(c.titles)
	r.Names = c.spelling
	nations := map[events.Nation]bool{}
	for at := range c.rows {
		nations[at.nation] = true
	}
	r.Contributors = len(nations)
	r.Published = len(c.published)
	for i, month := range h.months {
		if total, ok := c.published[month]; ok && total.n != h.sum(i) {
			r.Differences = append(r.Differences, Difference{month, total.n, h.sum(i)})
		}
		if i > 0 {
			r.Gaps = append(r.Gaps, between(h.months[i-1], month)...)
		}
	}
}

// between returns the first days of the months between two months.
func between(a, b events.Date) (missing []events.Date) {
	next := func(d events.Date) events.Date { return (d-d%100+1).AddDays(31)/100*100 + 1 }
	for m := next(a); m < b-b%100; m = next(m) {
		missing = append(missing, m)
	}
	return missing
}

// Lines says the report for people, a line for each thing.
func (r *Report) Lines() []string {
	lines := []string{
		fmt.Sprintf("%d rows read: %d months from %s to %s, %d missions, %d contributors", r.Rows,
			r.Months, r.First, r.Last, r.Missions, r.Contributors),
		fmt.Sprintf("%d rows left out that are totals (\"all\")", r.Totals),
		fmt.Sprintf("%d rows left out that were there before, with the same numbers", r.Repeated),
		fmt.Sprintf("%d rows with stray apostrophes, which were taken off", r.Apostrophes),
		fmt.Sprintf("%d rows are left; in these, %d cells say NA, which means none",
			r.Cleaned, r.NA),
	}
	if r.MenAndWomen > 0 {
		lines = append(lines,
			fmt.Sprintf("%d rows whose men and women do not add up to the total: the total was "+
				"taken", r.MenAndWomen))
	}
	if len(r.Names) > 0 {
		lines = append(lines,
			fmt.Sprintf("%d names that are written otherwise here: %s", len(r.Names), r.names()))
	}
	for _, gap := range r.Gaps {
		lines = append(lines,
			fmt.Sprintf("there is no month %s: what the month before says goes on",
				gap.String()[:7]))
	}
	return append(lines, r.comparison()...)
}

func (r *Report) names() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Names)) {
		all = append(all, fmt.Sprintf("%s (%s)", name, r.Names[name]))
	}
	return strings.Join(all, ", ")
}

func (r *Report) comparison() []string {
	lines := []string{fmt.Sprintf(
		"%d of the %d months that publish a grand total differ from the sum of their contributions",
		len(r.Differences), r.Published)}
	for _, d := range r.Differences {
		lines = append(lines, fmt.Sprintf("%s: %d published, %d in the sum, %+d (%+.2f %%)",
			d.Month, d.Published, d.Sum, d.Sum-d.Published, -d.Percent()))
	}
	return lines
}

// mostDifference is how much of its published total a month may lack, in percent. In the file as
// published the worst month lacks 0.15; a file that was cut lacks most of a month.
const mostDifference = 1.0

// complete refuses a history in which a month lacks a good part of what was published: its absent
// nations would be recorded as returned, and nothing moves after that.
func (r *Report) complete() error {
	for _, d := range r.Differences {
		if math.Abs(d.Percent()) > mostDifference {
			return problem.New(problem.Invalid,
				"%s: the published total is %d, and the contributions add up to %d: a part of "+
					"the file is missing", d.Month, d.Published, d.Sum).
				WithHint("get the file again, whole")
		}
	}
	return nil
}
