package access_test

import (
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

func TestKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		brand := storetest.NewFixture(t, db).NewBrand()
		clock := storetest.NewClock(time.Date(2027, 2, 18, 0, 0, 0, 0, time.UTC))
		s := access.New(db, clock.Now)
		create := func(role mintage.Role, expires time.Time) string {
			t.Helper()
			key, err := s.CreateKey(t.Context(), brand.ID, role, expires, "cli")
			if err != nil {
				t.Fatal(err)
			}
			return key
		}
		forever := create(mintage.RoleOperator, time.Time{})
		brief := create(mintage.RoleViewer, clock.Now().Add(time.Hour))
		if forever == brief || !strings.HasPrefix(forever, "mk_") {
			t.Fatalf("the keys begin with %.6s and %.6s", forever, brief)
		}
		for key, role := range map[string]mintage.Role{forever: mintage.RoleOperator, brief: mintage.RoleViewer} {
			p, err := s.Authenticate(t.Context(), key)
			if err != nil || p.Role != role || p.BrandNumber != brand.Number || strings.Contains(p.Actor, key) {
				t.Errorf("%s key: %+v, %v", role, p, err)
			}
		}

		clock.Advance(time.Hour)
		first := forever[:len(forever)-1]
		last := "0"
		if strings.HasSuffix(forever, "0") {
			last = "1"
		}
		refusals := map[string]bool{}
		for name, key := range map[string]string{
			"expired": brief, "wrong secret": first + last, "too short": first, "too long": forever + "0", "empty": "",
			"unknown": "mk_" + strings.Repeat("0", 64), "upper case": strings.ToUpper(forever), "another secret": forever[:15] + brief[15:],
			"NUL": first + "\x00", "quotes": "mk_' OR ''='" + strings.Repeat("0", 55),
		} {
			p, err := s.Authenticate(t.Context(), key)
			if mintage.ErrorCode(err) != mintage.CodeUnauthorized || p != (mintage.Principal{}) {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
			refusals[mintage.ErrorMessage(err)] = true
		}
		if len(refusals) != 1 {
			t.Errorf("the refusals differ: %v", refusals)
		}
		if _, err := s.Authenticate(t.Context(), forever); err != nil {
			t.Errorf("a key without an end: %v", err)
		}

		if _, err := s.CreateKey(t.Context(), storetest.NewID(), mintage.RoleOwner, time.Time{}, "cli"); mintage.ErrorCode(err) != mintage.CodeNotFound {
			t.Errorf("a key of an unknown brand: %v", err)
		}
		if _, err := s.CreateKey(t.Context(), brand.ID, "root", time.Time{}, "cli"); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("a key of an unknown role: %v", err)
		}
		if dump := storetest.Snapshot(t, db); strings.Contains(dump, forever[15:]) {
			t.Error("a secret is stored as it is")
		}
	})
}

func TestAllow(t *testing.T) {
	for _, op := range access.Operations() {
		least, _ := access.LeastRole(op)
		for _, role := range mintage.Roles {
			err := access.Allow(mintage.Principal{Role: role}, op)
			if allowed := role.Includes(least); allowed != (err == nil) {
				t.Errorf("%s by a %s: %v", op, role, err)
			}
		}
		if mintage.ErrorCode(access.Allow(mintage.Principal{}, op)) != mintage.CodeForbidden {
			t.Errorf("%s is open to nobody in particular", op)
		}
	}
	if mintage.ErrorCode(access.Allow(mintage.Principal{Role: mintage.RoleOwner}, "unheard_of")) != mintage.CodeForbidden {
		t.Error("an operation without a rule is open")
	}
}
