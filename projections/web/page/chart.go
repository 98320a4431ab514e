package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"muster/events"
	"muster/projections"
)

// The charts are SVG that the server draws. So they print, work without JavaScript and say the same
// in every browser; a library for charts would weigh ten times the page, need JavaScript, and still
// leave the text alternative and the patterns to us. Every shape says what it is three times: by
// its pattern or dashes, by its colour, and in the legend; the table beside the chart is its text.

// A chart is how one requirement is met over time. Its measures are those of its view box.
type chart struct {
	ID                       string // of the chart on its page
	Title, About             string
	W, H                     int
	Left, Top, Width, Height int // of the plot within it
	Days                     days
	Areas                    []area // of the supply from each rung up, from the lowest rung
	Required                 string // the path of the requirement
	Short                    []gapShape
	X, Y                     []tick
	HandOvers                []handOverShape
	// On is where the date looked at is, nil where it is not shown.
	On *tick
}

// An area is the supply from one rung up: a path along its top.
type area struct {
	Rung projections.Rung
	Path string
}

// A gapShape is what is missing from the requirement, on days on end on which as much is.
type gapShape struct {
	X, Y, W, H float64
	// Label says how much, where there is room for it, in the middle of the shape.
	Label  string
	TX, TY float64
}

// A tick is a place on an axis.
type tick struct {
	At    float64
	Label string
}

// A handOverShape is a rotation: the days between, or the day on which one relieves the other.
type handOverShape struct {
	X, W  float64
	Gap   bool // nobody is there
	Label string
}

// How large charts are: one alone, and one of several.
const (
	chartWidth  = 760
	chartHeight = 300
	lowChart    = 210
)

// chart draws how a line is met. Its points are by change.
func (o *overTime) chart(l *projections.LineTimeline, height int) *chart {
	c := &chart{ID: string(l.Operation) + "-" + string(l.Line), W: chartWidth, H: height, Left: 74,
		Top: 26, Days: o.Days}
	c.Width, c.Height = c.W-c.Left-14, c.H-c.Top-28
	c.Title = o.T("timeline.chart", l.Line, o.Days.From, o.Days.Until)
	c.About = o.about(l)
	y := newScale(l, c.Height)
	for _, v := range y.ticks() {
		c.Y = append(c.Y, tick{c.at(y, v), o.axis(v / y.whole)})
	}
	for i, r := range projections.Rungs() {
		c.Areas = append(c.Areas,
			area{r, c.path(y, l.Points, func(pt projections.TimelinePoint) int64 {
				return fromRung(pt, i)
			}, true)})
	}
	c.Required = c.path(y, l.Points, func(pt projections.TimelinePoint) int64 {
		return number(pt.Required)
	}, false)
	c.Short = o.short(c, y, l.Points)
	c.X = c.dates()
	for i := range o.HandOvers {
		if h := &o.HandOvers[i]; o.touches(h, l) {
			c.handOver(o, h)
		}
	}
	if on := o.Basis.On; !o.Basis.IsRange() && on >= c.Days.From && on <= c.Days.Until {
		c.On = &tick{c.x(on), o.Date(on)}
	}
	return c
}

// about says in a sentence what the chart shows.
func (o *overTime) about(l *projections.LineTimeline) string {
	short, worst, on := 0, int64(0), events.Date(0)
	required, supply := int64(0), int64(0)
	for _, pt := range l.Points {
		if gap := number(pt.Gap); gap > 0 {
			short += days{pt.From, pt.Until}.count()
			if gap > worst {
				worst, on = gap, pt.From
			}
		}
		required, supply = max(required, number(pt.Required)), max(supply, number(pt.Supply))
	}
	all := o.T("timeline.about", o.Amount(l.Unit.Of(required), l.Unit),
		o.Word("rung", o.Basis.Rung), l.Unit.Of(supply)) + " "
	if short == 0 {
		return all + o.T("timeline.never-short")
	}
	return all + o.Count("timeline.short-days", short) + " " + o.T("timeline.worst",
		l.Unit.Of(worst), on)
}

// x returns where a day begins.
func (c *chart) x(d events.Date) float64 {
	d = min(max(d, c.Days.From), c.Days.Until.AddDays(1))
	return float64(c.Left) + float64(c.Width)*float64(daysFrom(c.Days.From, d))/
		float64(c.Days.count())
}

// fromRung returns the supply from a rung up, nothing while the line is not in force.
func fromRung(pt projections.TimelinePoint, rung int) int64 {
	if !pt.InForce {
		return 0
	}
	return number(pt.Rungs[rung])
}

// at returns where a number is.
func (c *chart) at(y scale, n int64) float64 { return float64(c.Top) + y.down(n) }

// path goes along the top of what is, in steps from point to point. Where there is nothing it is
// left; it begins and ends on the ground when it is filled.
func (c *chart) path(y scale, points []projections.TimelinePoint,
	of func(projections.TimelinePoint) int64, filled bool) string {
	var b strings.Builder
	ground, last := c.at(y, 0), int64(0)
	for _, pt := range points {
		n, x := of(pt), c.x(pt.From)
		switch {
		case n == 0 && last > 0 && filled:
			fmt.Fprintf(&b, "V%.1f", ground)
		case n > 0 && last > 0:
			fmt.Fprintf(&b, "V%.1f", c.at(y, n))
		case n > 0 && filled:
			fmt.Fprintf(&b, "M%.1f %.1fV%.1f", x, ground, c.at(y, n))
		case n > 0:
			fmt.Fprintf(&b, "M%.1f %.1f", x, c.at(y, n))
		}
		if n > 0 {
			fmt.Fprintf(&b, "H%.1f", c.x(pt.Until.AddDays(1)))
		}
		last = n
	}
	if last > 0 && filled {
		fmt.Fprintf(&b, "V%.1f", ground)
	}
	return b.String()
}

