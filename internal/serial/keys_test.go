package serial

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"mintage"
)

func TestNewKeysDiffer(t *testing.T) {
	if a, b := NewBrandKey(), NewBrandKey(); len(a) != 16 || bytes.Equal(a, b) {
		t.Errorf("two brand keys of %d bytes, equal: %v", len(a), bytes.Equal(a, b))
	}
	if a, b := NewMasterKey(), NewMasterKey(); a.Encode() == b.Encode() {
		t.Error("two master keys are equal")
	}
}

func TestParseMasterKey(t *testing.T) {
	raw := bytes.Repeat([]byte{0xFB, 0xEF, 0xFF, 0x01}, 8) // has + and / in base64
	want := base64.StdEncoding.EncodeToString(raw)
	for _, text := range []string{
		want,
		want + "\n",
		" \t" + want + "\r\n",
		base64.RawURLEncoding.EncodeToString(raw),
		hex.EncodeToString(raw),
		strings.ToUpper(hex.EncodeToString(raw)),
	} {
		if key, err := ParseMasterKey(text); err != nil || key.Encode() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseMasterKeyRefuses(t *testing.T) {
	raw := bytes.Repeat([]byte{0xFB, 0xEF, 0xFF, 0x01}, 8)
	for name, text := range map[string]string{
		"nothing":                "",
		"31 bytes":               base64.StdEncoding.EncodeToString(raw[:31]),
		"33 bytes":               base64.StdEncoding.EncodeToString(append(raw, 0)),
		"31 bytes of hex":        hex.EncodeToString(raw[:31]),
		"33 bytes of hex":        hex.EncodeToString(append(raw, 0)),
		"mixed alphabets":        strings.Replace(base64.StdEncoding.EncodeToString(raw), "+", "-", 1),
		"32 raw bytes":           string(raw),
		"a passphrase":           "correct horse battery staple, 32",
		"two keys":               NewMasterKey().Encode() + "\n" + NewMasterKey().Encode(),
		"bits past the last one": strings.Repeat("A", 42) + "B=",
	} {
		_, err := ParseMasterKey(text)
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := 0; i+6 <= len(text); i++ {
			if strings.Contains(err.Error(), text[i:i+6]) {
				t.Errorf("%s: the error shows the text: %v", name, err)
			}
		}
	}
}

func TestSealAndOpen(t *testing.T) {
	master, key := NewMasterKey(), NewBrandKey()
	sealed := master.Seal("brand-1", key)
	if got, err := master.Open("brand-1", sealed); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("opened: %x, %v", got, err)
	}
	if again := master.Seal("brand-1", key); bytes.Equal(again, sealed) {
		t.Error("two seals are equal: the nonce was used twice")
	}
	if bytes.Contains(sealed, key) {
		t.Error("the sealed bytes show the key")
	}
	if want := 1 + 12 + len(key) + 16; len(sealed) != want {
		t.Errorf("sealed has %d bytes, want %d", len(sealed), want)
	}
}

func TestOpenRefuses(t *testing.T) {
	master, key := NewMasterKey(), NewBrandKey()
	sealed := master.Seal("brand-1", key)
	refuse := func(name string, master MasterKey, brandID string, sealed []byte) {
		t.Helper()
		if got, err := master.Open(brandID, sealed); mintage.ErrorCode(err) != mintage.CodeInternal || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	refuse("another brand", master, "brand-2", sealed)
	refuse("no brand", master, "", sealed)
	refuse("another master key", NewMasterKey(), "brand-1", sealed)
	refuse("a byte more", master, "brand-1", append(bytes.Clone(sealed), 0))
	for n := range sealed {
		refuse(fmt.Sprintf("cut to %d bytes", n), master, "brand-1", sealed[:n])
		damaged := bytes.Clone(sealed)
		damaged[n] ^= 1
		refuse(fmt.Sprintf("byte %d changed", n), master, "brand-1", damaged)
	}
}

func TestMasterKeyDoesNotShowItself(t *testing.T) {
	key := masterKey([]byte("0123456789abcdef0123456789abcdef"))
	type holder struct{ key MasterKey }
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "key", key, "holder", holder{key})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "key", key, "holder", holder{key})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, key); !strings.Contains(got, redacted) {
			t.Errorf("%s shows %s", verb, got)
		}
		fmt.Fprintf(&log, verb+"\n", holder{key})
	}
	fmt.Fprintf(&log, "%x\n", key)
	for _, secret := range []string{"0123456789abcdef", key.Encode(), "48 49 50", "303132", "0x30, 0x31"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is shown:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), `key="[master key]"`) {
		t.Errorf("the log does not name the key:\n%s", log.String())
	}
}

func TestDerive(t *testing.T) {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(i)
	}
	key, err := ParseMasterKey(hex.EncodeToString(raw))
	if err != nil {
		t.Fatal(err)
	}
	// python3 -c 'import hmac; print(hmac.new(bytes(range(32)), b"mintage derive\0key check", "sha256").hexdigest())'
	if got := hex.EncodeToString(key.Derive("key check")); got != "27a050ccfe6135eb3755ef5655de1f607f858c5765a69c40cef156a01443d8b8" {
		t.Error(got)
	}
	if bytes.Equal(key.Derive("a"), key.Derive("b")) || bytes.Equal(key.Derive("a"), NewMasterKey().Derive("a")) {
		t.Error("purposes or keys make no difference")
	}
	key.Derive("a")[0] ^= 1
	if got := key.Encode(); got != base64.StdEncoding.EncodeToString(raw) {
		t.Error("the key was changed")
	}
}
