package serial

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"

	"mintage"
)

const (
	brandKeyLength  = 16
	masterKeyLength = 32

	// sealVersion is the first byte of a sealed key: AES-256-GCM, with a random
	// nonce of 12 bytes after it and a tag of 16 at the end.
	sealVersion = 1

	// sealPurpose precedes the brand's id in the additional data, so that nothing
	// else that the master key may one day seal passes for a brand's key.
	sealPurpose = "mintage brand key\x00"
)

// NewBrandKey draws a brand's key: 16 bytes. It is made once in the life of a
// brand and never changed, for the codes on its products follow from it.
func NewBrandKey() []byte {
	key := make([]byte, brandKeyLength)
	rand.Read(key) // never fails: the program ends instead
	return key
}

// MasterKey is the installation's key, under which the brands' keys are stored.
// It never prints itself. Its zero value is not a key, and panics when used.
type MasterKey struct {
	// A function, because fmt does not ask String about the unexported fields of
	// other structs: it would show an array there, and for %s also behind a pointer.
	reveal func() []byte
}

func masterKey(key []byte) MasterKey {
	return MasterKey{func() []byte { return key }}
}

// NewMasterKey draws a master key.
func NewMasterKey() MasterKey {
	key := make([]byte, masterKeyLength)
	rand.Read(key) // never fails: the program ends instead
	return masterKey(key)
}

// ParseMasterKey reads a master key of exactly 32 bytes, written as base64
// (standard, 44 characters; or URL-safe without padding, 43) or as 64 hex digits;
// white space around it is ignored. Otherwise the error is a [mintage.Error] with
// [mintage.CodeInvalidInput], which shows nothing of the text but its length.
func ParseMasterKey(text string) (MasterKey, error) {
	trimmed := bytes.TrimSpace([]byte(text))
	for _, decode := range []func([]byte) ([]byte, error){decodeBase64, decodeRawURL, decodeHex} {
		// The decoders' errors are dropped because they quote the text.
		if key, err := decode(trimmed); err == nil && len(key) == masterKeyLength {
			return masterKey(key), nil
		}
	}
	return MasterKey{}, mintage.Errorf(mintage.CodeInvalidInput,
		"The master key must be 32 bytes, as base64 (44 characters, for example from \"openssl rand -base64 32\") or as 64 hex digits; what was given, %d characters, is neither.",
		len(trimmed))
}

func decodeBase64(text []byte) ([]byte, error) {
	return base64.StdEncoding.Strict().AppendDecode(nil, text)
}

func decodeRawURL(text []byte) ([]byte, error) {
	return base64.RawURLEncoding.Strict().AppendDecode(nil, text)
}

func decodeHex(text []byte) ([]byte, error) {
	return hex.AppendDecode(nil, text)
}

// Encode returns the key itself as standard base64, which [ParseMasterKey]
// reads: for the key file and for the paper in the safe, and nowhere else.
func (k MasterKey) Encode() string {
	return base64.StdEncoding.EncodeToString(k.reveal())
}

// Seal encrypts a brand's key for storage, bound to the brand's id. Each call
// gives other bytes, 29 more than the key has. One master key may seal 2^32
// times (SP 800-38D, section 8.3).
func (k MasterKey) Seal(brandID string, key []byte) []byte {
	return k.aead().Seal([]byte{sealVersion}, nil, key, additionalData(brandID)) //nolint:gosec // the AEAD draws a random nonce itself and takes none
}

// Open decrypts what Seal returned for the same brand. It fails, with a
// [mintage.Error] of [mintage.CodeInternal], if the bytes were sealed under
// another master key or for another brand, or were changed.
func (k MasterKey) Open(brandID string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, mintage.Errorf(mintage.CodeInternal,
			"The brand's stored key has a form that this version of mintage does not know.")
	}
	key, err := k.aead().Open(nil, nil, sealed[1:], additionalData(brandID))
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInternal,
			"The brand's stored key cannot be opened: the master key is not the one it was stored with, or the stored key was damaged.").
			WithCause(err)
	}
	return key, nil
}

// derivePurpose precedes the purpose of a derived key, as sealPurpose does a
// brand's id.
const derivePurpose = "mintage derive\x00"

// Derive returns 32 bytes that follow from the key and the purpose, and from which
// neither the key nor what another purpose gives can be found (HMAC-SHA-256).
func (k MasterKey) Derive(purpose string) []byte {
	h := hmac.New(sha256.New, k.reveal())
	h.Write([]byte(derivePurpose + purpose)) // never fails
	return h.Sum(nil)
}

func (k MasterKey) aead() cipher.AEAD {
	block, err := aes.NewCipher(k.reveal())
	if err != nil {
		panic(fmt.Sprintf("serial: AES with 32 bytes: %v", err))
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("serial: GCM over AES: %v", err))
	}
	return aead
}

func additionalData(brandID string) []byte {
	return append([]byte(sealPurpose), brandID...)
}

// redacted is how a master key shows wherever it is printed.
const redacted = "[master key]"

// String does not show the key.
func (k MasterKey) String() string { return redacted }

// GoString does not show the key.
func (k MasterKey) GoString() string { return redacted }

// LogValue does not show the key.
func (k MasterKey) LogValue() slog.Value { return slog.StringValue(redacted) }