// short returns what is missing.
func (o *overTime) short(c *chart, y scale, points []projections.TimelinePoint) (all []gapShape) {
	for i := 0; i < len(points); {
		pt, end := points[i], i+1
		for end < len(points) && points[end].Gap == pt.Gap && points[end].Required == pt.Required {
			end++
		}
		if number(pt.Gap) > 0 {
			g := gapShape{X: c.x(pt.From), Y: c.at(y, number(pt.Required))}
			g.W, g.H = c.x(points[end-1].Until.AddDays(1))-g.X, c.at(y, number(pt.Supply))-g.Y
			if label := o.T("cell.short", pt.Gap); g.W > float64(9*len(label)) && g.H > 18 {
				g.Label, g.TX, g.TY = label, g.X+g.W/2, g.Y+g.H/2+4
			}
			all = append(all, g)
		}
		i = end
	}
	return all
}

// handOver marks a rotation.
func (c *chart) handOver(o *overTime, h *projections.HandOver) {
	s := handOverShape{Gap: h.Days > 0, Label: o.T("timeline.mark", h.FromBy, h.ToBy)}
	first, behind := h.Begins, h.Begins
	if s.Gap {
		first = h.Ends.AddDays(1)
	}
	if first > c.Days.Until || behind < c.Days.From {
		return
	}
	s.X = c.x(first)
	s.W = c.x(behind) - s.X
	c.HandOvers = append(c.HandOvers, s)
}

// Bottom is where the plot ends below.
func (c *chart) Bottom() int { return c.Top + c.Height }

// Right is where the plot ends on the right.
func (c *chart) Right() int { return c.Left + c.Width }

// A scale turns numbers into heights.
type scale struct {
	steps, step int64 // how many there are, and how much each is
	whole       int64 // how much one is: money counts hundredths
	height      int
}

// newScale returns a scale on which all that is of a line has room.
func newScale(l *projections.LineTimeline, height int) scale {
	s, largest := scale{whole: 1, height: height}, int64(1)
	if strings.Contains(l.Unit.Of(0).String(), ".") {
		s.whole = 100
	}
	for _, pt := range l.Points {
		largest = max(largest, number(pt.Required))
		for _, q := range pt.Rungs {
			largest = max(largest, number(q))
		}
	}
	const most = 5 // steps
	s.step = s.whole
	for i := 0; (largest-1)/most >= s.step; i++ { // products would leave the numbers there are
		s.step = s.step * [...]int64{2, 5, 2}[i%3] / [...]int64{1, 2, 1}[i%3] // 1, 2, 5, 10
	}
	s.steps = (largest-1)/s.step + 1
	return s
}

// down returns how far below the top of the plot a number is.
func (s scale) down(n int64) float64 {
	return float64(s.height) * (1 - float64(n)/(float64(s.steps)*float64(s.step)))
}

func (s scale) ticks() (all []int64) {
	for i := range s.steps + 1 {
		if i > 0 && s.step > math.MaxInt64/i {
			break
		}
		all = append(all, i*s.step)
	}
	return all
}

// axis writes a number in few characters.
func (o *overTime) axis(n int64) string {
	switch {
	case n >= 1e12:
		return o.T("timeline.trillion", float64(n)/1e12)
	case n >= 1e9:
		return o.T("timeline.billion", float64(n)/1e9)
	case n >= 1e6:
		return o.T("timeline.million", float64(n)/1e6)
	}
	return o.N(n)
}

// mostDates is for how many dates there is room under a chart.
const mostDates = 9

// dates returns the dates under a chart: days, first days of weeks, months or years, as many as
// there is room for.
func (c *chart) dates() []tick {
	for _, k := range []struct {
		months, days int
		form         string
	}{{0, 1, "2006-01-02"}, {0, 2, "2006-01-02"}, {0, 7, "2006-01-02"}, {0, 14, "2006-01-02"},
		{1, 0, "2006-01"}, {2, 0, "2006-01"}, {3, 0, "2006-01"}, {6, 0, "2006-01"},
		{12, 0, "2006"}, {24, 0, "2006"}} {
		if all := c.every(k.months, k.days, k.form); len(all) <= mostDates {
			return all
		}
	}
	return c.every(60, 0, "2006")
}

// every returns the dates of the plot, so many months or days after each other: months from January
// on, weeks on Mondays.
func (c *chart) every(months, step int, form string) (all []tick) {
	d := c.Days.From
	if months == 0 && step%7 == 0 {
		d = d.AddDays((8 - int(d.Time().Weekday())) % 7)
	}
	if months > 0 {
		t := d.Time()
		m := t.Year()*12 + int(t.Month()) - 1
		if t.Day() > 1 {
			m++
		}
		m = (m + months - 1) / months * months
		d = events.DateOf(time.Date(0, time.Month(m+1), 1, 0, 0, 0, 0, time.UTC))
	}
	for ; d <= c.Days.Until &&
		len(all) <= mostDates; d = events.DateOf(d.Time().AddDate(0, months, step)) {
		all = append(all, tick{c.x(d), d.Time().Format(form)})
	}
	return all
}
