package gs1_test

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage/internal/gs1"
)

func TestParseGTIN(t *testing.T) {
	for in, want := range map[string]gs1.GTIN{
		"96385074":       "00000096385074",
		"036000291452":   "00036000291452",
		"4006381333931":  "04006381333931",
		"10012345678902": "10012345678902",
		"00000096385074": "00000096385074",
		"40000060":       "00000040000060", // check digit 0
		"00000017":       "00000000000017",
	} {
		t.Run(in, func(t *testing.T) {
			got, err := gs1.ParseGTIN(in)
			if err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestParseGTINRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, message string }{
		{"empty", "", "empty"},
		{"1 digit", "7", "has 1 digit; a GTIN has 8, 12, 13 or 14"},
		{"7 digits", "9638507", "has 7 digits"},
		{"11 digits", "40063813339", "has 11 digits; a GTIN has 8, 12, 13 or 14"},
		{"15 digits", "004006381333931", "has 15 digits"},
		{"all zeros", "00000000000000", "all zeros"},
		{"short and all zeros", "00000000", "all zeros"},
		{"check digit", "4006381333932", "check digit 2, but its other digits call for 1"},
		{"check digit 0 expected", "40000061", "call for 0"},
		{"space before", " 4006381333931", "' ' at position 1;"},
		{"newline after", "4006381333931\n", `'\n' at position 14;`},
		{"hyphens", "4-006381-333931", "'-' at position 2;"},
		{"letter", "400638133393O", "'O' at position 13;"},
		{"sign", "+4006381333931", "'+' at position 1;"},
		{"NUL", "400638133393\x00", `'\x00' at position 13;`},
		{"Arabic digit", "400638133393١", "U+0661 '١' at position 13;"},
		{"fullwidth digits", "40063８13339３1", "U+FF18 '８' at position 6;"},
		{"invisible", "4006\u200b381333931", "U+200B at position 5;"},
		{"not UTF-8", "4006\xff81333931", "the byte 0xFF at position 5;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gs1.ParseGTIN(tt.in)
			refused(t, err, tt.message)
			if len(tt.in) > 4 && strings.Contains(err.Error(), tt.in) {
				t.Errorf("the message repeats the value: %v", err)
			}
		})
	}
}

func TestCheckDigit(t *testing.T) {
	for digits, want := range map[string]byte{
		"9638507":           '4',
		"03600029145":       '2',
		"629104150021":      '3',
		"1001234567890":     '2',
		"37610425002123456": '9', // an SSCC: any length works
		"0":                 '0',
		"1":                 '7',
	} {
		if got, err := gs1.CheckDigit(digits); err != nil || got != want {
			t.Errorf("CheckDigit(%s) = %q, %v; want %q", digits, got, err, want)
		}
	}
	_, err := gs1.CheckDigit("")
	refused(t, err, "no digits")
	_, err = gs1.CheckDigit("12a")
	refused(t, err, "'a' at position 3")
}

// The four spellings of a number are one GTIN, and parsing again changes nothing.
func TestParseGTINPads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyGTIN.Draw(t, "gtin")
		got, err := gs1.ParseGTIN(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 14 || !strings.HasSuffix(string(got), in) || strings.Trim(string(got[:14-len(in)]), "0") != "" {
			t.Fatalf("%s became %s", in, got)
		}
		if again, err := gs1.ParseGTIN(string(got)); err != nil || again != got {
			t.Fatalf("%s became %s, %v", got, again, err)
		}
	})
}

// The check digit catches every single wrong digit, since its weights 1 and 3
// have no factor in common with 10.
func TestCheckDigitCatchesWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gtin := []byte(anyGTIN.Draw(t, "gtin"))
		i := rapid.IntRange(0, len(gtin)-1).Draw(t, "position")
		shift := rapid.IntRange(1, 9).Draw(t, "shift")
		gtin[i] = '0' + (gtin[i]-'0'+byte(shift))%10
		if _, err := gs1.ParseGTIN(string(gtin)); err == nil {
			t.Fatalf("%s accepted", gtin)
		}
	})
}

// Swapping neighbours changes the sum by twice their difference: it is caught
// unless they are equal or 5 apart.
func TestCheckDigitCatchesTransposition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gtin := []byte(anyGTIN.Draw(t, "gtin"))
		i := rapid.IntRange(0, len(gtin)-2).Draw(t, "position")
		difference := int(gtin[i]) - int(gtin[i+1])
		blind := difference == 0 || difference == 5 || difference == -5
		gtin[i], gtin[i+1] = gtin[i+1], gtin[i]
		if _, err := gs1.ParseGTIN(string(gtin)); (err == nil) != blind {
			t.Fatalf("%s: err = %v, digits %d apart", gtin, err, difference)
		}
	})
}

// A real catalogue has 7 rows whose GTIN is none. It is not ours to publish,
// so it lies beside the project and not everyone has it.
func TestParseGTINOfCatalogue(t *testing.T) {
	file, err := os.Open("../../../shared/data/catalogue.csv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("no catalogue beside the project; nothing to check")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:] // header
	bad := 0
	for _, row := range rows {
		if _, err := gs1.ParseGTIN(row[0]); err != nil {
			refused(t, err)
			bad++
		}
	}
	if len(rows) != 525 || bad != 7 {
		t.Errorf("%d of %d rows refused, want 7 of 525", bad, len(rows))
	}
}

func FuzzParseGTIN(f *testing.F) {
	for _, seed := range []string{"", "96385074", "036000291452", "4006381333931", "10012345678902", "00000000", "400638133393١", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := gs1.ParseGTIN(s)
		if err != nil {
			refused(t, err)
			if got != "" {
				t.Errorf("%q refused, yet returned %q", s, got)
			}
			return
		}
		if len(got) != 14 || !strings.HasSuffix(string(got), s) {
			t.Errorf("%q became %q", s, got)
		}
		if check, err := gs1.CheckDigit(string(got[:13])); err != nil || check != got[13] {
			t.Errorf("%q: check digit %q, %v", got, check, err)
		}
	})
}
