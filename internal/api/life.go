package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/mint"
)

// revocation says why something is revoked or recalled.
type revocation struct {
	Reason string `json:"reason" required:"false" doc:"Why, for the passport page and the audit trail: 1 to 500 characters. It is shown to whoever scans the unit."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (revocation) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"reason"}, nil)
}

// Unit is exported because huma skips embedded fields of unexported types.
type Unit = unit

// revokedUnit is the answer to a revocation.
type revokedUnit struct {
	Unit

	AlreadyRevoked bool `json:"already_revoked" doc:"The unit was revoked before, by itself or by a recall; nothing has changed."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (revokedUnit) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.TokenStatuses)})
}

// recall is the answer to a recall.
type recall struct {
	BatchID         string    `json:"mint_batch_id" format:"uuid"`
	Lot             *string   `json:"lot_code" doc:"The lot that was recalled; null for the whole batch."`
	FirstOrdinal    int64     `json:"first_ordinal" doc:"It covers the ordinals from here on."`
	Quantity        int64     `json:"quantity" doc:"How many ordinals it covers, those of units still to be minted included."`
	Reason          string    `json:"reason"`
	At              time.Time `json:"at" doc:"From when on every unit is revoked."`
	AlreadyRecalled bool      `json:"already_recalled" doc:"A recall covered all of it before; this is that one, and nothing has changed."`
	StillMinting    bool      `json:"still_minting" doc:"Units of it are still to come. The job goes on, and they are revoked from the start."`
}

func showRecall(r *mint.Recalled) recall {
	return recall{
		BatchID: r.Batch.ID, Lot: text(r.Lot), FirstOrdinal: r.FirstOrdinal, Quantity: r.Quantity,
		Reason: r.Reason, At: r.At.UTC(), AlreadyRecalled: r.Already, StillMinting: r.StillMinting,
	}
}

// counts are minted units by state.
type counts struct {
	Minted  int64 `json:"minted" doc:"Minted units that wait for their first scan."`
	Active  int64 `json:"active"`
	Revoked int64 `json:"revoked" doc:"By themselves or by a recall."`
}

func showCounts(c mintage.Counts) counts {
	return counts{Minted: c.Minted, Active: c.Active, Revoked: c.Revoked}
}

// batchCounts are the units of a batch by state.
type batchCounts struct {
	BatchID string      `json:"mint_batch_id" format:"uuid"`
	Total   counts      `json:"total" doc:"The three add up to the batch's minted_quantity."`
	Lots    []lotCounts `json:"lots" nullable:"false" doc:"By lot, in the order of get_mint_batch."`
}

// Counts is exported because huma skips embedded fields of unexported types.
type Counts = counts

// lotCounts are the units of a lot by state.
type lotCounts struct {
	LotCode *string `json:"lot_code" doc:"GS1 AI (10); or null."`
	Counts
}

