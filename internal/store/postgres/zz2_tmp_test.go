package postgres_test
import ("testing";"mintage";"time";"strconv")
func BenchmarkYY(b *testing.B) {
	_, u, batch := newBatchOf(b, mintage.MaxRequestQuantity)
	conn := connect(b, u)
	exec(b, conn, `INSERT INTO unit_states SELECT $1::integer, o, now(), 'active', '' FROM generate_series(0, 100000) o`, batch.ProductNumber)
	show := func() {
	for _, q := range []string{`EXPLAIN (ANALYZE) EXECUTE q(`+"1"+`, '{`+list()+`}', NULL)`} {
		rows, err := conn.Query(b.Context(), q); must(b, err)
		for rows.Next() { var s string; must(b, rows.Scan(&s)); b.Log(s) }
		must(b, rows.Err())
	}}
	exec(b, conn, `SET plan_cache_mode = force_generic_plan`)
	exec(b, conn, `PREPARE q(integer, integer[], timestamptz[]) AS INSERT INTO unit_states AS s (product_number, ordinal, at, status, reason)
    SELECT $1, u.ordinal, now(), 'active', ''
    FROM unnest($2) AS u (ordinal)
    WHERE u.ordinal <> ALL (ARRAY(
        SELECT r.ordinal FROM unit_states r
        WHERE r.product_number = $1 AND r.ordinal = ANY ($2) AND r.status = 'revoked'
    ))
    ON CONFLICT DO NOTHING
    RETURNING s.ordinal`)
	show()
	exec(b, conn, `ANALYZE unit_states`)
	show()
	_ = time.Now
}

func list() string { x := "200001"; for i := 2; i < 65; i++ { x += ","+strconv.Itoa(200000+i) }; return x }
