package postgres_test

import (
	"net/url"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

func TestMigrateAtOnce(t *testing.T) {
	db := storetest.OpenEmpty(t, "postgres")
	wantCode(t, db.Ping(t.Context()), mintage.CodeOldSchema)
	err := db.Read(t.Context(), func(r store.Reader) error {
		_, err := r.Brands(t.Context())
		return err
	})
	wantCode(t, err, mintage.CodeOldSchema)

	const processes = 3
	results := make(chan error, processes)
	for range processes {
		s := open(t, db.URL, postgres.Options{})
		go func() { results <- s.Migrate(t.Context()) }()
	}
	for range processes {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	must(t, db.Ping(t.Context()))
	conn := connect(t, db.URL)
	equal(t, "locks left", value[int](t, conn, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'`), 0)

	// A later version was here.
	exec(t, conn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	wantCode(t, db.Ping(t.Context()), mintage.CodeOldSchema)
	wantCode(t, db.Migrate(t.Context()), mintage.CodeOldSchema)
}

func TestMigrateWithoutPrivilege(t *testing.T) {
	db := storetest.OpenEmpty(t, "postgres")
	conn := connect(t, db.URL)
	exec(t, conn, `DO $$ BEGIN CREATE ROLE mintage_test_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	exec(t, conn, `REVOKE CREATE ON SCHEMA public FROM public`)
	u, err := url.Parse(db.URL)
	must(t, err)
	u.User = url.User("mintage_test_reader")
	s := open(t, u.String(), postgres.Options{})
	wantCode(t, s.Migrate(t.Context()), mintage.CodeForbidden)

	// Where nothing is left to be done, such a role may find that out.
	must(t, db.Migrate(t.Context()))
	exec(t, conn, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO mintage_test_reader`)
	must(t, s.Migrate(t.Context()))
	must(t, s.Ping(t.Context()))
	exec(t, conn, `DROP OWNED BY mintage_test_reader`)
}

// The view says of a unit what the domain says.
func TestUnitsView(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	brand := f.NewBrand()
	product := f.NewProduct(brand)
	plain := f.NewProduct(brand, func(p *mintage.Product) { p.GTIN = "" })
	works := []*store.Work{
		f.SubmitRequest(storetest.Submission{
			Product: product, Quantity: 5, ActivationMode: mintage.ActiveAtMint,
			Lots: []mintage.LotRequest{{LotCode: "A/1", Quantity: 2}, {LotCode: "B", Quantity: 3}},
		}),
		f.SubmitRequest(storetest.Submission{Product: product, Quantity: 3, IdentityMode: mintage.IdentityBatch}),
		f.Submit(plain, 2),
	}
	for range works {
		f.Mint(1) // two cycles each
		f.Mint(9)
	}
	conn := connect(t, db.URL)
	rows := 0
	for _, w := range works {
		b := &w.Batch
		must(t, db.Read(t.Context(), func(r store.Reader) error {
			cycles, err := r.Cycles(t.Context(), b.ProductNumber, b.FirstOrdinal, b.FirstOrdinal+b.RequestedQuantity)
			if err != nil {
				return err
			}
			for i := range b.RequestedQuantity {
				ordinal := b.FirstOrdinal + i
				code, err := r.UnitCode(t.Context(), b.ProductNumber, ordinal)
				if err != nil {
					return err
				}
				lot := b.Lot(ordinal)
				want := mintage.Unit{
					ID: b.ProductCode + "-" + code.String(), ProductID: b.ProductID, BatchID: b.ID, Ordinal: ordinal,
					GTIN: b.GTIN, Lot: lot.Code, ResolverURL: lot.URLPrefix + code.String() + lot.URLSuffix,
					Status: b.ActivationMode.Born(), CreatedAt: cycles[min(i, 1)].At,
				}
				if b.IdentityMode == mintage.IdentitySerial {
					want.Serial = code.String()
				}
				if want.Status == mintage.TokenActive {
					want.ActivatedAt = want.CreatedAt
				}
				var got mintage.Unit
				var gtin, lotCode, serial *string
				var activated, revoked *time.Time
				err = conn.QueryRow(t.Context(), `
					SELECT unit_id, product_id, mint_batch_id, ordinal, gtin, lot, serial, resolver_url, status,
						created_at, activated_at, revoked_at
					FROM units_v WHERE product_id = $1 AND ordinal = $2`, b.ProductID, ordinal).
					Scan(&got.ID, &got.ProductID, &got.BatchID, &got.Ordinal, &gtin, &lotCode, &serial, &got.ResolverURL,
						&got.Status, &got.CreatedAt, &activated, &revoked)
				if err != nil {
					return err
				}
				got.GTIN, got.Lot, got.Serial = deref(gtin), deref(lotCode), deref(serial)
				got.CreatedAt, got.ActivatedAt, got.RevokedAt = got.CreatedAt.UTC(), deref(activated).UTC(), deref(revoked).UTC()
				equal(t, "unit", got, want)
				rows++
			}
			return nil
		}))
	}
	equal(t, "rows", value[int](t, conn, `SELECT count(*) FROM units_v`), rows)
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
