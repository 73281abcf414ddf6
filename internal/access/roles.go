package access

import "mintage"

// Operation names what a principal wants to do. API operations use the same name
// as their operationId.
type Operation string

// leastRole is the whole table of rights: an operation that is not in it is
// refused to everyone.
var leastRole = map[Operation]mintage.Role{
	"list_products":             mintage.RoleViewer,
	"get_product":               mintage.RoleViewer,
	"list_production_batches":   mintage.RoleViewer,
	"get_production_batch":      mintage.RoleViewer,
	"list_dpp_schemas":          mintage.RoleViewer,
	"get_dpp_schema":            mintage.RoleViewer,
	"list_mint_jobs":            mintage.RoleViewer,
	"get_mint_job":              mintage.RoleViewer,
	"watch_mint_job":            mintage.RoleViewer,
	"list_mint_batches":         mintage.RoleViewer,
	"get_mint_batch":            mintage.RoleViewer,
	"get_unit":                  mintage.RoleViewer,
	"list_events":               mintage.RoleViewer,
	"preflight_mint_request":    mintage.RoleOperator,
	"submit_mint_request":       mintage.RoleOperator,
	"import_products":           mintage.RoleOperator,
	"put_production_batch":      mintage.RoleOperator,
	"import_production_batches": mintage.RoleOperator,
	"list_units":                mintage.RoleOperator, // codes in bulk
	"export_mint_batch":         mintage.RoleOperator,
	"create_product":            mintage.RoleAdmin,
	"update_product":            mintage.RoleAdmin,
	"put_dpp_schema":            mintage.RoleAdmin,
}

// Operations lists every operation that has a rule.
func Operations() []Operation {
	list := make([]Operation, 0, len(leastRole))
	for op := range leastRole {
		list = append(list, op)
	}
	return list
}

// LeastRole returns the least role that may perform the operation, false where
// none may.
func LeastRole(op Operation) (mintage.Role, bool) {
	role, ok := leastRole[op]
	return role, ok
}

// Allow returns nil where the principal's role may perform the operation, else
// FORBIDDEN.
func Allow(p mintage.Principal, op Operation) error {
	least, ok := leastRole[op]
	if ok && p.Role.Includes(least) {
		return nil
	}
	if !ok {
		return mintage.Errorf(mintage.CodeForbidden, "This operation has no rule and is open to nobody.")
	}
	return mintage.Errorf(mintage.CodeForbidden, "This needs the role %s; the API key has the role %s.", least, p.Role)
}
