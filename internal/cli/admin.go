package cli

import (
	"time"

	"mintage"
)

type brandCreateCmd struct {
	Name             string `help:"Name of the brand." required:""`
	ResolverBase     string `help:"Base of the URLs that are printed, such as https://id.example.com. It belongs to this brand for ever." required:"" placeholder:"URL"`
	GS1Required      bool   `help:"Refuse mint requests for products without a GTIN." name:"gs1-required"`
	OverIssuePercent int    `help:"Units that may be minted beyond a production batch's quantity, in percent, for spoiled labels." default:"0" placeholder:"N"`
	LotFromRun       bool   `name:"lot-from-production-batch" help:"Use the production batch's code as the lot where a request names none." default:"true" negatable:""`
}

func (c *brandCreateCmd) Run(e *env) error {
	a, err := e.open(administer)
	if err != nil {
		return err
	}
	defer a.close(e)
	b := &mintage.Brand{
		Name: c.Name, ResolverBase: c.ResolverBase, GS1Required: c.GS1Required,
		OverIssuePercent: c.OverIssuePercent, LotFromProductionBatch: c.LotFromRun,
	}
	if err := a.mint.CreateBrand(e, b, "cli"); err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]string{"brand_id": b.ID, "name": b.Name, "resolver_base": b.ResolverBase})
	}
	e.printf("Created brand %s with the resolver base %s.\nIts ID is %s. Next: mintage key create --brand %s --role operator\n", b.Name, b.ResolverBase, b.ID, b.ID)
	return nil
}

type keyCreateCmd struct {
	Brand   string        `help:"ID of the brand; needed where there are several." placeholder:"ID"`
	Role    string        `help:"What the key may do: viewer, operator, admin or owner." enum:"viewer,operator,admin,owner" required:""`
	Expires time.Duration `help:"How long the key is valid, such as 2160h; without it, for ever." default:"0s" placeholder:"DURATION"`
}

func (c *keyCreateCmd) Run(e *env) error {
	a, err := e.open(administer)
	if err != nil {
		return err
	}
	defer a.close(e)
	brand, err := a.brand(e, c.Brand)
	if err != nil {
		return err
	}
	var expires time.Time
	if c.Expires > 0 {
		expires = now().Add(c.Expires)
	}
	key, err := a.access.CreateKey(e, brand.ID, mintage.Role(c.Role), expires, "cli")
	if err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]string{"key": key, "brand_id": brand.ID, "role": c.Role})
	}
	e.printf("%s\nThis key of %s is shown only now. Send it as Authorization: Bearer mk_…\n", key, brand.Name)
	return nil
}
