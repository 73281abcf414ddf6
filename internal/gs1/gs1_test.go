package gs1_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage"
	"mintage/internal/gs1"
)

// charset82 is written out here, apart from the package's own rule, so that
// one checks the other.
const charset82 = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`

// value82 draws what may stand behind AI 10 or 21.
var value82 = rapid.StringOfN(rapid.RuneFrom([]rune(charset82)), 1, 20, -1).
	Filter(func(s string) bool { return s != "." && s != ".." })

// anyGTIN draws GTINs of all four lengths, as a person would write them.
var anyGTIN = rapid.Custom(func(t *rapid.T) string {
	length := rapid.SampledFrom([]int{8, 12, 13, 14}).Draw(t, "length")
	body := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), length-1, length-1, -1).
		Filter(func(s string) bool { return strings.Trim(s, "0") != "" }).Draw(t, "body")
	check, err := gs1.CheckDigit(body)
	if err != nil {
		t.Fatal(err)
	}
	return body + string(check)
})

var anyBase = rapid.SampledFrom([]gs1.Base{
	"https://id.example.com",
	"https://example.com:8443/dpp/v1",
	"https://xn--bcher-kva.example/~b.u_c-h",
	"http://[::1]:8080",
	"http://localhost",
	"https://192.0.2.1/12345/1",
})

// refused fails the test unless err is a refusal whose message has all the
// wanted parts.
func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted, want a refusal")
	}
	if code := mintage.ErrorCode(err); code != mintage.CodeInvalidInput {
		t.Errorf("code = %s, want %s", code, mintage.CodeInvalidInput)
	}
	message := mintage.ErrorMessage(err)
	for _, part := range parts {
		if !strings.Contains(message, part) {
			t.Errorf("message = %q, want it to contain %q", message, part)
		}
	}
}
