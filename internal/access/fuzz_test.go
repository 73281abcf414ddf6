package access_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"mintage/internal/access"
)

// A text is an API key exactly if it is put together from what it was taken apart
// into, and that is plain text of the right lengths.
func FuzzParseKey(f *testing.F) {
	good := "mk_" + strings.Repeat("0123456789abcdefghjkmnpqrstvwxyz", 2)
	for _, text := range []string{
		"", "mk_", good, good + "0", good[:66], strings.ToUpper(good), "mK_" + good[3:], " " + good, good[:66] + "\x00", good[:66] + "é",
		good[:30] + "i" + good[31:], good[:30] + "-" + good[31:], "mk_mk_" + good[6:], "sk_" + good[3:], good[:64] + "\xff\xfe\xfd",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, ok := access.ParseKey(text)
		if !ok {
			if id != "" || secret != "" {
				t.Errorf("refused, and yet %q and %q", id, secret)
			}
			if strings.HasPrefix(text, "mk_") && len(text) == 67 && strings.Trim(text[3:], "0123456789abcdefghjkmnpqrstvwxyz") == "" {
				t.Error("a good key is refused")
			}
			return
		}
		if "mk_"+id+secret != text || len(id) != 12 || len(secret) != 52 || !utf8.ValidString(text) {
			t.Errorf("%q and %q", id, secret)
		}
		for _, r := range id + secret {
			if !strings.ContainsRune("0123456789abcdefghjkmnpqrstvwxyz", r) {
				t.Errorf("%q is in a key", r)
			}
		}
	})
}
