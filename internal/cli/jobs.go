package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
)

type submitCmd struct {
	brandFlag
	SKU             string   `help:"SKU of the product." xor:"product" required:"" name:"sku"`
	ProductID       string   `help:"ID of the product, instead of its SKU." xor:"product" required:"" placeholder:"ID"`
	Quantity        int64    `help:"Number of units, 1 to 1000000." required:"" placeholder:"N"`
	IdentityMode    string   `help:"serial or batch." enum:"serial,batch" default:"serial"`
	ActivationMode  string   `help:"active_at_mint or first_scan." enum:"active_at_mint,first_scan" default:"active_at_mint"`
	ProductionBatch string   `help:"Code of the production batch to mint against." placeholder:"CODE"`
	Lot             []string `help:"A lot and its quantity; may be repeated." placeholder:"CODE=N" sep:"none"`
	IdempotencyKey  string   `help:"Key that makes it safe to repeat the command." placeholder:"KEY"`
	Preflight       bool     `help:"Only say what stands in the way."`
	Wait            bool     `help:"Show the progress until the job is done."`
}

func (c *submitCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.submit(e, a, p) })
}

func (c *submitCmd) submit(e *env, a *app, p mintage.Principal) error {
	req, err := c.request(e, a, p)
	if err != nil {
		return err
	}
	if c.Preflight {
		return c.preflight(e, a, p, req)
	}
	sub, err := a.mint.Submit(e, p, req, c.IdempotencyKey)
	if err != nil {
		return err
	}
	status := sub.Status
	var failed error
	if c.Wait {
		// Whatever becomes of the watch, the job is there and is named below.
		w, err := a.watch(e, p, sub.JobID)
		if failed = err; err == nil {
			status, failed = w.Job.Status, failedJob(w)
		}
	}
	if e.JSON {
		return errors.Join(failed, e.printJSON(map[string]any{
			"mint_job_id": sub.JobID, "mint_batch_id": sub.BatchID, "status": status, "is_duplicate": sub.Duplicate,
		}))
	}
	again := ""
	if sub.Duplicate {
		again = " (this request was submitted before; nothing new was created)"
	}
	e.printf("Mint job %s is %s%s.\nIts batch is %s.\n", sub.JobID, status, again, sub.BatchID)
	return failed
}

// failedJob is the error to end with where a job that was waited for has failed.
func failedJob(w *store.Work) error {
	if w.Job.Status != mintage.JobFailed {
		return nil
	}
	return mintage.Errorf(mintage.CodeConflict, "The job has failed after %d of %d units, which stay: %s",
		w.Batch.MintedQuantity, w.Batch.RequestedQuantity, w.Job.LastError)
}

func (c *submitCmd) preflight(e *env, a *app, p mintage.Principal, req *mintage.MintRequest) error {
	reasons, err := a.mint.Preflight(e, p, req)
	if err != nil {
		return err
	}
	if len(reasons) > 0 {
		return &mintage.BlockedError{Reasons: reasons}
	}
	if e.JSON {
		return e.printJSON(map[string]any{"ready": true, "blocking_reasons": []string{}})
	}
	e.printf("Nothing stands in the way.\n")
	return nil
}

func (c *submitCmd) request(e *env, a *app, p mintage.Principal) (*mintage.MintRequest, error) {
	req := &mintage.MintRequest{
		ProductID: c.ProductID, RequestedQuantity: c.Quantity,
		IdentityMode: mintage.IdentityMode(c.IdentityMode), ActivationMode: mintage.ActivationMode(c.ActivationMode),
	}
	if c.SKU != "" {
		var err error
		if req.ProductID, err = productID(e, a, p, c.SKU); err != nil {
			return nil, err
		}
	}
	if c.ProductionBatch != "" {
		pb, err := a.catalogue.ProductionBatchByCode(e, p, c.ProductionBatch)
		if err != nil {
			return nil, err
		}
		req.ProductionBatchID = pb.ID
	}
	for _, text := range c.Lot {
		// The code may contain = itself; the quantity cannot.
		i := strings.LastIndexByte(text, '=')
		if i < 0 {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "Give each --lot as CODE=N.")
		}
		n, err := strconv.ParseInt(text[i+1:], 10, 64)
		if err != nil {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The quantity of a --lot must be a whole number: CODE=N.")
		}
		req.Lots = append(req.Lots, mintage.LotRequest{LotCode: text[:i], Quantity: n})
	}
	return req, nil
}

type jobsCmd struct {
	brandFlag
	Status string `help:"Only jobs in this state." enum:",QUEUED,RESERVED,PROCESSING,COMPLETED,FAILED" default:""`
	Limit  int    `help:"How many at most." default:"50" placeholder:"N"`
}

func (c *jobsCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.list(e, a, p) })
}

func (c *jobsCmd) list(e *env, a *app, p mintage.Principal) error {
	list, err := a.mint.List(e, p, mint.Filter{JobStatus: mintage.JobStatus(c.Status)}, store.Page{Limit: max(1, c.Limit)})
	if err != nil {
		return err
	}
	if e.JSON {
		items := make([]map[string]any, len(list))
		for i, w := range list {
			items[i] = map[string]any{
				"id": w.Job.ID, "mint_batch_id": w.Batch.ID, "status": w.Job.Status,
				"requested_quantity": w.Batch.RequestedQuantity, "minted_quantity": w.Batch.MintedQuantity,
				"last_error": w.Job.LastError, "created_at": w.Job.CreatedAt,
			}
		}
		return e.printJSON(map[string]any{"items": items})
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "JOB\tBATCH\tSTATUS\tMINTED\tREQUESTED\tSUBMITTED\tLAST ERROR")
	for _, w := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", w.Job.ID, w.Batch.ID, w.Job.Status,
			w.Batch.MintedQuantity, w.Batch.RequestedQuantity, w.Job.CreatedAt.Format("2006-01-02 15:04:05Z"), w.Job.LastError)
	}
	return t.Flush()
}

type exportCmd struct {
	Batch string `arg:"" help:"ID of the mint batch."`
	brandFlag
	Output string `help:"File to write, or - for standard output. It appears whole or not at all." short:"o" default:"-" placeholder:"FILE"`
}

func (c *exportCmd) Run(e *env) error {
	if e.JSON && c.Output == "-" {
		return mintage.Errorf(mintage.CodeInvalidInput, "With --json, name the file to write with --output.")
	}
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.export(e, a, p) })
}

func (c *exportCmd) export(e *env, a *app, p mintage.Principal) error {
	b, err := a.export.Batch(e, p, c.Batch)
	if err != nil {
		return err
	}
	if c.Output == "-" {
		return a.export.CSV(e, b, e.stdout, nil)
	}
	if err := writeWhole(c.Output, func(w *bufio.Writer) error { return a.export.CSV(e, b, w, nil) }); err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]any{"mint_batch_id": b.ID, "units": b.MintedQuantity, "file": c.Output})
	}
	e.printf("Wrote %d units to %s.\n", b.MintedQuantity, c.Output)
	return nil
}

// writeWhole writes a file under a temporary name and renames it when it is
// complete, so that a file cut short is never taken for a whole one.
func writeWhole(path string, write func(*bufio.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial")
	if err != nil {
		return mintage.Errorf(mintage.CodeInvalidInput, "The file %s cannot be written; check its path and permissions.", path).WithCause(err)
	}
	w := bufio.NewWriter(f)
	err = write(w)
	for _, finish := range []func() error{w.Flush, f.Sync, f.Close} {
		if e := finish(); err == nil {
			err = e
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}
