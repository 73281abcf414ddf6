package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func keyByID(id string) func(context.Context, store.Reader) (*mintage.APIKey, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.APIKey, error) { return r.APIKey(ctx, id) }
}

func TestAPIKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		strict := f.NewBrand(func(b *mintage.Brand) { b.AdminsSubmit = true })
		at := f.Now()
		for _, want := range []*mintage.APIKey{
			f.NewKey(b, func(k *mintage.APIKey) { k.ID, k.Role, k.Hash = "plain", mintage.RoleViewer, []byte{0, 1, 255} }),
			f.NewKey(b, func(k *mintage.APIKey) { k.Label, k.ExpiresAt = `Åse's "ERP" \ %`, at.Add(time.Hour) }),
			f.NewKey(b, func(k *mintage.APIKey) { k.RevokedAt = at.Add(time.Minute) }),
			f.NewKey(b, func(k *mintage.APIKey) { k.LastUsedAt = at.Add(time.Second) }),
			f.NewKey(strict),
		} {
			same(t, read(t, db, keyByID(want.ID)), want)
		}
		for _, id := range append(oddTexts, "Plain", "plain ", storetest.NewID()) {
			notFound(t, db, keyByID(id))
		}
		for _, id := range unstorable {
			missing(t, db, keyByID(id))
		}
		t.Run("the brand's setting is read, not kept", func(t *testing.T) {
			k := f.NewKey(b)
			b.AdminsSubmit, k.AdminsSubmit = true, true
			write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateBrand(ctx, b) })
			same(t, read(t, db, keyByID(k.ID)), k)
		})
	})
}

func TestAPIKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other, none := f.NewBrand(fullBrand), f.NewBrand(), f.NewBrand()
		at := f.Now()
		// The order is that of creation, whatever the times and identifiers say.
		first := f.NewKey(b, func(k *mintage.APIKey) { k.ID, k.CreatedAt = "b", at })
		foreign := f.NewKey(other)
		second := f.NewKey(b, func(k *mintage.APIKey) { k.ID, k.CreatedAt, k.RevokedAt = "c", at.Add(-time.Hour), at })
		third := f.NewKey(b, func(k *mintage.APIKey) { k.ID, k.CreatedAt, k.ExpiresAt, k.Label = "a", at, at, "old" })
		list := func(b *mintage.Brand) []*mintage.APIKey {
			return read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.APIKey, error) { return r.APIKeys(ctx, b.Number) })
		}
		same(t, list(b), []*mintage.APIKey{third, second, first})
		same(t, list(other), []*mintage.APIKey{foreign})
		same(t, len(list(none)), 0)
	})
}

func TestCreateAPIKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		first, second := f.NewBrand(), f.NewBrand()
		k := f.NewKey(first)
		for _, b := range []*mintage.Brand{first, second} {
			again := copyOf(k)
			again.BrandNumber = b.Number
			refused(t, db, mintage.CodeConflict, func(ctx context.Context, tx store.Tx) error { return tx.CreateAPIKey(ctx, again) })
		}
	})
}

func TestUpdateAPIKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		k, bystander := f.NewKey(b), f.NewKey(b)
		update := func(k *mintage.APIKey) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.UpdateAPIKey(ctx, k) }
		}
		for _, at := range []time.Time{f.Now(), {}} { // set, and taken back
			k.ExpiresAt = at
			write(t, db, update(k))
			same(t, read(t, db, keyByID(k.ID)), k)
			if !at.IsZero() {
				k.RevokedAt = at.Add(time.Hour)
			} else {
				k.RevokedAt = at
			}
			write(t, db, update(k))
			same(t, read(t, db, keyByID(k.ID)), k)
		}
		same(t, read(t, db, keyByID(bystander.ID)), bystander)
		t.Run("what never changes", func(t *testing.T) {
			changed := copyOf(k)
			changed.Role, changed.Hash, changed.Label = mintage.RoleViewer, []byte("h"), "another"
			changed.CreatedAt, changed.LastUsedAt = f.Now(), f.Now()
			unchanged(t, db, func() { write(t, db, update(changed)) })
		})
		t.Run("another brand's", func(t *testing.T) {
			foreign := copyOf(k)
			foreign.BrandNumber, foreign.RevokedAt = other.Number, f.Now()
			refused(t, db, mintage.CodeNotFound, update(foreign))
		})
		t.Run("unknown", func(t *testing.T) {
			unknown := copyOf(k)
			unknown.ID = "unknown"
			refused(t, db, mintage.CodeNotFound, update(unknown))
		})
	})
}

func TestTouchAPIKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		k, bystander := f.NewKey(b), f.NewKey(b)
		touch := func(brand int64, id string, at time.Time) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.TouchAPIKey(ctx, brand, id, at) }
		}
		for _, at := range []time.Time{f.Now(), f.Now().Add(time.Minute)} {
			k.LastUsedAt = at
			write(t, db, touch(b.Number, k.ID, at))
			same(t, read(t, db, keyByID(k.ID)), k)
		}
		same(t, read(t, db, keyByID(bystander.ID)), bystander)
		refused(t, db, mintage.CodeNotFound, touch(other.Number, k.ID, f.Now()))
		refused(t, db, mintage.CodeNotFound, touch(b.Number, "unknown", f.Now()))
	})
}
