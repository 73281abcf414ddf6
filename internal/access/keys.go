package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"mintage"
	"mintage/internal/store"
)

// The parts of an API key's text.
const (
	keyPrefix    = "mk_"
	idLength     = 12
	secretLength = 52
)

// keyAlphabet is Crockford's base32 in lower case.
const keyAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// Service makes and checks API keys.
type Service struct {
	store store.Store
	now   func() time.Time
}

// New returns a service. now decides when a key has expired.
func New(s store.Store, now func() time.Time) *Service {
	return &Service{store: s, now: now}
}

// CreateKey makes a key of a brand and returns its text, which cannot be had
// again. A zero expiry means never.
func (s *Service) CreateKey(ctx context.Context, brandID string, role mintage.Role, expires time.Time, actor string) (text string, err error) {
	if !slices.Contains(mintage.Roles, role) {
		return "", mintage.Errorf(mintage.CodeInvalidInput, "The role must be viewer, operator, admin or owner.").WithField("role")
	}
	id, secret := randomText(idLength), randomText(secretLength)
	err = s.store.InTx(ctx, func(tx store.Tx) error {
		brand, err := tx.BrandByID(ctx, brandID)
		if err != nil {
			return err
		}
		k := &mintage.APIKey{ID: id, BrandNumber: brand.Number, Role: role, Hash: hash(secret), CreatedAt: s.now(), ExpiresAt: expires}
		if err := tx.CreateAPIKey(ctx, k); err != nil {
			return err
		}
		return tx.AppendEvent(ctx, &mintage.Event{
			BrandNumber: brand.Number, At: k.CreatedAt, Kind: mintage.EventKeyCreated,
			Actor: actor, SubjectID: id, To: string(role),
		})
	})
	if err != nil {
		return "", err
	}
	return keyPrefix + id + secret, nil
}

// Authenticate returns the principal of an API key.
func (s *Service) Authenticate(ctx context.Context, text string) (mintage.Principal, error) {
	refused := mintage.Errorf(mintage.CodeUnauthorized, "The API key is missing or not valid; send it as Authorization: Bearer mk_….")
	id, secret, ok := parseKey(text)
	if !ok {
		return mintage.Principal{}, refused
	}
	var k *mintage.APIKey
	err := s.store.Read(ctx, func(r store.Reader) (err error) {
		k, err = r.APIKey(ctx, id)
		return err
	})
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		k, err = &mintage.APIKey{Hash: make([]byte, sha256.Size)}, nil // no secret has this hash
	}
	if err != nil {
		return mintage.Principal{}, err
	}
	valid := subtle.ConstantTimeCompare(k.Hash, hash(secret)) == 1
	if !valid || !k.RevokedAt.IsZero() || (!k.ExpiresAt.IsZero() && !s.now().Before(k.ExpiresAt)) {
		return mintage.Principal{}, refused
	}
	return mintage.Principal{BrandNumber: k.BrandNumber, Role: k.Role, Actor: "key:" + k.ID}, nil
}

func parseKey(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	if !ok || len(rest) != idLength+secretLength || strings.Trim(rest, keyAlphabet) != "" {
		return "", "", false
	}
	return rest[:idLength], rest[idLength:], true
}

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// randomText returns n random characters of the alphabet, 5 bits each.
func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	for i := range b {
		b[i] = keyAlphabet[b[i]&31]
	}
	return string(b)
}
