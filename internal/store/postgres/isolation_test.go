package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

// restricted are the roles that policies apply to.
func (w *world) restricted() map[string]string {
	return map[string]string{"app": w.App, "resolver": w.Resolver}
}

// asBrand begins a transaction of a brand; "" is what a setting is on a connection
// that was used before.
func asBrand(t *testing.T, conn *pgx.Conn, brand string) pgx.Tx {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT set_config('mintage.brand', $1, true)`, brand)
	must(t, err)
	return tx
}

// A statement that forgot the brand finds nothing, whatever it asks for.
func TestWithoutBrandNothing(t *testing.T) {
	w := newWorld(t)
	owner := connect(t, w.URL)
	for role, url := range w.restricted() {
		conn := connect(t, url)
		for _, r := range readable(t, url) {
			if value[int](t, owner, `SELECT count(*) FROM `+r.name) == 0 {
				t.Errorf("%s is empty, so that nothing can be said about it", r.name)
			}
			count := `SELECT count(*) FROM ` + r.name
			if n := value[int](t, conn, count); n != 0 {
				t.Errorf("%s sees %d rows of %s before a brand was ever set", role, n, r.name)
			}
		}
		must(t, asBrand(t, conn, fmt.Sprint(w.brands[0].brand.Number)).Commit(t.Context()))
		equal(t, "setting", value[string](t, conn, `SELECT current_setting('mintage.brand', true)`), "")
		for _, r := range readable(t, url) {
			if n := value[int](t, conn, `SELECT count(*) FROM `+r.name); n != 0 {
				t.Errorf("%s sees %d rows of %s after another transaction's brand", role, n, r.name)
			}
		}
	}
}

// With a brand there is all of it, and nothing of another.
func TestWithBrandItsOwn(t *testing.T) {
	w := newWorld(t)
	owner := connect(t, w.URL)
	one, other := w.brands[0], w.brands[1]
	for role, url := range w.restricted() {
		conn := connect(t, url)
		for _, r := range readable(t, url) {
			mine := fmt.Sprintf(`product_number = %d`, one.product.Number) // of brand_units
			if r.brand != "" {
				mine = fmt.Sprintf(`%s = %d`, r.brand, one.brand.Number)
			}
			want := value[int](t, owner, `SELECT count(*) FROM `+r.name+` WHERE `+mine)
			tx := asBrand(t, conn, fmt.Sprint(one.brand.Number))
			var all int
			must(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM `+r.name).Scan(&all))
			if all != want || want == 0 {
				t.Errorf("%s sees %d rows of %s, want %d", role, all, r.name, want)
			}
			must(t, tx.Rollback(t.Context()))
		}
	}
	// Nothing can be written to it, either.
	conn := connect(t, w.App)
	for _, r := range readable(t, w.App) {
		var insert, remove bool
		var column *string // one that may be changed
		must(t, conn.QueryRow(t.Context(), `
			SELECT has_table_privilege($1, 'INSERT'), has_table_privilege($1, 'DELETE'), (
				SELECT min(attname) FROM pg_attribute
				WHERE attrelid = $1::regclass AND attnum > 0 AND has_column_privilege($1, attnum, 'UPDATE')
			)`, r.name).Scan(&insert, &remove, &column))
		theirs := fmt.Sprintf(` WHERE %s = %d`, r.brand, other.brand.Number)
		if insert {
			refuseRow(t, conn, r, one.brand.Number, other.brand.Number)
		}
		var statements []string
		if column != nil {
			statements = append(statements, fmt.Sprintf(`UPDATE %s SET %s = %s`, r.name, *column, *column)+theirs)
		}
		if remove {
			statements = append(statements, `DELETE FROM `+r.name+theirs)
		}
		for _, statement := range statements {
			tx := asBrand(t, conn, fmt.Sprint(one.brand.Number))
			tag, err := tx.Exec(t.Context(), statement)
			if err != nil || tag.RowsAffected() != 0 {
				t.Errorf("%s: %v, %v", statement, tag, err)
			}
			must(t, tx.Rollback(t.Context()))
		}
	}
}

// refuseRow tries to store a row of one brand again as another's.
func refuseRow(t *testing.T, conn *pgx.Conn, r relation, one, other int64) {
	t.Helper()
	columns := value[[]string](t, conn, `SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0`, r.name)
	values := strings.Join(columns, ", ")
	values = strings.Replace(", "+values+",", ", "+r.brand+",", fmt.Sprintf(", %d,", other), 1)
	tx := asBrand(t, conn, fmt.Sprint(one))
	defer func() { must(t, tx.Rollback(t.Context())) }()
	_, err := tx.Exec(t.Context(), fmt.Sprintf(`INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s LIMIT 1`,
		r.name, strings.Join(columns, ", "), strings.Trim(values, ", "), r.name))
	if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "42501" {
		t.Errorf("another brand's row of %s: %v", r.name, err)
	}
}

