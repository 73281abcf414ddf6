package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// ProductInput is a product to be created.
type ProductInput struct {
	SKU        string // "": the GTIN, as written
	Name       string
	GTIN       string                   // 8, 12, 13 or 14 digits; "" for none
	Status     mintage.CommercialStatus // "": ACTIVE
	SchemaID   string                   // "" for none
	Attributes json.RawMessage          // a JSON object; nil is an empty one
}

// CreateProduct stores a new product. CONFLICT where the brand has its SKU.
func (s *Service) CreateProduct(ctx context.Context, p mintage.Principal, in ProductInput) (*mintage.Product, error) {
	sku, err := chooseSKU(in.SKU, in.GTIN)
	if err != nil {
		return nil, err
	}
	attributes, err := compactAttributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	var product *mintage.Product
	draft := mintage.Product{BrandNumber: p.BrandNumber, SKU: sku, Name: in.Name, Status: mintage.ProductActive}
	if err := draft.Validate(); err != nil { // before a database sees the SKU
		return nil, err
	}
	err = s.inTx(ctx, p, func(tx store.Tx) (err error) {
		if err := refuseTakenSKU(ctx, tx, &draft); err != nil {
			return err
		}
		product, err = s.createProduct(ctx, tx, p, sku, func(product *mintage.Product) error {
			product.Name, product.Attributes = in.Name, attributes
			if in.Status != "" {
				product.Status = in.Status
			}
			if err := setGTIN(product, in.GTIN); err != nil {
				return err
			}
			return setSchema(ctx, tx, product, in.SchemaID)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return product, nil
}

// ProductPatch is a change of a product; nil fields stay as they are.
type ProductPatch struct {
	SKU, Name *string
	GTIN      *string // "" takes it away
	Status    *mintage.CommercialStatus
	SchemaID  *string // "" takes it away
	// Attributes is a JSON merge patch (RFC 7396) into the attributes.
	Attributes json.RawMessage
	// AsOf, where it is set, is the UpdatedAt of the product that the patch was made
	// for: a product that was changed since is not patched.
	AsOf time.Time
}

// UpdateProduct changes a product; a patch that changes nothing writes nothing.
// What was minted before keeps its GTIN. CONFLICT with the field "sku" where another
// product has the SKU, and without a field where the product is not as of the patch.
func (s *Service) UpdateProduct(ctx context.Context, p mintage.Principal, id string, patch ProductPatch) (*mintage.Product, error) {
	id = mintage.CanonicalID(id)
	var product *mintage.Product
	err := s.inTx(ctx, p, func(tx store.Tx) (err error) {
		product, _, err = s.updateProduct(ctx, tx, p, id, func(product *mintage.Product) error {
			return patch.apply(ctx, tx, product)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return product, nil
}

func (patch *ProductPatch) apply(ctx context.Context, tx store.Tx, product *mintage.Product) (err error) {
	if !patch.AsOf.IsZero() && !patch.AsOf.Equal(product.UpdatedAt) {
		return mintage.Errorf(mintage.CodeConflict, "The product was changed meanwhile; look at it again.")
	}
	if patch.SKU != nil {
		product.SKU = *patch.SKU
	}
	if patch.Name != nil {
		product.Name = *patch.Name
	}
	if patch.Status != nil {
		product.Status = *patch.Status
	}
	if patch.GTIN != nil {
		if err := setGTIN(product, *patch.GTIN); err != nil {
			return err
		}
	}
	if patch.SchemaID != nil {
		if err := setSchema(ctx, tx, product, *patch.SchemaID); err != nil {
			return err
		}
	}
	if patch.Attributes != nil {
		product.Attributes, err = patchAttributes(product.Attributes, patch.Attributes)
	}
	return err
}

// Product returns one product; NOT_FOUND also where it is another brand's.
func (s *Service) Product(ctx context.Context, p mintage.Principal, id string) (product *mintage.Product, err error) {
	id = mintage.CanonicalID(id)
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		product, err = r.ProductByID(ctx, p.BrandNumber, id)
		return err
	})
	return product, missing("product", err)
}

// Products lists products, newest first. The filter's GTIN may have any of the
// four lengths; a search finds nothing where it has signs but no words.
func (s *Service) Products(ctx context.Context, p mintage.Principal, filter store.ProductFilter, page store.Page) (products []*mintage.Product, err error) {
	if filter.GTIN != "" {
		gtin, err := parseGTIN(filter.GTIN)
		if err != nil {
			return nil, err
		}
		filter.GTIN = gtin
	}
	if filter.Status != "" && !slices.Contains(mintage.CommercialStatuses, filter.Status) {
		return nil, invalid("commercial_status", "The commercial status must be DRAFT, ACTIVE or DISCONTINUED.")
	}
	if !storable(filter.SKU) {
		return nil, nil
	}
	if strings.TrimSpace(filter.Search) != "" && len(store.SearchWords(filter.Search)) == 0 {
		return nil, nil // signs only: nothing begins with them
	}
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		products, err = r.Products(ctx, p.BrandNumber, filter, page)
		return err
	})
	return products, err
}

// edit changes a product in memory; it may run more than once.
type edit func(*mintage.Product) error

// createProduct stores a new product of an SKU that the caller did not find. It
// fails before it writes, so that the transaction stays usable, or with errTaken.
func (s *Service) createProduct(ctx context.Context, tx store.Tx, p mintage.Principal, sku string, e edit) (*mintage.Product, error) {
	product := &mintage.Product{
		ID:          newID(),
		BrandNumber: p.BrandNumber,
		Code:        serial.NewProductCode(),
		SKU:         sku,
		Status:      mintage.ProductActive,
		Attributes:  json.RawMessage("{}"),
		CreatedAt:   s.time(),
	}
	product.UpdatedAt = product.CreatedAt
	if err := e(product); err != nil {
		return nil, err
	}
	if err := product.Validate(); err != nil {
		return nil, err
	}
	if err := tx.CreateProduct(ctx, product); err != nil {
		return nil, taken(err)
	}
	return product, s.event(ctx, tx, p, mintage.Event{
		Kind: mintage.EventProductCreated, SubjectID: product.ID, To: string(product.Status),
	})
}

// updateProduct changes a product under its lock, and tells whether it did. It
// fails like createProduct.
func (s *Service) updateProduct(ctx context.Context, tx store.Tx, p mintage.Principal, id string, e edit) (*mintage.Product, bool, error) {
	before, err := tx.LockProduct(ctx, p.BrandNumber, id)
	if err != nil {
		return nil, false, missing("product", err)
	}
	product := *before
	if err := e(&product); err != nil {
		return nil, false, err
	}
	changed := changedFields(before, &product)
	if len(changed) == 0 {
		return before, false, nil
	}
	if err := product.Validate(); err != nil {
		return nil, false, err
	}
	if product.SKU != before.SKU {
		if err := refuseTakenSKU(ctx, tx, &product); err != nil {
			return nil, false, err
		}
	}
	product.UpdatedAt = s.time()
	if err := tx.UpdateProduct(ctx, &product); err != nil {
		return nil, false, taken(err)
	}
	event := mintage.Event{
		Kind: mintage.EventProductUpdated, SubjectID: product.ID, Message: "Changed: " + strings.Join(changed, ", ") + ".",
	}
	if product.Status != before.Status {
		event.From, event.To = string(before.Status), string(product.Status)
	}
	return &product, true, s.event(ctx, tx, p, event)
}

// changedFields names what an edit changed, for the event; nothing is changed
// where it is empty.
func changedFields(a, b *mintage.Product) []string {
	var changed []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"sku", a.SKU == b.SKU},
		{"name", a.Name == b.Name},
		{"gtin", a.GTIN == b.GTIN},
		{"commercial_status", a.Status == b.Status},
		{"dpp_schema", a.SchemaID == b.SchemaID},
		{"attributes", bytes.Equal(a.Attributes, b.Attributes)},
	} {
		if !f.same {
			changed = append(changed, f.name)
		}
	}
	return changed
}

// refuseTakenSKU looks before the write does: a CONFLICT from the database would
// end the whole transaction on PostgreSQL.
func refuseTakenSKU(ctx context.Context, tx store.Tx, product *mintage.Product) error {
	other, err := tx.ProductBySKU(ctx, product.BrandNumber, product.SKU)
	switch {
	case isNotFound(err):
		return nil
	case err != nil:
		return err
	case other.ID == product.ID:
		return nil
	}
	return mintage.Errorf(mintage.CodeConflict, "Another product has this SKU; change that one, or choose another SKU.").WithField("sku")
}

// chooseSKU falls back on the GTIN as it was written, since that is how the
// brand knows the product.
func chooseSKU(sku, gtin string) (string, error) {
	if sku != "" {
		return sku, nil
	}
	if gtin != "" {
		return gtin, nil
	}
	return "", invalid("sku", "The product has neither an SKU nor a GTIN; give it one of them.")
}

func parseGTIN(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	gtin, err := gs1.ParseGTIN(s)
	if err != nil {
		return "", invalid("gtin", "%s", mintage.ErrorMessage(err))
	}
	return string(gtin), nil
}

func setGTIN(product *mintage.Product, s string) (err error) {
	product.GTIN, err = parseGTIN(s)
	return err
}

// setSchema refuses an id that nobody has. A schema is never removed, so the one
// that a product has needs no second look.
func setSchema(ctx context.Context, r store.ProductReader, product *mintage.Product, id string) error {
	if id == product.SchemaID {
		return nil
	}
	if id != "" {
		if _, err := FindSchema(ctx, r, product.BrandNumber, id); err != nil {
			return unknownSchema(err)
		}
	}
	product.SchemaID = id
	return nil
}
