package passport

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/dpp"
)

var (
	verbs      = regexp.MustCompile(`%(\[\d\])?[a-z]`)
	inTemplate = regexp.MustCompile(`\.T "([^"]+)"`)
	inCode     = regexp.MustCompile(`"((?:attributes|chip|fault|group|identity|language|more|number|page|revoked|truth)\.[a-z_.0-9]+)"`)
)

// TestMessages holds every language to the keys and verbs of English, English to what
// is used, and names what is missing.
func TestMessages(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"date": true, "yes": true, "no": true, "none": true, "language.name": true}
	scan := func(text string, pattern *regexp.Regexp) {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	templates, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range templates {
		text, err := fs.ReadFile(templateFiles, file)
		if err != nil {
			t.Fatal(err)
		}
		scan(string(text), inTemplate)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scan(string(text), inCode)
	}
	for _, key := range append(slices.Clone(faultList()), "fault.500") {
		delete(used, key)
		used[key+".title"], used[key+".body"] = true, true
	}
	for m := time.January; m <= time.December; m++ {
		used["month."+itoa(int(m))] = true
	}
	for _, s := range mintage.TokenStatuses {
		used["chip."+string(s)] = true
	}
	for _, s := range dpp.Builtin() {
		for _, a := range s.Attributes {
			used["group."+a.Group] = true
		}
	}

	english := all.list[0]
	if english.code != defaultLanguage {
		t.Fatalf("the default language is %s", english.code)
	}
	for _, l := range all.list {
		for key, text := range english.texts {
			if got, want := verbsOf(l.texts[key]), verbsOf(text); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the verbs %q instead of %q", l.code, key, got, want)
			}
			if strings.TrimSpace(l.texts[key]) == "" {
				t.Errorf("%s lacks %s", l.code, key)
			}
		}
		for key := range l.texts {
			if _, ok := english.texts[key]; !ok {
				t.Errorf("%s has %s, English has not", l.code, key)
			}
		}
	}
	for key := range used {
		if english.texts[key] == "" {
			t.Errorf("there is no text for %s", key)
		}
	}
	for key := range english.texts {
		if !used[key] && !strings.HasPrefix(key, "unit.") {
			t.Errorf("nobody uses %s", key)
		}
	}
}

// verbsOf are a text's verbs, sorted: translations may change their order, and say
// one twice.
func verbsOf(text string) []string {
	found := verbs.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func faultList() (keys []string) {
	for _, key := range faultKeys {
		keys = append(keys, key)
	}
	return keys
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestNumbers(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string][2]string{
		"0": {"0", "0"}, "2027": {"2027", "2027"}, "12500": {"12,500", "12.500"}, "1234567.125": {"1,234,567.125", "1.234.567,125"},
		"-20": {"−20", "−20"}, "-0.109": {"−0.109", "−0,109"}, "1e-7": {"1e-7", "1e-7"}, "100000": {"100,000", "100.000"},
	} {
		for i, code := range []string{"en", "de"} {
			if got := all.of(code).number(n); got != want[i] {
				t.Errorf("%s: %s is %s instead of %s", code, n, got, want[i])
			}
		}
	}
}

// TestUnits: the units of the schemas that come with mintage have a code, or are known
// to have none.
func TestUnits(t *testing.T) {
	none := map[string]bool{"kg/kWh": true, "C": true} // a mass for an energy; a rate of discharge
	for _, s := range dpp.Builtin() {
		for _, m := range regexp.MustCompile(`"x-mintage-unit":\s*"([^"]*)"`).FindAllStringSubmatch(string(s.Document), -1) {
			if _, ok := unitCodes[m[1]]; ok == none[m[1]] {
				t.Errorf("%s: the unit %s has a code: %t", s.ID, m[1], ok)
			}
		}
	}
}

// TestPieces: a code's pieces are the code.
func TestPieces(t *testing.T) {
	for _, code := range []string{"", "A", "ABCD", "ABCDE", "K7Q2X9M4ZA31", "09520123456788", "日本語の番号"} {
		if got := strings.Join(pieces(code, 4), ""); got != code {
			t.Errorf("%q is cut into %q", code, got)
		}
	}
	if got := pieces("09520123456788", 4); !slices.Equal(got, []string{"09", "5201", "2345", "6788"}) {
		t.Errorf("the GTIN is cut into %q", got)
	}
}
