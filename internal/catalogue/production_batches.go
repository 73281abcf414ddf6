package catalogue

import (
	"context"
	"strings"

	"mintage"
	"mintage/internal/store"
)

// ProductionBatchInput is what the ERP says of a production batch. The product is
// named by its ID or by its SKU; by both only if they agree.
type ProductionBatchInput struct {
	Code      string
	ProductID string
	SKU       string
	Quantity  int64
	Status    mintage.ProductionBatchStatus
}

// PutProductionBatch creates the production batch of that code, or changes it to
// what the input says; said twice, it changes nothing. A change that contradicts
// what is committed fails with BELOW_COMMITTED and the figure.
func (s *Service) PutProductionBatch(ctx context.Context, p mintage.Principal, in ProductionBatchInput) (pb *mintage.ProductionBatch, created bool, err error) {
	if in.ProductID == "" && in.SKU == "" {
		return nil, false, invalid("product_id", "Name the product: by product_id or by sku.")
	}
	var how string
	err = s.inTx(ctx, p, func(tx store.Tx) (err error) {
		pb, how, err = s.putProductionBatch(ctx, tx, p, in.Code, func(pb *mintage.ProductionBatch) error {
			pb.Quantity, pb.Status = in.Quantity, in.Status
			return setProduct(ctx, tx, pb, in.ProductID, in.SKU)
		})
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return pb, how == ResultCreated, nil
}

// ProductionBatch returns one production batch with what is committed; NOT_FOUND
// also where it is another brand's.
func (s *Service) ProductionBatch(ctx context.Context, p mintage.Principal, id string) (pb *mintage.ProductionBatch, err error) {
	id = mintage.CanonicalID(id)
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		pb, err = r.ProductionBatchByID(ctx, p.BrandNumber, id)
		return err
	})
	return pb, missing("production batch", err)
}

// ProductionBatchByCode is ProductionBatch by the ERP's own name for it.
func (s *Service) ProductionBatchByCode(ctx context.Context, p mintage.Principal, code string) (pb *mintage.ProductionBatch, err error) {
	if !storable(code) {
		return nil, notFound("production batch")
	}
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		pb, err = r.ProductionBatchByCode(ctx, p.BrandNumber, code)
		return err
	})
	return pb, missing("production batch", err)
}

// ProductionBatches lists them, newest first: of one product, or of all where
// productID is "". NOT_FOUND where there is no such product.
func (s *Service) ProductionBatches(ctx context.Context, p mintage.Principal, productID string, page store.Page) (pbs []*mintage.ProductionBatch, err error) {
	id := mintage.CanonicalID(productID)
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		var number int64
		if productID != "" {
			product, err := r.ProductByID(ctx, p.BrandNumber, id)
			if err != nil {
				return missing("product", err)
			}
			number = product.Number
		}
		pbs, err = r.ProductionBatches(ctx, p.BrandNumber, number, page)
		return err
	})
	return pbs, err
}

// putProductionBatch creates or changes the batch of that code. It fails before
// it writes, so that the transaction stays usable, or with errTaken.
func (s *Service) putProductionBatch(ctx context.Context, tx store.Tx, p mintage.Principal, code string, e func(*mintage.ProductionBatch) error) (*mintage.ProductionBatch, string, error) {
	fresh := &mintage.ProductionBatch{
		ID: newID(), BrandNumber: p.BrandNumber, Code: code, CreatedAt: s.time(),
	}
	fresh.UpdatedAt = fresh.CreatedAt
	if err := validateCode(fresh); err != nil { // before a database sees it
		return nil, "", err
	}
	found, err := tx.ProductionBatchByCode(ctx, p.BrandNumber, code)
	if err == nil {
		// Most pushes of an ERP say nothing new; those take no lock.
		next := *found
		if err := e(&next); err != nil {
			return nil, "", err
		}
		if len(changedProduction(found, &next)) == 0 {
			return found, ResultUnchanged, nil
		}
		return s.updateProductionBatch(ctx, tx, p, found.ID, e)
	}
	if !isNotFound(err) {
		return nil, "", err
	}
	if err := e(fresh); err != nil {
		return nil, "", err
	}
	if err := fresh.Validate(); err != nil {
		return nil, "", err
	}
	if err := tx.CreateProductionBatch(ctx, fresh); err != nil {
		return nil, "", taken(err)
	}
	return fresh, ResultCreated, s.event(ctx, tx, p, mintage.Event{
		Kind: mintage.EventProductionCreated, SubjectID: fresh.ID, To: string(fresh.Status),
	})
}

