package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/access"
)

var (
	verbs = regexp.MustCompile(`%[a-z]`)
	// Keys as templates and handlers write them.
	inTemplate = regexp.MustCompile(`\.T "([^"]+)"|\.T \(printf "([^"]+)%s"`)
	fieldOf    = regexp.MustCompile(`\.(?:Field|Select) "([^"]+)"`)
	inCode     = regexp.MustCompile(`"((?:activity|actor|catalogue|done|error|fault|field|format|hint|layout|missing|nav|oidc|progress|role|settings|sign_in|start|state|wizard)\.[A-Za-z_.]*)"`)
)

func TestMessages(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	prefixes := []string{}
	note := func(key string) {
		if strings.HasSuffix(key, ".") {
			prefixes = append(prefixes, key)
		} else {
			used[key] = true
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
		for _, m := range inTemplate.FindAllStringSubmatch(string(text), -1) {
			note(m[1] + m[2])
		}
		for _, m := range fieldOf.FindAllStringSubmatch(string(text), -1) {
			note("field." + m[1])
		}
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
		for _, m := range inCode.FindAllStringSubmatch(string(text), -1) {
			note(m[1])
		}
	}
	for _, role := range mintage.Roles {
		note("role." + string(role))
	}
	for _, state := range mintage.JobStatuses {
		note("state." + string(state))
	}
	for _, mode := range []mintage.IdentityMode{mintage.IdentitySerial, mintage.IdentityBatch} {
		note("identity." + string(mode))
	}
	for _, code := range []mintage.Code{
		mintage.CodeNotFound, mintage.CodeForbidden, codeNoBrand, codeForeignForm, codeBadForm, codeProviderAway, mintage.CodeConflict,
		mintage.CodeTooMany, mintage.CodeUnavailable, mintage.CodeInternal,
	} {
		note("error." + refusalOf(code).key + ".title")
		note("error." + refusalOf(code).key + ".body")
	}
	note("error.role.title")
	note("error.role.body")

	english := all.list[0]
	for _, l := range all.list {
		for key := range used {
			if l.texts[key] == "" {
				t.Errorf("%s has no text for %s", l.code, key)
			}
		}
		for key, text := range english.texts {
			if got, want := verbs.FindAllString(l.texts[key], -1), verbs.FindAllString(text, -1); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the verbs %q instead of %q", l.code, key, got, want)
			}
		}
		for key := range l.texts {
			if _, ok := english.texts[key]; !ok {
				t.Errorf("%s has %s, English has not", l.code, key)
			}
			if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
				t.Errorf("%s: nobody uses %s", l.code, key)
			}
		}
		for _, key := range []string{"hint.new_password", "fault.new_password"} {
			if !strings.Contains(l.texts[key], strconv.Itoa(access.MinPassword)) {
				t.Errorf("%s: %s does not say how long a password has to be", l.code, key)
			}
		}
	}
}

func TestLanguage(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	for accept, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr, de;q=0.5": "de", "fr": "en", "en-GB, de": "en", "*": "en", ";;;": "en",
		strings.Repeat("de,", 100): "en",
	} {
		if got := all.choose(accept).code; got != want {
			t.Errorf("%q: %s instead of %s", accept, got, want)
		}
	}
	if got := all.list[0].number(1_234_567); got != "1,234,567" {
		t.Errorf("English writes %s", got)
	}
	if got := all.list[1].number(1_234_567); got != "1.234.567" {
		t.Errorf("German writes %s", got)
	}
}
