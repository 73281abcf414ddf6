package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/mint"
)

// job is a mint job as it is shown.
type job struct {
	ID                string            `json:"id" format:"uuid"`
	BatchID           string            `json:"mint_batch_id" format:"uuid"`
	ProductID         string            `json:"product_id" format:"uuid"`
	Status            mintage.JobStatus `json:"status"`
	RequestedQuantity int64             `json:"requested_quantity"`
	MintedQuantity    int64             `json:"minted_quantity"`
	ConsecutiveErrors int               `json:"consecutive_errors" doc:"Failed cycles since the last good one; the third in a row makes the job FAILED."`
	LastError         *string           `json:"last_error" doc:"Of the latest failed cycle."`
	SubmittedBy       string            `json:"submitted_by"`
	CreatedAt         time.Time         `json:"created_at"`
	StartedAt         *time.Time        `json:"started_at" doc:"When the first units came to be."`
	FinishedAt        *time.Time        `json:"finished_at"`
}

// TransformSchema is part of huma.SchemaTransformer.
func (job) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.JobStatuses)})
}

func showJob(w *mint.Work) job {
	return job{
		ID: w.Job.ID, BatchID: w.Batch.ID, ProductID: w.Batch.ProductID, Status: w.Job.Status,
		RequestedQuantity: w.Batch.RequestedQuantity, MintedQuantity: w.Batch.MintedQuantity,
		ConsecutiveErrors: w.Job.ConsecutiveErrors, LastError: text(w.Job.LastError), SubmittedBy: w.Job.SubmittedBy,
		CreatedAt: w.Job.CreatedAt.UTC(), StartedAt: moment(w.Job.StartedAt), FinishedAt: moment(w.Job.FinishedAt),
	}
}

type jobFilter struct {
	Paging

	Status    string `query:"status" enum:"QUEUED,RESERVED,PROCESSING,COMPLETED,FAILED"`
	ProductID string `query:"product_id"`
}

func (s *server) registerJobs() {
	register(s, op("list_mint_jobs", http.MethodGet, "/v1/mint-jobs", "Mint jobs", "List mint jobs, newest first"), s.listJobs)
	register(s, op("get_mint_job", http.MethodGet, "/v1/mint-jobs/{id}", "Mint jobs", "Get a mint job"), s.getJob)
}

func (s *server) listJobs(ctx context.Context, in *jobFilter) (*body[list[job]], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	rows, err := s.Mint.List(ctx, principal(ctx), mint.Filter{JobStatus: mintage.JobStatus(in.Status), ProductID: in.ProductID}, page)
	if err != nil {
		return nil, err
	}
	return listOf(rows, in.Limit, workNumber, showJob), nil
}

func workNumber(w *mint.Work) int64 { return w.Job.Number }

func (s *server) getJob(ctx context.Context, in *ByID) (*body[job], error) {
	w, err := s.Mint.Job(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[job]{showJob(w)}, nil
}
