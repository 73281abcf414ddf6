package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/mint"
)

// mintBatch is a mint batch as it is shown.
type mintBatch struct {
	ID                string                 `json:"id" format:"uuid" doc:"The mint_batch_id."`
	JobID             string                 `json:"mint_job_id" format:"uuid" doc:"The job that makes or made it."`
	ProductID         string                 `json:"product_id" format:"uuid" doc:"The product, by its id."`
	ProductionBatchID *string                `json:"production_batch_id" format:"uuid" doc:"The production batch that it was requested against, by its id; or null."`
	Status            mintage.BatchStatus    `json:"status" doc:"Follows from the job's: queued (QUEUED, RESERVED), processing, minted (COMPLETED) or failed."`
	IdentityMode      mintage.IdentityMode   `json:"identity_mode" doc:"serial: each unit has a serial number of its own. batch: units share a lot, and still each has its own code."`
	ActivationMode    mintage.ActivationMode `json:"activation_mode" doc:"active_at_mint: tokens are active from the start. first_scan: a token becomes active with its first scan."`
	RequestedQuantity int64                  `json:"requested_quantity"`
	MintedQuantity    int64                  `json:"minted_quantity" doc:"How many of its units exist; what a failed batch has minted stays."`
	GTIN              *string                `json:"gtin" doc:"The product's at submission, 14 digits; or null."`
	ResolverBase      string                 `json:"resolver_base" doc:"What its resolver URLs begin with."`
	Lots              []mintBatchLot         `json:"lots" nullable:"false" doc:"Contiguous parts, in the order of their ordinals; a batch without lots has one without a code."`
	FirstOrdinal      int64                  `json:"first_ordinal" doc:"The batch has the ordinals from here on, requested_quantity of them. Ordinals count the units of a product, from 0."`
	CreatedAt         time.Time              `json:"created_at"`
}

// mintBatchLot is a contiguous part of a batch.
type mintBatchLot struct {
	LotCode      *string `json:"lot_code" doc:"GS1 AI (10); or null."`
	FirstOrdinal int64   `json:"first_ordinal" doc:"The ordinal of the lot's first unit."`
	Quantity     int64   `json:"quantity" doc:"How many ordinals it has from there on."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (mintBatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{
		"status":          enum(mintage.BatchStatuses),
		"identity_mode":   enum([]mintage.IdentityMode{mintage.IdentitySerial, mintage.IdentityBatch}),
		"activation_mode": enum([]mintage.ActivationMode{mintage.ActiveAtMint, mintage.FirstScan}),
	})
}

func showBatch(w *mint.Work) mintBatch {
	b := &w.Batch
	out := mintBatch{
		ID: b.ID, JobID: b.JobID, ProductID: b.ProductID, ProductionBatchID: text(b.ProductionBatchID), Status: b.Status,
		IdentityMode: b.IdentityMode, ActivationMode: b.ActivationMode,
		RequestedQuantity: b.RequestedQuantity, MintedQuantity: b.MintedQuantity,
		GTIN: text(b.GTIN), ResolverBase: b.ResolverBase, Lots: []mintBatchLot{}, FirstOrdinal: b.FirstOrdinal, CreatedAt: b.CreatedAt.UTC(),
	}
	for _, l := range b.Lots {
		out.Lots = append(out.Lots, mintBatchLot{LotCode: text(l.Code), FirstOrdinal: l.FirstOrdinal, Quantity: l.Quantity})
	}
	return out
}

type batchFilter struct {
	Paging

	Status    string `query:"status" enum:"queued,processing,minted,failed" doc:"Only batches in this state."`
	ProductID string `query:"product_id" doc:"Only batches of the product with this id."`
}

func (s *server) registerBatches() {
	o := op("list_mint_batches", http.MethodGet, "/v1/mint-batches", "Mint batches", "List mint batches, newest first")
	o.Metadata[metaRefuses] = []int{http.StatusNotFound} // the filter's
	register(s, o, s.listBatches)
	register(s, op("get_mint_batch", http.MethodGet, "/v1/mint-batches/{id}", "Mint batches", "Get a mint batch"), s.getBatch)
}

func (s *server) listBatches(ctx context.Context, in *batchFilter) (*body[list[mintBatch]], error) {
	page, err := in.page(s.cursors(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Mint.List(ctx, principal(ctx), mint.Filter{BatchStatus: mintage.BatchStatus(in.Status), ProductID: in.ProductID}, page)
	if err != nil {
		return nil, err
	}
	return listOf(s.cursors(ctx), rows, in.Limit, workNumber, showBatch), nil
}

func (s *server) getBatch(ctx context.Context, in *ByID) (*body[mintBatch], error) {
	w, err := s.Mint.Batch(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[mintBatch]{showBatch(w)}, nil
}
