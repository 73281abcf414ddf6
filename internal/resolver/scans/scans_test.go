package scans_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mintage"
	"mintage/internal/resolver/scans"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

var quiet = slog.New(slog.DiscardHandler)

func scanOf(product, ordinal int64) mintage.Scan {
	return mintage.Scan{
		ProductNumber: product, Ordinal: ordinal, At: time.Date(2027, 3, 3, 9, 0, int(ordinal), 0, time.UTC),
		Network: "192.0.2.0/24", Agent: mintage.AgentPhone, Language: "de", Outcome: mintage.ScanActive,
	}
}

// TestStored writes scans of two brands to real databases: each second, and what is
// left at the end.
func TestStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		one, two := f.NewBrand(), f.NewBrand()
		p, q := f.NewProduct(one), f.NewProduct(two)
		stored := func(product, ordinal int64) (list []*mintage.Scan) {
			t.Helper()
			err := db.Read(t.Context(), func(r store.Reader) (err error) {
				list, err = r.Scans(t.Context(), product, ordinal, 5000)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return list
		}

		b := scans.New(db, quiet)
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { b.Run(ctx); close(ended) }()
		for range 2500 {
			b.Add(one.Number, scanOf(p.Number, 0))
		}
		b.Add(two.Number, scanOf(q.Number, 7))
		b.Add(one.Number, mintage.Scan{Ordinal: -1, At: time.Now(), Agent: mintage.AgentRobot, Outcome: mintage.ScanNotIssued})
		storetest.Eventually(t, "all scans are stored", func() bool { return len(stored(p.Number, 0)) == 2500 && len(stored(q.Number, 7)) == 1 })
		if got, want := *stored(q.Number, 7)[0], scanOf(q.Number, 7); got != want {
			t.Errorf("stored %+v instead of %+v", got, want)
		}

		b.Add(two.Number, scanOf(q.Number, 8))
		end()
		<-ended
		if n := len(stored(q.Number, 8)); n != 1 {
			t.Errorf("%d scans were stored at the end instead of 1", n)
		}
		b.Add(two.Number, scanOf(q.Number, 9))
		if n := b.Dropped(); n != 1 {
			t.Errorf("%d scans count as dropped instead of the one after the end", n)
		}
	})
}

// TestForeignProduct loses what the database refuses, and nothing else.
func TestForeignProduct(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db)
	one, two := f.NewBrand(), f.NewBrand()
	q := f.NewProduct(two)
	b := scans.New(db.As(t, "mintage_resolver"), quiet)
	b.Add(one.Number, scanOf(q.Number, 1)) // of a product that is another brand's
	b.Add(two.Number, scanOf(q.Number, 2))
	b.Add(two.Number, scanOf(q.Number, 2))
	ctx, end := context.WithCancel(t.Context())
	end()
	b.Run(ctx)
	if n := b.Dropped(); n != 1 {
		t.Errorf("%d scans were dropped instead of 1", n)
	}
	err := db.Read(t.Context(), func(r store.Reader) error {
		list, err := r.Scans(t.Context(), q.Number, 2, 10)
		if len(list) != 2 {
			t.Errorf("%d of the other brand's scans were stored instead of 2", len(list))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// place is a store of which only the outcome matters.
type place struct {
	store.Transactions
	gate chan struct{} // if set, a transaction waits for it

	mu       sync.Mutex
	err      error
	attempts int
	sizes    []int
}

func (p *place) For(int64) store.Transactions { return p }

func (p *place) InTx(ctx context.Context, fn func(store.Tx) error) error {
	if p.gate != nil {
		select {
		case <-p.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts++
	if p.err != nil {
		return p.err
	}
	return fn(&placeTx{place: p})
}

type placeTx struct {
	store.Tx
	*place
}

func (t *placeTx) AppendScans(_ context.Context, s []mintage.Scan) error {
	t.sizes = append(t.sizes, len(s))
	return nil
}

func (p *place) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// took is how many scans were stored, in which transactions, and after how many tries.
func (p *place) took() (n int, sizes []int, attempts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sizes {
		n += s
	}
	return n, p.sizes, p.attempts
}

// wantTook checks how many scans were stored and dropped.
func wantTook(t *testing.T, what string, p *place, b *scans.Buffer, took, dropped int) {
	t.Helper()
	if n, _, _ := p.took(); n != took || b.Dropped() != int64(dropped) {
		t.Errorf("%s: %d scans were stored and %d dropped, instead of %d and %d", what, n, b.Dropped(), took, dropped)
	}
}

// run starts a buffer in a bubble and returns how to end it.
func run(t *testing.T, b *scans.Buffer) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { b.Run(ctx); close(ended) }()
	synctest.Wait()
	return func() { cancel(); <-ended }
}

// wait lets time pass in a bubble.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func add(b *scans.Buffer, n int) {
	for range n {
		b.Add(1, scanOf(1, 1))
	}
}

// TestWhen writes after a second, or as soon as enough wait.
func TestWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		b := scans.New(p, quiet)
		defer run(t, b)()
		add(b, scans.MaxBatch-1)
		wait(900 * time.Millisecond)
		wantTook(t, "before a second is over", p, b, 0, 0)
		add(b, 1)
		synctest.Wait()
		wantTook(t, "as soon as enough wait", p, b, scans.MaxBatch, 0)
		add(b, 3)
		wait(time.Second)
		wantTook(t, "after a second", p, b, scans.MaxBatch+3, 0)
		add(b, scans.MaxBatch*5/2)
		wait(time.Second)
		wantTook(t, "many at once", p, b, scans.MaxBatch*7/2+3, 0)
		_, sizes, _ := p.took()
		if most := slices.Max(sizes); most > scans.MaxBatch {
			t.Errorf("a transaction had %d scans", most)
		}
	})
}

