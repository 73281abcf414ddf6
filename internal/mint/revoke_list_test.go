package mint_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/store/storetest"
)

// revokeList sends a list and returns what became of each row, as "3 revoked" or
// "4 refused NOT_FOUND unit_id".
func (w *world) revokeList(file, reason string) ([]string, catalogue.Summary) {
	w.t.Helper()
	var rows []string
	sum, err := w.service.RevokeList(w.t.Context(), w.p, strings.NewReader(file), reason, func(r catalogue.Row) error {
		line := fmt.Sprintf("%d %s", r.Row, r.Result)
		if !r.Accepted {
			line += fmt.Sprintf(" %s %s", r.Code, r.Column)
		}
		rows = append(rows, line)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows, sum
}

func TestRevokeList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		lots := []mintage.LotRequest{{LotCode: "L/1", Quantity: 6}}
		withGTIN := w.NewProduct(w.brand)
		serials := w.minted(storetest.Submission{Product: withGTIN, Quantity: 6, Lots: lots})
		batch := w.minted(storetest.Submission{Product: withGTIN, Quantity: 6, Lots: lots, IdentityMode: mintage.IdentityBatch})
		bare := w.minted(storetest.Submission{Product: w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = "" }), Quantity: 6, Lots: lots})
		other := w.NewBrand()
		theirs := w.minted
		mine := w.p
		w.p = mintage.Principal{BrandNumber: other.Number, Role: mintage.RoleOwner, Actor: "key:other"}
		foreign := w.list(theirs(storetest.Submission{Product: w.NewProduct(other), Quantity: 1}))[0]
		w.p = mine
		s, b, n := w.list(serials), w.list(batch), w.list(bare)
		gtin := serials.GTIN
		base := w.brand.ResolverBase

		rows, sum := w.revokeList("unit_id;URL;GTIN;Serial;Shelf\n"+strings.Join([]string{
			s[0].ID + ";;;;x",
			";" + s[1].ResolverURL + ";;;",
			";;" + gtin + ";" + s[2].Serial + ";",
			";" + b[0].ResolverURL + ";;;",
			";" + n[0].ResolverURL + ";;;",
			s[3].ID + ";" + s[3].ResolverURL + ";" + gtin + ";" + s[3].Serial + ";", // as an export has it
			b[1].ID + ";;" + gtin + ";;",
			";HTTPS://" + strings.ToUpper(strings.TrimPrefix(base, "https://")) + "/01/" + gtin[1:] + "/21/" + s[4].Serial + "?linkType=all;;;", // tolerant
			s[0].ID + ";;;;",
			s[5].ID + ";" + b[2].ResolverURL + ";;;", // two units
			";;" + gtin + ";;",
			";;;" + s[5].Serial + ";",
			"nonsense;;;;",
			foreign.ID + ";;;;",
			";" + foreign.ResolverURL + ";;;",
			";" + strings.Replace(s[5].ResolverURL, base, foreign.ResolverURL[:len(base)], 1) + ";;;", // another's host
			";" + strings.Replace(s[5].ResolverURL, "L%2F1", "L2", 1) + ";;;",
			";" + base + "/01/" + gtin + "/10/L%2F1?u=" + s[5].Code + ";;;", // that unit has a serial
			";" + base + "/01/" + gtin + "/10/L%2F1/21/" + b[2].Code + ";;;",
			";" + base + "/01/" + gtin + "/10/L%2F1;;;", // a lot
			";https://www.example.com/;;;",
			";;" + gtin + ";" + b[2].Code + ";",
			";;" + gtin[:13] + "x;" + s[5].Serial + ";",
			s[5].ID + ";;;", // a cell is missing
		}, "\n")+"\n", "Destroyed.")
		want := []string{
			"2 revoked", "3 revoked", "4 revoked", "5 revoked", "6 revoked", "7 revoked", "8 revoked", "9 revoked", "10 unchanged",
			"11 refused INVALID_INPUT ", "12 refused INVALID_INPUT ", "13 refused INVALID_INPUT ", "14 refused NOT_FOUND unit_id", "15 refused NOT_FOUND unit_id",
			"16 refused NOT_FOUND resolver_url", "17 refused NOT_FOUND resolver_url", "18 refused NOT_FOUND resolver_url", "19 refused NOT_FOUND resolver_url",
			"20 refused NOT_FOUND resolver_url", "21 refused NOT_FOUND resolver_url", "22 refused INVALID_INPUT resolver_url", "23 refused NOT_FOUND serial",
			"24 refused INVALID_INPUT gtin", "25 refused INVALID_INPUT ",
		}
		if got, want := strings.Join(rows, "\n"), strings.Join(want, "\n"); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if sum.Rows != 24 || sum.Revoked != 8 || sum.Unchanged != 1 || sum.Refused != 15 || len(sum.IgnoredColumns) != 1 {
			t.Errorf("%+v", sum)
		}
		if got := w.states(serials) + " " + w.states(batch) + " " + w.states(bare); got != "rrrrrm rrmmmm rmmmmm" {
			t.Errorf("the units are %s", got)
		}
		w.counted(serials, mintage.Counts{Minted: 1, Revoked: 5})

		rows, _ = w.revokeList("unit_id,reason\n"+s[5].ID+",\n"+b[2].ID+",Its own.\n", "")
		if strings.Join(rows, "\n") != "2 refused INVALID_INPUT reason\n3 revoked" || w.list(batch)[2].RevocationReason != "Its own." {
			t.Errorf("%q", rows)
		}
		_, err := w.service.RevokeList(t.Context(), w.p, strings.NewReader("gtin,reason\n1,x\n"), "", nil)
		code(t, err, mintage.CodeInvalidInput)
		_, err = w.service.RevokeList(t.Context(), w.p, strings.NewReader("unit_id\n"), strings.Repeat("x", 501), nil)
		code(t, err, mintage.CodeInvalidInput)
	})
}

// A list of several transactions; sent twice, and in two directions at once, each
// unit is revoked once.
func TestRevokeLongLists(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const units = 700
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: units})
		list := w.list(b)
		var forth, back strings.Builder
		forth.WriteString("unit_id\n")
		back.WriteString("unit_id\n")
		for i := range list {
			forth.WriteString(list[i].ID + "\n")
			back.WriteString(list[units-1-i].ID + "\n")
		}
		type outcome struct {
			catalogue.Summary
			err error
		}
		done := make(chan outcome, 2)
		for _, file := range []string{forth.String(), back.String()} {
			go func() {
				sum, err := w.service.RevokeList(t.Context(), w.p, io.MultiReader(strings.NewReader(file)), "x", func(catalogue.Row) error { return nil })
				done <- outcome{sum, err}
			}()
		}
		one, two := <-done, <-done
		if one.err != nil || two.err != nil || one.Revoked+two.Revoked != units || one.Unchanged+two.Unchanged != units {
			t.Errorf("%+v, %+v", one, two)
		}
		w.counted(b, mintage.Counts{Revoked: units})
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'unit.transition'"); n != units {
			t.Errorf("%d events", n)
		}
	})
}
