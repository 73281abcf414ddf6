package catalogue

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"mintage"
	"mintage/internal/store/storetest"
)

// files gives what lies outside the project: nothing where it is not there.
func files(t testing.TB, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(path)] = string(text)
	}
	return found
}

// A real catalogue: 525 products, of which 7 have a GTIN that is none.
func TestImportRealCatalogue(t *testing.T) {
	for name, file := range files(t, "../../../shared/data/catalogue.csv") {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				summary, rows := w.importProducts(t, file)
				if !reflect.DeepEqual(summary, Summary{Rows: 525, Created: 518, Refused: 7}) {
					t.Errorf("the summary is %+v", summary)
				}
				lines := strings.Split(file, "\n")
				for _, r := range rows {
					if r.Accepted {
						continue
					}
					// No cell of this file spans lines, so rows and lines are the same.
					gtin, _, _ := strings.Cut(lines[r.Row-1], ",")
					if r.Column != "gtin" || r.Code != mintage.CodeInvalidInput || strings.Contains(r.Message, gtin) {
						t.Errorf("%q is refused as %+v", lines[r.Row-1], r)
					}
					if _, err := parseGTIN(gtin); err == nil {
						t.Errorf("row %d has a good GTIN: %s", r.Row, gtin)
					}
				}
				if len(w.events(t)) != 518 || len(w.allProducts(t, w.p)) != 518 {
					t.Errorf("%d events, %d products", len(w.events(t)), len(w.allProducts(t, w.p)))
				}
				if p := w.productBySKU(t, "0009800126132"); p.GTIN != "00009800126132" || p.Name != "Rocher" {
					t.Errorf("got %+v", p)
				}
				w.unchanged(t, func() {
					summary, _ := w.importProducts(t, file)
					if !reflect.DeepEqual(summary, Summary{Rows: 525, Unchanged: 518, Refused: 7}) {
						t.Errorf("the second summary is %+v", summary)
					}
				})
			})
		})
	}
}

// The examples that we ship import without a refusal, twice.
func TestImportExamples(t *testing.T) {
	examples := files(t, "../../examples/*.csv")
	if examples["catalogue.csv"] == "" || examples["production-batches.csv"] == "" {
		t.Fatal("the examples are not there")
	}
	each(t, func(t *testing.T, w *world) {
		for _, how := range []string{"first", "second"} {
			for _, kind := range []struct {
				file string
				load func(testing.TB, string) (Summary, []Row)
			}{
				{"catalogue.csv", w.importProducts},
				{"production-batches.csv", w.importProductionBatches},
			} {
				before := storetest.Snapshot(t, w.db)
				summary, rows := kind.load(t, examples[kind.file])
				for _, r := range rows {
					if !r.Accepted {
						t.Errorf("%s is refused: %+v", kind.file, r)
					}
				}
				if summary.Rows == 0 || len(summary.IgnoredColumns) > 0 {
					t.Errorf("%s: %+v", kind.file, summary)
				}
				if how == "first" && summary.Created != summary.Rows {
					t.Errorf("%s: %+v", kind.file, summary)
				}
				if how == "second" && (summary.Unchanged != summary.Rows || before != storetest.Snapshot(t, w.db)) {
					t.Errorf("%s, again: %+v", kind.file, summary)
				}
			}
		}
	})
}

// However a spreadsheet writes the same table, the catalogue is the same.
func TestImportVariants(t *testing.T) {
	const lf = "sku,name,gtin,status,dpp_schema,dpp.weight_kg,dpp.chemistry\n" +
		"a,Cell,96385074,DRAFT,battery,2.40,NMC\n" +
		"b,\"Quoted \"\"x\"\"\",,,,,\n" +
		"c,Käse,,ACTIVE,battery,,\"N;M\"\n"
	cells := strings.NewReplacer("\"N;M\"", "\"N;M\"", ",", ";")
	variants := map[string]string{
		"as it is":             lf,
		"byte order mark":      "\uFEFF" + lf,
		"CRLF":                 strings.ReplaceAll(lf, "\n", "\r\n"),
		"semicolons":           cells.Replace(lf),
		"all of it":            "\uFEFF" + strings.ReplaceAll(cells.Replace(lf), "\n", "\r\n"),
		"no line end":          strings.TrimSuffix(lf, "\n"),
		"blank rows":           strings.ReplaceAll(lf, "\n", "\n,,,,,,\n\n"),
		"spaces":               strings.ReplaceAll(lf, ",", "  ,"),
		"other headings":       strings.Replace(lf, "sku,name,gtin,status,dpp_schema,dpp.weight_kg", " SKU ,Name,GTIN,Commercial Status,DPP-Schema,DPP. Weight Kg", 1),
		"commercial_status":    strings.Replace(lf, "status", "commercial_status", 1),
		"columns nobody knows": strings.ReplaceAll(lf, "\n", ",x\n"),
	}
	variants["spaces"] = strings.ReplaceAll(variants["spaces"], "\"  ,", "\",")
	each(t, func(t *testing.T, w *world) {
		var want map[string]mintage.Product
		for _, name := range append([]string{"as it is"}, keys(variants)...) {
			p := principal(w.NewBrand())
			var rows []Row
			summary, err := w.service.ImportProducts(t.Context(), p, strings.NewReader(variants[name]), collect(&rows))
			if err != nil || summary.Created != 3 || summary.Rows != 3 {
				t.Errorf("%s: %+v, %v, %+v", name, summary, err, rows)
			}
			got := w.allProducts(t, p)
			if want == nil {
				want = got
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\n%+v, want\n%+v", name, got, want)
			}
		}
		if got := want["a"]; got.GTIN != "00000096385074" || got.Status != mintage.ProductDraft || got.SchemaID != "battery" ||
			string(got.Attributes) != `{"chemistry":"NMC","weight_kg":2.40}` {
			t.Errorf("got %+v", got)
		}
		if got := want["b"]; got.Name != `Quoted "x"` || got.Status != mintage.ProductActive || string(got.Attributes) != `{}` {
			t.Errorf("got %+v", got)
		}
	})
}

