package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/mint"
)

// batch is a mint batch as it is shown.
type batch struct {
	ID                string                 `json:"id" format:"uuid"`
	JobID             string                 `json:"mint_job_id" format:"uuid"`
	ProductID         string                 `json:"product_id" format:"uuid"`
	ProductionBatchID *string                `json:"production_batch_id" format:"uuid"`
	Status            mintage.BatchStatus    `json:"status"`
	IdentityMode      mintage.IdentityMode   `json:"identity_mode"`
	ActivationMode    mintage.ActivationMode `json:"activation_mode"`
	RequestedQuantity int64                  `json:"requested_quantity"`
	MintedQuantity    int64                  `json:"minted_quantity"`
	GTIN              *string                `json:"gtin" doc:"The product's at submission, 14 digits; or null."`
	ResolverBase      string                 `json:"resolver_base"`
	Lots              []lot                  `json:"lots" nullable:"false"`
	FirstOrdinal      int64                  `json:"first_ordinal"`
	CreatedAt         time.Time              `json:"created_at"`
}

// lot is a contiguous part of a batch.
type lot struct {
	LotCode      *string `json:"lot_code"`
	FirstOrdinal int64   `json:"first_ordinal"`
	Quantity     int64   `json:"quantity"`
}

// TransformSchema is part of huma.SchemaTransformer.
func (batch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{
		"status":          enum(mintage.BatchStatuses),
		"identity_mode":   enum([]mintage.IdentityMode{mintage.IdentitySerial, mintage.IdentityBatch}),
		"activation_mode": enum([]mintage.ActivationMode{mintage.ActiveAtMint, mintage.FirstScan}),
	})
}

func showBatch(w *mint.Work) batch {
	b := &w.Batch
	out := batch{
		ID: b.ID, JobID: b.JobID, ProductID: b.ProductID, ProductionBatchID: text(b.ProductionBatchID), Status: b.Status,
		IdentityMode: b.IdentityMode, ActivationMode: b.ActivationMode,
		RequestedQuantity: b.RequestedQuantity, MintedQuantity: b.MintedQuantity,
		GTIN: text(b.GTIN), ResolverBase: b.ResolverBase, Lots: []lot{}, FirstOrdinal: b.FirstOrdinal, CreatedAt: b.CreatedAt.UTC(),
	}
	for _, l := range b.Lots {
		out.Lots = append(out.Lots, lot{LotCode: text(l.Code), FirstOrdinal: l.FirstOrdinal, Quantity: l.Quantity})
	}
	return out
}

type batchFilter struct {
	Paging

	Status    string `query:"status" enum:"queued,processing,minted,failed"`
	ProductID string `query:"product_id"`
}

func (s *server) registerBatches() {
	register(s, op("list_mint_batches", http.MethodGet, "/v1/mint-batches", "Mint batches", "List mint batches, newest first"), s.listBatches)
	register(s, op("get_mint_batch", http.MethodGet, "/v1/mint-batches/{id}", "Mint batches", "Get a mint batch"), s.getBatch)
}

func (s *server) listBatches(ctx context.Context, in *batchFilter) (*body[list[batch]], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	rows, err := s.Mint.List(ctx, principal(ctx), mint.Filter{BatchStatus: mintage.BatchStatus(in.Status), ProductID: in.ProductID}, page)
	if err != nil {
		return nil, err
	}
	return listOf(rows, in.Limit, workNumber, showBatch), nil
}

func (s *server) getBatch(ctx context.Context, in *ByID) (*body[batch], error) {
	w, err := s.Mint.Batch(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[batch]{showBatch(w)}, nil
}
