package access_test

import (
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/access"
)

func TestAllow(t *testing.T) {
	for _, op := range access.Operations() {
		least, _ := access.LeastRole(op)
		for _, role := range mintage.Roles {
			err := access.Allow(mintage.Principal{Role: role}, op)
			if allowed := role.Includes(least); allowed != (err == nil) {
				t.Errorf("%s by a %s: %v", op, role, err)
			}
			// A brand that lets only admins submit changes nothing else.
			restricted := access.Allow(mintage.Principal{Role: role, AdminsSubmit: true}, op)
			if op == "submit_mint_request" {
				err = access.Allow(mintage.Principal{Role: role}, "update_product")
			}
			if mintage.ErrorCode(restricted) != mintage.ErrorCode(err) {
				t.Errorf("%s by a %s where admins submit: %v", op, role, restricted)
			}
		}
		for _, nobody := range []mintage.Role{"", "root", "Owner"} {
			if mintage.ErrorCode(access.Allow(mintage.Principal{Role: nobody}, op)) != mintage.CodeForbidden {
				t.Errorf("%s is open to %q", op, nobody)
			}
		}
	}
	if mintage.ErrorCode(access.Allow(mintage.Principal{Role: mintage.RoleOwner}, "unheard_of")) != mintage.CodeForbidden {
		t.Error("an operation without a rule is open")
	}
}

// What viewers and operators can do at most, said a second time, so that an edit of
// the table gives nothing away unnoticed.
func TestLeastRoles(t *testing.T) {
	operators := []access.Operation{
		"export_mint_batch", "import_production_batches", "import_products", "list_units", "preflight_mint_request",
		"put_production_batch", "submit_mint_request",
	}
	for _, op := range access.Operations() {
		reads := strings.HasPrefix(string(op), "get_") || strings.HasPrefix(string(op), "list_") || strings.HasPrefix(string(op), "watch_")
		least, _ := access.LeastRole(op)
		if least == mintage.RoleViewer && !reads && op != "use_account" {
			t.Errorf("viewers may %s", op)
		}
		if (least == mintage.RoleOperator) != slices.Contains(operators, op) {
			t.Errorf("%s needs the role %s", op, least)
		}
	}
}
