package dpp

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type product struct {
	sku, gtin, status, schema string
	attributes                map[string]any
}

func (p product) encode(t testing.TB) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(p.attributes)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func readCSV(t testing.TB, name string) (heading []string, rows [][]string) {
	t.Helper()
	file, err := os.Open("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err = csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[0], rows[1:]
}

// catalogue reads the example catalogue as an importer would.
func catalogue(t testing.TB) []product {
	t.Helper()
	heading, rows := readCSV(t, "catalogue.csv")
	if want := []string{"sku", "name", "gtin", "commercial_status", "dpp_schema"}; !slices.Equal(heading[:5], want) {
		t.Fatalf("the catalogue starts with %v", heading[:5])
	}
	var products []product
	for _, row := range rows {
		p := product{sku: row[0], gtin: row[2], status: row[3], schema: row[4], attributes: map[string]any{}}
		s, ok := BuiltinByID(p.schema)
		if !ok {
			t.Fatalf("%s: no schema %q", p.sku, p.schema)
		}
		for i, column := range heading[5:] {
			cell := row[5+i]
			if cell == "" {
				continue // columns of the other schema, too
			}
			name, ok := strings.CutPrefix(column, "dpp.")
			if !ok {
				t.Fatalf("column %q", column)
			}
			value, err := s.ParseCell(name, cell)
			if err != nil {
				t.Fatalf("%s: %v", p.sku, err)
			}
			if value != nil {
				p.attributes[name] = value
			}
		}
		products = append(products, p)
	}
	return products
}

func TestExampleCatalogue(t *testing.T) {
	blocked := map[string]string{
		"FL-EV-MOD-08": "-/manufacturer_address !/battery_category -/manufacturing_place -/weight_kg -/chemistry -/hazardous_substances " +
			"!/recycled_lithium_percent -/rated_capacity_ah -/voltage_nominal_v -/expected_lifetime_cycles " +
			"!/declaration_of_conformity_url -/detailed_composition/cathode",
		"FL-IND-RACK-15": "-/carbon_footprint_kg_per_kwh",
		"FL-VST-CITY-M":  "!/fibre_composition",
		"FL-VST-CITY-L":  "!/country_of_manufacture -/care_instructions",
	}
	statuses := map[string]int{}
	seen := map[string]bool{}
	withoutGTIN := 0
	products := catalogue(t)
	for _, p := range products {
		s, _ := BuiltinByID(p.schema)
		if got := format(s.Check(p.encode(t))); got != blocked[p.sku] {
			t.Errorf("%s: problems %q, want %q", p.sku, got, blocked[p.sku])
		}
		statuses[p.status]++
		switch {
		case p.gtin == "":
			withoutGTIN++
		case len(p.gtin) != 13 || !strings.HasPrefix(p.gtin, "952") || checkDigit(p.gtin[:12]) != p.gtin[12:]:
			t.Errorf("%s: %s is no demonstration GTIN", p.sku, p.gtin)
		}
		for _, key := range []string{p.sku, p.gtin} {
			if key != "" && seen[key] {
				t.Errorf("%s: %s occurs twice", p.sku, key)
			}
			seen[key] = true
		}
	}
	if len(products) < 35 || withoutGTIN < 3 || statuses["DISCONTINUED"] != 1 || statuses["DRAFT"] == 0 ||
		statuses["ACTIVE"]+statuses["DRAFT"]+statuses["DISCONTINUED"] != len(products) {
		t.Errorf("%d products, %d without GTIN, statuses %v", len(products), withoutGTIN, statuses)
	}
}

func TestExampleProductionBatches(t *testing.T) {
	heading, rows := readCSV(t, "production-batches.csv")
	if want := []string{"code", "sku", "quantity", "status"}; !slices.Equal(heading, want) {
		t.Fatalf("columns %v", heading)
	}
	skus := map[string]product{}
	for _, p := range catalogue(t) {
		skus[p.sku] = p
	}
	statuses := map[string]int{}
	for _, row := range rows {
		if len(row[0]) > 20 || strings.Trim(row[0], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/") != "" {
			t.Errorf("%s is no value of AI 10", row[0])
		}
		if _, ok := skus[row[1]]; !ok {
			t.Errorf("%s: product %s is not in the catalogue", row[0], row[1])
		}
		if n, err := strconv.Atoi(row[2]); err != nil || n < 1 {
			t.Errorf("%s: quantity %s", row[0], row[2])
		}
		statuses[row[3]]++
	}
	if statuses["READY"] < 3 || statuses["PLANNED"] < 2 || statuses["CLOSED"] < 2 || len(statuses) != 3 {
		t.Errorf("statuses %v", statuses)
	}
	big := rows[0]
	if big[0] != "PB-2027-0731" || big[2] != "1200000" || big[3] != "READY" || skus[big[1]].schema != "battery" {
		t.Errorf("the large run is %v", big)
	}
}

// checkDigit follows GS1: weights 3 and 1 from the right.
func checkDigit(digits string) string {
	sum := 0
	for i := range len(digits) {
		weight := 3
		if (len(digits)-i)%2 == 0 {
			weight = 1
		}
		sum += weight * int(digits[i]-'0')
	}
	return strconv.Itoa((10 - sum%10) % 10)
}