// The same through the driver, with statements that name the other brand: the
// second wall alone.
func TestStatementsOfAnotherBrand(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	one, other := w.brands[0], w.brands[1]
	brand, b := other.brand.Number, &other.work.Batch
	page := store.Page{Limit: 100}
	look := func(r store.Reader) {
		for name, err := range map[string]error{
			"BrandByNumber":         second(r.BrandByNumber(ctx, brand)),
			"BrandByID":             second(r.BrandByID(ctx, other.brand.ID)),
			"ProductByID":           second(r.ProductByID(ctx, brand, other.product.ID)),
			"ProductBySKU":          second(r.ProductBySKU(ctx, brand, other.product.SKU)),
			"ProductByCode":         second(r.ProductByCode(ctx, brand, other.product.Code)),
			"SchemaByID":            second(r.SchemaByID(ctx, brand, "s")),
			"ProductionBatchByID":   second(r.ProductionBatchByID(ctx, brand, other.production.ID)),
			"ProductionBatchByCode": second(r.ProductionBatchByCode(ctx, brand, other.production.Code)),
			"WorkByJobID":           second(r.WorkByJobID(ctx, brand, other.work.Job.ID)),
			"WorkByBatchID":         second(r.WorkByBatchID(ctx, brand, b.ID)),
			"WorkByOrdinal":         second(r.WorkByOrdinal(ctx, brand, b.ProductNumber, 0)),
			"UnitCode":              second(r.UnitCode(ctx, b.ProductNumber, 0)),
			"LastSeal":              second(r.LastSeal(ctx, brand)),
			"Logo":                  logo(r.Logo(ctx, brand)),
			"ProductByGTIN":         second(r.ProductByGTIN(ctx, brand, other.product.GTIN)),
			"BatchByOrdinal":        second(r.BatchByOrdinal(ctx, brand, b.ProductNumber, 0)),
			"LotCounts":             second(r.LotCounts(ctx, brand, b.Number)),
			"LotsByCode":            none(r.LotsByCode(ctx, brand, b.ProductNumber, "L", 10)),
			"UnitStates":            none(r.UnitStates(ctx, b.ProductNumber, 0, 100)),
			"Recalls":               none(r.Recalls(ctx, brand, b.ProductNumber)),
			"Scans":                 none(r.Scans(ctx, b.ProductNumber, 1, 100)),
			"Links":                 none(r.Links(ctx, brand, b.ProductNumber)),
			"JobSteps":              none(r.JobSteps(ctx, brand, b.Number)),
			"DailyCounts":           none(r.DailyCounts(ctx, brand, time.Time{})),
			"Products":              none(r.Products(ctx, brand, store.ProductFilter{}, page)),
			"Products by words":     none(r.Products(ctx, brand, store.ProductFilter{Search: other.product.SKU}, page)),
			"Schemas":               none(r.Schemas(ctx, brand)),
			"ProductionBatches":     none(r.ProductionBatches(ctx, brand, 0, page)),
			"Works":                 none(r.Works(ctx, brand, store.JobFilter{}, page)),
			"Cycles":                none(r.Cycles(ctx, b.ProductNumber, 0, 100)),
			"Events":                none(r.Events(ctx, brand, store.EventFilter{}, page)),
			"EventsBetween":         none(r.EventsBetween(ctx, brand, 0, 1e6, 100)),
			"Seals":                 none(r.Seals(ctx, brand, 0, 100)),
			"APIKeys":               none(r.APIKeys(ctx, brand)),
			"Members":               none(r.Members(ctx, brand)),
			"Invitations":           none(r.Invitations(ctx, brand)),
		} {
			if mintage.ErrorCode(err) != mintage.CodeNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		check(t, "Totals", store.Totals{})(r.Totals(ctx, brand))
		check(t, "GTINOwner", int64(0))(r.GTINOwner(ctx, brand, other.product.GTIN))
		check(t, "ScanNetworks", int64(0))(r.ScanNetworks(ctx, b.ProductNumber, 1, time.Time{}))
		must(t, r.EachUnit(ctx, b.ProductNumber, 0, 100, func(ordinal int64, _ serial.Code) error {
			return fmt.Errorf("unit %d", ordinal)
		}))
	}
	plain := func(fn func(store.Reader) error) error { return w.app.Read(ctx, fn) }
	scoped := func(fn func(store.Reader) error) error { return w.app.For(one.brand.Number).Read(ctx, fn) }
	for _, read := range []func(func(store.Reader) error) error{plain, scoped} {
		must(t, read(func(r store.Reader) error { look(r); return nil }))
	}
	f := storetest.NewFixture(t, w.Store)
	again := f.NewWork(other.brand, other.product, storetest.Submission{Product: other.product, Quantity: 1}, 50)
	for name, write := range map[string]func(store.Tx) error{
		"CreateProduct": func(tx store.Tx) error {
			p := *other.product
			p.ID, p.SKU, p.Code = storetest.NewID(), "new", "NEWCODE2"
			return tx.CreateProduct(ctx, &p)
		},
		"UpdateProduct":         func(tx store.Tx) error { return tx.UpdateProduct(ctx, other.product) },
		"LockProduct":           func(tx store.Tx) error { return second(tx.LockProduct(ctx, brand, other.product.ID)) },
		"PutSchema":             func(tx store.Tx) error { return tx.PutSchema(ctx, brand, &store.Schema{ID: "new"}) },
		"UpdateBrand":           func(tx store.Tx) error { return tx.UpdateBrand(ctx, other.brand) },
		"CreateAPIKey":          func(tx store.Tx) error { k := *other.key; k.ID = "new"; return tx.CreateAPIKey(ctx, &k) },
		"UpdateAPIKey":          func(tx store.Tx) error { return tx.UpdateAPIKey(ctx, other.key) },
		"UpdateProductionBatch": func(tx store.Tx) error { return tx.UpdateProductionBatch(ctx, other.production) },
		"ReserveOrdinals":       func(tx store.Tx) error { return second(tx.ReserveOrdinals(ctx, b.ProductNumber, 1)) },
		"CreateJob":             func(tx store.Tx) error { return tx.CreateJob(ctx, &again.Job, &again.Batch) },
		"ClaimKey": func(tx store.Tx) error {
			return second(tx.ClaimKey(ctx, brand, "new", store.KeyClaim{JobID: storetest.NewID()}))
		},
		"ClaimGTIN":   func(tx store.Tx) error { return second(tx.ClaimGTIN(ctx, brand, "09501101530003", b.ProductNumber)) },
		"AppendEvent": func(tx store.Tx) error { return tx.AppendEvent(ctx, &mintage.Event{BrandNumber: brand, At: f.Now()}) },
		"AppendEvents": func(tx store.Tx) error {
			return tx.AppendEvents(ctx, []*mintage.Event{{BrandNumber: brand, At: f.Now()}})
		},
		"PutLogo":      func(tx store.Tx) error { return tx.PutLogo(ctx, brand, []byte{2}, "image/png") },
		"PutLinks":     func(tx store.Tx) error { return tx.PutLinks(ctx, brand, b.ProductNumber, nil) },
		"CreateRecall": func(tx store.Tx) error { return tx.CreateRecall(ctx, f.NewRecall(b, &mintage.Lot{Quantity: 1}, "r")) },
		"PutMember of a brand": func(tx store.Tx) error {
			return tx.PutMember(ctx, &mintage.Member{BrandNumber: brand, UserID: one.user.ID, CreatedAt: f.Now()})
		},
		"CreateInvitation": func(tx store.Tx) error {
			i := *other.invitation
			i.ID, i.Hash, i.Email = storetest.NewID(), []byte("new"), "new@mail.example"
			return tx.CreateInvitation(ctx, &i)
		},
		"DeleteInvitation":        func(tx store.Tx) error { return tx.DeleteInvitation(ctx, brand, other.invitation.ID) },
		"RemoveMember of a brand": func(tx store.Tx) error { return tx.RemoveMember(ctx, brand, other.user.ID) },
	} {
		before := storetest.Snapshot(t, w.DB)
		for _, transactions := range []store.Transactions{w.app, w.app.For(one.brand.Number)} {
			err := transactions.InTx(ctx, write)
			if code := mintage.ErrorCode(err); code != mintage.CodeNotFound && code != mintage.CodeUnavailable {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := storetest.Changes(before, storetest.Snapshot(t, w.DB)); diff != "" {
			t.Errorf("%s has changed something:\n%s", name, diff)
		}
	}
}

// What the resolver writes, about another brand's units.
func TestResolverOfAnotherBrand(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	one, other := w.brands[0], w.brands[1]
	theirs := mintage.UnitState{ProductNumber: other.product.Number, Ordinal: 10, At: time.Now()}
	mine := mintage.UnitState{ProductNumber: one.product.Number, Ordinal: 10, At: time.Now()}
	scan := mintage.Scan{ProductNumber: other.product.Number, Ordinal: 10, At: time.Now(), Agent: mintage.AgentPhone}
	before := storetest.Snapshot(t, w.DB)
	resolver := w.resolver.For(one.brand.Number)
	must(t, resolver.InTx(ctx, func(tx store.Tx) error {
		check(t, "ActivateUnits", []bool{false})(tx.ActivateUnits(ctx, []mintage.UnitState{theirs}))
		return nil
	}))
	must(t, w.app.For(one.brand.Number).InTx(ctx, func(tx store.Tx) error {
		check(t, "RevokeUnits", []bool{false})(tx.RevokeUnits(ctx, []mintage.UnitState{theirs}))
		return nil
	}))
	for name, write := range map[string]func(store.Tx) error{
		"AppendScans": func(tx store.Tx) error { return tx.AppendScans(ctx, []mintage.Scan{scan}) },
		"AppendEvents": func(tx store.Tx) error {
			return tx.AppendEvents(ctx, []*mintage.Event{{BrandNumber: other.brand.Number, At: time.Now()}})
		},
	} {
		for _, transactions := range []store.Transactions{w.resolver, resolver} {
			if code := mintage.ErrorCode(transactions.InTx(ctx, write)); code != mintage.CodeNotFound && code != mintage.CodeUnavailable {
				t.Errorf("%s: %v", name, code)
			}
		}
	}
	tx := asBrand(t, connect(t, w.Resolver), fmt.Sprint(one.brand.Number))
	_, err := tx.Exec(ctx, `INSERT INTO day_counts (brand_number, day, scans) VALUES ($1, now(), 1)
		ON CONFLICT (brand_number, day) DO UPDATE SET scans = 7`, other.brand.Number)
	if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "42501" {
		t.Errorf("another brand's counts: %v", err)
	}
	must(t, tx.Rollback(ctx))
	if diff := storetest.Changes(before, storetest.Snapshot(t, w.DB)); diff != "" {
		t.Errorf("something has changed:\n%s", diff)
	}
	must(t, resolver.InTx(ctx, func(tx store.Tx) error {
		check(t, "ActivateUnits of two brands", []bool{false, true})(tx.ActivateUnits(ctx, []mintage.UnitState{theirs, mine}))
		return nil
	}))
}

func logo(_ []byte, _ string, err error) error { return err }

func second[T any](_ T, err error) error { return err }

// none is NOT_FOUND for an empty list.
func none[T any](list []T, err error) error {
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return fmt.Errorf("%d rows", len(list))
	}
	return mintage.Errorf(mintage.CodeNotFound, "none")
}

// One connection serves one brand after the other, and what came before, however it
// ended, leaves nothing behind.
func TestBrandEndsWithTransaction(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	s := open(t, w.App, postgres.Options{MaxConns: 1})
	seen := func(transactions store.Transactions) (seen []bool) {
		must(t, transactions.Read(ctx, func(r store.Reader) error {
			for _, p := range w.brands {
				_, err := r.BrandByNumber(ctx, p.brand.Number)
				seen = append(seen, err == nil)
			}
			return nil
		}))
		return seen
	}
	first, other := s.For(w.brands[0].brand.Number), s.For(w.brands[1].brand.Number)
	equal(t, "never set", seen(s), []bool{false, false})
	equal(t, "the first", seen(first), []bool{true, false})
	equal(t, "after it", seen(s), []bool{false, false})
	_ = first.InTx(ctx, func(store.Tx) error { return errors.New("rolled back") })
	equal(t, "after a rollback", seen(s), []bool{false, false})
	func() {
		defer func() { _ = recover() }()
		_ = first.InTx(ctx, func(store.Tx) error { panic("in the middle") })
	}()
	equal(t, "after a panic", seen(s), []bool{false, false})
	equal(t, "the other", seen(other), []bool{false, true})
}

// Nobody may escape by what a savepoint undoes: here, while an installation is set
// up, the brand that a new one would have become.
func TestBrandOutlastsSavepoint(t *testing.T) {
	ctx := t.Context()
	app := storetest.Open(t, "postgres").As(t, "mintage_app")
	f := storetest.NewFixture(t, app)
	b, other := f.NewBrand(), f.NewBrand()
	must(t, app.For(b.Number).InTx(ctx, func(tx store.Tx) error {
		taken := *b
		taken.ID, taken.ResolverBase = storetest.NewID(), other.ResolverBase
		err := tx.Savepoint(ctx, func() error { return tx.CreateBrand(ctx, &taken) })
		wantCode(t, err, mintage.CodeConflict)
		_, err = tx.BrandByNumber(ctx, b.Number)
		return err
	}))
}