// TestOutage keeps scans while the database is away, drops those that do not fit, and
// never blocks.
func TestOutage(t *testing.T) {
	for _, code := range []mintage.Code{mintage.CodeUnavailable, mintage.CodeRetry, mintage.CodeOldSchema} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			p := &place{}
			p.fail(mintage.Errorf(code, "The database is away."))
			b := scans.New(p, slog.New(slog.NewTextHandler(&log, nil)))
			end := run(t, b)
			add(b, scans.Room)
			wait(3 * time.Second)
			add(b, 5)
			wait(time.Second)
			wantTook(t, "while it is away", p, b, 0, 5)
			if _, _, attempts := p.took(); attempts > 6 {
				t.Errorf("the database was asked %d times in 4 seconds", attempts)
			}
			p.fail(nil)
			wait(time.Second)
			wantTook(t, "after it", p, b, scans.Room, 5)
			add(b, 5)
			wait(time.Second)
			wantTook(t, "when there is room again", p, b, scans.Room+5, 5)
			if n := b.Held(); n != 0 {
				t.Errorf("%d scans are held after all were stored", n)
			}
			end()
			if begin, end := strings.Count(log.String(), "scans are dropped"), strings.Count(log.String(), "noted again"); begin != 1 || end != 1 {
				t.Errorf("the log says %d times that scans are dropped and %d times that they no longer are:\n%s", begin, end, log.String())
			}
			if pauses, back := strings.Count(log.String(), "pauses"), strings.Count(log.String(), "goes on"); pauses != 1 || back != 1 {
				t.Errorf("the log says %d times that writing pauses and %d times that it goes on:\n%s", pauses, back, log.String())
			}
		})
	}
}

// TestHanging goes on taking scans while a transaction hangs, and ends it.
func TestHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{gate: make(chan struct{})}
		b := scans.New(p, quiet)
		defer run(t, b)()
		add(b, scans.MaxBatch)
		synctest.Wait()
		add(b, scans.Room-scans.MaxBatch+1)
		wantTook(t, "what is being written takes room too", p, b, 0, 1)
		wait(11 * time.Second)
		close(p.gate)
		wait(2 * time.Second)
		wantTook(t, "when it goes on", p, b, scans.Room, 1)
	})
}

// TestRefused counts what is not stored, and never stores a scan twice.
func TestRefused(t *testing.T) {
	for _, code := range []mintage.Code{mintage.CodeInternal, mintage.CodeInvalidInput, mintage.CodeNotFound, mintage.CodeUnknown} {
		synctest.Test(t, func(t *testing.T) {
			p := &place{}
			p.fail(mintage.Errorf(code, "No."))
			b := scans.New(p, quiet)
			defer run(t, b)()
			add(b, 7)
			wait(time.Second)
			p.fail(nil)
			wait(time.Second)
			wantTook(t, string(code), p, b, 0, 7)
		})
	}
}

// TestEndWithoutDatabase ends in time and counts what is lost.
func TestEndWithoutDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{gate: make(chan struct{})}
		b := scans.New(p, quiet)
		end := run(t, b)
		add(b, 12)
		began := time.Now()
		end()
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("the end took %s", d)
		}
		wantTook(t, "at the end", p, b, 0, 12)
	})
}
