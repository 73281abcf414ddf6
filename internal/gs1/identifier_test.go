package gs1_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/gs1"
)

// dataOf reads a link that has one data attribute beside a key of another kind.
func dataOf(ai, value string) (gs1.Link, error) {
	return gs1.ParseTarget("/402/21173492661712079", ai+"="+gs1.EscapeSegment(value))
}

// Which numbers are Application Identifiers, counted by their first two digits.
func TestIdentifiers(t *testing.T) {
	all := make(map[string]int)
	total := 0
	for digits := 1; digits <= 5; digits++ {
		limit := 1
		for range digits {
			limit *= 10
		}
		for n := range limit {
			ai := fmt.Sprintf("%0*d", digits, n)
			_, err := dataOf(ai, "")
			if err == nil || !strings.Contains(mintage.ErrorMessage(err), "no GS1 Application Identifier") {
				all[ai[:min(2, digits)]]++
				total++
			}
		}
	}
	if total != 541 {
		t.Errorf("there are %d AIs, want 541", total)
	}
	for prefix, want := range map[string]int{
		"00": 1, "01": 1, "02": 1, "03": 1, "04": 0, "10": 1, "14": 0, "16": 1, "18": 0, "23": 1, "24": 4, "25": 5,
		"31": 42, "32": 60, "33": 48, "34": 60, "35": 48, "36": 60, "37": 1, "38": 0, "39": 50, "40": 4, "41": 8,
		"42": 8, "43": 31, "70": 27, "71": 8, "72": 23, "80": 24, "81": 3, "82": 1, "90": 1, "99": 1, "89": 0,
	} {
		if all[prefix] != want {
			t.Errorf("%d AIs begin with %s, want %d", all[prefix], prefix, want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, tt := range []struct {
		ai           string
		right, wrong []string
	}{
		{"00", []string{"006141411234567890"}, []string{"006141411234567891", "06141411234567890", "00614141123456789X"}},
		{"11", []string{"240229", "991231", "240200"}, []string{"230229", "240001", "241301", "240132", "24010", "2401011"}},
		{"20", []string{"00"}, []string{"0", "000", "A0"}},
		{"240", []string{"A", strings.Repeat("x", 30), charset82[:30], charset82[52:]}, []string{"", strings.Repeat("x", 31), "a b", "a#b", "a~b", "ä"}},
		{"253", []string{"1231231231232", "1231231231232ABC"}, []string{"1231231231233", "123123123123", "1231231231232" + strings.Repeat("x", 18)}},
		{"255", []string{"1231231231232", "1231231231232123456789012"}, []string{"1231231231232A", "12312312312321234567890123"}},
		{"3105", []string{"000195"}, []string{"00195", "-00195"}},
		{"3922", []string{"0", "123456789012345"}, []string{"1234567890123456", "1.5"}},
		{"3912", []string{"9781234", "1911"}, []string{"978", "0001234", "978X"}},
		{"401", []string{"12345678", "1234ABC"}, []string{"123", "123A5"}},
		{"402", nil, []string{"21173492661712079", "21173492661712078"}}, // the key of the link, so there twice
		{"414", []string{"9520123456788"}, []string{"9520123456789", "952012345678"}},
		{"421", []string{"276D-10115"}, []string{"276", "999AB", "2761234567890"}},
		{"423", []string{"276", "276250", "276250756040380"}, []string{"27625", "276999", "276250756040380056", ""}},
		{"4302", []string{"Main+St.%201", "100%25"}, []string{"100%", "%G0", "%4"}},
		{"4307", []string{"DE"}, []string{"XX", "de", "D", "DEU"}},
		{"4309", []string{"02790858480120312345", "18000000003600000000"}, []string{"18000000010000000000", "00000000003600000001"}},
		{"4321", []string{"0", "1"}, []string{"2", ""}},
		{"4324", []string{"2812002359", "2812010000"}, []string{"2812002400", "2812002360", "281200"}},
		{"4326", []string{"281201"}, []string{"281200"}},
		{"4330", []string{"000123", "000123-"}, []string{"000123+", "00123-", "000123--"}},
		{"7003", []string{"2812312359"}, []string{"2812002359", "2812312460"}},
		{"7007", []string{"281201", "281201281231"}, []string{"281200", "2812012812", "281201281200"}},
		{"7011", []string{"281201", "2812011200"}, []string{"28120112", "2812012500"}},
		{"7030", []string{"276X", "999X"}, []string{"998X", "276"}},
		{"7230", []string{"ABx"}, []string{"AB"}},
		{"7241", []string{"01", "10", "80", "99"}, []string{"00", "11", "79"}},
		{"7250", []string{"20240229"}, []string{"20230229", "20240200", "240229"}},
		{"7251", []string{"202402292359"}, []string{"202402292400"}},
		{"7252", []string{"0", "1", "2", "9"}, []string{"3"}},
		{"7258", []string{"1/2", "2/2"}, []string{"3/2", "0/2", "1-2", "1/0", "12/", "a/b"}},
		{"8001", []string{"00010000200319"}, []string{"00000000200319", "00010000000319", "00010000200019", "00010000200329"}},
		{"8003", []string{"04965031954585", "04965031954585A"}, []string{"14965031954585", "04965031954586"}},
		{"8006", []string{"095201234567880102", "095201234567880202"}, []string{"095201234567880302", "095201234567880000", "095201234567890102"}},
		{"8007", []string{"DE89370400440532013000", "GB82WEST12345698765432"}, []string{"DE88370400440532013000", "XX89370400440532013000", "DE89", "de89370400440532013000"}},
		{"8008", []string{"28123112", "2812311259", "281231125959"}, []string{"28123124", "2812311260", "281231125960", "281231125"}},
		{"8010", []string{"9520ABC-1#/"}, []string{"9520abc", "952A", "9520_"}},
		{"8013", []string{"1987654Ad4X4bL5ttr2310c2K"}, []string{"1987654Ad4X4bL5ttr2310c2X", "22", "1"}},
		{"8030", []string{"AB12-_", "A=="}, []string{"AB=C", "AB12=", "A/B", "==="}},
		{"8112", []string{"0", "12345678"}, []string{"", "a b"}},
		{"99", []string{strings.Repeat("x", 90)}, []string{strings.Repeat("x", 91)}},
	} {
		for _, value := range tt.right {
			link, err := dataOf(tt.ai, value)
			if err != nil || !slices.Contains(link.Data, gs1.Element{AI: tt.ai, Value: value}) {
				t.Errorf("(%s)%s: %+v, %v", tt.ai, value, link, err)
				continue
			}
			checkCanonical(t, link)
		}
		for _, value := range tt.wrong {
			if _, err := dataOf(tt.ai, value); err == nil {
				t.Errorf("(%s)%s was accepted", tt.ai, value)
			} else {
				refused(t, err, "AI "+tt.ai)
			}
		}
	}
}

// In the path stand some AIs whose values are checked nowhere else.
func TestQualifierValues(t *testing.T) {
	for path, right := range map[string]bool{
		"/414/9520123456788/7040/1ABc": true, "/414/9520123456788/7040/1AB_": true,
		"/414/9520123456788/7040/1AB!": false, "/414/9520123456788/7040/xABC": false, "/414/9520123456788/7040/1AB": false,
		"/8010/9520A/8011/4711": true, "/8010/9520A/8011/04711": false, "/8010/9520A/8011/1234567890123": false,
		"/415/9520123456788/8020/R%2F1": true, "/415/9520123456788/254/X": false,
	} {
		link, err := gs1.ParseTarget(path, "")
		if (err == nil) != right {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if right {
			checkCanonical(t, link)
		}
	}
}