func keys(m map[string]string) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

// The order of the columns means nothing.
func TestImportColumnsInAnyOrder(t *testing.T) {
	table := [][]string{
		{"sku", "name", "gtin", "status", "dpp_schema", "dpp.weight_kg", "dpp.weight_g", "dpp.chemistry", "extra"},
		{"a", "Cell", "96385074", "DRAFT", "battery", "2.4", "", "NMC", "1"},
		{"", "By GTIN", "9520123456788", "", "", "", "", "", ""},
		{"c", "Shirt", "", "", "textile", "", "180", "", ""},
		{"d", "Wrong column", "", "", "textile", "2.4", "180", "", ""},
		{"a", "Cell again", "", "ACTIVE", "", "", "", "LFP", ""},
	}
	each(t, func(t *testing.T, w *world) {
		var want map[string]mintage.Product
		rapid.Check(t, func(rt *rapid.T) {
			order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8}).Draw(rt, "order")
			var file strings.Builder
			for _, cells := range table {
				for i, column := range order {
					if i > 0 {
						file.WriteByte(',')
					}
					file.WriteString(cells[column])
				}
				file.WriteByte('\n')
			}
			p := principal(w.NewBrand())
			summary, err := w.service.ImportProducts(t.Context(), p, strings.NewReader(file.String()), func(Row) error { return nil })
			if err != nil || summary.Created != 3 || summary.Updated != 1 || summary.Refused != 1 {
				rt.Fatalf("%+v, %v", summary, err)
			}
			got := w.allProducts(t, p)
			if want == nil {
				want = got
			}
			if !reflect.DeepEqual(got, want) {
				rt.Fatalf("got\n%+v, want\n%+v", got, want)
			}
		})
		if a := want["a"]; a.Name != "Cell again" || a.Status != mintage.ProductActive || string(a.Attributes) != `{"chemistry":"LFP","weight_kg":2.4}` {
			t.Errorf("a is %+v", a)
		}
	})
}

func TestImportRefusesFiles(t *testing.T) {
	utf16le := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune("sku,name\n1,a\n")) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	each(t, func(t *testing.T, w *world) {
		w.unchanged(t, func() {
			for name, test := range map[string]struct{ file, field string }{
				"empty":                {"", ""},
				"blank":                {"\n;;\n\n", ""},
				"UTF-16":               {string(utf16le), ""},
				"Latin-1 header":       {"sku,name,gr\xf6\xdfe\n1,a,b\n", ""},
				"no header":            {"1,a\n2,b\n", "name"},
				"no name":              {"sku,gtin\n1,\n", "name"},
				"neither SKU nor GTIN": {"name,status\na,DRAFT\n", "sku"},
				"SKU twice":            {"sku,name,SKU\n1,a,1\n", "sku"},
				"status twice":         {"sku,name,status,Commercial Status\n1,a,DRAFT,ACTIVE\n", "commercial_status"},
				"attribute twice":      {"sku,name,dpp.size,DPP.Size\n1,a,M,L\n", ""},
				"tabs":                 {"sku\tname\n1\ta\n", "name"},
				"CR":                   {"sku,name\r1,a\r2,b\r", ""},
				"broken header":        {"sku,\"name\n1,a\n", ""},
				"header too long":      {strings.Repeat("sku,name,", maxRow/9) + "x,y,zzzzzzzz\n1,a\n", ""},
			} {
				t.Run(name, func(t *testing.T) {
					summary, err := w.service.ImportProducts(t.Context(), w.p, strings.NewReader(test.file), func(r Row) error {
						t.Errorf("a row: %+v", r)
						return nil
					})
					wantError(t, err, mintage.CodeInvalidInput, test.field)
					if summary.Rows != 0 {
						t.Errorf("the summary is %+v", summary)
					}
				})
			}
			for _, column := range []string{"code", "quantity", "status", "sku"} {
				file := strings.Replace("code,quantity,status,sku\nP,1,READY,a\n", column, "x", 1)
				_, err := w.service.ImportProductionBatches(t.Context(), w.p, strings.NewReader(file), nil)
				wantError(t, err, mintage.CodeInvalidInput, column)
			}
		})
	})
}

func TestImportRefusesRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if _, err := w.service.PutSchema(t.Context(), w.p, "toys", []byte(toys)); err != nil {
			t.Fatal(err)
		}
		file := "sku,name,gtin,status,dpp_schema,dpp.minimum_age,dpp.colour,dpp.materials,dpp.electric,plant,plant,\n" +
			"t1,Ball,,,toys,3,red,\"[{\"\"name\"\":\"\"rubber\"\"}]\",TRUE,x,,\n" + // 2
			"t2,Ball,,,toys,three,red,,,,,\n" +
			"t3,Ball,,,,3,,,,,,\n" +
			"t4,Ball,,,textile,3,,,,,,\n" +
			"t5,Ball,,,games,,,,,,,\n" +
			"t6,Ball,,,toys,,,not a list,,,,\n" + // 7
			"t7,Ball,,,toys,,,\"[{\"\"a\"\":1,\"\"a\"\":2}]\",,,,\n" +
			"t8,Ball,,,toys,,," + strings.Repeat("[", 30) + strings.Repeat("]", 30) + ",,,,\n" +
			"t9,Ball,,,toys,,,,maybe,,,\n" +
			"t10,,,,,,,,,,,\n" +
			",Ball,,,,,,,,,,\n" + // 12
			"t11,Ball,123,,,,,,,,,\n" +
			"t12,Ball,,SOLD,,,,,,,,\n" +
			"t13,Ba\x07ll,,,,,,,,,,\n" +
			"t\x0014,Ball,,,,,,,,,,\n" +
			"t15,Ball\n" + // 17
			"t16,\"Ball,,,,,,,,,,\n" +
			"t17,B\"all,,,,,,,,,,\n" +
			"t18,B\xe4ll,,,,,,,,,,\n" +
			strings.Repeat("s", 101) + ",Ball,,,,,,,,,,\n" +
			"t19," + strings.Repeat("n", maxRow) + ",,,,,,,,,,\n" + // 22
			"t20,Ball,,,toys,," + strings.Repeat("r", maxAttributes) + ",,,,,\n" +
			"t21,Ball,,discontinued,toys,,,,,,,\n"
		summary, rows := w.importProducts(t, file)
		wantRows(t, rows, []string{
			"2 created t1", "3 INVALID_INPUT dpp.minimum_age", "4 INVALID_INPUT dpp.minimum_age", "5 INVALID_INPUT dpp.minimum_age",
			"6 INVALID_INPUT dpp_schema", "7 INVALID_INPUT dpp.materials", "8 INVALID_INPUT dpp.materials", "9 INVALID_INPUT dpp.materials",
			"10 INVALID_INPUT dpp.electric", "11 INVALID_INPUT name", "12 INVALID_INPUT sku", "13 INVALID_INPUT gtin",
			"14 INVALID_INPUT commercial_status", "15 INVALID_INPUT name", "16 INVALID_INPUT sku", "17 INVALID_INPUT ",
			"18 INVALID_INPUT ", "19 INVALID_INPUT ", "20 INVALID_INPUT ", "21 INVALID_INPUT sku", "22 INVALID_INPUT ",
			"23 INVALID_INPUT attributes", "24 created t21",
		})
		if !reflect.DeepEqual(summary, Summary{Rows: 23, Created: 2, Refused: 21, IgnoredColumns: []string{"plant"}}) {
			t.Errorf("the summary is %+v", summary)
		}
		if got := string(w.productBySKU(t, "t1").Attributes); got != `{"Colour":"red","electric":true,"materials":[{"name":"rubber"}],"minimum_age":3}` {
			t.Errorf("the attributes are %s", got)
		}
		for _, secret := range []string{"three", "SOLD", "not a list", "maybe", "123"} {
			for _, r := range rows {
				if strings.Contains(r.Message, secret) {
					t.Errorf("the message repeats the cell %q: %s", secret, r.Message)
				}
			}
		}
	})
}

// An empty cell, and a column that is not there, change nothing.
func TestImportLeavesWhatItDoesNotSay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.importProducts(t, "sku,name,gtin,status,dpp_schema,dpp.weight_kg,dpp.chemistry\na,Cell,96385074,DRAFT,battery,2.4,NMC\n")
		before := w.productBySKU(t, "a")
		w.unchanged(t, func() {
			for _, file := range []string{
				"sku,name\na,Cell\n",
				"sku,name,gtin,status,dpp_schema,dpp.weight_kg,dpp.chemistry\na,,,,,,\n",
				"sku,name,dpp.chemistry\na,Cell,NMC\n",
			} {
				_, rows := w.importProducts(t, file)
				wantRows(t, rows, []string{"2 unchanged a"})
			}
		})
		_, rows := w.importProducts(t, "sku,name,dpp.chemistry\na,Cell,LFP\na,Pack,\n")
		wantRows(t, rows, []string{"2 updated a", "3 updated a"})
		after := w.productBySKU(t, "a")
		if after.Name != "Pack" || string(after.Attributes) != `{"chemistry":"LFP","weight_kg":2.4}` || after.GTIN != before.GTIN || after.SchemaID != "battery" {
			t.Errorf("got %+v", after)
		}
	})
}
