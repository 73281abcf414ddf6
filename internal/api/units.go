package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// unit is a unit as it is shown.
type unit struct {
	ID          string              `json:"unit_id" doc:"The product code and the unit's code."`
	ProductID   string              `json:"product_id" format:"uuid" doc:"The product, by its id."`
	BatchID     string              `json:"mint_batch_id" format:"uuid"`
	Ordinal     int64               `json:"ordinal" doc:"The unit's number within its product, counted from 0, never reused."`
	GTIN        *string             `json:"gtin"`
	Lot         *string             `json:"lot" doc:"GS1 AI (10); or null."`
	Serial      *string             `json:"serial" doc:"GS1 AI (21); null in batch mode."`
	Code        string              `json:"code" doc:"12 characters of Crockford base32, unguessable."`
	ResolverURL string              `json:"resolver_url" doc:"What is printed; it never changes."`
	Status      mintage.TokenStatus `json:"status" doc:"minted: waits for its first scan. active: scanned, or active from the start. revoked: for good."`
	CreatedAt   time.Time           `json:"created_at"`
	ActivatedAt *time.Time          `json:"activated_at"`
	RevokedAt   *time.Time          `json:"revoked_at"`

	RevocationReason *string `json:"revocation_reason" doc:"Why it was revoked, or the batch or lot recalled; null where it is not revoked."`
}

// unitDetail is a unit with its history.
type unitDetail struct {
	Unit

	History []unitChange `json:"history" nullable:"false" doc:"Its states in order, each at most once."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (unitDetail) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.TokenStatuses)})
}

// unitChange is when a unit came into a state.
type unitChange struct {
	Status mintage.TokenStatus `json:"status"`
	At     time.Time           `json:"at"`
	Reason *string             `json:"reason" doc:"Of a revocation."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (unitChange) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.TokenStatuses)})
}

// TransformSchema is part of huma.SchemaTransformer.
func (unit) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.TokenStatuses)})
}

func showUnit(u *mintage.Unit) unit {
	return unit{
		ID: u.ID, ProductID: u.ProductID, BatchID: u.BatchID, Ordinal: u.Ordinal, GTIN: text(u.GTIN), Lot: text(u.Lot),
		Serial: text(u.Serial), Code: u.Code, ResolverURL: u.ResolverURL, Status: u.Status,
		CreatedAt: u.CreatedAt.UTC(), ActivatedAt: moment(u.ActivatedAt), RevokedAt: moment(u.RevokedAt),
		RevocationReason: text(u.RevocationReason),
	}
}

type unitFilter struct {
	ByID
	Paging
}

func (s *server) registerUnits() {
	o := op("list_units", http.MethodGet, "/v1/mint-batches/{id}/units", "Units", "List the minted units of a mint batch, by ordinal")
	o.Description = "While the batch is in the making, the list ends where minting stands."
	register(s, o, s.listUnits)
	register(s, op("get_unit", http.MethodGet, "/v1/units/{unit_id}", "Units", "Get a unit with its history"), s.getUnit)
}

func (s *server) listUnits(ctx context.Context, in *unitFilter) (*body[list[unit]], error) {
	page, err := in.page(s.cursors(ctx))
	if err != nil {
		return nil, err
	}
	after := page.After
	if in.Cursor == "" {
		after = -1 // ordinals begin at 0
	}
	rows, err := s.Mint.Units(ctx, principal(ctx), in.ID, after, page.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(s.cursors(ctx), rows, in.Limit, func(u *mintage.Unit) int64 { return u.Ordinal }, showUnit), nil
}

func (s *server) getUnit(ctx context.Context, in *ByUnitID) (*body[unitDetail], error) {
	u, err := s.Mint.Unit(ctx, principal(ctx), in.UnitID)
	if err != nil {
		return nil, err
	}
	out := &body[unitDetail]{unitDetail{Unit: showUnit(u), History: []unitChange{}}}
	for _, change := range u.History() {
		out.Body.History = append(out.Body.History, unitChange{Status: change.Status, At: change.At.UTC(), Reason: text(change.Reason)})
	}
	return out, nil
}