// updateProductionBatch decides under the lock, where nobody can commit more.
func (s *Service) updateProductionBatch(ctx context.Context, tx store.Tx, p mintage.Principal, id string, e func(*mintage.ProductionBatch) error) (*mintage.ProductionBatch, string, error) {
	before, err := tx.LockProductionBatch(ctx, p.BrandNumber, id)
	if err != nil {
		return nil, "", err
	}
	next := *before
	if err := e(&next); err != nil {
		return nil, "", err
	}
	changed := changedProduction(before, &next)
	if len(changed) == 0 {
		return before, ResultUnchanged, nil
	}
	if err := next.Validate(); err != nil {
		return nil, "", err
	}
	brand, err := tx.BrandByNumber(ctx, p.BrandNumber)
	if err != nil {
		return nil, "", err
	}
	if err := before.ChangeTo(&next, brand.OverIssuePercent); err != nil {
		return nil, "", err
	}
	next.UpdatedAt = s.time()
	if err := tx.UpdateProductionBatch(ctx, &next); err != nil {
		return nil, "", taken(err)
	}
	event := mintage.Event{
		Kind: mintage.EventProductionUpdated, SubjectID: next.ID, Message: "Changed: " + strings.Join(changed, ", ") + ".",
	}
	if next.Status != before.Status {
		event.From, event.To = string(before.Status), string(next.Status)
	}
	return &next, ResultUpdated, s.event(ctx, tx, p, event)
}

// changedProduction names what differs, like changedFields.
func changedProduction(a, b *mintage.ProductionBatch) []string {
	var changed []string
	if a.ProductNumber != b.ProductNumber {
		changed = append(changed, "product")
	}
	if a.Quantity != b.Quantity {
		changed = append(changed, "quantity")
	}
	if a.Status != b.Status {
		changed = append(changed, "status")
	}
	return changed
}

// validateCode has the domain judge the code alone: the rest is not known yet.
func validateCode(pb *mintage.ProductionBatch) error {
	draft := mintage.ProductionBatch{Code: pb.Code, Quantity: 1, Status: mintage.ProductionPlanned}
	return draft.Validate()
}

// setProduct finds the product that the input names. An unknown one is a fault of
// the input: what the call is about is the production batch.
func setProduct(ctx context.Context, r store.ProductReader, pb *mintage.ProductionBatch, id, sku string) error {
	product, err := namedProduct(ctx, r, pb.BrandNumber, id, sku)
	switch {
	case isNotFound(err) && id != "":
		return invalid("product_id", "There is no product of this id; create it first.")
	case isNotFound(err):
		return invalid("sku", "There is no product of this SKU; create it first.")
	case err != nil:
		return err
	case sku != "" && product.SKU != sku:
		return invalid("sku", "The sku and the product_id name different products; leave one of them out.")
	}
	pb.ProductNumber, pb.ProductID = product.Number, product.ID
	return nil
}

func namedProduct(ctx context.Context, r store.ProductReader, brand int64, id, sku string) (*mintage.Product, error) {
	if id == "" {
		if !storable(sku) {
			return nil, notFound("product")
		}
		return r.ProductBySKU(ctx, brand, sku)
	}
	id = mintage.CanonicalID(id)
	return r.ProductByID(ctx, brand, id)
}
