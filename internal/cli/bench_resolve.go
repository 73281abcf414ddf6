package cli

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"mintage"
	"mintage/internal/bench"
)

type benchResolveCmd struct {
	Units       int64         `help:"Units of each product that is scanned, 1000 to 1000000." default:"1000000" placeholder:"N"`
	Connections int           `help:"Connections, each with one request under way." default:"64" placeholder:"N"`
	Rounds      int           `help:"How often to measure; the figures are medians." default:"3" placeholder:"N"`
	Duration    time.Duration `help:"Of each of a round's phases." default:"2s" placeholder:"DURATION"`
	Series      int           `help:"First mint so many times --units of one product, and measure after each: is the rate flat?" default:"0" placeholder:"N"`
	CPUProfile  string        `help:"File for a CPU profile of the first phase with known tokens, load included." name:"cpuprofile" type:"path" placeholder:"FILE"`
}

func (c *benchResolveCmd) Run(e *env) (err error) {
	o := bench.ResolveOptions{
		Units: c.Units, Connections: c.Connections, Rounds: c.Rounds, Duration: c.Duration, Series: c.Series,
		DatabaseURL: e.DatabaseURL, Data: e.Data, Progress: e.printf,
	}
	if c.CPUProfile != "" {
		f, err := os.Create(c.CPUProfile)
		if err != nil {
			return mintage.Errorf(mintage.CodeInvalidInput, "The file %s cannot be written; check its path and permissions.", c.CPUProfile).WithCause(err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.CPUProfile = f
	}
	r, err := bench.Resolve(e, o)
	if err != nil {
		return err
	}
	if !r.Durable {
		e.log.Warn("commits were not durable (fsync, full_page_writes or synchronous_commit is off, or the folder is in memory): no figure of first scans counts")
	}
	if e.JSON {
		return e.printJSON(r)
	}
	return c.print(e, r)
}

// print shows the figures that are known.
func (c *benchResolveCmd) print(e *env, r *bench.ResolveResult) error {
	e.printf("\n%s %s, %d CPUs, durable %t; %d units, %d connections, %d round(s) of %g s a phase\n\n",
		r.Database, r.Server, r.CPUs, r.Durable, r.Units, r.Connections, r.Rounds, r.Seconds)
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\trequests/s\tp99, ms\tagainst bare\t")
	for _, each := range r.Cases {
		fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.2f\t\n", each.Name, each.RequestsPerSecond, each.P99MS, each.Ratio)
	}
	fmt.Fprintf(t, "the database alone (%s)\t%.0f\t\t\t\n", r.DatabaseActivationsBy, *r.DatabaseActivationsPerSecond)
	for _, line := range []struct {
		name  string
		value *float64
	}{
		{"first scans against it", r.RatioFirstScan},
		{"flatness, known", r.FlatnessKnown},
		{"flatness, invented", r.FlatnessInvented},
	} {
		if line.value != nil {
			fmt.Fprintf(t, "%s\t%.2f\t\t\t\n", line.name, *line.value)
		}
	}
	fmt.Fprintf(t, "scans dropped\t%d\t\t\t\n", r.ScansDropped)
	return t.Flush()
}
