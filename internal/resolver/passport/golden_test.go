package passport_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mintage/internal/dpp"
	"mintage/internal/resolver/passport"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenInput is the first part of a golden file.
type goldenInput struct {
	Language string
	SchemaID string
	Schema   json.RawMessage // one of its own, instead of SchemaID
	Page     passport.Page
}

// TestGolden compares pages with files in testdata that hold the input and, after
// lines like "-- page.html --", all that is made of it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, _, _ := strings.Cut(string(content), "\n-- page.html --\n")
			var in goldenInput
			d := json.NewDecoder(strings.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&in); err != nil {
				t.Fatal(err)
			}
			if len(in.Schema) > 0 {
				if in.Page.Schema, err = dpp.Parse("own", in.Schema); err != nil {
					t.Fatal(err)
				}
			} else if in.SchemaID != "" {
				in.Page.Schema, _ = dpp.BuiltinByID(in.SchemaID)
			}
			r := passport.New()
			data, err := r.JSON(&in.Page, in.Language)
			if err != nil {
				t.Fatal(err)
			}
			linked, err := r.JSONLD(&in.Page, in.Language)
			if err != nil {
				t.Fatal(err)
			}
			_, name := r.Stylesheet(in.Page.Brand)
			page := strings.ReplaceAll(html(t, r, &in.Page, in.Language), name, "style.css") // its look is not compared
			got := strings.TrimRight(text, "\n") + "\n\n-- page.html --\n" + page +
				"\n-- page.json --\n" + indented(t, data) + "\n-- page.jsonld --\n" + indented(t, linked)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(content) {
				t.Errorf("it is different now; look at the difference after: go test ./internal/resolver/passport -run TestGolden -update\n%s", firstDifference(got, string(content)))
			}
		})
	}
}

func indented(t *testing.T, data []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(data), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "got:  " + a[i] + "\nwant: " + b[i]
		}
	}
	return "one of them is longer"
}
