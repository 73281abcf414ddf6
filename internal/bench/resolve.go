package bench

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/pprof"
	"time"

	"mintage"
)

// ResolveOptions say how to measure the resolver.
type ResolveOptions struct {
	Units       int64         // of each product that is scanned
	Connections int           // each with one request under way
	Rounds      int           // figures are medians over them
	Duration    time.Duration // of each phase of a round
	Series      int           // jobs of Units that are minted one after another, each followed by a measurement

	DatabaseURL string // of the PostgreSQL server; "" for SQLite
	Data        string // folder in whose file system SQLite's scratch folder is made
	CPUProfile  io.Writer
	Progress    func(format string, args ...any) // tells people what goes on
}

// Validate refuses what cannot be measured.
func (o ResolveOptions) Validate() error {
	switch {
	case o.Units < minResolveUnits || o.Units > mintage.MaxRequestQuantity:
		return invalid("--units must be %d to %d.", minResolveUnits, mintage.MaxRequestQuantity)
	case o.Connections < 1 || o.Connections > maxConnections:
		return invalid("--connections must be 1 to %d.", maxConnections)
	case o.Duration < 10*time.Millisecond || o.Duration > time.Minute:
		return invalid("--duration must be 10ms to 1m.")
	case o.Rounds < 1 || o.Rounds > maxRounds || o.Series < 0 || o.Series > maxSeries:
		return invalid("--rounds must be 1 to %d; --series 0 to %d.", maxRounds, maxSeries)
	}
	return nil
}

const (
	minResolveUnits = 1000
	maxConnections  = 1000
	maxRounds       = 100
	maxSeries       = 1000 // well within a product's units
)

// ResolveResult is what was measured; what was not asked for is null.
type ResolveResult struct {
	Database string `json:"database"`
	Server   string `json:"server_version"`
	CPUs     int    `json:"cpus"`
	// Durable: a commit was on the disk before it was reported.
	Durable     bool    `json:"durable"`
	Units       int64   `json:"units"`
	Connections int     `json:"connections"`
	Rounds      int     `json:"rounds"`
	Seconds     float64 `json:"seconds_per_phase"`

	// Cases are the bare handler and then what the resolver was asked for.
	Cases []CaseResult `json:"cases"`
	// Rates of the resolver against the bare handler, which the round measured next
	// to them.
	RatioKnown    *float64 `json:"ratio_known"`
	RatioInvented *float64 `json:"ratio_invented"`
	// First scans a second against what the database alone does of their inserts.
	RatioFirstScan               *float64 `json:"ratio_first_scan"`
	DatabaseActivationsPerSecond *float64 `json:"database_activations_per_second"`
	// DatabaseActivationsBy says what asked the database: "pgbench" or "loop".
	DatabaseActivationsBy string `json:"database_activations_by"`
	// ScansDropped is how many scans found no room in the buffer of those to be stored.
	ScansDropped int64 `json:"scans_dropped"`
	// PeakRSSBytes is that of this process, which has the load in it as well.
	PeakRSSBytes *float64 `json:"peak_rss_bytes"`

	// Of a series: the ratios after each job, and the median of the last three
	// against that of the first three.
	SeriesRatioKnown    []float64 `json:"series_ratio_known,omitempty"`
	SeriesRatioInvented []float64 `json:"series_ratio_invented,omitempty"`
	FlatnessKnown       *float64  `json:"flatness_known"`
	FlatnessInvented    *float64  `json:"flatness_invented"`
}

