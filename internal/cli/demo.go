package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"mintage"
	"mintage/examples"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
	"mintage/internal/store"
)

// What the demo mints, from examples/.
const (
	demoBrand    = "Fjordlane Mobility (demo)"
	demoSKU      = "FL-BIKE-36V14"
	demoRun      = "PB-2027-0731"
	blockedSKU   = "FL-EV-MOD-08"
	blockedRun   = "PB-2027-0820"
	demoQuantity = 1_200_000
)

type demoCmd struct {
	engineFlags
	planeFlags
	Units int64 `help:"Number of units to mint, 1 to 1000000." default:"1000000" placeholder:"N"`
	Once  bool  `help:"Exit after the summary instead of serving."`
}

// Validate is called by kong, which knows nothing of what is embedded.
func (c *demoCmd) Validate() error {
	return errors.Join(c.engineFlags.Validate(), c.planeFlags.Validate())
}

func (c *demoCmd) Run(e *env) error {
	if c.Units < 1 || c.Units > mintage.MaxRequestQuantity {
		return mintage.Errorf(mintage.CodeInvalidInput, "--units must be 1 to %d.", mintage.MaxRequestQuantity)
	}
	defer e.stopInTime()()
	a, err := e.open(roleWorker) // which also may make a brand
	if err != nil {
		return err
	}
	defer a.close(e)
	engine := c.engine(e, a)
	if c.Once {
		_, err := c.mint(e, a, demoBase(c.ResolverListen, c.TLSCert != ""), engine.Run)
		return err
	}
	s, err := a.newServing(e, c.planeFlags, []role{roleAPI, roleWeb, roleResolver}, engine) // takes the addresses before all the work
	if err != nil {
		return err
	}
	scannable, err := c.mint(e, a, demoBase(s.planes[len(s.planes)-1].listener.Addr().String(), c.TLSCert != ""), engine.Run)
	if err != nil {
		return errors.Join(err, s.close())
	}
	link, err := s.firstLink(e)
	if err != nil {
		return errors.Join(err, s.close())
	}
	e.printf("\nServing on %s until you press Ctrl-C. For the API, make a key: mintage key create --role operator\n", s.baseURL)
	e.printf("To scan a unit, open its URL in a browser:\n\n  %s\n", scannable)
	e.printLink(link)
	return s.run(e)
}

// mint tells the whole story of a mint request once, with work running beside it, and
// returns the resolver URL of one of its units.
func (c *demoCmd) mint(e *env, a *app, base string, work func(context.Context)) (scannable string, err error) {
	p, err := demoPrincipal(e, a, base)
	if err != nil {
		return "", err
	}
	if err := demoImport(e, a, p); err != nil {
		return "", err
	}
	blocked, err := demoBlocked(e, a, p)
	if err != nil {
		return "", err
	}
	req, err := c.request(e, a, p)
	if err != nil {
		return "", err
	}

	ctx, stop := context.WithCancel(e)
	var wg sync.WaitGroup
	wg.Go(func() { work(ctx) })
	defer wg.Wait()
	defer stop()

	key := "demo-" + rand.Text()
	started := time.Now()
	first, err := a.mint.Submit(e, p, req, key)
	if err != nil {
		return "", err
	}
	again, err := a.mint.Submit(e, p, req, key)
	if err != nil {
		return "", err
	}
	e.printf("\n3. A request for %d units of %s: accepted, job %s.\n", c.Units, demoSKU, first.JobID)
	e.printf("4. The same request again, with the same key: is_duplicate %t, the same job %t.\n\n", again.Duplicate, again.JobID == first.JobID)
	w, err := a.watch(e, p, first.JobID)
	if err != nil {
		return "", err
	}
	seconds := w.Job.FinishedAt.Sub(started).Seconds()
	units, err := a.mint.Units(e, p, w.Batch.ID, -1, 3)
	if err != nil {
		return "", err
	}
	samples := make([]string, len(units))
	for i, u := range units {
		samples[i] = u.ResolverURL
	}
	if e.JSON {
		return "", errors.Join(failedJob(w), e.printJSON(map[string]any{
			"mint_job_id": w.Job.ID, "mint_batch_id": w.Batch.ID, "status": w.Job.Status,
			"requested_quantity": w.Batch.RequestedQuantity, "minted_quantity": w.Batch.MintedQuantity,
			"seconds": seconds, "units_per_second": float64(w.Batch.MintedQuantity) / seconds,
			"database":               a.store.Engine(),
			"duplicate_is_duplicate": again.Duplicate && again.JobID == first.JobID && again.BatchID == first.BatchID,
			"blocked_reasons":        blocked, "sample_resolver_urls": samples,
		}))
	}
	e.printf("\n%s: %d of %d units in %.2f s, %.0f a second, on %s.\n", w.Job.Status, w.Batch.MintedQuantity,
		w.Batch.RequestedQuantity, seconds, float64(w.Batch.MintedQuantity)/seconds, a.store.Engine())
	for _, url := range samples {
		e.printf("  %s\n", url)
	}
	e.printf("For the printer: mintage export %s\n", w.Batch.ID)
	return samples[0], failedJob(w)
}

