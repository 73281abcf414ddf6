package mint_test

import (
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestTheFirstProcessSettlesTheMasterKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		if has, err := mint.HasMasterKey(t.Context(), db); has || err != nil {
			t.Errorf("a new database: %v, %v", has, err)
		}
		right, wrong := serial.NewMasterKey(), serial.NewMasterKey()
		for range 2 {
			if err := mint.NewKeyring(right).Check(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
		if has, err := mint.HasMasterKey(t.Context(), db); !has || err != nil {
			t.Errorf("after the first process: %v, %v", has, err)
		}
		before := storetest.Snapshot(t, db)
		if err := mint.NewKeyring(wrong).Check(t.Context(), db); mintage.ErrorCode(err) != mintage.CodeUnavailable {
			t.Errorf("the wrong key: %v", err)
		}
		service := mint.New(db, mint.NewKeyring(wrong), storetest.NewFixture(t, db).Now)
		err := service.CreateBrand(t.Context(), &mintage.Brand{Name: "B", ResolverBase: "https://b.example"}, "cli")
		if mintage.ErrorCode(err) != mintage.CodeUnavailable {
			t.Errorf("a brand under the wrong key: %v", err)
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, db)); changes != "" {
			t.Error(changes)
		}
	})
}

// Of processes that begin at once with different keys, one settles its own.
func TestMasterKeysRace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		done := make(chan error, 6)
		for range cap(done) {
			go func() { done <- mint.NewKeyring(serial.NewMasterKey()).Check(t.Context(), db) }()
		}
		settled := 0
		for range cap(done) {
			switch err := <-done; mintage.ErrorCode(err) {
			case "":
				settled++
			case mintage.CodeUnavailable:
			default:
				t.Error(err)
			}
		}
		if settled != 1 {
			t.Errorf("%d keys were settled", settled)
		}
	})
}

// A database from before the check value was stored knows its key by its brands.
func TestTheMasterKeyOfAnOlderDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.NewBrand()
		if has, err := mint.HasMasterKey(t.Context(), db); !has || err != nil {
			t.Errorf("%v, %v", has, err)
		}
		if err := mint.NewKeyring(serial.NewMasterKey()).Check(t.Context(), db); mintage.ErrorCode(err) != mintage.CodeUnavailable {
			t.Errorf("the wrong key: %v", err)
		}
		if err := mint.NewKeyring(f.MasterKey).Check(t.Context(), db); err != nil {
			t.Error(err)
		}
	})
}

// The app's role, which sees no brand, does all of it too.
func TestTheAppRoleKnowsTheMasterKey(t *testing.T) {
	db := storetest.Open(t, "postgres")
	app := db.As(t, "mintage_app")
	f := storetest.NewFixture(t, db)
	keys := mint.NewKeyring(f.MasterKey)
	service := mint.New(app, keys, f.Now)
	b := &mintage.Brand{Name: "B", ResolverBase: "https://b.example"}
	if err := service.CreateBrand(t.Context(), b, "cli"); err != nil { // settles the key
		t.Fatal(err)
	}
	if err := keys.Check(t.Context(), app); err != nil {
		t.Error(err)
	}
	for name, s := range map[string]store.Store{"app": app, "resolver": db.As(t, "mintage_resolver")} {
		if err := mint.NewKeyring(serial.NewMasterKey()).Check(t.Context(), s); mintage.ErrorCode(err) != mintage.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
		if has, err := mint.HasMasterKey(t.Context(), s); !has || err != nil {
			t.Errorf("%s: %v, %v", name, has, err)
		}
	}
	err := service.CreateBrand(t.Context(), &mintage.Brand{Name: "C", ResolverBase: "https://b.example"}, "cli")
	if mintage.ErrorCode(err) != mintage.CodeConflict {
		t.Errorf("another brand's base: %v", err)
	}
}
