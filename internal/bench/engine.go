package bench

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
	"mintage/internal/serial"
)

// workshop is an installation in the scratch database, with its workers running.
type workshop struct {
	Options
	db        database
	keys      *mint.Keyring
	mintage   *mint.Service
	catalogue *catalogue.Service
	brand     mintage.Principal
	products  int

	stop    context.CancelFunc
	working sync.WaitGroup
	workers []*exec.Cmd
}

// now is the clock of times shown to people; databases keep microseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func newWorkshop(ctx context.Context, db database, o Options) (_ *workshop, err error) {
	master := serial.NewMasterKey()
	keys := mint.NewKeyring(master)
	w := &workshop{
		Options: o, db: db, keys: keys,
		mintage: mint.New(db.store(), keys, now), catalogue: catalogue.New(db.store(), now),
		stop: func() {},
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	brand := &mintage.Brand{Name: "Benchmark", ResolverBase: "https://id.bench.example"}
	if err := w.mintage.CreateBrand(ctx, brand, "bench"); err != nil {
		return nil, err
	}
	w.brand = mintage.Principal{BrandNumber: brand.Number, Role: mintage.RoleOwner, Actor: "bench"}
	if o.Workers > 1 {
		if err := w.startWorkers(ctx, master); err != nil {
			return nil, err
		}
	} else {
		engine := mint.NewEngine(db.store(), keys, mint.Options{Actor: "bench", Now: now})
		var working context.Context
		working, w.stop = context.WithCancel(ctx)
		w.working.Go(func() { engine.Run(working) })
	}
	// One cycle ahead of all measures opens connections, prepares statements and
	// shows that somebody works.
	units := w.Units
	w.Units = min(units, mintage.MaxCycle)
	_, err = w.mint(ctx, 1)
	w.Units = units
	return w, err
}

// startWorkers starts worker processes and waits until each has said that it
// works. They get what is secret by their environment and nothing else of ours.
func (w *workshop) startWorkers(ctx context.Context, master serial.MasterKey) error {
	url := w.db.(*postgresBench).url //nolint:forcetypeassert // several workers need PostgreSQL, see Validate
	env := []string{"MINTAGE_DATABASE_URL=" + url, "MINTAGE_MASTER_KEY=" + master.Encode(), "MINTAGE_LOG_FORMAT=text"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MINTAGE_") {
			env = append(env, v)
		}
	}
	for range w.Workers {
		cmd := exec.CommandContext(ctx, w.Program, "worker") //nolint:gosec // this program
		cmd.Env = env
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = removeTimeout
		stderr, err := cmd.StderrPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		w.workers = append(w.workers, cmd)
		said := bufio.NewReader(stderr)
		for {
			line, err := said.ReadString('\n')
			if err != nil {
				return mintage.Errorf(mintage.CodeInternal, "A worker process did not start.").WithCause(err)
			}
			if strings.Contains(line, "msg=working") {
				break
			}
		}
		w.working.Go(func() { _, _ = io.Copy(io.Discard, said) }) // or it would block some day
	}
	return nil
}

func (w *workshop) close() {
	w.stop()
	for _, cmd := range w.workers {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	}
	w.working.Wait() // their output has ended, as Wait demands
	for _, cmd := range w.workers {
		_ = cmd.Wait() // what it did is in the database
	}
}

func (w *workshop) newProduct(ctx context.Context) (*mintage.Product, error) {
	w.products++
	n := strconv.Itoa(w.products)
	return w.catalogue.CreateProduct(ctx, w.brand, catalogue.ProductInput{SKU: "BENCH-" + n, Name: "Product " + n})
}

// run is what minting took: until the last unit was committed, and from the
// answer to the first submission until another connection saw units.
type run struct{ took, visible time.Duration }

// Intervals at which progress is looked up: short until the first units show and
// again near the end, else so that looking costs the workers next to nothing.
const (
	lookClosely = time.Millisecond
	look        = 20 * time.Millisecond
)

// mint mints jobs of one new product.
func (w *workshop) mint(ctx context.Context, jobs int) (run, error) {
	product, err := w.newProduct(ctx)
	if err != nil {
		return run{}, err
	}
	return w.submit(ctx, &mintage.MintRequest{
		ProductID: product.ID, RequestedQuantity: w.Units,
		IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
	}, jobs)
}

// submit submits the same request so often at once and waits until all its jobs have
// ended.
func (w *workshop) submit(ctx context.Context, request *mintage.MintRequest, jobs int) (r run, err error) {
	mintedBefore, endedBefore, err := w.db.progress(ctx)
	if err != nil {
		return r, err
	}
	var answered time.Time
	started := time.Now()
	for i := range jobs {
		if _, err := w.mintage.Submit(ctx, w.brand, request, ""); err != nil {
			return r, err
		}
		if i == 0 {
			answered = time.Now()
		}
	}
	ticker := time.NewTicker(lookClosely)
	defer ticker.Stop()
	for total := request.RequestedQuantity * int64(jobs); ; {
		minted, ended, err := w.db.progress(ctx)
		if err != nil {
			return r, err
		}
		switch done := minted - mintedBefore; {
		case done > 0 && r.visible == 0:
			r.visible = time.Since(answered)
			ticker.Reset(look)
		case done > total/10*9:
			ticker.Reset(lookClosely)
		}
		if ended-endedBefore == int64(jobs) {
			r.took = time.Since(started)
			if minted-mintedBefore != total {
				return r, mintage.Errorf(mintage.CodeInternal, "A job of the benchmark failed.")
			}
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-ticker.C:
		}
	}
}

// resetPeak makes the kernel forget this process's peak of memory, after what
// other phases used was given back. Where it cannot, the peak is theirs too.
func resetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// peak is the largest resident memory of any worker in bytes, 0 if unknown.
func (w *workshop) peak() (largest int64) {
	pids := []string{"self"}
	if len(w.workers) > 0 {
		pids = nil
		for _, cmd := range w.workers {
			pids = append(pids, strconv.Itoa(cmd.Process.Pid))
		}
	}
	for _, pid := range pids {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			return 0
		}
		_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
		fields := bytes.Fields(after)
		if len(fields) == 0 {
			return 0
		}
		kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil {
			return 0
		}
		largest = max(largest, kib<<10)
	}
	return largest
}
