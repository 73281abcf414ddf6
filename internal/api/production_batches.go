package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/catalogue"
)

// productionBatch is a production batch as it is shown.
type productionBatch struct {
	ID        string                        `json:"id" format:"uuid"`
	Code      string                        `json:"code" doc:"The ERP's own name for it."`
	ProductID string                        `json:"product_id" format:"uuid" doc:"The product, by its id."`
	Quantity  int64                         `json:"quantity" doc:"As the ERP says; the brand may allow some percent more for spoiled labels."`
	Committed int64                         `json:"committed_quantity" doc:"What live and finished mint requests hold of it."`
	Status    mintage.ProductionBatchStatus `json:"status" doc:"PLANNED, READY or CLOSED; only a READY one can be minted against."`
	CreatedAt time.Time                     `json:"created_at"`
	UpdatedAt time.Time                     `json:"updated_at"`
}

// TransformSchema is part of huma.SchemaTransformer.
func (productionBatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.ProductionBatchStatuses)})
}

func showProductionBatch(p *mintage.ProductionBatch) productionBatch {
	return productionBatch{
		ID: p.ID, Code: p.Code, ProductID: p.ProductID, Quantity: p.Quantity, Committed: p.Committed, Status: p.Status,
		CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

// productionBatchInput is what the ERP says of a production batch.
type productionBatchInput struct {
	ProductID string                        `json:"product_id" required:"false" doc:"The product, by its id; or by its sku."`
	SKU       string                        `json:"sku" required:"false" doc:"The product, by its SKU."`
	Quantity  int64                         `json:"quantity" required:"false" doc:"How many units the run makes."`
	Status    mintage.ProductionBatchStatus `json:"status" required:"false" doc:"PLANNED, READY or CLOSED; only a READY one can be minted against."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (productionBatchInput) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"quantity", "status"}, rules{
		"quantity": {"minimum": 1, "maximum": int64(mintage.MaxProductionQuantity)},
		"status":   enum(mintage.ProductionBatchStatuses),
	})
}

// ByCode is the input of an operation on one production batch.
type ByCode struct {
	Code string `path:"code" doc:"The ERP's own name for it, percent-encoded."`
}

type productionBatchFilter struct {
	Paging

	ProductID string `query:"product_id" doc:"Only production batches of the product with this id."`
}

func (s *server) registerProductionBatches() {
	o := op("put_production_batch", http.MethodPut, "/v1/production-batches/{code}", "Production batches", "Create a production batch, or bring it up to date")
	o.Description = "For pushes from an ERP: said twice, it changes nothing. The quantity cannot fall below what is committed, " +
		"nor the product change once something is: 409 BELOW_COMMITTED, with the committed figure."
	o.Metadata[metaBody] = takesJSON
	o.Responses = map[string]*huma.Response{"201": {Description: "Created; the same body as with 200."}}
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.putProductionBatch)
	o.Responses["201"].Content = o.Responses["200"].Content
	o.Responses["201"].Headers, o.Responses["200"].Headers = o.Responses["200"].Headers, nil

	register(s, op("get_production_batch", http.MethodGet, "/v1/production-batches/{code}", "Production batches", "Get a production batch"), s.getProductionBatch)
	o = op("list_production_batches", http.MethodGet, "/v1/production-batches", "Production batches", "List production batches, newest first")
	o.Metadata[metaRefuses] = []int{http.StatusNotFound} // the filter's
	register(s, o, s.listProductionBatches)
}

func (s *server) putProductionBatch(ctx context.Context, in *struct {
	ByCode
	Body productionBatchInput
}) (*created[productionBatch], error) {
	pb, isNew, err := s.Catalogue.PutProductionBatch(ctx, principal(ctx), catalogue.ProductionBatchInput{
		Code: in.Code, ProductID: in.Body.ProductID, SKU: in.Body.SKU, Quantity: in.Body.Quantity, Status: in.Body.Status,
	})
	if mintage.ErrorCode(err) == mintage.CodeCommitted {
		return nil, s.withCommitted(ctx, in.Code, err)
	}
	if err != nil {
		return nil, err
	}
	out := &created[productionBatch]{Status: http.StatusOK, Body: showProductionBatch(pb)}
	if isNew {
		out.Status, out.Location = http.StatusCreated, "/v1/production-batches/"+url.PathEscape(pb.Code)
	}
	return out, nil
}

func (s *server) getProductionBatch(ctx context.Context, in *ByCode) (*body[productionBatch], error) {
	pb, err := s.Catalogue.ProductionBatchByCode(ctx, principal(ctx), in.Code)
	if err != nil {
		return nil, err
	}
	return &body[productionBatch]{showProductionBatch(pb)}, nil
}

// withCommitted adds the figure to a refusal. It is read anew, and so perhaps
// larger than the one that the refusal was for.
func (s *server) withCommitted(ctx context.Context, code string, refusal error) error {
	pb, err := s.Catalogue.ProductionBatchByCode(ctx, principal(ctx), code)
	if err != nil {
		return err
	}
	p := s.problem(ctx, refusal)
	p.CommittedQuantity = &pb.Committed
	return p
}

func (s *server) listProductionBatches(ctx context.Context, in *productionBatchFilter) (*body[list[productionBatch]], error) {
	page, err := in.page(s.cursors(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Catalogue.ProductionBatches(ctx, principal(ctx), in.ProductID, page)
	if err != nil {
		return nil, err
	}
	return listOf(s.cursors(ctx), rows, in.Limit, func(p *mintage.ProductionBatch) int64 { return p.Number }, showProductionBatch), nil
}
