package mintage

import (
	"strings"
	"testing"
)

func TestValidEmail(t *testing.T) {
	long := "@" + strings.Repeat("d.", 100) + "example"
	for _, good := range []string{
		"a@b", "eva@acme.example", "Eva.Muster+mint@sub.acme.example", "o'hara@acme.example", "1@2.example", "eva@localhost",
		strings.Repeat("a", 254-len(long)) + long,
	} {
		if !ValidEmail(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", "@", "eva", "eva@", "@acme.example", "eva@acme@example", "eva muster@acme.example", " eva@acme.example", "eva@acme.example ",
		"eva@acme.example\n", "eva@acme.example\r\nBcc: x@y", "eva@acme.example\x00", "Eva <eva@acme.example>", "<eva@acme.example>",
		`"eva"@acme.example`, `"e va"@acme.example`, "eva@[192.0.2.1]", "eva@acme.example, max@acme.example", "eva.@acme.example", "e..va@acme.example",
		"eva(comment)@acme.example", "group:eva@acme.example;", "еva@acme.example", "eva@acmé.example", "eva@acme.example\xff", `e\va@acme.example`,
		strings.Repeat("a", 255-len(long)) + long,
	} {
		if ValidEmail(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestUserValidate(t *testing.T) {
	if err := (&User{Email: "eva@acme.example", Name: "Eva"}).Validate(); err != nil {
		t.Error(err)
	}
	for field, u := range map[string]*User{
		"email": {Email: "eva", Name: "Eva"},
		"name":  {Email: "eva@acme.example", Name: strings.Repeat("E", 101)},
	} {
		err := u.Validate()
		e, ok := err.(*Error) //nolint:errorlint // it is the error itself
		if !ok || e.Code != CodeInvalidInput || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
