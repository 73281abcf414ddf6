package cli

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"mintage"
	"mintage/internal/bench"
)

type benchMintCmd struct {
	Units      int64  `help:"Units of each job, 1 to 1000000." default:"1000000" placeholder:"N"`
	Jobs       int    `help:"Jobs that are submitted at once." default:"1" placeholder:"N"`
	Workers    int    `help:"1 mints in this process; more are processes, and need PostgreSQL." default:"1" placeholder:"N"`
	Preload    int64  `help:"Rows that the tables hold before the first round." default:"0" placeholder:"N"`
	Rounds     int    `help:"How often to measure; the figures are medians." default:"3" placeholder:"N"`
	Series     int    `help:"First mint so many jobs one after another, and compare the last with the first." default:"0" placeholder:"N"`
	CPUProfile string `help:"File for a CPU profile of the engine's first run." name:"cpuprofile" type:"path" placeholder:"FILE"`
}

func (c *benchMintCmd) Run(e *env) (err error) {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	o := bench.Options{
		Units: c.Units, Jobs: c.Jobs, Workers: c.Workers, Preload: c.Preload, Rounds: c.Rounds, Series: c.Series,
		DatabaseURL: e.DatabaseURL, Data: e.Data, Program: program, Progress: e.printf,
	}
	if c.CPUProfile != "" {
		f, err := os.Create(c.CPUProfile)
		if err != nil {
			return mintage.Errorf(mintage.CodeInvalidInput, "The file %s cannot be written; check its path and permissions.", c.CPUProfile).WithCause(err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.CPUProfile = f
	}
	r, err := bench.Mint(e, o)
	if err != nil {
		return err
	}
	if !r.Durable {
		e.log.Warn("commits were not durable (fsync, full_page_writes or synchronous_commit is off, or the folder is in memory): no figure counts")
	}
	if e.JSON {
		return e.printJSON(r)
	}
	return c.print(e, r)
}

// print shows the figures that are known, one a line.
func (c *benchMintCmd) print(e *env, r *bench.Result) error {
	e.printf("\n%s %s, %d CPUs, durable %t; %d job(s) of %d units, %d worker(s), %d rows before, %d round(s)\n\n",
		r.Database, r.Server, r.CPUs, r.Durable, r.Jobs, r.Units, r.Workers, r.Preload, r.Rounds)
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, line := range []struct {
		name, format string
		value        *float64
	}{
		{"units a second", "%.0f", r.UnitsPerSecond},
		{"the database's floor", "%.0f", r.FloorUnitsPerSecond},
		{"the naive way", "%.0f", r.NaiveUnitsPerSecond},
		{"ratio to the floor", "%.2f", r.RatioToFloor},
		{"ratio to the naive way", "%.1f", r.RatioToNaive},
		{"one job alone", "%.0f", r.OneJobUnitsPerSecond},
		{"ratio to one job alone", "%.2f", r.RatioToOneJob},
		{"first units visible, ms", "%.1f", r.FirstUnitsVisibleMS},
		{"WAL bytes a unit", "%.1f", r.WALBytesPerUnit},
		{"table and index bytes a unit", "%.1f", r.TableBytesPerUnit},
		{"peak memory of a worker, bytes", "%.0f", r.PeakRSSBytes},
		{"last job of the series to the first", "%.2f", r.LastToFirstRatio},
	} {
		if line.value != nil {
			fmt.Fprintf(t, "%s\t"+line.format+"\t\n", line.name, *line.value)
		}
	}
	return t.Flush()
}
