package access

import (
	"maps"
	"slices"

	"mintage"
)

// Operation names what a principal wants to do. API operations use the same name
// as their operationId; pages use those of the API where there is one.
type Operation string

// submit is the one operation that a brand can restrict further.
const submit Operation = "submit_mint_request"

// leastRole is the whole table of rights: an operation that is not in it is
// refused to everyone. Which members and keys an admin may manage is up to
// [mintage.Role.MayManage].
var leastRole = map[Operation]mintage.Role{
	"get_brand":               mintage.RoleViewer,
	"list_products":           mintage.RoleViewer,
	"get_product":             mintage.RoleViewer,
	"list_production_batches": mintage.RoleViewer,
	"get_production_batch":    mintage.RoleViewer,
	"list_dpp_schemas":        mintage.RoleViewer,
	"get_dpp_schema":          mintage.RoleViewer,
	"list_mint_jobs":          mintage.RoleViewer,
	"get_mint_job":            mintage.RoleViewer,
	"watch_mint_job":          mintage.RoleViewer,
	"list_mint_batches":       mintage.RoleViewer,
	"get_mint_batch":          mintage.RoleViewer,
	"get_unit":                mintage.RoleViewer, // one code, by its identity
	"get_unit_scans":          mintage.RoleViewer,
	"get_mint_batch_counts":   mintage.RoleViewer,
	"get_product_links":       mintage.RoleViewer,
	"get_brand_logo":          mintage.RoleViewer,
	"list_events":             mintage.RoleViewer,
	"use_account":             mintage.RoleViewer, // one's own: a page, no operation of the API

	"preflight_mint_request": mintage.RoleOperator,
	submit:                   mintage.RoleOperator, // or admin: see Allow
	// What the ERP pushes and imports is daily work; a product changed by hand is not.
	"import_products":           mintage.RoleOperator,
	"put_production_batch":      mintage.RoleOperator,
	"import_production_batches": mintage.RoleOperator,
	"list_units":                mintage.RoleOperator, // codes in bulk
	"export_mint_batch":         mintage.RoleOperator,

	"create_product": mintage.RoleAdmin,
	"update_product": mintage.RoleAdmin,
	"put_dpp_schema": mintage.RoleAdmin,
	"update_brand":   mintage.RoleAdmin,
	// What scans lead to, and what cannot be undone.
	"put_product_links": mintage.RoleAdmin,
	"put_brand_logo":    mintage.RoleAdmin,
	"delete_brand_logo": mintage.RoleAdmin,
	"revoke_unit":       mintage.RoleAdmin,
	"revoke_units":      mintage.RoleAdmin,
	"recall_mint_batch": mintage.RoleAdmin,
	"recall_lot":        mintage.RoleAdmin,

	"list_api_keys":  mintage.RoleAdmin,
	"create_api_key": mintage.RoleAdmin,
	"rotate_api_key": mintage.RoleAdmin,
	"revoke_api_key": mintage.RoleAdmin,
	"list_members":   mintage.RoleAdmin,
	"invite_member":  mintage.RoleAdmin,
	"change_member":  mintage.RoleAdmin,
	"remove_member":  mintage.RoleAdmin,
}

// Operations lists every operation that has a rule, in the order of their names.
func Operations() []Operation { return slices.Sorted(maps.Keys(leastRole)) }

// LeastRole returns the least role that may perform the operation, false where
// none may. A brand may ask for more to submit; see Allow.
func LeastRole(op Operation) (mintage.Role, bool) {
	role, ok := leastRole[op]
	return role, ok
}

// Allow returns nil where the principal's role may perform the operation, else
// FORBIDDEN.
func Allow(p mintage.Principal, op Operation) error {
	least, ok := leastRole[op]
	switch {
	case !ok:
		return mintage.Errorf(mintage.CodeForbidden, "This operation has no rule and is open to nobody.")
	case !p.Role.Includes(least):
		return mintage.Errorf(mintage.CodeForbidden, "This needs the role %s; yours is %s. Ask an admin or owner of your brand.", least, p.Role)
	case op == submit && p.AdminsSubmit && !p.Role.Includes(mintage.RoleAdmin):
		return mintage.Errorf(mintage.CodeForbidden, "In this brand only admins and owners submit mint requests. Have one of them submit it, or lift the restriction in the brand's settings.")
	default:
		return nil
	}
}
