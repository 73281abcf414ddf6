package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
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

const (
	// touchEvery is how old a key's last use may be before it is stored anew.
	touchEvery = time.Minute
	// MaxOverlap bounds how long a rotated key stays valid.
	MaxOverlap = 90 * 24 * time.Hour
)

// CreateKey makes a key of the principal's brand, whose role the principal must
// be able to manage, and returns its text, which cannot be had again. label is
// what the brand calls it, at most 100 characters, or "". A zero expiry means
// never; one in the past is INVALID_INPUT.
func (s *Service) CreateKey(ctx context.Context, p mintage.Principal, role mintage.Role, label string, expires time.Time) (*mintage.APIKey, string, error) {
	if err := refuseRole(p, role); err != nil {
		return nil, "", err
	}
	k, text := s.newKey(p, role, label, expires)
	if err := k.Validate(); err != nil {
		return nil, "", err
	}
	if !expires.IsZero() && !expires.After(k.CreatedAt) {
		return nil, "", mintage.Errorf(mintage.CodeInvalidInput, "The expiry is in the past; choose a later time, or none.").WithField("expires_at")
	}
	err := s.inBrand(ctx, p, func(tx store.Tx) error {
		if err := tx.CreateAPIKey(ctx, k); err != nil {
			return err
		}
		e := p.Event(mintage.EventKeyCreated, k.CreatedAt)
		e.SubjectID, e.To = k.ID, string(role)
		return tx.AppendEvent(ctx, e)
	})
	if err != nil {
		return nil, "", err
	}
	return k, text, nil
}

func (s *Service) newKey(p mintage.Principal, role mintage.Role, label string, expires time.Time) (k *mintage.APIKey, text string) {
	id, secret := randomText(idLength), randomText(secretLength)
	return &mintage.APIKey{
		ID: id, BrandNumber: p.BrandNumber, Role: role, Hash: hash(secret), Label: label,
		CreatedAt: s.now(), ExpiresAt: expires, AdminsSubmit: p.AdminsSubmit,
	}, keyPrefix + id + secret
}

// Keys lists the keys of the principal's brand, newest first, those that are not
// valid any more included.
func (s *Service) Keys(ctx context.Context, p mintage.Principal) (keys []*mintage.APIKey, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		keys, err = r.APIKeys(ctx, p.BrandNumber)
		return err
	})
	return keys, err
}

// RotateKey makes a key that takes another's place, with its role, its label and
// as long a life, and ends the old one after overlap: 0 is at once, [MaxOverlap]
// the longest. CONFLICT where the old one is not valid any more, or was rotated
// already: what it has left of its life is the overlap, and its successor can be
// rotated instead.
func (s *Service) RotateKey(ctx context.Context, p mintage.Principal, id string, overlap time.Duration) (*mintage.APIKey, string, error) {
	if overlap < 0 || overlap > MaxOverlap {
		return nil, "", mintage.Errorf(mintage.CodeInvalidInput, "The overlap must be 0 to %d days.", MaxOverlap/(24*time.Hour)).WithField("overlap")
	}
	var successor *mintage.APIKey
	var text string
	err := s.changeKey(ctx, p, id, func(tx store.Tx, k *mintage.APIKey) error {
		at := s.now()
		if !k.Valid(at) {
			return mintage.Errorf(mintage.CodeConflict, "The API key is revoked or has expired; create a new one instead.")
		}
		if k.Successor != "" {
			return mintage.Errorf(mintage.CodeConflict, "The API key was rotated already; rotate the one that takes its place, %s.", k.Successor)
		}
		var expires time.Time
		if !k.ExpiresAt.IsZero() {
			expires = at.Add(k.ExpiresAt.Sub(k.CreatedAt))
		}
		successor, text = s.newKey(p, k.Role, k.Label, expires)
		successor.AdminsSubmit = k.AdminsSubmit
		if err := tx.CreateAPIKey(ctx, successor); err != nil {
			return err
		}
		if end := at.Add(overlap); k.ExpiresAt.IsZero() || end.Before(k.ExpiresAt) {
			k.ExpiresAt = end
		}
		k.Successor = successor.ID
		if err := tx.UpdateAPIKey(ctx, k); err != nil {
			return err
		}
		e := p.Event(mintage.EventKeyRotated, at)
		e.SubjectID, e.To = k.ID, successor.ID
		return tx.AppendEvent(ctx, e)
	})
	if err != nil {
		return nil, "", err
	}
	return successor, text, nil
}

// RevokeKey ends a key at once and for ever. One that is revoked already stays as
// it is, without an error.
func (s *Service) RevokeKey(ctx context.Context, p mintage.Principal, id string) error {
	return s.changeKey(ctx, p, id, func(tx store.Tx, k *mintage.APIKey) error {
		if !k.RevokedAt.IsZero() {
			return nil
		}
		k.RevokedAt = s.now()
		if err := tx.UpdateAPIKey(ctx, k); err != nil {
			return err
		}
		e := p.Event(mintage.EventKeyRevoked, k.RevokedAt)
		e.SubjectID = k.ID
		return tx.AppendEvent(ctx, e)
	})
}

// changeKey runs change on a key of the principal's brand that the principal may
// manage, and on which nobody else works meanwhile: a rotation must not undo a
// revocation.
func (s *Service) changeKey(ctx context.Context, p mintage.Principal, id string, change func(store.Tx, *mintage.APIKey) error) error {
	unknown := mintage.Errorf(mintage.CodeNotFound, "There is no such API key.")
	if len(id) != idLength || strings.Trim(id, keyAlphabet) != "" {
		return unknown
	}
	return s.inBrand(ctx, p, func(tx store.Tx) error {
		if _, err := tx.LockMembers(ctx, p.BrandNumber); err != nil { // one lock for members and keys
			return err
		}
		k, err := tx.APIKey(ctx, id)
		if mintage.ErrorCode(err) == mintage.CodeNotFound || err == nil && k.BrandNumber != p.BrandNumber {
			return unknown
		}
		if err != nil {
			return err
		}
		if err := refuseRole(p, k.Role); err != nil {
			return err
		}
		return change(tx, k)
	})
}

// Authenticate returns the principal of an API key, and notes its use. Each call
// reads the key anew, so that a revocation takes effect at once.
func (s *Service) Authenticate(ctx context.Context, text string, from mintage.Origin) (mintage.Principal, error) {
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
	at := s.now()
	if same := subtle.ConstantTimeCompare(k.Hash, hash(secret)) == 1; !same || !k.Valid(at) {
		return mintage.Principal{}, refused
	}
	if at.Sub(k.LastUsedAt) >= touchEvery {
		s.later.do("key:"+k.ID, func(ctx context.Context) error {
			return s.store.For(k.BrandNumber).InTx(ctx, func(tx store.Tx) error { return tx.TouchAPIKey(ctx, k.BrandNumber, k.ID, at) })
		})
	}
	return mintage.Principal{
		BrandNumber: k.BrandNumber, Role: k.Role, Actor: "key:" + k.ID, AdminsSubmit: k.AdminsSubmit, Origin: from,
	}, nil
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