// demoBase is the resolver base of an address to listen on, as a browser on this
// machine reaches it.
func demoBase(address string, secure bool) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address // which cannot be listened on either
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if port == "0" { // any that is free; what is not served needs none
		port = "8081"
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// demoPrincipal finds the demo's brand of an earlier run, or creates it. Its units are
// printed with the base that is served now; what an earlier run printed keeps its own.
func demoPrincipal(e *env, a *app, base string) (mintage.Principal, error) {
	brands, err := a.mint.Brands(e)
	if err != nil {
		return mintage.Principal{}, err
	}
	for _, b := range brands {
		if b.Name != demoBrand {
			continue
		}
		p, err := a.principal(e, b.ID)
		if err == nil && b.ResolverBase != base {
			_, err = a.mint.UpdateBrand(e, p, mint.SettingsPatch{ResolverBase: &base})
		}
		return p, err
	}
	b := &mintage.Brand{Name: demoBrand, ResolverBase: base, LotFromProductionBatch: true}
	if err := a.mint.CreateBrand(e, b, "cli"); err != nil {
		return mintage.Principal{}, err
	}
	return a.principal(e, b.ID)
}

func demoImport(e *env, a *app, p mintage.Principal) error {
	refuse := func(r catalogue.Row) error {
		if !r.Accepted {
			return mintage.Errorf(mintage.CodeInternal, "Row %d of the demo's own file was refused: %s", r.Row, r.Message)
		}
		return nil
	}
	products, err := a.catalogue.ImportProducts(e, p, bytes.NewReader(examples.Catalogue), refuse)
	if err != nil {
		return err
	}
	runs, err := a.catalogue.ImportProductionBatches(e, p, bytes.NewReader(examples.ProductionBatches), refuse)
	if err != nil {
		return err
	}
	e.printf("1. Imported %d products (%d new) and %d production batches (%d new).\n", products.Rows, products.Created, runs.Rows, runs.Created)
	return nil
}

// demoBlocked shows a request with everything that stands in its way, and
// returns the codes.
func demoBlocked(e *env, a *app, p mintage.Principal) ([]mintage.Code, error) {
	id, err := productID(e, a, p, blockedSKU)
	if err != nil {
		return nil, err
	}
	run, err := a.catalogue.ProductionBatchByCode(e, p, blockedRun)
	if err != nil {
		return nil, err
	}
	_, err = a.mint.Submit(e, p, &mintage.MintRequest{
		ProductID: id, ProductionBatchID: run.ID, RequestedQuantity: run.Quantity + 1,
		IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
	}, "")
	reasons := blockingReasons(err)
	if reasons == nil {
		return nil, fmt.Errorf("the demo's blocked request was not blocked: %w", err)
	}
	e.printf("\n2. A request for %d units of %s, blocked for %d reasons:\n", run.Quantity+1, blockedSKU, len(reasons))
	codes := make([]mintage.Code, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
		e.printf("   %-34s %-40s %s\n", r.Code, r.Field, r.Message)
	}
	return codes, nil
}

// request asks for the demo's units against a run that has enough left. When
// earlier demos used a run up, the ERP announces the next one.
func (c *demoCmd) request(e *env, a *app, p mintage.Principal) (*mintage.MintRequest, error) {
	id, err := productID(e, a, p, demoSKU)
	if err != nil {
		return nil, err
	}
	code := demoRun
	for n := 2; ; n++ {
		run, err := a.catalogue.ProductionBatchByCode(e, p, code)
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
			run, _, err = a.catalogue.PutProductionBatch(e, p, catalogue.ProductionBatchInput{
				Code: code, ProductID: id, Quantity: demoQuantity, Status: mintage.ProductionReady,
			})
		}
		if err != nil {
			return nil, err
		}
		if run.Remaining(0) >= c.Units {
			return &mintage.MintRequest{
				ProductID: id, ProductionBatchID: run.ID, RequestedQuantity: c.Units,
				IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
			}, nil
		}
		code = fmt.Sprintf("%s-%d", demoRun, n)
	}
}

// productID finds a product by its SKU.
func productID(e *env, a *app, p mintage.Principal, sku string) (string, error) {
	found, err := a.catalogue.Products(e, p, store.ProductFilter{SKU: sku}, store.Page{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", mintage.Errorf(mintage.CodeNotFound, "There is no product with the SKU %s; import it first.", sku)
	}
	return found[0].ID, nil
}
