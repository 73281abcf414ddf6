package mint

import (
	"context"
	"fmt"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/dpp"
	"mintage/internal/gs1"
	"mintage/internal/store"
)

// Preflight says everything that stands in the way of a request, in the fixed
// order of the reasons' codes, and creates nothing. Nil means that a submission
// would be accepted now. A malformed request is a [mintage.InvalidError], and one
// that is for more units than the product has room for a CONFLICT, as it would be
// when submitted.
func (s *Service) Preflight(ctx context.Context, p mintage.Principal, req *mintage.MintRequest) ([]mintage.Reason, error) {
	req, err := validate(req)
	if err != nil {
		return nil, err
	}
	var reasons []mintage.Reason
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		f, err := gather(ctx, r, p.BrandNumber, req, r.ProductionBatchByID, r.ProductByID)
		if err != nil {
			return err
		}
		if reasons = f.reasons(req); len(reasons) > 0 {
			return nil
		}
		next, err := r.NextOrdinal(ctx, f.product.Number)
		if err == nil && req.RequestedQuantity > mintage.MaxProductUnits-next {
			err = store.NoOrdinals(next)
		}
		return err
	})
	return reasons, err
}

// validate returns the request in its canonical form.
func validate(req *mintage.MintRequest) (*mintage.MintRequest, error) {
	if faults := req.Validate(gs1.ValidateLot); len(faults) > 0 {
		return nil, &mintage.InvalidError{Faults: faults}
	}
	canonical := *req
	canonical.ProductID = mintage.CanonicalID(req.ProductID)
	canonical.ProductionBatchID = mintage.CanonicalID(req.ProductionBatchID)
	return &canonical, nil
}

// facts are the state of the world that a request is judged by. A nil pointer
// means that there is none, or that it is another brand's.
type facts struct {
	brand      *mintage.Brand
	product    *mintage.Product
	production *mintage.ProductionBatch
	schema     *dpp.Schema
	gtinOwner  int64 // number of the product that has the product's GTIN; 0 if none
}

// gather reads the facts. The two lookups decide whether they are read or
// locked; their order is the order of locks.
func gather(
	ctx context.Context, r store.Reader, brand int64, req *mintage.MintRequest,
	production func(context.Context, int64, string) (*mintage.ProductionBatch, error),
	product func(context.Context, int64, string) (*mintage.Product, error),
) (f facts, err error) {
	if f.brand, err = r.BrandByNumber(ctx, brand); err != nil {
		return f, err
	}
	if req.ProductionBatchID != "" {
		if f.production, err = optional(production(ctx, brand, req.ProductionBatchID)); err != nil {
			return f, err
		}
	}
	if f.product, err = optional(product(ctx, brand, req.ProductID)); err != nil || f.product == nil {
		return f, err
	}
	if f.product.GTIN != "" {
		if f.gtinOwner, err = r.GTINOwner(ctx, brand, f.product.GTIN); err != nil {
			return f, err
		}
	}
	f.schema, err = schemaOf(ctx, r, f.product)
	return f, err
}

// optional turns "no such row" into nil.
func optional[T any](found *T, err error) (*T, error) {
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return nil, nil
	}
	return found, err
}

func schemaOf(ctx context.Context, r store.Reader, p *mintage.Product) (*dpp.Schema, error) {
	if p.SchemaID == "" {
		return nil, nil
	}
	return catalogue.FindSchema(ctx, r, p.BrandNumber, p.SchemaID)
}

// reasons judges a well-formed request. The order is that of the codes' list.
func (f facts) reasons(req *mintage.MintRequest) []mintage.Reason {
	found := f.productReasons()
	add := func(code mintage.Code, field, format string, args ...any) {
		found = append(found, mintage.Reason{Code: code, Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if req.ProductionBatchID == "" {
		return found
	}
	if f.production == nil {
		add(mintage.ReasonProductionNotFound, "/production_batch_id", "There is no such production batch; check the production_batch_id.")
		return found
	}
	if f.product != nil && f.production.ProductNumber != f.product.Number {
		add(mintage.ReasonProductionMismatch, "/production_batch_id", "The production batch is of another product.")
	}
	if f.production.Status != mintage.ProductionReady {
		add(mintage.ReasonProductionNotReady, "/production_batch_id", "The production batch is %s; it must be READY.", f.production.Status)
	}
	if remaining := f.production.Remaining(f.brand.OverIssuePercent); req.RequestedQuantity > remaining {
		add(mintage.ReasonQuantityExceeds, "/requested_quantity",
			"%d units are requested, but %d remain: the production batch has %d, of which %d are committed.",
			req.RequestedQuantity, remaining, f.production.Quantity, f.production.Committed)
		found[len(found)-1].Quantities = &mintage.Quantities{
			ProductionBatch: f.production.Quantity, Committed: f.production.Committed, Remaining: remaining,
		}
	}
	return found
}

// productReasons are those that concern the product, whatever is requested of it.
func (f facts) productReasons() []mintage.Reason {
	var found []mintage.Reason
	add := func(code mintage.Code, field, format string, args ...any) {
		found = append(found, mintage.Reason{Code: code, Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if f.product == nil {
		add(mintage.ReasonProductNotFound, "/product_id", "There is no such product; check the product_id.")
		return found
	}
	if f.product.Status != mintage.ProductActive {
		add(mintage.ReasonStatusNotActive, "/product_id", "The product's commercial status is %s; only an ACTIVE product can be minted.", f.product.Status)
	}
	if f.schema != nil {
		for _, problem := range f.schema.Check(f.product.Attributes) {
			code := mintage.ReasonFieldInvalid
			if problem.Missing {
				code = mintage.ReasonFieldMissing
			}
			add(code, "/attributes"+problem.Pointer, "%s", problem.Message)
		}
	}
	if f.product.GTIN == "" && f.brand.GS1Required {
		add(mintage.ReasonGTINRequired, "/product_id", "The brand demands GS1 Digital Links, and the product has no GTIN; give it one.")
	}
	if f.gtinOwner != 0 && f.gtinOwner != f.product.Number {
		add(mintage.ReasonGTINTaken, "/product_id", "The product's GTIN belongs to another product, which is or will be minted with it; a GTIN stays with its product for ever.")
	}
	return found
}