// CaseResult is one case's figures, medians over the rounds.
type CaseResult struct {
	Name              string  `json:"name"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	P99MS             float64 `json:"p99_ms"`
	// Ratio is the rate against the bare handler's.
	Ratio float64 `json:"ratio"`
}

// Cases of a round, in the order in which they are measured. The bare handler
// stands between the two that are compared with it.
const (
	caseKnown     = "known"    // active tokens
	caseBare      = "bare"     // the handler that does nothing
	caseInvented  = "invented" // serials that were never issued
	caseFirstScan = "first_scan"
	caseAgain     = "again" // what an earlier first scan activated
	caseRevoked   = "revoked"
	caseLot       = "lot_page"
	casePage      = "passport_page"
	caseLinkset   = "linkset"
)

var cases = []string{caseKnown, caseBare, caseInvented, caseFirstScan, caseAgain, caseRevoked, caseLot, casePage, caseLinkset}

// Resolve measures the resolver.
func Resolve(ctx context.Context, o ResolveOptions) (_ *ResolveResult, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	var db database
	if o.DatabaseURL != "" {
		db, err = newPostgres(ctx, o.DatabaseURL)
	} else {
		db, err = newSQLite(ctx, o.Data)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = mintage.Errorf(mintage.CodeUnavailable, "The benchmark was stopped.").WithCause(err)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		err = errors.Join(err, db.remove(ctx))
	}()
	r := &ResolveResult{
		Database: db.store().Engine(), CPUs: runtime.NumCPU(),
		Units: o.Units, Connections: o.Connections, Rounds: o.Rounds, Seconds: o.Duration.Seconds(),
	}
	if r.Server, r.Durable, err = db.facts(ctx); err != nil {
		return nil, err
	}
	w, err := newWorkshop(ctx, db, Options{Units: o.Units, Jobs: 1, Workers: 1, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	defer w.close()
	s, err := newStage(ctx, w, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.series(ctx, r); err != nil {
		return nil, err
	}
	if err := s.rounds(ctx, r); err != nil {
		return nil, err
	}
	r.ScansDropped = s.resolver.DroppedScans()
	return r, nil
}

// series mints the known product's units job by job, at least one, and measures after
// each.
func (s *stage) series(ctx context.Context, r *ResolveResult) error {
	for i := range max(1, s.Series) {
		if err := s.mintKnown(ctx); err != nil {
			return err
		}
		if s.Series == 0 {
			return nil
		}
		if _, err := s.measure(ctx, caseKnown); err != nil { // reads what is to be known
			return err
		}
		rates := make(map[string]float64)
		for _, name := range cases[:3] {
			f, err := s.measure(ctx, name)
			if err != nil {
				return err
			}
			rates[name] = f.rate
		}
		r.SeriesRatioKnown = append(r.SeriesRatioKnown, rates[caseKnown]/rates[caseBare])
		r.SeriesRatioInvented = append(r.SeriesRatioInvented, rates[caseInvented]/rates[caseBare])
		s.Progress("%d units: known %.0f, bare %.0f, invented %.0f requests/s.\n", int64(i+1)*s.Units, rates[caseKnown], rates[caseBare], rates[caseInvented])
	}
	r.FlatnessKnown, r.FlatnessInvented = lastToFirst(r.SeriesRatioKnown), lastToFirst(r.SeriesRatioInvented)
	return nil
}

// lastToFirst is the median of the last three values against that of the first three.
func lastToFirst(values []float64) *float64 {
	few := min(3, len(values))
	ratio := *median(values[len(values)-few:]) / *median(values[:few])
	return &ratio
}

func (s *stage) rounds(ctx context.Context, r *ResolveResult) error {
	if _, err := s.measure(ctx, caseKnown); err != nil { // reads what is to be known
		return err
	}
	rates, ratios, p99 := make(map[string][]float64), make(map[string][]float64), make(map[string][]float64)
	var database, firstScan []float64
	resetPeak()
	for round := range s.Rounds {
		if round == 0 && s.CPUProfile != nil {
			if err := pprof.StartCPUProfile(s.CPUProfile); err != nil {
				return err
			}
		}
		for _, name := range cases {
			f, err := s.measure(ctx, name)
			if round == 0 && s.CPUProfile != nil && name == caseKnown {
				pprof.StopCPUProfile()
			}
			if err != nil {
				return err
			}
			rates[name], p99[name] = append(rates[name], f.rate), append(p99[name], float64(f.p99.Microseconds())/1000)
			if name != caseFirstScan {
				continue
			}
			if err := s.w.db.settle(ctx); err != nil {
				return err
			}
			alone, by, err := s.alone(ctx, round)
			if err != nil {
				return err
			}
			r.DatabaseActivationsBy = by
			database, firstScan = append(database, alone), append(firstScan, f.rate/alone)
		}
		for _, name := range cases {
			ratios[name] = append(ratios[name], rates[name][round]/rates[caseBare][round])
		}
		s.Progress("Round %d of %d: known %.0f, bare %.0f, invented %.0f requests/s; first scans %.0f, the database alone %.0f.\n", round+1, s.Rounds,
			rates[caseKnown][round], rates[caseBare][round], rates[caseInvented][round], rates[caseFirstScan][round], database[round])
	}
	for _, name := range cases {
		r.Cases = append(r.Cases, CaseResult{Name: name, RequestsPerSecond: *median(rates[name]), P99MS: *median(p99[name]), Ratio: *median(ratios[name])})
	}
	r.RatioKnown, r.RatioInvented = median(ratios[caseKnown]), median(ratios[caseInvented])
	r.RatioFirstScan, r.DatabaseActivationsPerSecond = median(firstScan), median(database)
	if rss := s.w.peak(); rss > 0 {
		peak := float64(rss)
		r.PeakRSSBytes = &peak
	}
	return nil
}
