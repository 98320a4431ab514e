package page

import (
	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// A coverage is the page of the matrices.
type coverage struct {
	*frame
	// Show is which matrix is shown: lines, of requirements over time; or nations, by what they
	// give.
	Show    string
	Step    projections.Step
	Columns cut[projections.TimelinePoint] // the stretches of time
	Groups  []lineGroup
	// Through is the last day of the first stretch of time where that is as the date asked on.
	Through events.Date
	InForce int  // how many lines are in force, shown or not
	Met     int  // how many of them are met
	Lines   int  // how many are shown
	Swapped bool // nations are shown since no line is in force
	Next    events.Date
	// MoreLines is how many rows are not shown.
	MoreLines  int
	NotCounted cut[projections.NotCounted]
	Nations    *nationMatrix
	// Open is what a cell was opened to, nil for none.
	Open *opened
	// CSV is where the API gives all rows, and all that is not counted.
	CSV string
}

// coverage answers the page of the matrices.
func (p *Pages) coverage(f *frame) (any, error) {
	c := &coverage{frame: f, Show: f.Get("show"), Step: projections.Step(f.Get("step"))}
	if c.Step == "" {
		c.Step = projections.ByMonth
	}
	switch c.Show {
	case "", "lines", "nations":
	default:
		return nil, f.oneOf("show", c.Show, "lines, nations")
	}
	answer, err := ask(f, web.Read[web.CoverageQuery], f.service.Coverage)
	if err != nil {
		return nil, err
	}
	f.Basis, c.NotCounted, c.Lines = answer.Basis, cutAt(answer.NotCounted, maxListed),
		len(answer.Lines)
	c.CSV = f.csv("coverage", append([]string{"differences"}, gapsTakes...))
	c.InForce, c.Met, c.Next = answer.InForce, answer.Met, answer.Next
	if c.Show == "" {
		c.Show = "lines"
		if c.InForce == 0 {
			c.Show, c.Swapped = "nations", true
		}
	}
	if c.Show == "lines" {
		err = c.readLines(&answer)
	} else {
		c.Nations, err = c.readNations()
	}
	if err == nil && (f.Has("open") || f.Has("holds")) {
		c.Open, err = c.readOpen()
	}
	return c, err
}

func (s *speaker) oneOf(name, value, words string) error {
	return s.ofFields(problem.Invalid, []problem.Field{
		s.field(name, value, "problem.one-of", words)})
}

// LiveAddress is where the server tells when the coverage that is shown changes.
func (c *coverage) LiveAddress() string {
	return c.Path(web.Root) + "/coverage/events?" + c.only("operation", "on", "rung", "without",
		"without_conditional", "without_caveated", "discharge").Encode()
}
