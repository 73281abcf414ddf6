package web

import (
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"mintage/internal/access"
)

// notForPages are packages below the use cases.
var notForPages = []string{"mintage/internal/store", "database/sql", "github.com/jackc/pgx", "modernc.org/sqlite"}

func isBelowTheUseCases(pkg string) bool {
	for _, below := range notForPages {
		if pkg == below || strings.HasPrefix(pkg, below+"/") {
			return true
		}
	}
	return false
}

// No handler touches the store: the package imports none, and nothing that a handler
// is given leads to one.
func TestHandlersReachOnlyUseCases(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range file.Imports {
			if path, err := strconv.Unquote(imported.Path.Value); err != nil || isBelowTheUseCases(path) {
				t.Errorf("%s imports %s: %v", name, imported.Path.Value, err)
			}
		}
	}
	reached := map[reflect.Type]bool{}
	reach(t, reflect.TypeFor[Deps](), "Deps", reached)
	for _, service := range []reflect.Type{reflect.TypeFor[*access.Service](), reflect.TypeFor[Deps]()} {
		if !reached[service] {
			t.Errorf("nothing was found out about %s", service)
		}
	}
}

// reach follows what another package can get from a value of a type: exported fields,
// elements, and what methods and functions return or hand to a function.
func reach(t *testing.T, of reflect.Type, way string, reached map[reflect.Type]bool) {
	t.Helper()
	if reached[of] {
		return
	}
	reached[of] = true
	pkg := of.PkgPath()
	// Rows and filters of the contract are data, which the use cases hand on under
	// names of their own; what acts on a database is an interface, or a driver's.
	if isBelowTheUseCases(pkg) && (of.Kind() == reflect.Interface || pkg != "mintage/internal/store") {
		t.Errorf("%s leads to %s", way, of)
		return
	}
	if pkg != "" && pkg != "mintage" && !strings.HasPrefix(pkg, "mintage/") {
		return
	}
	for method := range of.Methods() {
		for result := range method.Type.Outs() {
			reach(t, result, way+"."+method.Name+"()", reached)
		}
	}
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		reach(t, of.Elem(), way, reached)
	case reflect.Map:
		reach(t, of.Key(), way, reached)
		reach(t, of.Elem(), way, reached)
	case reflect.Struct:
		for field := range of.Fields() {
			if field.IsExported() || field.Anonymous {
				reach(t, field.Type, way+"."+field.Name, reached)
			}
		}
	case reflect.Func:
		for in := range of.Ins() {
			reach(t, in, way+"(…)", reached)
		}
		for out := range of.Outs() {
			reach(t, out, way+"()", reached)
		}
	default: // has nothing within
	}
}

// What a page changes is an operation of the API too, under the same rule of the
// table of roles, but for what only a person has: a session and an account.
func TestFormsAreOperationsOfTheAPI(t *testing.T) {
	document, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	operations := map[access.Operation]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +operationId: (\w+)$`).FindAllSubmatch(document, -1) {
		operations[access.Operation(m[1])] = true
	}
	if !operations["submit_mint_request"] {
		t.Fatal("the document of the API has no operation to submit with")
	}
	for _, route := range Routes() {
		_, ruled := access.LeastRole(route.Operation)
		switch {
		case route.Method == http.MethodGet || route.Public || route.Operation == opUseAccount:
		case !ruled || !operations[route.Operation]:
			t.Errorf("%s changes something as %q, which the API has not", route.Pattern(), route.Operation)
		}
	}
}
