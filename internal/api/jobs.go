package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/mint"
)

// mintJob is a mint job as it is shown.
type mintJob struct {
	ID                string            `json:"id" format:"uuid" doc:"The mint_job_id."`
	BatchID           string            `json:"mint_batch_id" format:"uuid" doc:"What the job makes or made."`
	ProductID         string            `json:"product_id" format:"uuid" doc:"The product, by its id."`
	Status            mintage.JobStatus `json:"status" doc:"QUEUED: waits for a worker. RESERVED: a worker has claimed it, no unit exists yet. PROCESSING: units exist, more are to come. COMPLETED: all exist. FAILED: three cycles in a row failed; what was minted stays."`
	RequestedQuantity int64             `json:"requested_quantity"`
	MintedQuantity    int64             `json:"minted_quantity" doc:"How many units exist."`
	ConsecutiveErrors int               `json:"consecutive_errors" doc:"Failed cycles since the last good one; the third in a row makes the job FAILED."`
	LastError         *string           `json:"last_error" doc:"Of the latest failed cycle."`
	SubmittedBy       string            `json:"submitted_by" doc:"Who: key:… and the API key's id, or cli."`
	CreatedAt         time.Time         `json:"created_at"`
	StartedAt         *time.Time        `json:"started_at" doc:"When the first units came to be."`
	FinishedAt        *time.Time        `json:"finished_at" doc:"When it became COMPLETED or FAILED."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (mintJob) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.JobStatuses)})
}

func showJob(w *mint.Work) mintJob {
	return mintJob{
		ID: w.Job.ID, BatchID: w.Batch.ID, ProductID: w.Batch.ProductID, Status: w.Job.Status,
		RequestedQuantity: w.Batch.RequestedQuantity, MintedQuantity: w.Batch.MintedQuantity,
		ConsecutiveErrors: w.Job.ConsecutiveErrors, LastError: text(w.Job.LastError), SubmittedBy: w.Job.SubmittedBy,
		CreatedAt: w.Job.CreatedAt.UTC(), StartedAt: moment(w.Job.StartedAt), FinishedAt: moment(w.Job.FinishedAt),
	}
}

type jobFilter struct {
	Paging

	Status    string `query:"status" enum:"QUEUED,RESERVED,PROCESSING,COMPLETED,FAILED" doc:"Only jobs in this state."`
	ProductID string `query:"product_id" doc:"Only jobs for the product with this id."`
}

func (s *server) registerJobs() {
	o := op("list_mint_jobs", http.MethodGet, "/v1/mint-jobs", "Mint jobs", "List mint jobs, newest first")
	o.Metadata[metaRefuses] = []int{http.StatusNotFound} // the filter's
	register(s, o, s.listJobs)
	register(s, op("get_mint_job", http.MethodGet, "/v1/mint-jobs/{id}", "Mint jobs", "Get a mint job"), s.getJob)
}

func (s *server) listJobs(ctx context.Context, in *jobFilter) (*body[list[mintJob]], error) {
	page, err := in.page(s.cursors(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Mint.List(ctx, principal(ctx), mint.Filter{JobStatus: mintage.JobStatus(in.Status), ProductID: in.ProductID}, page)
	if err != nil {
		return nil, err
	}
	return listOf(s.cursors(ctx), rows, in.Limit, workNumber, showJob), nil
}

func workNumber(w *mint.Work) int64 { return w.Job.Number }

func (s *server) getJob(ctx context.Context, in *ByID) (*body[mintJob], error) {
	w, err := s.Mint.Job(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[mintJob]{showJob(w)}, nil
}
