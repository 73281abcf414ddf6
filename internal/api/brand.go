package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/mint"
)

// brand is the brand that the key belongs to, with its settings.
type brand struct {
	ID                     string                 `json:"id" format:"uuid"`
	Name                   string                 `json:"name"`
	ResolverBase           string                 `json:"resolver_base" doc:"What the resolver URLs minted from now on begin with: one of resolver_bases."`
	ResolverBases          []string               `json:"resolver_bases" nullable:"false" doc:"The bases that belong to the brand, for ever. Whoever runs the installation adds them."`
	GS1Required            bool                   `json:"gs1_required" doc:"Refuse mint requests for products without a GTIN."`
	OverIssuePercent       int                    `json:"over_issue_percent" doc:"How much more than a production batch's quantity may be minted, for spoiled labels."`
	LotFromProductionBatch bool                   `json:"lot_from_production_batch" doc:"Make a linked production batch's code the lot of a request that names none."`
	AdminsSubmit           bool                   `json:"admins_submit" doc:"Only admins and owners may submit mint requests."`
	TapToActivate          bool                   `json:"tap_to_activate" doc:"A scan alone activates nothing; the passport page asks for one tap. For brands whose mails and chats are full of link scanners."`
	DefaultIdentityMode    mintage.IdentityMode   `json:"default_identity_mode" doc:"What the minting wizard proposes; a mint request always says its own."`
	DefaultActivationMode  mintage.ActivationMode `json:"default_activation_mode" doc:"What the minting wizard proposes; a mint request always says its own."`
	CycleSize              int                    `json:"cycle_size" doc:"The most units that one transaction of a worker mints, for jobs submitted from now on."`
	AccentColour           *string                `json:"accent_colour" doc:"Of the passport page, as #rrggbb; null for mintage's own."`
	HasLogo                bool                   `json:"has_logo" doc:"get_brand_logo has it."`
	CreatedAt              time.Time              `json:"created_at"`
}

func showBrand(b *mintage.Brand, bases []string) brand {
	return brand{
		ID: b.ID, Name: b.Name, ResolverBase: b.ResolverBase, ResolverBases: bases, GS1Required: b.GS1Required, OverIssuePercent: b.OverIssuePercent,
		LotFromProductionBatch: b.LotFromProductionBatch, AdminsSubmit: b.AdminsSubmit,
		TapToActivate: b.TapToActivate, DefaultIdentityMode: b.DefaultIdentityMode, DefaultActivationMode: b.DefaultActivationMode,
		CycleSize: b.CycleSize, AccentColour: text(b.AccentColour), HasLogo: b.HasLogo, CreatedAt: b.CreatedAt.UTC(),
	}
}

// brandPatch is a JSON merge patch of the settings.
type brandPatch struct {
	Name                   optional[string]                 `json:"name" required:"false" doc:"For people."`
	ResolverBase           optional[string]                 `json:"resolver_base" required:"false" doc:"For what is minted from now on: one of the brand's resolver_bases."`
	GS1Required            optional[bool]                   `json:"gs1_required" required:"false" doc:"Refuse mint requests for products without a GTIN."`
	OverIssuePercent       optional[int]                    `json:"over_issue_percent" required:"false" doc:"How much more than a production batch's quantity may be minted, for spoiled labels."`
	LotFromProductionBatch optional[bool]                   `json:"lot_from_production_batch" required:"false" doc:"Make a linked production batch's code the lot of a request that names none."`
	AdminsSubmit           optional[bool]                   `json:"admins_submit" required:"false" doc:"Only admins and owners may submit mint requests."`
	TapToActivate          optional[bool]                   `json:"tap_to_activate" required:"false" doc:"Ask for one tap on the passport page where a scan alone would activate. It holds for units that were printed before, too."`
	DefaultIdentityMode    optional[mintage.IdentityMode]   `json:"default_identity_mode" required:"false" doc:"What the minting wizard proposes."`
	DefaultActivationMode  optional[mintage.ActivationMode] `json:"default_activation_mode" required:"false" doc:"What the minting wizard proposes."`
	CycleSize              optional[int]                    `json:"cycle_size" required:"false" doc:"The most units that one transaction of a worker mints. Smaller ones show progress more often and are slower."`
	AccentColour           optional[string]                 `json:"accent_colour" required:"false" doc:"Of the passport page, as #rrggbb; null takes it away."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (brandPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for name, p := range s.Properties {
		p.Nullable = name == "accent_colour"
	}
	return describe(s, nil, rules{
		"over_issue_percent": {"minimum": 0, "maximum": 100}, "cycle_size": {"minimum": 1, "maximum": mintage.MaxCycle},
		"default_identity_mode": enum(mintage.IdentityModes), "default_activation_mode": enum(mintage.ActivationModes),
	})
}

func (b *brandPatch) patch() (mint.SettingsPatch, error) {
	for name, null := range map[string]bool{
		"name": b.Name.null(), "resolver_base": b.ResolverBase.null(), "gs1_required": b.GS1Required.null(), "over_issue_percent": b.OverIssuePercent.null(),
		"lot_from_production_batch": b.LotFromProductionBatch.null(), "admins_submit": b.AdminsSubmit.null(), "tap_to_activate": b.TapToActivate.null(),
		"default_identity_mode": b.DefaultIdentityMode.null(), "default_activation_mode": b.DefaultActivationMode.null(), "cycle_size": b.CycleSize.null(),
	} {
		if null {
			return mint.SettingsPatch{}, mintage.Errorf(mintage.CodeInvalidInput, "The %s cannot be taken away.", name).WithField(name)
		}
	}
	return mint.SettingsPatch{
		Name: b.Name.value, ResolverBase: b.ResolverBase.value, GS1Required: b.GS1Required.value, OverIssuePercent: b.OverIssuePercent.value,
		LotFromProductionBatch: b.LotFromProductionBatch.value, AdminsSubmit: b.AdminsSubmit.value,
		TapToActivate: b.TapToActivate.value, DefaultIdentityMode: b.DefaultIdentityMode.value, DefaultActivationMode: b.DefaultActivationMode.value,
		CycleSize: b.CycleSize.value, AccentColour: orEmpty(b.AccentColour),
	}, nil
}

func (s *server) registerBrand() {
	register(s, op("get_brand", http.MethodGet, "/v1/brand", "Brand", "Get the brand and its settings"), s.getBrand)

	o := op("update_brand", http.MethodPatch, "/v1/brand", "Brand", "Change the brand's settings by a JSON merge patch (RFC 7396)")
	o.Description = "What was minted or submitted before keeps what was printed on it; what is left out stays as it is."
	o.Metadata[metaBody] = takesPatch
	o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/merge-patch+json": {}}}
	register(s, o, s.updateBrand)
	o.RequestBody.Content["application/merge-patch+json"].Schema = o.RequestBody.Content["application/json"].Schema
}

func (s *server) getBrand(ctx context.Context, _ *struct{}) (*body[brand], error) {
	b, err := s.Mint.Settings(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return s.withBases(ctx, b)
}

func (s *server) updateBrand(ctx context.Context, in *struct{ Body brandPatch }) (*body[brand], error) {
	patch, err := in.Body.patch()
	if err != nil {
		return nil, err
	}
	b, err := s.Mint.UpdateBrand(ctx, principal(ctx), patch)
	if err != nil {
		return nil, err
	}
	return s.withBases(ctx, b)
}

func (s *server) withBases(ctx context.Context, b *mintage.Brand) (*body[brand], error) {
	bases, err := s.Mint.ResolverBases(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return &body[brand]{showBrand(b, bases)}, nil
}
