package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"mintage"
)

// Bounds of a password. NIST SP 800-63B-4, section 3.1.1.2: at least 15 characters
// where it is the only factor, no rules of composition, each code point counts as
// one, and a blocklist (see predictable).
const (
	MinPassword = 15  // characters
	MaxPassword = 256 // bytes; the standard wants 64 characters to be possible
)

// cost says how dear a hash is (RFC 9106, section 3.1).
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// usual is what new hashes cost: the first choice of OWASP's Password Storage Cheat
// Sheet. RFC 9106 would rather have 64 MiB and 3 passes, of which a small server
// can bear few at once; the passwords are long instead.
var usual = cost{memory: 19 << 10, passes: 2, threads: 1}

const (
	saltLength = 16 // RFC 9106, section 3.1
	tagLength  = 32

	// hashesAtOnce bounds the memory of sign-ins to 76 MiB, however many come.
	hashesAtOnce = 4
	// hashPatience is how long a sign-in waits for its turn.
	hashPatience = 5 * time.Second
)

// passwords hashes and verifies, few at once.
type passwords struct {
	slots chan struct{}
}

func newPasswords() *passwords {
	return &passwords{slots: make(chan struct{}, hashesAtOnce)}
}

// hash returns a password's argon2id hash in PHC form, with a salt of its own.
func (h *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails
	tag, err := h.tag(ctx, password, salt, usual, tagLength)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		usual.memory, usual.passes, usual.threads, b64.EncodeToString(salt), b64.EncodeToString(tag)), nil
}

// verify reports whether a password has this hash. Where there is no hash it takes
// as long, and says no.
func (h *passwords) verify(ctx context.Context, hash, password string) (bool, error) {
	c, salt, want := usual, make([]byte, saltLength), make([]byte, tagLength)
	if hash != "" {
		var ok bool
		if c, salt, want, ok = parsePHC(hash); !ok {
			return false, mintage.Errorf(mintage.CodeInternal, "A stored password has a form that this version of mintage does not know.")
		}
	}
	if len(password) > MaxPassword {
		password = "" // as long as any other, and never right
	}
	got, err := h.tag(ctx, password, salt, c, uint32(len(want)))
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(got, want) == 1
	return same && hash != "" && password != "", nil
}

// tag waits for its turn, for a while.
func (h *passwords) tag(ctx context.Context, password string, salt []byte, c cost, length uint32) ([]byte, error) {
	patience := time.NewTimer(hashPatience)
	defer patience.Stop()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		return nil, mintage.Errorf(mintage.CodeTooMany, "Too many people sign in at this moment; try again in a minute.")
	}
	return argon2.IDKey([]byte(normalised(password)), salt, c.passes, c.memory, c.threads, length), nil
}

// normalised makes what two keyboards call the same character the same bytes
// (NFKC, Unicode Standard Annex 15).
func normalised(password string) string { return norm.NFKC.String(password) }

// parsePHC reads a hash, in bounds that no hash of ours can reach and no damaged
// one can make expensive.
func parsePHC(text string) (c cost, salt, tag []byte, ok bool) {
	rest, ok := strings.CutPrefix(text, fmt.Sprintf("$argon2id$v=%d$", argon2.Version))
	parts := strings.Split(rest, "$")
	if !ok || len(parts) != 3 {
		return c, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[0], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); n != 3 || err != nil ||
		parts[0] != fmt.Sprintf("m=%d,t=%d,p=%d", c.memory, c.passes, c.threads) {
		return c, nil, nil, false
	}
	if c.memory < 8 || c.memory > 1<<18 || c.passes < 1 || c.passes > 10 || c.threads < 1 || c.threads > 16 {
		return c, nil, nil, false
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, saltErr := b64.DecodeString(parts[1])
	tag, tagErr := b64.DecodeString(parts[2])
	if saltErr != nil || tagErr != nil || len(salt) < 8 || len(salt) > 64 || len(tag) < 16 || len(tag) > 64 {
		return c, nil, nil, false
	}
	return c, salt, tag, true
}

// checkPassword refuses a password that a user should not choose.
func checkPassword(password string, u *mintage.User) error {
	refuse := func(format string, args ...any) error {
		return mintage.Errorf(mintage.CodeInvalidInput, format, args...).WithField("password")
	}
	if len(password) > MaxPassword {
		return refuse("The password may have at most %d bytes; choose a shorter one.", MaxPassword)
	}
	if !utf8.ValidString(password) {
		return refuse("The password is not valid UTF-8; choose another one.")
	}
	password = normalised(password)
	if utf8.RuneCountInString(password) < MinPassword {
		return refuse("The password must have at least %d characters; several unrelated words are good.", MinPassword)
	}
	if predictable(password, u) {
		return refuse("The password is easy to guess: it is little more than common words, a row of keys, a repetition, or your name or e-mail address. Several unrelated words are good.")
	}
	return nil
}

// commonParts are what passwords of this length are most often made of, in lower
// case.
var commonParts = []string{
	"password", "passwort", "passw0rd", "mintage", "letmein", "welcome", "administrator", "iloveyou", "changeme", "secret", "default",
	"1234567890", "0987654321", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv", "1q2w3e4r5t6y7u8i9o0p",
	"abcdefghijklmnopqrstuvwxyz",
}

// predictable is the blocklist, for passwords that are long enough: those of which
// fewer than 8 characters are left without common parts and what is known of the
// user, and those that repeat few characters. Lists of what leaked have next to
// nothing else of this length.
func predictable(password string, u *mintage.User) bool {
	left := strings.ToLower(password)
	if repeats(left) {
		return true
	}
	known := strings.FieldsFunc(strings.ToLower(u.Name+" "+u.Email), func(r rune) bool { return strings.ContainsRune(" .@-_+", r) })
	for _, part := range append(known, commonParts...) {
		// A row of keys counts from 4 characters on: 1234 is as common as 1234567890.
		for n := len(part); n >= 4; n-- {
			for i := 0; i+n <= len(part); i++ {
				left = strings.ReplaceAll(left, part[i:i+n], "")
			}
		}
	}
	return utf8.RuneCountInString(left) < 8
}

// repeats reports whether text is one short piece again and again, the last time
// perhaps in part, or has fewer than 5 different characters.
func repeats(text string) bool {
	different := make(map[rune]bool)
	for _, r := range text {
		different[r] = true
	}
	if len(different) < 5 {
		return true
	}
	for n := 1; n <= len(text)/2; n++ {
		if strings.HasPrefix(text[n:], text[:len(text)-n]) {
			return true
		}
	}
	return false
}