// scan is one opening of a unit's printed URL.
type scan struct {
	At       time.Time           `json:"at"`
	Network  string              `json:"network" doc:"The address cut to /24 (IPv4) or /48 (IPv6)."`
	Agent    mintage.AgentClass  `json:"agent" doc:"phone, desktop, machine (a program that says so) or robot (search engines, previews, prefetches)."`
	Language *string             `json:"language" doc:"The language that was asked for first."`
	Outcome  mintage.ScanOutcome `json:"outcome" doc:"What it was answered with: activated (by this scan), active, minted (it could not activate), revoked."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (scan) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{
		"agent":   enum([]mintage.AgentClass{mintage.AgentPhone, mintage.AgentDesktop, mintage.AgentMachine, mintage.AgentRobot}),
		"outcome": enum([]mintage.ScanOutcome{mintage.ScanActivated, mintage.ScanActive, mintage.ScanMinted, mintage.ScanRevoked}),
	})
}

// unitScans are a unit's scans with the duplicate signal.
type unitScans struct {
	Scans    []scan    `json:"scans" nullable:"false" doc:"Newest first. Scans appear within seconds; under a flood some may be left out."`
	Since    time.Time `json:"since" doc:"From when on networks are counted: midnight UTC, 30 days back."`
	Networks int64     `json:"distinct_networks" doc:"Different networks that scanned the unit since then, robots left out."`

	Suspicious bool    `json:"suspicious" doc:"More networks than one unit explains: its code may have been copied. A hint to a person; nothing follows from it by itself."`
	Why        *string `json:"why" doc:"Why it is suspicious, for people; null where it is not."`
}

func showScans(u *mint.UnitScans) unitScans {
	out := unitScans{Scans: make([]scan, len(u.Scans)), Since: u.Since.UTC(), Networks: u.Networks, Suspicious: u.Suspicious, Why: text(u.Why())}
	for i, s := range u.Scans {
		out.Scans[i] = scan{At: s.At.UTC(), Network: s.Network, Agent: s.Agent, Language: text(s.Language), Outcome: s.Outcome}
	}
	return out
}

// ByUnitID is the input of an operation on one unit.
type ByUnitID struct {
	UnitID string `path:"unit_id" doc:"The unit's unit_id, as list_units and the export give it."`
}

func (s *server) registerLife() {
	o := op("revoke_unit", http.MethodPost, "/v1/units/{unit_id}/revoke", "Units", "Revoke a unit, for good")
	o.Description = "Effective at once: whoever scans the unit reads that it was revoked, and why. Revoked twice, nothing changes."
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusNotFound}
	register(s, o, s.revokeUnit)

	o = op("recall_mint_batch", http.MethodPost, "/v1/mint-batches/{id}/recall", "Mint batches", "Recall a mint batch: revoke all its units at once, for good")
	o.Description = "Effective at once for every unit, those still to be minted included: a job that is at work goes on. Recalled twice, nothing changes."
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusNotFound}
	register(s, o, s.recallBatch)

	o = op("recall_lot", http.MethodPost, "/v1/mint-batches/{id}/lots/{lot_code}/recall", "Mint batches", "Recall a lot of a mint batch: revoke all its units at once, for good")
	o.Description = "As recall_mint_batch, for one of its lots. The same lot code in other mint batches is not touched. The one lot of a batch without lots has no code: recall that batch."
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusNotFound}
	register(s, o, s.recallLot)

	o = op("get_mint_batch_counts", http.MethodGet, "/v1/mint-batches/{id}/counts", "Mint batches", "Count the units of a mint batch by state")
	o.Description = "Exact at the moment of the answer."
	register(s, o, s.batchCounts)

	o = op("get_unit_scans", http.MethodGet, "/v1/units/{unit_id}/scans", "Units", "List the latest scans of a unit, and whether its code may have been copied")
	register(s, o, s.unitScans)
}

func (s *server) revokeUnit(ctx context.Context, in *struct {
	ByUnitID
	Body revocation
}) (*body[revokedUnit], error) {
	u, already, err := s.Mint.RevokeUnit(ctx, principal(ctx), in.UnitID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &body[revokedUnit]{revokedUnit{Unit: showUnit(u), AlreadyRevoked: already}}, nil
}

func (s *server) recallBatch(ctx context.Context, in *struct {
	ByID
	Body revocation
}) (*body[recall], error) {
	r, err := s.Mint.RecallBatch(ctx, principal(ctx), in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &body[recall]{showRecall(r)}, nil
}

func (s *server) recallLot(ctx context.Context, in *struct {
	ByID
	LotCode string `path:"lot_code" doc:"The lot's code, percent-encoded."`
	Body    revocation
}) (*body[recall], error) {
	r, err := s.Mint.RecallLot(ctx, principal(ctx), in.ID, in.LotCode, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &body[recall]{showRecall(r)}, nil
}

func (s *server) batchCounts(ctx context.Context, in *ByID) (*body[batchCounts], error) {
	c, err := s.Mint.Counts(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := &body[batchCounts]{batchCounts{BatchID: c.Batch.ID, Total: showCounts(c.Total), Lots: make([]lotCounts, len(c.Lots))}}
	for i, lot := range c.Lots {
		out.Body.Lots[i] = lotCounts{LotCode: text(c.Batch.Lots[i].Code), Counts: showCounts(lot)}
	}
	return out, nil
}

func (s *server) unitScans(ctx context.Context, in *struct {
	ByUnitID
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many scans."`
}) (*body[unitScans], error) {
	scans, err := s.Mint.UnitScans(ctx, principal(ctx), in.UnitID, in.Limit)
	if err != nil {
		return nil, err
	}
	return &body[unitScans]{showScans(scans)}, nil
}
