package cli

import (
	"errors"

	"mintage"
	"mintage/internal/mint"
)

// brandSettings are what may be changed of a brand later. nil: not given.
type brandSettings struct {
	GS1Required           *bool                   `help:"Refuse mint requests for products without a GTIN." name:"gs1-required" negatable:""`
	OverIssuePercent      *int                    `help:"Units that may be minted beyond a production batch's quantity, in percent, for spoiled labels." placeholder:"N"`
	LotFromRun            *bool                   `help:"Use the production batch's code as the lot where a request names none." name:"lot-from-production-batch" negatable:""`
	AdminsSubmit          *bool                   `help:"Let only admins and owners submit mint requests." name:"admins-submit" negatable:""`
	TapToActivate         *bool                   `help:"Ask for one tap on the passport page where a scan alone would activate." name:"tap-to-activate" negatable:""`
	DefaultIdentityMode   *mintage.IdentityMode   `help:"What the minting wizard proposes: serial or batch." placeholder:"MODE"`
	DefaultActivationMode *mintage.ActivationMode `help:"What the minting wizard proposes: active_at_mint or first_scan." placeholder:"MODE"`
	CycleSize             *int                    `help:"The most units that one transaction of a worker mints, 1 to 20000." placeholder:"N"`
}

// apply changes what was given.
func (c *brandSettings) apply(b *mintage.Brand) {
	set(&b.GS1Required, c.GS1Required)
	set(&b.OverIssuePercent, c.OverIssuePercent)
	set(&b.LotFromProductionBatch, c.LotFromRun)
	set(&b.AdminsSubmit, c.AdminsSubmit)
	set(&b.TapToActivate, c.TapToActivate)
	set(&b.DefaultIdentityMode, c.DefaultIdentityMode)
	set(&b.DefaultActivationMode, c.DefaultActivationMode)
	set(&b.CycleSize, c.CycleSize)
}

func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

type brandCreateCmd struct {
	Name         string `help:"Name of the brand." required:""`
	ResolverBase string `help:"Base of the URLs that are printed, such as https://id.example.com. It belongs to this brand for ever." required:"" placeholder:"URL"`
	brandSettings
}

func (c *brandCreateCmd) Run(e *env) error {
	a, err := e.open(roleOperator)
	if err != nil {
		return err
	}
	defer a.close(e)
	b := &mintage.Brand{Name: c.Name, ResolverBase: c.ResolverBase, LotFromProductionBatch: true}
	c.apply(b)
	if err := a.mint.CreateBrand(e, b, "cli"); err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]string{"brand_id": b.ID, "name": b.Name, "resolver_base": b.ResolverBase})
	}
	e.printf("Created brand %s with the resolver base %s.\nIts ID is %s. Next: mintage key create --brand %s --role operator\n", b.Name, b.ResolverBase, b.ID, b.ID)
	return nil
}

type brandUpdateCmd struct {
	brandFlag
	Name         *string `help:"Another name."`
	ResolverBase *string `help:"Base of the URLs that are printed from now on. A new one belongs to this brand for ever, and its admins may choose it again. URLs printed already stay as they are." placeholder:"URL"`
	AccentColour *string `help:"Accent colour of the passport page, as #rrggbb; empty for mintage's own." placeholder:"COLOUR"`
	brandSettings
}

// Validate is called by kong.
func (c *brandUpdateCmd) Validate() error {
	if c.Name == nil && c.ResolverBase == nil && c.AccentColour == nil && c.brandSettings == (brandSettings{}) {
		return errors.New("say what to change")
	}
	return nil
}

func (c *brandUpdateCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		b, err := a.mint.OperateBrand(e, p, mint.SettingsPatch{
			Name: c.Name, ResolverBase: c.ResolverBase, GS1Required: c.GS1Required, OverIssuePercent: c.OverIssuePercent,
			LotFromProductionBatch: c.LotFromRun, AdminsSubmit: c.AdminsSubmit,
			TapToActivate: c.TapToActivate, DefaultIdentityMode: c.DefaultIdentityMode, DefaultActivationMode: c.DefaultActivationMode,
			CycleSize: c.CycleSize, AccentColour: c.AccentColour,
		})
		if err != nil {
			return err
		}
		if e.JSON {
			return e.printJSON(map[string]any{
				"brand_id": b.ID, "name": b.Name, "resolver_base": b.ResolverBase, "gs1_required": b.GS1Required,
				"over_issue_percent": b.OverIssuePercent, "lot_from_production_batch": b.LotFromProductionBatch, "admins_submit": b.AdminsSubmit,
				"tap_to_activate": b.TapToActivate, "default_identity_mode": b.DefaultIdentityMode,
				"default_activation_mode": b.DefaultActivationMode, "cycle_size": b.CycleSize, "accent_colour": b.AccentColour,
			})
		}
		e.printf("Brand %s is changed.\n", b.Name)
		return nil
	})
}
