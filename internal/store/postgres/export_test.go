package postgres

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"mintage/internal/store"
)

// ClaimJobSQL is for the test of its plan.
const ClaimJobSQL = claimJob

// AppendUnits is for the benchmark's floor.
var AppendUnits = appendUnits

// Growing are the tables that grow with units.
var Growing = growing

// Statement is a string of SQL in the driver's source.
type Statement struct{ File, SQL string }

// Statements are the strings in the driver's source.
func Statements(t *testing.T) (all []Statement) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				sql, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, Statement{file, sql})
			}
			return true
		})
	}
	return all
}

// Plans runs fn in a transaction of a brand and returns the plans of its statements.
func (s *Store) Plans(ctx context.Context, brand int64, fn func(store.Tx) error) (plans []string, err error) {
	begin := s.For(brand).(scoped).begin(s.beginWrite)
	err = s.run(ctx, s.pool, begin, func(t *tx) error {
		if _, err := t.Now(ctx); err != nil { // sends what goes ahead
			return err
		}
		t.watch = func(ctx context.Context, sql string, args []any) {
			rows, err := t.conn.Query(ctx, "EXPLAIN "+sql, args...)
			if err == nil {
				var lines []string
				lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
				plans = append(plans, strings.Join(lines, "\n"))
			}
			if err != nil {
				panic(err)
			}
		}
		return fn(t)
	})
	return plans, err
}
