package web

import (
	"strconv"

	"mintage/internal/mint"
)

// A chart has a place of chartStep units for each day, which the page stretches to its
// width, and chartHeight for the day on which most happened.
const (
	chartStep   = 20
	chartBar    = 7 // each of a day's two bars
	chartGap    = 1 // between the two
	chartHeight = 96
)

// chart is the units minted and activated per day.
type chart struct {
	Width, Height int
	Days          []chartDay
	Most          int64 // units on one day
}

// chartDay is one day's bars, and what they say.
type chartDay struct {
	Day       string
	Minted    int64
	Activated int64

	X                 int // of the day's place
	MintedBar         chartRect
	ActivatedBar      chartRect
	BarWidth, Through int
}

// chartRect is where a bar stands.
type chartRect struct{ X, Y, Height int }

func newChart(l *language, days []mint.Day) *chart {
	c := &chart{Width: chartStep * len(days), Height: chartHeight}
	for _, d := range days {
		c.Most = max(c.Most, d.Minted, d.Activated)
	}
	for i, d := range days {
		x := i * chartStep
		left := x + (chartStep-2*chartBar-chartGap)/2
		c.Days = append(c.Days, chartDay{
			Day: d.Day.Format(l.text("format.day")), Minted: d.Minted, Activated: d.Activated, X: x,
			MintedBar: c.bar(left, d.Minted), ActivatedBar: c.bar(left+chartBar+chartGap, d.Activated),
			BarWidth: chartBar, Through: chartStep,
		})
	}
	return c
}

// bar is as high as its share of the most; what is not nothing can be seen.
func (c *chart) bar(x int, units int64) chartRect {
	height := 0
	if c.Most > 0 {
		height = int(units * int64(c.Height) / c.Most)
	}
	if units > 0 {
		height = max(height, 2)
	}
	return chartRect{x, c.Height - height, height}
}

// First and Last are the days at the ends.
func (c *chart) First() string { return c.Days[0].Day }

// Last is the day at the right end.
func (c *chart) Last() string { return c.Days[len(c.Days)-1].Day }

// formatInt writes a number as URLs have it.
func formatInt(n int64) string { return strconv.FormatInt(n, 10) }
