package bench

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Options say what to measure.
type Options struct {
	Units   int64 // of each job
	Jobs    int   // that are submitted at once, and may overlap
	Workers int   // 1: an engine in this process; more: processes, PostgreSQL only
	Preload int64 // rows in both tables before the first round
	Rounds  int
	Series  int // jobs one after another, before the rounds

	DatabaseURL string // of the PostgreSQL server; "" for SQLite
	Data        string // folder in whose file system SQLite's scratch folder is made
	Program     string // mintage, for worker processes
	CPUProfile  io.Writer
	Progress    func(format string, args ...any) // tells people what goes on
}

// Validate refuses what cannot be measured.
func (o Options) Validate() error {
	switch {
	case o.Units < 1 || o.Units > mintage.MaxRequestQuantity:
		return invalid("--units must be 1 to %d.", mintage.MaxRequestQuantity)
	case o.Jobs < 1 || o.Workers < 1 || o.Preload < 0 || o.Series < 0 || o.Rounds < 0:
		return invalid("--jobs and --workers must be at least 1; --preload, --series and --rounds not negative.")
	case o.Rounds == 0 && o.Series == 0:
		return invalid("With --rounds 0, ask for a --series.")
	case o.Workers > 1 && o.DatabaseURL == "":
		return invalid("Several workers need PostgreSQL; name one with --database-url.")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return mintage.Errorf(mintage.CodeInvalidInput, format, args...)
}

// Result is what was measured; what was not asked for, or cannot be known, is
// null.
type Result struct {
	Database string `json:"database"`
	Server   string `json:"server_version"`
	CPUs     int    `json:"cpus"`
	// Durable: a commit was on the disk before it was reported.
	Durable bool  `json:"durable"`
	Units   int64 `json:"units"`
	Jobs    int   `json:"jobs"`
	Workers int   `json:"workers"`
	Preload int64 `json:"preload"`
	Rounds  int   `json:"rounds"`

	UnitsPerSecond      *float64 `json:"units_per_second"`
	FloorUnitsPerSecond *float64 `json:"floor_units_per_second"`
	NaiveUnitsPerSecond *float64 `json:"naive_units_per_second"`
	RatioToFloor        *float64 `json:"ratio_to_floor"`
	RatioToNaive        *float64 `json:"ratio_to_naive"`
	FirstUnitsVisibleMS *float64 `json:"first_units_visible_ms"`
	WALBytesPerUnit     *float64 `json:"wal_bytes_per_unit"`
	TableBytesPerUnit   *float64 `json:"table_bytes_per_unit"`
	PeakRSSBytes        *float64 `json:"peak_rss_bytes"`

	// Of several jobs: the rate of one alone, with the same workers, and that of all
	// together against it.
	OneJobUnitsPerSecond *float64 `json:"one_job_units_per_second"`
	RatioToOneJob        *float64 `json:"ratio_to_one_job"`

	// Of a series: the median of its last three jobs' rates against that of its
	// first three.
	LastToFirstRatio *float64  `json:"last_to_first_ratio"`
	SeriesRates      []float64 `json:"series_units_per_second,omitempty"`
}

// database is a scratch database: what is measured differs by engine.
type database interface {
	store() store.Store
	// facts returns the server's version, and whether its commits are durable.
	facts(ctx context.Context) (version string, durable bool, err error)
	// fillNaive makes the table of the naive way anew, with n rows in it.
	fillNaive(ctx context.Context, n int64) error
	// settle writes out what earlier phases left in memory.
	settle(ctx context.Context) error
	// floor inserts units in one transaction and returns how long the database took.
	floor(ctx context.Context, product, first int64, codes []serial.Code) (time.Duration, error)
	// naive inserts n rows the naive way.
	naive(ctx context.Context, n int64) (time.Duration, error)
	// size is that of the units' table and index, in bytes.
	size(ctx context.Context) (int64, error)
	// wal is how much has been written to the log, in bytes; -1 where nobody knows.
	wal(ctx context.Context) (int64, error)
	// progress looks, over a connection of its own, how many units are committed
	// and how many jobs have ended.
	progress(ctx context.Context) (minted, ended int64, err error)
	// activations does nothing but activate units for so long, and returns how many
	// a second, and by what means.
	activations(ctx context.Context, a activations) (perSecond float64, by string, err error)
	// remove removes the scratch database.
	remove(ctx context.Context) error
}

// removeTimeout bounds the removal of the scratch database, for which the
// context may have ended already.
const removeTimeout = 30 * time.Second

// Mint measures minting.
func Mint(ctx context.Context, o Options) (_ *Result, err error) {
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
	r := &Result{
		Database: db.store().Engine(), CPUs: runtime.NumCPU(),
		Units: o.Units, Jobs: o.Jobs, Workers: o.Workers, Preload: o.Preload, Rounds: o.Rounds,
	}
	if r.Server, r.Durable, err = db.facts(ctx); err != nil {
		return nil, err
	}
	w, err := newWorkshop(ctx, db, o)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := w.preload(ctx); err != nil {
		return nil, err
	}
	if err := w.series(ctx, r); err != nil {
		return nil, err
	}
	return r, w.rounds(ctx, r)
}

// preload fills both tables.
func (w *workshop) preload(ctx context.Context) error {
	if w.Preload > 0 {
		w.Progress("Filling both tables with %d rows.\n", w.Preload)
	}
	product, err := w.newProduct(ctx)
	if err != nil {
		return err
	}
	for first := int64(0); first < w.Preload; first += w.Units {
		if _, err := w.floor(ctx, product, first, min(w.Units, w.Preload-first)); err != nil {
			return err
		}
	}
	return w.db.fillNaive(ctx, w.Preload)
}

// floor measures the database alone, with the units of one job: COPY takes them
// at the same rate however many jobs there are.
func (w *workshop) floor(ctx context.Context, product *mintage.Product, first, count int64) (time.Duration, error) {
	cipher, err := serial.NewCipher(serial.NewBrandKey(), product.Code)
	if err != nil {
		return 0, err
	}
	codes := make([]serial.Code, count)
	cipher.Fill(codes, uint64(first))
	return w.db.floor(ctx, product.Number, first, codes)
}

// series mints jobs one after another and compares the last with the first.
func (w *workshop) series(ctx context.Context, r *Result) error {
	if w.Series == 0 {
		return nil
	}
	for i := range w.Series {
		if err := w.db.settle(ctx); err != nil {
			return err
		}
		run, err := w.mint(ctx, 1)
		if err != nil {
			return err
		}
		r.SeriesRates = append(r.SeriesRates, rate(w.Units, run.took))
		w.Progress("Job %d of %d: %.0f units/s.\n", i+1, w.Series, r.SeriesRates[i])
	}
	few := min(3, w.Series)
	ratio := *median(r.SeriesRates[w.Series-few:]) / *median(r.SeriesRates[:few])
	r.LastToFirstRatio = &ratio
	return nil
}

// samples are the figures of all rounds.
type samples struct {
	engine, floor, naive, toFloor, toNaive, visible, wal, size, rss, oneJob, toOneJob []float64
}

func (w *workshop) rounds(ctx context.Context, r *Result) error {
	var s samples
	for i := range w.Rounds {
		if err := w.round(ctx, &s, i == 0 && w.CPUProfile != nil); err != nil {
			return err
		}
		w.Progress("Round %d of %d: engine %.0f, floor %.0f, naive %.0f units/s.\n", i+1, w.Rounds, s.engine[i], s.floor[i], s.naive[i])
	}
	r.UnitsPerSecond, r.FloorUnitsPerSecond, r.NaiveUnitsPerSecond = median(s.engine), median(s.floor), median(s.naive)
	r.RatioToFloor, r.RatioToNaive = median(s.toFloor), median(s.toNaive)
	r.OneJobUnitsPerSecond, r.RatioToOneJob = median(s.oneJob), median(s.toOneJob)
	r.FirstUnitsVisibleMS, r.WALBytesPerUnit, r.TableBytesPerUnit = median(s.visible), median(s.wal), median(s.size)
	if len(s.rss) > 0 {
		peak := slices.Max(s.rss)
		r.PeakRSSBytes = &peak
	}
	return nil
}

// round measures the phases once. A profile is of the engine's alone.
func (w *workshop) round(ctx context.Context, s *samples, profile bool) error {
	if err := w.db.settle(ctx); err != nil {
		return err
	}
	size, err := w.db.size(ctx)
	if err != nil {
		return err
	}
	wal, err := w.db.wal(ctx)
	if err != nil {
		return err
	}
	resetPeak()
	if profile {
		if err := pprof.StartCPUProfile(w.CPUProfile); err != nil {
			return err
		}
	}
	run, err := w.mint(ctx, w.Jobs)
	if profile {
		pprof.StopCPUProfile()
	}
	if err != nil {
		return err
	}
	units := float64(w.Units * int64(w.Jobs))
	if rss := w.peak(); rss > 0 {
		s.rss = append(s.rss, float64(rss))
	}
	walAfter, err := w.db.wal(ctx)
	if err != nil {
		return err
	}
	if wal >= 0 {
		s.wal = append(s.wal, float64(walAfter-wal)/units)
	}
	if err := w.db.settle(ctx); err != nil {
		return err
	}
	sizeAfter, err := w.db.size(ctx)
	if err != nil {
		return err
	}
	s.size = append(s.size, float64(sizeAfter-size)/units)

	if w.Jobs > 1 {
		alone, err := w.mint(ctx, 1)
		if err != nil {
			return err
		}
		one := rate(w.Units, alone.took)
		s.oneJob, s.toOneJob = append(s.oneJob, one), append(s.toOneJob, units/run.took.Seconds()/one)
		if err := w.db.settle(ctx); err != nil {
			return err
		}
	}
	product, err := w.newProduct(ctx)
	if err != nil {
		return err
	}
	floor, err := w.floor(ctx, product, 0, w.Units)
	if err != nil {
		return err
	}
	if w.Preload == 0 { // else it grows by a small part each round
		if err := w.db.fillNaive(ctx, 0); err != nil {
			return err
		}
	}
	if err := w.db.settle(ctx); err != nil {
		return err
	}
	naive, err := w.db.naive(ctx, w.Units)
	if err != nil {
		return err
	}
	engineRate, floorRate, naiveRate := units/run.took.Seconds(), rate(w.Units, floor), rate(w.Units, naive)
	s.engine, s.floor, s.naive = append(s.engine, engineRate), append(s.floor, floorRate), append(s.naive, naiveRate)
	s.toFloor, s.toNaive = append(s.toFloor, engineRate/floorRate), append(s.toNaive, engineRate/naiveRate)
	s.visible = append(s.visible, float64(run.visible.Microseconds())/1000)
	return nil
}

func rate(n int64, d time.Duration) float64 { return float64(n) / d.Seconds() }

// median returns the middle one, the mean of the middle two, or nil of none.
func median(values []float64) *float64 {
	n := len(values)
	if n == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	m := (sorted[(n-1)/2] + sorted[n/2]) / 2
	return &m
}
